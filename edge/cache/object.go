package cache

import (
	"bytes"
	"time"

	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Object is one stored answer. Once it is stored it is never changed.
type Object struct {
	Status   int
	Fields   wire.Fields // built; without framing, Age and what is not kept
	Body     []byte
	Trailers *wire.Fields // nil when there were none
	Terms    freshness.Terms

	Codable Codable // how it takes to codings

	// NotModified are the fields of a 304: the first ones of Fields.
	NotModified wire.Fields

	came time.Time // when it was received, or found to be still good
	at   Moment    // the same

	forCaches wire.Fields // what the origin said to caches alone
	vary      []selector
	part      *part // nil: the body is whole
	codings   *codings
}

// selector is one field of the request that selected a variant (RFC 9111,
// 4.1).
type selector struct {
	name []byte // in lower case
	raw  []byte // the values as they came, each ended by a line feed, which no value can hold
	form []byte // their one form, see freshness.AppendSelecting

	// coding is set where the origin did not say that Accept-Encoding selects,
	// though it must have: many servers compress and forget Vary. Whoever
	// understands the coding may have the answer.
	coding []byte

	// exact is set where the owner's key names the field: what origins make of
	// lists and white space in it nobody knows, so its bytes count.
	exact bool
}

// Age returns the answer's age in seconds (RFC 9111, 4.2.3). A clock that is
// set does not change it.
func (o *Object) Age(now Moment) int64 {
	return o.Terms.Age + int64(max(0, now-o.at))/int64(time.Second)
}

// TTL returns for how many seconds the answer is fresh; negative when stale.
func (o *Object) TTL(now Moment) int64 { return o.Terms.Lifetime - o.Age(now) }

// Use decides what may be done with the answer for a request with these
// directives.
func (o *Object) Use(request *freshness.Directives, now Moment) freshness.Use {
	return o.Terms.Use(o.Age(now), request)
}

// Held returns for how many seconds the answer is here, or since when the
// origin has said that it is still good.
func (o *Object) Held(now Moment) int64 { return int64(max(0, now-o.at)) / int64(time.Second) }

// Whole reports whether all of the body is here.
func (o *Object) Whole() bool { return o.part == nil }

// Validates reports whether a 304 answers the request's conditions.
func (o *Object) Validates(request *wire.Fields) bool {
	i := request.Next(wire.IfNoneMatch, -1)
	switch {
	case i < 0 && !request.Has(wire.IfModifiedSince), o.Status != 200 && o.Status != 203:
		return false
	case i >= 0:
		// Almost always it is the very tag that we have given.
		if tag, ok := o.Fields.Get(wire.ETag); ok && bytes.Equal(request.Value(i), tag) {
			return true
		}
	}
	return freshness.NotModified(request, &o.Fields, o.came)
}

func (o *Object) size() int {
	const bookkeeping = 432
	size := bookkeeping + o.Fields.Size() + o.forCaches.Size() + cap(o.Body) + o.codings.bytes()
	for _, s := range o.vary {
		size += 96 + len(s.name) + len(s.raw) + len(s.form)
	}
	if o.Trailers != nil {
		size += o.Trailers.Size()
	}
	if o.part != nil {
		size += o.part.bytes()
	}
	return size
}

// fit gives back the memory that a body turned out not to need.
func (o *Object) fit() {
	if spare := cap(o.Body) - len(o.Body); spare > len(o.Body)/4 {
		o.Body = bytes.Clone(o.Body)
	}
}

// Selects reports whether a request's fields select this variant.
func (o *Object) Selects(request *wire.Fields) bool {
	for i := range o.vary {
		s := &o.vary[i]
		if s.same(request) {
			continue
		}
		if s.exact {
			return false
		}
		var room [256]byte
		if bytes.Equal(freshness.AppendSelecting(room[:0], request, s.name), s.form) {
			continue
		}
		if s.coding != nil && freshness.AcceptsCoding(request, s.coding) {
			continue
		}
		if string(s.name) == "accept-language" && freshness.SpeaksFor(&o.Fields, request) {
			continue
		}
		return false
	}
	return true
}

// coded reports whether the answer is compressed and the origin forgot to say
// what selects it.
func (o *Object) coded() bool { return len(o.vary) > 0 && o.vary[len(o.vary)-1].coding != nil }

// same compares byte by byte, which is enough almost always.
func (s *selector) same(request *wire.Fields) bool {
	rest := s.raw
	for j := request.NextNamed(s.name, -1); j >= 0; j = request.NextNamed(s.name, j) {
		value := request.Value(j)
		if len(rest) < len(value)+1 || !bytes.Equal(rest[:len(value)], value) || rest[len(value)] != '\n' {
			return false
		}
		rest = rest[len(value)+1:]
	}
	return len(rest) == 0
}

func makeSelector(name []byte, request *wire.Fields) selector {
	s := selector{name: bytes.ToLower(name)}
	for i := request.NextNamed(s.name, -1); i >= 0; i = request.NextNamed(s.name, i) {
		s.raw = append(s.raw, request.Value(i)...)
		s.raw = append(s.raw, '\n')
	}
	s.form = freshness.AppendSelecting(nil, request, s.name)
	return s
}
