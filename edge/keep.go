package edge

import (
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// keep decides what the origin's answer means for the cache (RFC 9111, 3 and
// 4), and so what the visitor gets.
func (e *Edge) keep(c *climb) verdict {
	x, k := c.x, &c.cached
	status := c.response.Answer.Status
	switch {
	case c.zone.cache.zone == nil, status == 101:
		return verdict{kind: answerOrigin}
	case x.Event.Cache == seawall.CacheBypass:
		e.invalidate(c) // what is kept meanwhile is for later
		return verdict{kind: answerOrigin}
	case x.Method == exchange.MethodHead:
		return e.keepHead(c)
	case x.Method != exchange.MethodGet:
		e.invalidate(c)
		if x.Method != exchange.MethodPost {
			x.Event.Store = seawall.StoreMethod
			return verdict{kind: answerOrigin}
		}
	case status == 304:
		return e.freshen(c)
	case freshness.IsFailure(status) && c.staleServes(freshness.FailedByStatus):
		k.answered = status
		if k.leads {
			k.flight.Fail(errFailing)
		}
		return verdict{kind: answerStored}
	case k.fills && (status == 206 || status == 416):
		return e.complete(c)
	}
	k.fills = false
	return e.offer(c)
}

// news is what the origin's answer says about a stored one.
func (c *climb) news(stored *cache.Object) cache.News {
	return cache.News{
		Said: c.response.Said(), Fields: c.response.Answer.Fields, Request: c.x.Fields,
		Requested: c.cached.requested, Received: time.Now(), At: cache.Clock(), Policy: c.policy(stored.Status), Written: c.zone.cache.written, Keyed: c.caching.key.selecting(),
	}
}

// freshen takes a 304 (RFC 9111, 4.3.4): what is stored answers, with what the
// 304 says about it. One that the visitor has asked for is the visitor's.
func (e *Edge) freshen(c *climb) verdict {
	x, k := c.x, &c.cached
	if !x.Ask.Instead {
		if !x.Fields.Has(wire.IfNoneMatch) && !x.Fields.Has(wire.IfModifiedSince) {
			return c.refuseUnasked()
		}
		x.Event.Store = seawall.StoreStatus
		c.release()
		return verdict{kind: answerOrigin}
	}
	stored := cache.Chosen(k.asked, c.response.Said())
	if stored == nil || k.missed == seawall.CacheMissVary && !stored.IsMeant(c.response.Said(), len(k.asked) == 1) {
		if k.again {
			return c.refuseUnasked()
		}
		return e.askAgain(c)
	}
	zone := c.zone.cache.zone
	fresh, result := stored.Freshened(c.news(stored))
	switch {
	case result == seawall.StoreStored && stored.Selects(x.Fields):
		x.Event.Store = seawall.StoreFreshened
		zone.Replace(c.key, stored, fresh, k.epoch)
	case result == seawall.StoreStored:
		x.Event.Store = seawall.StoreStored
		fresh = fresh.For(x.Fields)
		zone.Store(c.key, fresh, x.Fields, k.epoch)
	case result == seawall.StoreAuthorization, result == seawall.StoreRequest:
		x.Event.Store = result
	default:
		x.Event.Store = result
		zone.Forget(c.key, stored)
	}
	c.passOwn(&fresh.Terms)
	c.object, k.answered, x.Event.Cache = fresh, 304, seawall.CacheRevalidated
	if k.leads && result == seawall.StoreStored && sharable(fresh, cache.Clock()) {
		k.flight.Serve(fresh)
	}
	c.release()
	return verdict{kind: answerStored}
}

// passOwn gives the visitor what a 304 says and is not kept: cookies, and
// fields that are private to the one whose request brought them.
func (c *climb) passOwn(terms *freshness.Terms) {
	fields, said := c.response.Answer.Fields, c.response.Said()
	for i := range fields.Len() {
		known, name := fields.Known(i), fields.Name(i)
		if known == wire.SetCookie && c.caching.removeCookies {
			continue
		}
		if terms.WithoutCookie && known == wire.SetCookie || terms.FieldsNamed && freshness.Updates(name) && freshness.Named(said, name) {
			c.answer.More.Add(known, name, fields.Value(i))
		}
	}
}

func (c *climb) refuseUnasked() verdict {
	c.cause = errUnasked
	c.response.Spoil()
	return verdict{refuse, seawall.ReasonOriginMalformed}
}

// errUnasked is a 304 to a request without conditions.
var errUnasked = malformed("it said that something had not changed, about which it was not asked")

// malformed is an answer that makes no sense.
type malformed string

func (m malformed) Error() string { return "ask origin: " + string(m) }

// Reason says what that is for the visitor.
func (m malformed) Reason() seawall.Reason { return seawall.ReasonOriginMalformed }

// Cause says what it is for the operator.
func (m malformed) Cause() string { return string(m) }

// release lets those who wait for this request's answer ask for themselves,
// unless they have been told something else.
func (c *climb) release() {
	k := &c.cached
	switch {
	case !k.leads:
	case freshness.IsFailure(c.response.Answer.Status):
		k.flight.Scatter() // that is no property of the address
	default:
		k.flight.Release(cache.Clock())
	}
}

// keepHead takes the answer to a HEAD, which may bring news about a stored
// answer to GET (RFC 9111, 4.3.5).
func (e *Edge) keepHead(c *climb) verdict {
	x, k, a := c.x, &c.cached, &c.response.Answer
	if a.Status == 304 {
		return e.freshen(c)
	}
	x.Event.Store = seawall.StoreMethod
	if freshness.IsFailure(a.Status) && c.staleServes(freshness.FailedByStatus) {
		k.answered = a.Status
		return verdict{kind: answerStored}
	}
	if k.stored == nil || !k.stored.Whole() || a.Status != 200 || k.stored.Status != 200 {
		return verdict{kind: answerOrigin}
	}
	zone := c.zone.cache.zone
	if !freshness.StillDescribes(c.response.Said(), &k.stored.Fields, a.Length, k.stored.Size()) {
		x.Event.Store = seawall.StoreInvalidated
		zone.Forget(c.key, k.stored)
		return verdict{kind: answerOrigin}
	}
	if fresh, result := k.stored.Freshened(c.news(k.stored)); result == seawall.StoreStored {
		x.Event.Store = seawall.StoreFreshened
		zone.Replace(c.key, k.stored, fresh, k.epoch)
	}
	return verdict{kind: answerOrigin}
}

// policy is what the zone and its rules say about answers with a status.
func (c *climb) policy(status int) freshness.Policy {
	p := c.zone.cache.policy
	p.Share = c.caching.share
	if seconds, said := c.caching.lifetime(status); said && seconds >= 0 {
		p.Fixed, p.Lifetime, p.Force = true, seconds, c.caching.force
	}
	if c.caching.removeCookies {
		p.Cookies = freshness.CookiesRemoved
	}
	return p
}

// makeOffer describes the origin's answer to the cache.
func (c *climb) makeOffer() cache.Offer {
	a := &c.response.Answer
	return cache.Offer{
		Method: c.x.MethodName, Request: c.x.Fields, Status: a.Status, Said: c.response.Said(), Fields: a.Fields, Length: a.Length,
		MaxObject: c.zone.cache.maxObject, Policy: c.policy(a.Status), Written: c.zone.cache.written, Keyed: c.caching.key.selecting(),
		Requested: c.cached.requested, Received: time.Now(), At: cache.Clock(),
	}
}

// offer lets the cache have the answer, if it wants it.
func (e *Edge) offer(c *climb) verdict {
	x, k := c.x, &c.cached
	if seconds, said := c.caching.lifetime(c.response.Answer.Status); said && seconds < 0 {
		x.Event.Store = seawall.StoreRule
		c.release()
		return verdict{kind: answerOrigin}
	}
	if c.zone.cache.armour && deceives(x.Path, c.response.Answer.Fields) {
		x.Event.Store = seawall.StoreArmour
		c.release()
		return verdict{kind: answerOrigin}
	}
	if x.Nominates || x.Body != nil && x.Method == exchange.MethodGet || !c.response.Certain() {
		// What the answer depends on is not in the key: a body, or a field
		// that selects a variant here and was removed on the way. Or nobody
		// will know whether it came whole.
		x.Event.Store = seawall.StoreUndecided
		c.release()
		return verdict{kind: answerOrigin}
	}
	offer := c.makeOffer()
	var object *cache.Object
	switch {
	case offer.Status == 206 && (x.Ask.Instead || !x.Fields.Has(wire.Range)):
		x.Event.Store = seawall.StorePartial // nobody asked for a part
	case offer.Status == 206:
		object, x.Event.Store = cache.PreparePart(offer)
	default:
		offer.Itself = x.Method == exchange.MethodPost && c.itself(offer.Fields)
		object, x.Event.Store = cache.Prepare(offer)
	}
	switch {
	case object == nil:
		c.release()
		return verdict{kind: answerOrigin}
	case k.leads && object.Whole() && sharable(object, offer.At):
		return e.takeOff(c, c.zone.cache.zone.Collect(object, &offer), nil, nil)
	}
	c.release()
	c.fresh = c.zone.cache.zone.Collect(object, &offer)
	return verdict{kind: answerOrigin}
}

// sharable reports whether an answer that has just come may serve those who
// have waited for it: they need not ask about it themselves.
func sharable(object *cache.Object, now cache.Moment) bool {
	none := freshness.None()
	return object.Use(&none, now).Serves()
}

// complete takes the rest of an answer that is stored in part.
func (e *Edge) complete(c *climb) verdict {
	k := &c.cached
	offer := c.makeOffer()
	object, result := k.stored.Completed(offer, k.gap)
	if object == nil { // there is another version, or none that may be kept
		c.x.Event.Store = result
		c.zone.cache.zone.Forget(c.key, k.stored)
		return e.askAgain(c)
	}
	offer.Length = k.stored.Size()
	c.x.Event.Store = seawall.StoreStored
	k.answered = 206
	return e.takeOff(c, c.zone.cache.zone.Collect(object, &offer), k.stored.Before(k.gap), k.stored.After(k.gap))
}

// store keeps what has passed by whole.
func (e *Edge) store(c *climb) {
	if c.fresh == nil {
		return
	}
	object, zone, k := c.fresh.Object, c.zone.cache.zone, &c.cached
	object.Trailers = keptTrailers(c.response)
	c.fresh.End()
	c.fresh = nil
	kept := false
	if object.Whole() {
		kept = zone.Store(c.key, object, c.x.Fields, k.epoch)
	} else {
		kept = zone.StorePart(c.key, object, c.x.Fields, k.epoch, c.zone.cache.maxObject)
	}
	if !kept {
		c.x.Event.Store = seawall.StoreUndecided
	}
}

// collect keeps a copy of what passes by, if it is to be stored.
func (e *Edge) collect(c *climb, data []byte) {
	if c.fresh == nil {
		return
	}
	if result := c.fresh.Add(data); result != seawall.StoreStored {
		c.fresh, c.x.Event.Store = nil, result
	}
}
