package rule

import (
	"bytes"
	"iter"

	"github.com/seawall-edge/seawall/internal/wire"
)

// QueryFields yields the fields of a target's query as they stand in it, each
// with its name and value (WHATWG URL, application/x-www-form-urlencoded).
func QueryFields(target []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := bytes.IndexByte(target, '?')
		if i < 0 {
			return
		}
		for rest := target[i+1:]; len(rest) > 0; {
			field := rest
			if end := bytes.IndexByte(rest, '&'); end >= 0 {
				field, rest = rest[:end], rest[end+1:]
			} else {
				rest = nil
			}
			if len(field) > 0 && !yield(field) {
				return
			}
		}
	}
}

var equals = []byte("=")

// Cookies yields the values of all cookies with a name (RFC 6265, 5.4): names
// have their case, and quotes belong to the value.
func Cookies(fields *wire.Fields, name []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := fields.Next(wire.Cookie, -1); i >= 0; i = fields.Next(wire.Cookie, i) {
			rest := fields.Value(i)
			if !bytes.Contains(rest, name) {
				continue // sparing the parsing
			}
			for len(rest) > 0 {
				pair := rest
				if end := bytes.IndexByte(rest, ';'); end >= 0 {
					pair, rest = rest[:end], rest[end+1:]
				} else {
					rest = nil
				}
				for len(pair) > 0 && (pair[0] == ' ' || pair[0] == '\t') {
					pair = pair[1:]
				}
				said, value, _ := bytes.Cut(pair, equals)
				if string(bytes.TrimRight(said, " \t")) == string(name) && !yield(bytes.TrimRight(value, " \t")) {
					return
				}
			}
		}
	}
}

// appendUnescaped decodes percent-escapes and plus signs as forms have them.
// A stray percent sign stands for itself.
func appendUnescaped(dst, text []byte) []byte {
	for len(text) > 0 {
		c, size := unescaped(text)
		dst, text = append(dst, c), text[size:]
	}
	return dst
}

// meansName reports whether a text decodes to a name.
func meansName(text, name []byte) bool {
	for len(text) > 0 && len(name) > 0 {
		c, size := unescaped(text)
		if c != name[0] {
			return false
		}
		text, name = text[size:], name[1:]
	}
	return len(text) == 0 && len(name) == 0
}

// unescaped decodes what stands first in a text that is not empty.
func unescaped(text []byte) (c byte, size int) {
	switch c = text[0]; {
	case c == '+':
		return ' ', 1
	case c == '%' && len(text) > 2:
		if high, low := wire.Unhex(text[1]), wire.Unhex(text[2]); high >= 0 && low >= 0 {
			return byte(high<<4 | low), 3
		}
	}
	return c, 1
}
