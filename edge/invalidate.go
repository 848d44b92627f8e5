package edge

import (
	"net/url"
	"strings"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/rewrite"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// invalidate drops what an unsafe request may have changed: its own address,
// and those that the answer names on the same site (RFC 9111, 4.4).
func (e *Edge) invalidate(c *climb) {
	if !freshness.Invalidates(c.x.MethodName, c.response.Answer.Status) {
		return
	}
	zone, fields := c.zone.cache.zone, c.response.Answer.Fields
	c.zone.everyKey(c.x, zone.Invalidate)
	if other := c.asGet(); other != nil {
		c.zone.everyKey(other, zone.Invalidate)
	}
	for _, name := range [...]wire.Name{wire.Location, wire.ContentLocation} {
		if value, ok := fields.Get(name); ok {
			if other, same := c.resolve(value); same {
				c.zone.everyKey(other, zone.Invalidate)
			}
		}
	}
	c.cached.epoch.End()
	c.cached.epoch = zone.Epoch(c.key)
}

// asGet returns what a GET of the address would ask the origin for, where a
// rule makes that another than this request; nil where it is the same.
func (c *climb) asGet() *exchange.Exchange {
	requests := c.zone.rules.requests
	if requests.Empty() || !c.gathered {
		return nil
	}
	facts, held := c.known, rewrite.Held{}
	facts.Method = []byte("GET")
	if !requests.Hold(&held, &facts, func(string) {}) {
		return nil
	}
	target, changed := held.Target(&facts, c.names)
	other := &exchange.Exchange{Hostport: c.x.Hostport}
	other.Event.Secure = c.x.Event.Secure
	if !changed || other.SetTarget(target) != seawall.ReasonNone {
		return nil
	}
	return other
}

// itself reports whether Content-Location names the address that was asked.
func (c *climb) itself(answer *wire.Fields) bool {
	value, ok := answer.Get(wire.ContentLocation)
	if !ok {
		return false
	}
	if k := c.caching.key; k != nil && k.query != nil && string(k.query.appendTarget(nil, c.x.Target)) != string(c.x.Target) {
		return false // the answer may be about what the key leaves out
	}
	other, same := c.resolve(value)
	return same && string(appendKey(nil, c.zone, other, c.caching.key)) == string(c.key)
}

// resolve returns a request for what a reference in the answer means; same is
// false when that is not on this site: another scheme, host or port.
func (c *climb) resolve(reference []byte) (meaning *exchange.Exchange, same bool) {
	x := c.x
	scheme := "http"
	if x.Event.Secure {
		scheme = "https"
	}
	base, err := url.Parse(scheme + "://" + string(x.Hostport) + string(x.Target))
	if err != nil {
		return nil, false
	}
	meant, err := base.Parse(string(reference))
	if err != nil || !strings.EqualFold(meant.Scheme, scheme) {
		return nil, false
	}
	other := &exchange.Exchange{}
	other.Event.Secure = x.Event.Secure
	if other.SetHost([]byte(meant.Host), x.Event.Secure) != seawall.ReasonNone || string(other.Hostport) != string(x.Hostport) {
		return nil, false
	}
	if other.SetTarget([]byte(meant.RequestURI())) != seawall.ReasonNone {
		return nil, false
	}
	return other, true
}
