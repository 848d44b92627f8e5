// Package freshness is HTTP caching's judgement (RFC 9111) as pure functions
// of header fields, method, status and the clock: what may be stored and on
// which terms, when it may be used again, what validates it and what an
// answer to that changes. There is no storage here and no HTTP.
//
// Fields are read through an accessor, one value after the other in the order
// of the message. Where the standard lets a recipient choose how to read what
// is malformed, the reading is the one that leads to a question to the origin
// rather than to a wrong answer.
package freshness

import "bytes"

// Fields is how the header fields of a message are read.
type Fields interface {
	// NextNamed returns the index of the first field after i with this name,
	// compared without regard to case, or -1. Begin with -1.
	NextNamed(name []byte, i int) int
	// Value returns the value of field i without surrounding white space.
	Value(i int) []byte
}

// The names of the fields that are read here.
var (
	nameAge              = []byte("Age")
	nameAuthorization    = []byte("Authorization")
	nameClientCert       = []byte("Client-Cert")
	nameCacheControl     = []byte("Cache-Control")
	nameCDNCacheControl  = []byte("CDN-Cache-Control")
	nameCookie           = []byte("Cookie")
	nameDate             = []byte("Date")
	nameETag             = []byte("ETag")
	nameExpires          = []byte("Expires")
	nameIfModifiedSince  = []byte("If-Modified-Since")
	nameIfNoneMatch      = []byte("If-None-Match")
	nameIfRange          = []byte("If-Range")
	nameLastModified     = []byte("Last-Modified")
	nameOwnCacheControl  = []byte("Seawall-CDN-Cache-Control")
	namePragma           = []byte("Pragma")
	nameSetCookie        = []byte("Set-Cookie")
	nameSurrogateControl = []byte("Surrogate-Control")
	nameVary             = []byte("Vary")
)

// first returns the value of the first field with this name.
func first(f Fields, name []byte) (value []byte, ok bool) {
	if i := f.NextNamed(name, -1); i >= 0 {
		return f.Value(i), true
	}
	return nil, false
}

func has(f Fields, name []byte) bool { return f.NextNamed(name, -1) >= 0 }

// repeated reports whether there is more than one field with this name.
func repeated(f Fields, name []byte) bool {
	i := f.NextNamed(name, -1)
	return i >= 0 && f.NextNamed(name, i) >= 0
}

// agreed returns the value that all fields with this name have, ignoring
// nothing but repetition; differ is true when they contradict each other.
func agreed(f Fields, name []byte) (value []byte, ok, differ bool) {
	value, ok = first(f, name)
	if !ok {
		return nil, false, false
	}
	for i := f.NextNamed(name, -1); i >= 0; i = f.NextNamed(name, i) {
		if !bytes.Equal(f.Value(i), value) {
			return value, true, true
		}
	}
	return value, true, false
}

// eachElement calls yield for every non-empty element of a comma-separated
// list (RFC 9110, 5.6.1) whose quoted strings may hold commas; it stops when
// yield returns false. A quote that is never closed hides nothing.
func eachElement(value []byte, yield func(element []byte) bool) {
	for len(value) > 0 {
		end, closed := elementEnd(value)
		if !closed {
			eachName(value, yield)
			return
		}
		element := trim(value[:end])
		value = value[min(end+1, len(value)):]
		if len(element) > 0 && !yield(element) {
			return
		}
	}
}

// elementEnd returns where the first element of a list ends, and whether its
// quotes are closed there.
func elementEnd(value []byte) (end int, closed bool) {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return i, true
		}
	}
	return len(value), !quoted
}

// eachName is eachElement for a list without quoted strings.
func eachName(list []byte, yield func(name []byte) bool) {
	for len(list) > 0 {
		end := 0
		for end < len(list) && list[end] != ',' {
			end++
		}
		name := trim(list[:end])
		list = list[min(end+1, len(list)):]
		if len(name) > 0 && !yield(name) {
			return
		}
	}
}

func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// is compares a name with one in lower case without regard to case.
func is(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if lowered(c) != lower[i] {
			return false
		}
	}
	return true
}

func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lowered(c) != lowered(b[i]) {
			return false
		}
	}
	return true
}

func lowered(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
