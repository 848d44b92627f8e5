// Package wire is the grammar of HTTP/1.1 messages (RFC 9112, RFC 9110):
// request and response heads, chunked bodies and lists of header fields.
//
// A message is parsed once, into offsets: no byte is copied and nothing is
// allocated. The parsers are strict where two readers of the same bytes could
// disagree; each rule names its section.
package wire

import (
	"bytes"
	"slices"
)

// Field is one header field as offsets into the buffer it stands in.
type Field struct {
	NameStart, NameEnd   uint32
	ValueStart, ValueEnd uint32
	Known                Name // Other when the name is not in our table
}

// Fields is an ordered list of header fields over one buffer. It is either
// received (offsets into a parsed head, see Reset) or built line by line
// (see Add); a built list stands in its buffer as HTTP/1.1 lines.
type Fields struct {
	buf  []byte
	list []Field
	has  NameSet // whose names are in list
}

// NameSet is a set of names that may seem to hold more than was put in: it is
// for sparing the search for what is not there. Other is one of the names.
type NameSet uint64

// SetOf returns a set of names.
func SetOf(names ...Name) (s NameSet) {
	for _, n := range names {
		s |= 1 << (n % 64)
	}
	return s
}

// Reset empties the list and lays it over buf.
func (f *Fields) Reset(buf []byte) {
	f.buf = buf
	f.list, f.has = f.list[:0], 0
}

// Clear empties a built list and keeps its memory.
func (f *Fields) Clear() {
	f.buf = f.buf[:0]
	f.list, f.has = f.list[:0], 0
}

// Add appends one field to a built list. Name and value must be free of
// CR, LF and NUL; what came out of a parser here is.
func (f *Fields) Add(known Name, name, value []byte) {
	start, size := len(f.buf), len(name)+len(value)+4
	f.buf = slices.Grow(f.buf, size)[:start+size]
	line := f.buf[start:]
	line[copy(line, name)], line[len(name)+1] = ':', ' '
	copy(line[len(name)+2:], value)
	line[size-2], line[size-1] = '\r', '\n'
	f.put(Field{uint32(start), uint32(start + len(name)), uint32(start + len(name) + 2), uint32(start + size - 2), known})
}

func (f *Fields) put(field Field) {
	f.list = append(f.list, field)
	f.has |= 1 << (field.Known % 64)
}

// AddAll appends all fields of another built list.
func (f *Fields) AddAll(other *Fields) {
	shift := uint32(len(f.buf))
	f.buf = append(f.buf, other.buf...)
	begin := len(f.list)
	f.list = append(f.list, other.list...)
	for i := range f.list[begin:] {
		field := &f.list[begin+i]
		field.NameStart += shift
		field.NameEnd += shift
		field.ValueStart += shift
		field.ValueEnd += shift
	}
	f.has |= other.has
}

// AddKnown appends a field whose name is in our table.
func (f *Fields) AddKnown(known Name, value []byte) { f.Add(known, names[known].text, value) }

// Lines returns a built list as HTTP/1.1 field lines, each ended by CRLF.
func (f *Fields) Lines() []byte { return f.buf }

// Clone returns a built list that shares nothing with f.
func (f *Fields) Clone() Fields {
	return Fields{bytes.Clone(f.buf), slices.Clone(f.list), f.has}
}

// First returns the first n fields of a built list. It shares f's memory.
func (f *Fields) First(n int) Fields {
	end := len(f.buf)
	if n < len(f.list) { // has may then have more in it
		end = int(f.list[n].NameStart)
	}
	return Fields{f.buf[:end:end], f.list[:n:n], f.has}
}

// Size returns the bytes of memory a built list holds.
func (f *Fields) Size() int { return cap(f.buf) + cap(f.list)*20 }

// Len returns the number of fields.
func (f *Fields) Len() int { return len(f.list) }

// Name returns the name of field i as received.
func (f *Fields) Name(i int) []byte { return f.buf[f.list[i].NameStart:f.list[i].NameEnd] }

// Value returns the value of field i without surrounding white space.
func (f *Fields) Value(i int) []byte { return f.buf[f.list[i].ValueStart:f.list[i].ValueEnd] }

// Known returns which name of our table field i has, or Other.
func (f *Fields) Known(i int) Name { return f.list[i].Known }

// Next returns the index of the next field with this name after index i
// (begin with -1), or -1.
func (f *Fields) Next(known Name, i int) int {
	for i++; i < len(f.list); i++ {
		if f.list[i].Known == known {
			return i
		}
	}
	return -1
}

// Get returns the value of the first field with this name.
func (f *Fields) Get(known Name) ([]byte, bool) {
	if i := f.Next(known, -1); i >= 0 {
		return f.Value(i), true
	}
	return nil, false
}

// Has reports whether a field with this name exists.
func (f *Fields) Has(known Name) bool { return f.has>>(known%64)&1 != 0 && f.Next(known, -1) >= 0 }

// MayHave reports whether a field of the set may be there; false is sure.
func (f *Fields) MayHave(s NameSet) bool { return f.has&s != 0 }

// NextNamed is Next for any name, compared without regard to case.
func (f *Fields) NextNamed(name []byte, i int) int {
	if known := Lookup(name); known != Other {
		return f.Next(known, i)
	}
	for i++; i < len(f.list); i++ {
		if f.list[i].Known == Other && EqualFold(f.Name(i), name) {
			return i
		}
	}
	return -1
}

// EqualFold compares two names of ASCII letters without regard to case.
func EqualFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lower[c] != lower[b[i]] {
			return false
		}
	}
	return true
}

// EachElement calls yield for every non-empty element of a comma-separated
// list (RFC 9110, 5.6.1) without regard to quoted strings, as fits lists of
// tokens; it stops when yield returns false.
func EachElement(value []byte, yield func(element []byte) bool) {
	for len(value) > 0 {
		element := value
		if i := bytes.IndexByte(value, ','); i >= 0 {
			element, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		if element = trim(element); len(element) > 0 && !yield(element) {
			return
		}
	}
}

// HasToken reports whether a list of tokens holds one, without regard to case.
func HasToken(value, token []byte) bool {
	for len(value) > 0 {
		element := value
		if i := bytes.IndexByte(value, ','); i >= 0 {
			element, value = value[:i], value[i+1:]
		} else {
			value = nil
		}
		if EqualFold(trim(element), token) {
			return true
		}
	}
	return false
}

// trim removes optional white space (RFC 9110, 5.6.3) at both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
