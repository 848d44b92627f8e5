package rewrite

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// template is a text with places that are filled in: $1, ${name}, ${host}.
type template struct {
	parts []templatePart
}

type templatePart struct {
	text  string // literal; empty: a place
	group int    // from 0; -1: not a group
	value string // the name of a value that is no group
}

// parseTemplate reads a template. groups is how many groups there are, names
// the numbers of those with a name; values are the other names that are known.
func parseTemplate(text string, groups int, names map[string]int, values []string) (template, error) {
	var t template
	literal := ""
	flush := func() {
		if literal != "" {
			t.parts = append(t.parts, templatePart{text: literal, group: -1})
			literal = ""
		}
	}
	for len(text) > 0 {
		at := strings.IndexByte(text, '$')
		if at < 0 || at == len(text)-1 {
			literal += text
			break
		}
		literal, text = literal+text[:at], text[at+1:]
		switch c := text[0]; {
		case c == '$':
			literal, text = literal+"$", text[1:]
		case c >= '1' && c <= '9':
			if group := int(c - '1'); group < groups {
				flush()
				t.parts = append(t.parts, templatePart{group: group})
			} else {
				return template{}, fmt.Errorf("$%c: there are only %d stars or groups", c, groups)
			}
			text = text[1:]
		case c == '{':
			end := strings.IndexByte(text, '}')
			if end < 0 {
				return template{}, fmt.Errorf("${ without a }")
			}
			part, err := placeOf(text[1:end], groups, names, values)
			if err != nil {
				return template{}, err
			}
			flush()
			t.parts = append(t.parts, part)
			text = text[end+1:]
		default:
			literal += "$"
		}
	}
	flush()
	return t, nil
}

func placeOf(name string, groups int, names map[string]int, values []string) (templatePart, error) {
	if group, known := names[name]; known {
		return templatePart{group: group}, nil
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= groups {
		return templatePart{group: n - 1}, nil
	}
	for _, value := range values {
		if value == name {
			return templatePart{group: -1, value: name}, nil
		}
	}
	return templatePart{}, fmt.Errorf("${%s} stands for nothing; there are %s", name, strings.Join(values, ", "))
}

// fixed reports whether the template has no places, and its text.
func (t *template) fixed() (text string, ok bool) {
	switch len(t.parts) {
	case 0:
		return "", true
	case 1:
		return t.parts[0].text, t.parts[0].text != ""
	}
	return "", false
}

// begins returns the text that stands before the first place.
func (t *template) begins() string {
	if len(t.parts) == 0 {
		return ""
	}
	return t.parts[0].text
}

// appendTo appends the template, with what fills each place escaped for where
// it stands in a URL (RFC 3986, 3.3 and 3.4).
func (t *template) appendTo(dst []byte, captures [][]byte, value func(name string) []byte) []byte {
	query := false
	for _, part := range t.parts {
		switch {
		case part.text != "":
			dst = append(dst, part.text...)
			query = query || strings.IndexByte(part.text, '?') >= 0
		case part.group >= 0:
			dst = appendEscaped(dst, captures[part.group], query)
		default:
			dst = appendEscaped(dst, value(part.value), query)
		}
	}
	return dst
}

// inPath and inQuery are the bytes that may stand in a path, and in the value
// of a query field, as they are.
var inPath, inQuery = func() (path, query [256]bool) {
	for c := range 256 {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		query[c] = letter || bytes.IndexByte([]byte("-._~"), byte(c)) >= 0
		path[c] = query[c] || bytes.IndexByte([]byte("/:@!$&'()*+,;="), byte(c)) >= 0
	}
	return path, query
}()

func appendEscaped(dst, text []byte, query bool) []byte {
	plain := &inPath
	if query {
		plain = &inQuery
	}
	const digits = "0123456789ABCDEF"
	for _, c := range text {
		if plain[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}
