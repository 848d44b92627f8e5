package cache

import (
	"bytes"
	"slices"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Offer is an answer that may be stored, and what decides about it.
type Offer struct {
	Method  []byte
	Request *wire.Fields
	Status  int
	Said    *wire.Fields // the answer's fields as the origin sent them
	Fields  *wire.Fields // as visitors get them
	Length  int64        // of the body; -1 when not known

	// Itself: Content-Location names the address that was asked for.
	Itself bool

	// Written is a field of requests that the edge writes itself, by the owner's
	// wish; nil: none.
	Written []byte

	// Keyed are names of request fields that select a variant besides those
	// that Vary names.
	Keyed [][]byte

	MaxObject           int64 // bytes of a body that are still stored
	Policy              freshness.Policy
	Requested, Received time.Time
	At                  Moment // the same as Received
}

// maxVaryNames bounds the names of a Vary field that are understood.
const maxVaryNames = 8

// Prepare decides whether an answer may be stored (RFC 9111, 3). If so it
// returns an Object that waits for its body and for Store.
func Prepare(offer Offer) (*Object, seawall.StoreResult) { return prepare(offer, nil) }

func prepare(offer Offer, p *part) (*Object, seawall.StoreResult) {
	terms, refusal := freshness.Offer{
		Method: offer.Method, Status: offer.Status, Request: offer.Request, Answer: offer.Said,
		Itself: offer.Itself, Part: p != nil,
		Requested: offer.Requested, Received: offer.Received, Policy: offer.Policy,
	}.Judge()
	switch {
	case refusal != freshness.Storable:
		return nil, storeResults[refusal]
	case offer.Length > offer.MaxObject:
		return nil, seawall.StoreTooLarge
	}
	object := &Object{Status: offer.Status, Terms: terms, came: offer.Received, at: offer.At, part: p, codings: &codings{}}
	if !object.readVary(offer) {
		return nil, seawall.StoreVaryStar
	}
	object.keep(offer.Fields, offer.Said)
	return object, seawall.StoreStored
}

var storeResults = [...]seawall.StoreResult{
	freshness.Storable:             seawall.StoreStored,
	freshness.RefusedByMethod:      seawall.StoreMethod,
	freshness.RefusedByStatus:      seawall.StoreStatus,
	freshness.RefusedByNoStore:     seawall.StoreNoStore,
	freshness.RefusedByPrivate:     seawall.StorePrivate,
	freshness.RefusedByRequest:     seawall.StoreRequest,
	freshness.RefusedByCredentials: seawall.StoreAuthorization,
	freshness.RefusedByVary:        seawall.StoreVaryStar,
	freshness.RefusedByCookie:      seawall.StoreSetCookie,
	freshness.RefusedAsUnclear:     seawall.StoreUnclear,
	freshness.RefusedWithoutTerms:  seawall.StoreNoFreshness,
	freshness.RefusedAsExpired:     seawall.StoreExpired,
	freshness.RefusedAlwaysAsk:     seawall.StoreNoCache,
}

// keep takes over the fields that may be kept: first those that a 304 says
// too, and each name's in the order in which they came.
func (o *Object) keep(visible, said *wire.Fields) {
	brief := 0
	tagged := visible.Has(wire.ETag) && o.keeps(wire.ETag, wire.ETag.Text(), said)
	for _, inNotModified := range [...]bool{true, false} {
		for i := range visible.Len() {
			name := visible.Name(i)
			if freshness.InNotModified(name, tagged) == inNotModified && o.keeps(visible.Known(i), name, said) {
				o.Fields.Add(visible.Known(i), name, visible.Value(i))
			}
		}
		if inNotModified {
			brief = o.Fields.Len()
		}
	}
	for i := range said.Len() {
		if said.Known(i).ForCaches() {
			o.forCaches.Add(said.Known(i), said.Name(i), said.Value(i))
		}
	}
	o.Fields, o.forCaches = o.Fields.Clone(), o.forCaches.Clone()
	o.NotModified = o.Fields.First(brief)
	o.Codable = Coded(o.Status, &o.Fields)
}

// keeps reports whether a field is stored (RFC 9111, 3.1). Those of one
// connection never get this far.
func (o *Object) keeps(known wire.Name, name []byte, said *wire.Fields) bool {
	switch known {
	case wire.Age, wire.ProxyAuthenticate, wire.ProxyAuthenticationInfo, wire.ProxyAuthorization, wire.SeawallRequestID:
		return false
	case wire.ContentRange:
		return o.part == nil // a part's place is kept otherwise
	case wire.SetCookie:
		if o.Terms.WithoutCookie {
			return false
		}
	}
	return !o.Terms.FieldsNamed || !freshness.Named(said, name)
}

// readVary notes what selects this answer. It fails on more names than are
// understood, and on fields that the edge writes itself: the origin saw other
// values than the requests that are compared.
func (o *Object) readVary(offer Offer) bool {
	ok := true
	freshness.EachVary(offer.Said, func(name []byte) bool {
		switch known := wire.Lookup(name); {
		case sameForAll(known):
			return true
		case known.Claim(), offer.Written != nil && wire.EqualFold(name, offer.Written), len(o.vary) == maxVaryNames:
			ok = false
		default:
			o.vary = append(o.vary, makeSelector(name, offer.Request))
		}
		return ok
	})
	for _, name := range offer.Keyed {
		if lowered := bytes.ToLower(name); !o.selectedBy(string(lowered)) {
			s := makeSelector(lowered, offer.Request)
			s.exact = !bytes.HasPrefix(lowered, []byte("accept"))
			o.vary = append(o.vary, s)
		}
	}
	if coding, found := offer.Said.Get(wire.ContentEncoding); ok && found && !o.selectedBy("accept-encoding") {
		s := makeSelector(wire.AcceptEncoding.Text(), offer.Request)
		s.coding = bytes.Clone(coding)
		o.vary = append(o.vary, s)
	}
	return ok
}

func (o *Object) selectedBy(name string) bool {
	return slices.ContainsFunc(o.vary, func(s selector) bool { return string(s.name) == name })
}

// sameForAll names request fields that are the same for all requests with one
// key, or say nothing about the visitor.
func sameForAll(name wire.Name) bool {
	switch name {
	case wire.Host, wire.Via, wire.CDNLoop, wire.SurrogateCapability, wire.XForwardedHost, wire.XForwardedProto:
		return true
	}
	return false
}
