package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	nullTag = "!!null"
	textTag = "!!str"
	boolTag = "!!bool"
	intTag  = "!!int"

	// mostRepeated is how many values may come out of aliases. It is far
	// above what anybody writes and far below what a bomb needs.
	mostRepeated = 100_000
)

// decoder walks a tree of YAML beside a Go value.
type decoder struct {
	lines    Lines // nil: nobody asks for them
	mistakes []Mistake
	inAlias  int // how many aliases we are inside of
	repeated int // values seen there
}

// value reads one value into target; at is where a mistake in it is shown.
func (d *decoder) value(n *yaml.Node, path string, target reflect.Value) {
	if n.Kind == yaml.AliasNode {
		d.inAlias++
		defer func() { d.inAlias-- }()
		n = n.Alias
	}
	if d.inAlias > 0 {
		if d.repeated++; d.repeated == mostRepeated {
			d.mistake(n, path, "aliases repeat too much from here on")
		}
		if d.repeated >= mostRepeated {
			return
		}
	}
	if reader, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, path, reader)
		return
	}
	null := n.Kind == yaml.ScalarNode && n.Tag == nullTag
	switch target.Kind() {
	case reflect.Struct:
		// A key whose children are all commented out has no value. That is
		// how people leave settings at their defaults.
		if !null && d.is(n, path, yaml.MappingNode, "settings, each as name: value") {
			d.structure(n, path, target)
		}
	case reflect.Slice:
		if !null && d.is(n, path, yaml.SequenceNode, "a list, each entry beginning with a hyphen") {
			d.list(n, path, target)
		}
	default:
		d.scalar(n, path, target)
	}
}

func (d *decoder) is(n *yaml.Node, path string, kind yaml.Kind, expected string) bool {
	if n.Kind != kind {
		d.mistake(n, path, "%s is expected here; this is %s", expected, describe(n))
	}
	return n.Kind == kind
}

func (d *decoder) structure(n *yaml.Node, path string, target reflect.Value) {
	fields := fieldsOf(target.Type())
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag != textTag {
			if key.Kind == yaml.ScalarNode && key.Value == "<<" {
				d.mistake(key, path, "merging with << is not supported; name the settings")
			} else {
				d.mistake(key, path, "the name of a setting is expected here; this is %s", describe(key))
			}
			continue
		}
		below := key.Value
		if path != "" {
			below = path + "." + key.Value
		}
		if first := seen[key.Value]; first != nil {
			d.mistake(key, below, "this is set a second time; the first is on line %d", first.Line)
			continue
		}
		seen[key.Value] = key
		index, known := fields.index[key.Value]
		if !known {
			d.mistake(key, below, "%s", fields.unknown(key.Value))
			continue
		}
		if d.lines != nil && d.inAlias == 0 {
			d.lines[below] = Position{key.Line, key.Column}
		}
		d.value(value, below, target.Field(index))
	}
}

func (d *decoder) list(n *yaml.Node, path string, target reflect.Value) {
	all := reflect.MakeSlice(target.Type(), len(n.Content), len(n.Content))
	for i, entry := range n.Content {
		below := path + "[" + strconv.Itoa(i) + "]"
		if d.lines != nil && d.inAlias == 0 {
			d.lines[below] = Position{entry.Line, entry.Column}
		}
		d.value(entry, below, all.Index(i))
	}
	target.Set(all)
}

func (d *decoder) text(n *yaml.Node, path string, reader encoding.TextUnmarshaler) {
	if n.Kind != yaml.ScalarNode || n.Tag == nullTag {
		d.mistake(n, path, "a value is expected here; this is %s", describe(n))
		return
	}
	if err := reader.UnmarshalText([]byte(n.Value)); err != nil {
		d.mistake(n, path, "%v", err)
	}
}

// scalar reads the kinds that Go's settings are made of.
func (d *decoder) scalar(n *yaml.Node, path string, target reflect.Value) {
	var expected string
	switch kind := target.Kind(); kind {
	case reflect.String:
		expected = "text"
		if n.Kind == yaml.ScalarNode && n.Tag == textTag {
			target.SetString(n.Value)
			return
		}
	case reflect.Bool:
		expected = "true or false"
		if n.Kind == yaml.ScalarNode && n.Tag == boolTag && (n.Value == "true" || n.Value == "false") {
			target.SetBool(n.Value == "true")
			return
		}
	case reflect.Int, reflect.Int64:
		expected = "a whole number"
		number, err := strconv.ParseInt(n.Value, 10, target.Type().Bits())
		if n.Kind == yaml.ScalarNode && n.Tag == intTag && err == nil && !leadingZero(n.Value) {
			target.SetInt(number)
			return
		}
	default:
		panic(fmt.Sprintf("strictyaml: %s is of type %s, which cannot be read", path, target.Type()))
	}
	hint := ""
	if expected == "text" && n.Kind == yaml.ScalarNode && n.Tag != nullTag {
		hint = "; put it in quotes"
	}
	d.mistake(n, path, "%s is expected here; this is %s%s", expected, describe(n), hint)
}

// leadingZero: 010 is eight in YAML 1.1 and ten in 1.2, so it is neither here.
func leadingZero(text string) bool {
	digits := strings.TrimLeft(text, "+-")
	return len(digits) > 1 && digits[0] == '0'
}

// describe says what a node is, for somebody who wrote it as something else.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group of settings"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	value := n.Value
	if len(value) > 40 {
		value = strings.ToValidUTF8(value[:40], "") + "..."
	}
	switch n.Tag {
	case nullTag:
		return "empty"
	case textTag:
		return fmt.Sprintf("the text %q", value)
	case boolTag:
		return "the truth value " + value
	case intTag, "!!float":
		return "the number " + value
	}
	return fmt.Sprintf("%q, a value of type %s", value, n.Tag)
}
