package certs

import (
	"bytes"
	"crypto/tls"
	"strings"
)

// A Source loads or makes a certificate. It may be slow, and is called again
// when the certificate nears its end.
type Source interface {
	Certificate() (*tls.Certificate, error)
}

// maxName is the length of the longest DNS name as text (RFC 1035, 2.3.4).
const maxName = 253

// An Index knows where the certificate of a name comes from. It is filled by
// one goroutine; after the last Add it is safe for any number of readers.
type Index struct {
	sources []Source
	exact   map[string]int32 // places in sources: half the size of a Source
	wild    map[string]int32 // "*.example.com" under "example.com"
	all     int32            // the place for every name; -1: none
}

// NewIndex returns an Index that knows no name.
func NewIndex() *Index {
	return &Index{exact: map[string]int32{}, wild: map[string]int32{}, all: -1}
}

// Add says where the certificate of a name comes from: of "example.com", of
// "*.example.com" for all names of one more label (RFC 6125, 6.4.3), or of "*"
// for every name that no other entry covers, and for visitors who send none.
// A later Add replaces an earlier one of the same name.
func (x *Index) Add(name string, s Source) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	places, key := x.exact, name
	if parent, ok := strings.CutPrefix(name, "*."); ok {
		places, key = x.wild, parent
	}
	place, again := places[key]
	if name == "*" {
		place, again = x.all, x.all >= 0
	}
	if again {
		x.sources[place] = s
		return
	}
	place = int32(len(x.sources))
	x.sources = append(x.sources, s)
	if name == "*" {
		x.all = place
		return
	}
	places[key] = place
}

// Find returns the source for the name that a visitor sent: that of the name
// itself, else that of the wildcard beside it, else that of every name; nil if
// there is none. Case and a dot at the end do not matter. What cannot be a
// name in DNS has no source, not even that of every name.
func (x *Index) Find(name string) Source {
	place := x.find(name)
	if place < 0 {
		return nil
	}
	return x.sources[place]
}

// find is Find, but returns the place in sources; -1: none.
func (x *Index) find(name string) int32 {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	if len(name) > maxName {
		return -1
	}
	var buffer [maxName]byte // stays on the stack, as do the strings made of it below
	lower := buffer[:len(name)]
	for i := range lower {
		b := name[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		if !nameByte(b) && b != '.' {
			return -1
		}
		lower[i] = b
	}
	if place, ok := x.exact[string(lower)]; ok {
		return place
	}
	if dot := bytes.IndexByte(lower, '.'); dot > 0 { // a wildcard stands for a label, not for none
		if place, ok := x.wild[string(lower[dot+1:])]; ok {
			return place
		}
	}
	return x.all
}

// nameByte reports whether a label of a lower-case name may have the byte.
func nameByte(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '-' || b == '_'
}
