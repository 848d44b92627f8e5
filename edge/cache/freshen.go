package cache

import (
	"bytes"
	"slices"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// News is an answer that says something about one that is stored: a 304 or
// the answer to a HEAD.
type News struct {
	Said, Fields        *wire.Fields // as the origin sent them; as visitors get them
	Requested, Received time.Time
	At                  Moment
	Policy              freshness.Policy
	Request             *wire.Fields
	Written             []byte   // as in Offer
	Keyed               [][]byte // as in Offer
}

// Chosen returns which of the answers that were asked about a 304 means (RFC
// 9111, 4.3.4); nil when it is none of them. asked are the newest first.
func Chosen(asked []*Object, notModified *wire.Fields) *Object {
	if len(asked) == 1 {
		return asked[0]
	}
	var best *Object
	likeness := freshness.Nameless // which of several a nameless 304 means nobody knows
	for _, object := range asked {
		if like := freshness.Freshens(notModified, &object.Fields); like > likeness {
			best, likeness = object, like
		}
	}
	return best
}

// Freshened returns the stored answer with the fields and the lifetime that
// the news gives it (RFC 9111, 3.2 and 4.3.4). What the news does not say
// stays. The result is StoreStored when it may take the stored one's place;
// StoreAuthorization and StoreRequest when it is for this visitor alone and
// the stored one stays as it is; any other when nothing may be kept.
func (o *Object) Freshened(news News) (*Object, seawall.StoreResult) {
	fresh := &Object{
		Status: o.Status, Body: o.Body, Trailers: o.Trailers, vary: o.vary, part: o.part, codings: o.codings,
		came: news.Received, at: news.At,
	}
	said := o.updated(news.Said)
	terms, refusal := freshness.Offer{
		Method: get, Status: o.Status, Request: credentials(news.Request), Answer: said, Part: o.part != nil,
		Requested: news.Requested, Received: news.Received, Policy: news.Policy,
	}.Judge()
	fresh.Terms = terms
	if o.Terms.WithoutCookie && !news.Said.Has(wire.SetCookie) {
		fresh.Terms.WithoutCookie = true
	}
	fresh.keep(merge(&o.Fields, news.Fields), said)
	if refusal == freshness.Storable && news.Said.Has(wire.Vary) && !fresh.selectAnew(said, news) {
		return fresh, seawall.StoreVaryStar
	}
	if refusal == freshness.Storable && news.Written != nil && fresh.selectedBy(string(bytes.ToLower(news.Written))) {
		return fresh, seawall.StoreVaryStar
	}
	return fresh, storeResults[refusal]
}

// selectAnew takes what selects the answer from the request that the news
// answers, where they name other fields in Vary than before.
func (o *Object) selectAnew(said *wire.Fields, news News) bool {
	var other Object
	if !other.readVary(Offer{Said: said, Request: news.Request, Keyed: news.Keyed}) {
		return false
	}
	if !slices.EqualFunc(other.vary, o.vary, func(a, b selector) bool { return bytes.Equal(a.name, b.name) }) {
		o.vary = other.vary
	}
	return true
}

// updated returns what the origin says in all about a stored answer, after an
// answer that brings it up to date: what it does not say stays.
func (o *Object) updated(said *wire.Fields) *wire.Fields {
	merged := merge(&o.Fields, said)
	if !said.Has(wire.Date) {
		merged = without(merged, wire.Date) // it is from now, not from then
	}
	addForCaches(merged, &o.forCaches, said)
	return merged
}

// MayBe reports whether the origin could mean this very answer by a 304 to a
// request that another variant is for: it has a strong entity tag, for a weak
// one is the same for compressed and plain bytes, and is in a coding that the
// request takes, for some servers have one tag for both.
func (o *Object) MayBe(request *wire.Fields) (tag []byte, ok bool) {
	if tag, ok = freshness.StrongTag(&o.Fields); !ok || !o.Whole() {
		return nil, false
	}
	if coding, coded := o.Fields.Get(wire.ContentEncoding); coded && !freshness.AcceptsCoding(request, coding) {
		return nil, false
	}
	return tag, true
}

// IsMeant reports whether a 304 is about this very answer: it names its strong
// tag, or none at all, and was asked about nothing else.
func (o *Object) IsMeant(notModified *wire.Fields, alone bool) bool {
	like := freshness.Freshens(notModified, &o.Fields)
	return like == freshness.StronglySame || alone && like == freshness.Nameless
}

// For returns the answer as one that a request with these fields selects.
func (o *Object) For(request *wire.Fields) *Object {
	other := *o
	other.vary = make([]selector, len(o.vary))
	for i, s := range o.vary {
		other.vary[i] = makeSelector(s.name, request)
		other.vary[i].coding, other.vary[i].exact = s.coding, s.exact
	}
	return &other
}

var get = []byte("GET")

// credentials returns what of a request decides whether news about a stored
// answer are for its sender alone. A cookie does not: nothing is guessed
// about an answer that has not been seen without one.
func credentials(request *wire.Fields) *wire.Fields {
	f := &wire.Fields{}
	for i := range request.Len() {
		if known := request.Known(i); known == wire.Authorization || known == wire.ClientCert || known == wire.CacheControl {
			f.Add(known, request.Name(i), request.Value(i))
		}
	}
	return f
}

// merge lays the fields of an update over stored ones: every name that the
// update has replaces all stored fields of that name, but for those that
// describe the stored bytes.
func merge(stored, update *wire.Fields) *wire.Fields {
	merged := &wire.Fields{}
	for i := range stored.Len() {
		name := stored.Name(i)
		if update.NextNamed(name, -1) < 0 || !freshness.Updates(name) {
			merged.Add(stored.Known(i), name, stored.Value(i))
		}
	}
	for i := range update.Len() {
		name, known := update.Name(i), update.Known(i)
		if !known.HopByHop() && freshness.Updates(name) {
			merged.Add(known, name, update.Value(i))
		}
	}
	return merged
}

// addForCaches keeps what the origin has said to caches alone, where the
// update says nothing new about it.
func addForCaches(said, stored, update *wire.Fields) {
	for i := range stored.Len() {
		if update.NextNamed(stored.Name(i), -1) < 0 {
			said.Add(stored.Known(i), stored.Name(i), stored.Value(i))
		}
	}
}
