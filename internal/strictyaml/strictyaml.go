// Package strictyaml reads YAML that people wrote, and tells them all that is
// wrong with it at once.
//
// A configuration is corrected in one go or by trial and error; the
// difference is whether the first mistake hides the others. So the text is
// first parsed to a tree and the tree then walked beside the Go type, which
// lets the walk go on after a mistake. It is strict where YAML is loose: a
// number is no text, `yes` is no boolean, an unknown or repeated key is a
// mistake, and a file has one document.
//
// The YAML library is a guest of this room; nothing of it can be seen from
// outside.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxSize is the largest input that is read, in bytes.
const MaxSize = 16 << 20

// mostMistakes is how many mistakes are worth reading.
const mostMistakes = 100

// Position is a place in the text; both numbers count from 1.
type Position struct{ Line, Column int }

// Mistake is one thing that is wrong with the text.
type Mistake struct {
	Position
	Path string // such as zones[2].origin.url; empty when the text as a whole is meant
	Text string
}

// Lines says where each setting stands: its key, or its value in a list.
type Lines map[string]Position

// At returns the place of a path such as zones[2].origin.url or, when that is
// not in the text, of the nearest that holds it.
func (l Lines) At(path string) Position {
	for path != "" {
		if position, ok := l[path]; ok {
			return position
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return Position{1, 1}
}

// Decode reads the YAML text src into the struct that into points to. Keys
// are those of the yaml tags; fields without one cannot be set. Types that
// implement encoding.TextUnmarshaler are read from the text of a value.
//
// It returns every mistake in the order of the text; where there is one, the
// field keeps the value it had.
func Decode(src []byte, into any) []Mistake { return decode(src, into, nil) }

// Locate returns the places of all settings that src has for a T. It is apart
// from Decode because a text without mistakes, which may be large, needs none.
func Locate[T any](src []byte) Lines {
	lines := Lines{}
	decode(src, new(T), lines)
	return lines
}

func decode(src []byte, into any, lines Lines) []Mistake {
	d := &decoder{lines: lines}
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("strictyaml: cannot decode into %T, which is no pointer to a struct", into))
	}
	if root := d.parse(src); root != nil {
		if root.Kind == yaml.MappingNode {
			d.structure(root, "", target.Elem())
		} else {
			d.mistake(root, "", "settings are expected here, each as name: value; this is %s", describe(root))
		}
	}
	slices.SortStableFunc(d.mistakes, func(a, b Mistake) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	if more := len(d.mistakes) - mostMistakes; more > 0 {
		d.mistakes = append(d.mistakes[:mostMistakes], Mistake{Position: d.mistakes[mostMistakes].Position, Text: fmt.Sprintf("and %d more mistakes", more)})
	}
	return d.mistakes
}

// parse returns the root of the one document, or nil and a mistake.
func (d *decoder) parse(src []byte) *yaml.Node {
	top := &yaml.Node{Line: 1, Column: 1}
	if len(src) > MaxSize {
		d.mistake(top, "", "the text has %d bytes, more than %d", len(src), MaxSize)
		return nil
	}
	if at := firstUnreadable(src); at != nil {
		d.mistake(at, "", "%s", at.Value)
		return nil
	}
	// Repeated keys are found here, all of them and with their paths.
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithUniqueKeys(false))
	if err != nil {
		d.mistake(top, "", "the text cannot be read: %v", err)
		return nil
	}
	var document, second yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) {
		d.mistake(top, "", "there is nothing in it")
		return nil
	} else if err != nil {
		d.syntax(err)
		return nil
	}
	if err := loader.Load(&second); err == nil {
		d.mistake(&second, "", "a second document begins here; there can be only one")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		d.mistake(top, "", "there is nothing in it")
		return nil
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == nullTag {
		d.mistake(top, "", "there is nothing in it")
		return nil
	}
	return root
}

// firstUnreadable finds what makes a text no text, for which the parser names
// no place; the node that it returns has the place and the complaint.
func firstUnreadable(src []byte) *yaml.Node {
	line, start := 1, 0
	for i, width := 0, 0; i < len(src); i += width {
		var r rune
		r, width = utf8.DecodeRune(src[i:])
		complaint := ""
		switch {
		case r == utf8.RuneError && width == 1:
			complaint = fmt.Sprintf("the byte %#02x is not UTF-8", src[i])
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			complaint = fmt.Sprintf("the control character %#02x cannot be part of the text", r)
		case r == '\n':
			line, start = line+1, i+1
		}
		if complaint != "" {
			return &yaml.Node{Line: line, Column: utf8.RuneCount(src[start:i]) + 1, Value: complaint}
		}
	}
	return nil
}

// syntax keeps what the parser says, which stops at its first mistake.
func (d *decoder) syntax(err error) {
	at := &yaml.Node{Line: 1, Column: 1}
	text := err.Error()
	var load *yaml.LoadError
	if errors.As(err, &load) {
		text = load.Message
		if load.ContextMsg != "" {
			text += " " + load.ContextMsg
		}
		if load.Mark.Line > 0 {
			at.Line, at.Column = load.Mark.Line, max(1, load.Mark.Column)
		}
	}
	d.mistake(at, "", "this is not YAML: %s", text)
}

func (d *decoder) mistake(at *yaml.Node, path, format string, args ...any) {
	position := Position{max(1, at.Line), max(1, at.Column)}
	d.mistakes = append(d.mistakes, Mistake{position, path, fmt.Sprintf(format, args...)})
}
