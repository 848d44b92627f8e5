package forwarded

import "bytes"

// maxPairs is how many parameters an element may have; four are defined.
const maxPairs = 8

// scanner reads a value of Forwarded from left to right.
type scanner struct {
	rest []byte
	text [longestNode]byte // where quoted values lose their backslashes
}

// longestNode is the length of the longest identifier with a port that is
// read. There is no limit for obfuscated ones; one that is longer is malformed.
const longestNode = 256

// readForwarded reads one value of Forwarded:
//
//	Forwarded         = 1#forwarded-element
//	forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )
//	forwarded-pair    = token "=" value
//	value             = token / quoted-string
//
// (RFC 7239, 4), with optional whitespace around commas and nowhere else. An
// empty element is malformed, though lists may have them (RFC 9110, 5.6.1):
// no proxy writes one, and who leaves one out where another counts it sees
// another hop.
func (l *list) readForwarded(value []byte) bool {
	s := scanner{rest: trim(value)}
	for {
		n, ok := s.element()
		if !ok || !l.add(n) {
			return false
		}
		s.skipSpace()
		if len(s.rest) == 0 {
			return true
		}
		if !s.skip(',') {
			return false
		}
		s.skipSpace()
	}
}

// element reads pairs up to a comma, a space or the end, and returns the node
// of the for parameter. No parameter may occur twice (RFC 7239, 4).
func (s *scanner) element() (n node, ok bool) {
	var names [maxPairs][]byte
	count, semicolon := 0, false
	for {
		if name := s.token(); len(name) > 0 {
			if count == maxPairs || contains(names[:count], name) || !s.skip('=') {
				return node{}, false
			}
			names[count] = name
			count++
			value, good := s.value()
			if !good {
				return node{}, false
			}
			if bytes.EqualFold(name, []byte("for")) {
				if n, good = parseNode(value, ForwardedField); !good {
					return node{}, false
				}
			}
		}
		if !s.skip(';') {
			return n, count > 0 || semicolon
		}
		semicolon = true
	}
}

// value reads a token or a quoted string without its quotes and backslashes.
// It holds until the next call.
func (s *scanner) value() (value []byte, ok bool) {
	if !s.skip('"') {
		value = s.token()
		return value, len(value) > 0
	}
	n := 0
	for i := 0; i < len(s.rest); i++ {
		c := s.rest[i]
		switch {
		case c == '"':
			s.rest = s.rest[i+1:]
			return s.text[:min(n, len(s.text))], n <= len(s.text)
		case c == '\\':
			if i++; i == len(s.rest) {
				return nil, false
			}
			c = s.rest[i]
		}
		// What a quotation may hold (RFC 9110, 5.6.4) is the same behind a
		// backslash and without, these two apart.
		if c != '\t' && c < ' ' || c == 0x7f {
			return nil, false
		}
		if n < len(s.text) {
			s.text[n] = c
		}
		n++
	}
	return nil, false // never closed
}

// token reads as many token characters as there are (RFC 9110, 5.6.2).
func (s *scanner) token() []byte {
	i := 0
	for i < len(s.rest) && (alphanumeric(s.rest[i]) || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), s.rest[i]) >= 0) {
		i++
	}
	token := s.rest[:i]
	s.rest = s.rest[i:]
	return token
}

// skip skips the byte c if it is next.
func (s *scanner) skip(c byte) bool {
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) skipSpace() {
	for s.skip(' ') || s.skip('\t') {
	}
}

func contains(names [][]byte, name []byte) bool {
	for _, other := range names {
		if bytes.EqualFold(other, name) {
			return true
		}
	}
	return false
}
