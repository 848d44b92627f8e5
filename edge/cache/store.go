package cache

import (
	"bytes"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Offer is an answer that may be stored, with what decides about it.
type Offer struct {
	Method    exchange.Method
	Request   *wire.Fields
	Status    int
	Fields    *wire.Fields
	Length    int64 // of the body; -1 when not known
	MaxObject int64 // bytes of a body that are still stored

	Requested, Received time.Time
}

// maxVaryNames bounds the names of a Vary field that are understood.
const maxVaryNames = 8

// Prepare decides whether an answer may be stored (RFC 9111, 3). If so it
// returns an Object that waits for its body and for Store.
func Prepare(offer Offer) (*Object, seawall.StoreResult) {
	directives := freshness.None()
	for i := offer.Fields.Next(wire.CacheControl, -1); i >= 0; i = offer.Fields.Next(wire.CacheControl, i) {
		directives.Add(offer.Fields.Value(i))
	}
	if result := mayStore(offer, directives); result != seawall.StoreStored {
		return nil, result
	}
	date := offer.Received
	if value, ok := offer.Fields.Get(wire.Date); ok {
		if at, ok := freshness.ParseDate(value); ok {
			date = at
		}
	}
	expires, hasExpires := offer.Fields.Get(wire.Expires)
	if hasExpires && expires == nil {
		expires = []byte{}
	}
	lifetime, explicit := freshness.Lifetime(directives, expires, date)
	if !explicit {
		return nil, seawall.StoreNoFreshness
	}
	ageField, _ := offer.Fields.Get(wire.Age)
	age := freshness.Age(ageField, date, offer.Requested, offer.Received)
	if age >= lifetime {
		return nil, seawall.StoreExpired
	}
	object := &Object{
		Status:   offer.Status,
		born:     offer.Received.Unix() - age,
		lifetime: lifetime,
	}
	if !object.readVary(offer) {
		return nil, seawall.StoreVaryStar
	}
	for i := range offer.Fields.Len() {
		if known := offer.Fields.Known(i); known != wire.Age {
			object.Fields.Add(known, offer.Fields.Name(i), offer.Fields.Value(i))
		}
	}
	object.Fields = object.Fields.Clone()
	object.expected, object.most = offer.Length, offer.MaxObject
	return object, seawall.StoreStored
}

// firstPiece is how much room a body gets before a byte of it has come.
const firstPiece = 32 << 10

// Collect adds bytes that have arrived to an Object's body. Its memory grows
// with what came, not with what was promised, and all bodies that are still
// arriving share a quarter of the budget. What does not fit is not stored:
// StoreTooLarge or StoreUndecided, and the Object is forgotten.
func (c *Cache) Collect(o *Object, data []byte) seawall.StoreResult {
	need := int64(len(o.Body) + len(data))
	if need > o.most {
		c.Forget(o)
		return seawall.StoreTooLarge
	}
	if have := int64(cap(o.Body)); need > have {
		room := max(need, 2*have, firstPiece)
		if o.expected >= need {
			room = min(room, o.expected)
		}
		if c.collecting.Add(room-have) > c.budget/4 {
			c.collecting.Add(have - room)
			c.Forget(o)
			return seawall.StoreUndecided
		}
		o.held += room - have
		o.Body = append(make([]byte, 0, room), o.Body...)
	}
	o.Body = append(o.Body, data...)
	return seawall.StoreStored
}

// Forget ends the collection of a body.
func (c *Cache) Forget(o *Object) {
	c.collecting.Add(-o.held)
	o.held = 0
}

// mayStore applies the rules that need no arithmetic.
func mayStore(offer Offer, answer freshness.Directives) seawall.StoreResult {
	request := RequestDirectives(offer.Request)
	switch {
	case offer.Method != exchange.MethodGet:
		return seawall.StoreMethod
	case !storableStatus(offer.Status):
		return seawall.StoreStatus
	case request.NoStore:
		return seawall.StoreRequest
	case answer.NoStore:
		return seawall.StoreNoStore
	case answer.Private:
		return seawall.StorePrivate
	case answer.NoCache:
		return seawall.StoreNoCache
	case offer.Request.Has(wire.Authorization) && !answer.Public && !answer.MustRevalidate && answer.SharedMaxAge < 0:
		return seawall.StoreAuthorization // RFC 9111, 3.5
	case offer.Fields.Has(wire.SetCookie):
		return seawall.StoreSetCookie
	case offer.Length > offer.MaxObject:
		return seawall.StoreTooLarge
	}
	return seawall.StoreStored
}

// storableStatus names the final codes whose meaning does not depend on the
// request's own conditions or ranges (RFC 9110, 15.1).
func storableStatus(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 302, 307, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

// readVary notes what selects this answer. It fails on "*" and on more names
// than are understood.
func (o *Object) readVary(offer Offer) bool {
	ok := true
	for i := offer.Fields.Next(wire.Vary, -1); i >= 0; i = offer.Fields.Next(wire.Vary, i) {
		wire.EachElement(offer.Fields.Value(i), func(name []byte) bool {
			if len(name) == 1 && name[0] == '*' || len(o.vary) == maxVaryNames {
				ok = false
				return false
			}
			name = bytes.ToLower(name)
			o.vary = append(o.vary, name)
			o.values = append(o.values, selection(name, offer.Request))
			return true
		})
	}
	return ok
}

// RequestDirectives reads a request's Cache-Control fields, or Pragma where
// there are none (RFC 9111, 5.4).
func RequestDirectives(request *wire.Fields) freshness.Directives {
	directives := freshness.None()
	first := request.Next(wire.CacheControl, -1)
	for i := first; i >= 0; i = request.Next(wire.CacheControl, i) {
		directives.Add(request.Value(i))
	}
	if first < 0 {
		if pragma, ok := request.Get(wire.Pragma); ok && wire.HasToken(pragma, []byte("no-cache")) {
			directives.NoCache = true
		}
	}
	return directives
}
