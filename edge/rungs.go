package edge

import (
	"bytes"
	"errors"
	"net/netip"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/forwarded"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// zone finds whose site is asked for.
func (e *Edge) zone(c *climb) verdict {
	c.zone = e.zones.Load().find(c.x.Host)
	if c.zone == nil {
		return verdict{refuse, seawall.ReasonUnknownHost}
	}
	return verdict{}
}

// client finds out who is asking. Only what a trusted proxy says counts.
func (e *Edge) client(c *climb) verdict {
	x := c.x
	x.ForwardedByTrusted, x.Bare = false, c.zone.state.switches.off(SwitchRewrite, c.now)
	if c.zone.hops == nil || !c.zone.hops.Contains(x.Peer.Addr()) {
		return verdict{}
	}
	x.ForwardedByTrusted = true
	name := wire.XForwardedFor
	if c.zone.hopsField == forwarded.ForwardedField {
		name = wire.Forwarded
	}
	c.said = c.said[:0]
	for i := x.Fields.Next(name, -1); i >= 0 && len(c.said) <= forwarded.MaxElements; i = x.Fields.Next(name, i) {
		c.said = append(c.said, x.Fields.Value(i))
	}
	if client, ok := forwarded.Client(x.Peer.Addr(), c.said, c.zone.hopsField, c.zone.hops.Contains); ok {
		x.Client = netip.AddrPortFrom(client, 0)
		x.Event.Client = client
	}
	if proto, said := x.Fields.Get(wire.XForwardedProto); said && wire.EqualFold(proto, https) {
		x.Event.Secure = true
	}
	return verdict{}
}

var https = []byte("https")

// maintenance closes the site to all but its guests.
func (e *Edge) maintenance(c *climb) verdict {
	if !c.zone.closed || c.zone.guests.Contains(c.x.Client.Addr()) || c.zone.state.switches.off(SwitchMaintenance, c.now) {
		return verdict{}
	}
	return verdict{refuse, seawall.ReasonMaintenance}
}

// normalise makes the one form of the target that everything below works
// with: the origin's request line and the cache's key are made from it.
func (e *Edge) normalise(c *climb) verdict {
	x := c.x
	if x.Method == exchange.MethodTrace {
		// TRACE would show the visitor what the edge adds for the origin's eyes.
		return verdict{refuse, seawall.ReasonMethod}
	}
	if x.Method == exchange.MethodOptions {
		hops, limited := x.Fields.Get(wire.MaxForwards)
		if len(x.Target) == 1 && x.Target[0] == '*' || limited && len(bytes.Trim(hops, "0")) == 0 {
			return verdict{kind: answerSelf}
		}
	}
	if reason := x.SetTarget(x.Target); reason != seawall.ReasonNone {
		return verdict{refuse, reason}
	}
	return verdict{}
}

// lookup asks the cache (RFC 9111, 4).
func (e *Edge) lookup(c *climb) verdict {
	x := c.x
	switch {
	case e.cache == nil, !c.zone.cached, x.Bare, c.now.Unix() < c.zone.bypassUntil, c.zone.state.switches.off(SwitchCache, c.now):
		x.Event.Cache = seawall.CacheBypass
		return verdict{}
	case x.Method != exchange.MethodGet && x.Method != exchange.MethodHead:
		x.Event.Cache = seawall.CacheMethod
		c.key = e.appendKey(c.key[:0], c)
		return verdict{}
	}
	c.key = e.appendKey(c.key[:0], c)
	directives := freshness.None()
	if x.Fields.Has(wire.CacheControl) || x.Fields.Has(wire.Pragma) {
		directives = cache.RequestDirectives(x.Fields)
	}
	v := e.judge(c, directives)
	if v.kind == goOn && directives.OnlyIfCached {
		return verdict{refuse, seawall.ReasonNotStored} // RFC 9111, 5.2.1.7
	}
	return v
}

// judge decides whether a stored answer may serve.
func (e *Edge) judge(c *climb, directives freshness.Directives) verdict {
	x := c.x
	object, result := e.cache.Lookup(c.key, x.Fields)
	if object == nil {
		x.Event.Cache = result
		return verdict{}
	}
	serves, fresh := object.Serves(directives, c.now.Unix())
	switch {
	case serves:
		x.Event.Cache = seawall.CacheHit
		c.object = object
		return verdict{kind: answerStored}
	case fresh:
		x.Event.Cache = seawall.CacheMissRequest
	default:
		x.Event.Cache = seawall.CacheMissStale
	}
	return verdict{}
}

// appendKey makes the cache's key: zone, scheme, host with port, target.
// The bytes after the host are those of the origin's request line.
func (e *Edge) appendKey(key []byte, c *climb) []byte {
	key = append(key, c.zone.keyPrefix...)
	if c.x.Event.Secure {
		key = append(key, 's')
	} else {
		key = append(key, 'h')
	}
	key = append(key, c.x.Hostport...)
	return append(key, c.x.Target...)
}

// ask sends the request to the origin.
func (e *Edge) ask(c *climb) verdict {
	response, err := c.zone.origin.RoundTrip(c.x)
	if err != nil {
		c.cause = err
		return verdict{refuse, reasonOf(err)}
	}
	c.response = response
	return verdict{}
}

// reasonOf finds the Reason that an error of a room carries.
func reasonOf(err error) seawall.Reason {
	var reasoned interface{ Reason() seawall.Reason }
	if errors.As(err, &reasoned) {
		return reasoned.Reason()
	}
	return seawall.ReasonInternal
}

// causeOf says what went wrong in as few words as the error has.
func causeOf(err error) string {
	var caused interface{ Cause() string }
	if errors.As(err, &caused) {
		return caused.Cause()
	}
	return err.Error()
}

// keep decides whether the origin's answer may be stored (RFC 9111, 3).
func (e *Edge) keep(c *climb) verdict {
	x, a := c.x, &c.response.Answer
	if x.Event.Cache == seawall.CacheBypass || a.Status == 101 {
		return verdict{kind: answerOrigin}
	}
	if !x.Method.Safe() {
		// A change makes what is stored under this address doubtful (RFC 9111, 4.4).
		if a.Status >= 200 && a.Status < 400 {
			e.cache.Invalidate(c.key)
		}
		x.Event.Store = seawall.StoreMethod
		return verdict{kind: answerOrigin}
	}
	if x.Body != nil || x.Nominates || !c.response.Certain() {
		// What the answer depends on is not in the key: a body, or a field
		// that selects a variant here and was removed on the way. Or nobody
		// will know whether it came whole.
		x.Event.Store = seawall.StoreUndecided
		return verdict{kind: answerOrigin}
	}
	c.fresh, x.Event.Store = cache.Prepare(cache.Offer{
		Method: x.Method, Request: x.Fields,
		Status: a.Status, Fields: a.Fields, Length: a.Length, MaxObject: c.zone.maxObject,
		Requested: c.now, Received: time.Now(),
	})
	return verdict{kind: answerOrigin}
}
