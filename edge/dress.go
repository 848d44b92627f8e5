package edge

import (
	"net/http"
	"strconv"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// beginAnswer sends the head of an answer that is the origin's or was kept,
// with what the zone's rules change about it. What is kept stays as it came.
func (e *Edge) beginAnswer(c *climb, a *exchange.Answer) error {
	if value := c.hsts(); value != nil && a.Status != http.StatusSwitchingProtocols {
		a.More.AddKnown(wire.StrictTransportSecurity, value)
		c.leaveOut(a, func(known wire.Name, _ []byte) bool { return known == wire.StrictTransportSecurity })
	}
	if c.x.Bare || a.Status == http.StatusSwitchingProtocols {
		return c.x.Out.Begin(a)
	}
	c.dressEncoded(a)
	if c.caching.browser > 0 || c.caching.removeCookies {
		c.dressForBrowsers(a)
	}
	if rules := &c.zone.rules; (!rules.answers.Empty() || rules.cors != nil) && !c.zone.state.switches.off(SwitchRules, c.x.Event.Time) {
		e.dressByRules(c, a)
	}
	return c.x.Out.Begin(a)
}

// hsts is the zone's promise to browsers, which is made over TLS alone (RFC
// 6797, 7.2); nil: there is none.
func (c *climb) hsts() []byte {
	if c.zone == nil || !c.x.Event.Secure {
		return nil
	}
	return c.zone.hsts
}

// dressForBrowsers says for how long browsers may keep the answer, and takes
// away cookies that nobody is to get.
func (c *climb) dressForBrowsers(a *exchange.Answer) {
	lasting := c.caching.browser > 0 && (c.kept() || c.mayKeep(a))
	if lasting {
		var age int64
		if c.object != nil {
			age = c.object.Age(c.cached.at) // Age counts against what is said here
		}
		var scratch [40]byte
		a.More.AddKnown(wire.CacheControl, strconv.AppendInt(append(scratch[:0], "max-age="...), age+c.caching.browser, 10))
	}
	c.leaveOut(a, func(known wire.Name, _ []byte) bool {
		switch known {
		case wire.SetCookie:
			return c.caching.removeCookies
		case wire.CacheControl, wire.Expires, wire.Pragma:
			return lasting
		}
		return false
	})
}

// dressByRules changes the answer's fields as the zone's rules want it.
func (e *Edge) dressByRules(c *climb, a *exchange.Answer) {
	rules, f := &c.zone.rules, e.facts(c)
	f.Status = a.Status
	c.plan.Make(rules.answers, f, c.says)
	f.Status = 0
	if rules.cors == nil && c.plan.Empty() {
		return
	}
	if c.plan.TakesFrom(&a.More) {
		c.leaveOutOfMore(a)
	}
	if c.plan.TakesFrom(a.Fields) || rules.cors != nil {
		c.leaveOutByRules(a, rules)
	}
	if rules.cors != nil && !c.self.preflight {
		rules.cors.AddTo(&a.More, f.Fields)
	}
	// A bare 304 of the origin's says nothing about fields that the answer has
	// which the visitor keeps: what is added would take their place.
	c.plan.AddTo(&a.More, a.Fields, c.names, a.Status != http.StatusNotModified || c.object != nil)
}

// leaveOutByRules takes away fields of the origin's that a rule says otherwise
// about.
func (c *climb) leaveOutByRules(a *exchange.Answer, rules *zoneRules) {
	c.leaveOut(a, func(known wire.Name, name []byte) bool {
		return c.plan.Takes(known, name) || rules.cors != nil && !c.self.preflight && rules.cors.Takes(name)
	})
}

// leaveOutOfMore takes away what the edge has added to this answer and a rule
// says otherwise about. What no rule may change is never among it.
func (c *climb) leaveOutOfMore(a *exchange.Answer) {
	goes := false
	for i := range a.More.Len() {
		goes = goes || c.plan.Takes(a.More.Known(i), a.More.Name(i))
	}
	if !goes {
		return
	}
	c.more.Clear()
	for i := range a.More.Len() {
		if !c.plan.Takes(a.More.Known(i), a.More.Name(i)) {
			c.more.Add(a.More.Known(i), a.More.Name(i), a.More.Value(i))
		}
	}
	a.More, c.more = c.more, a.More
}

// kept reports whether the answer is one that this cache may keep.
func (c *climb) kept() bool {
	return c.object != nil || c.fresh != nil || c.x.Event.Store == seawall.StoreStored
}

// mayKeep reports whether an answer that is not kept is one about what may be:
// the answer to a HEAD, or a 304 of the origin's to the visitor's own question.
func (c *climb) mayKeep(a *exchange.Answer) bool {
	if a.Status != http.StatusNotModified && c.x.Method != exchange.MethodHead || c.x.Event.Cache == seawall.CacheBypass || a.Fields == nil {
		return false
	}
	for i := a.Fields.Next(wire.CacheControl, -1); i >= 0; i = a.Fields.Next(wire.CacheControl, i) {
		if value := a.Fields.Value(i); !c.caching.force && (wire.HasToken(value, noStore) || wire.HasToken(value, private)) {
			return false
		}
	}
	return true
}

var private = []byte("private")

// leaveOut gives an answer a list of its own without some fields, if it has
// any of them.
func (c *climb) leaveOut(a *exchange.Answer, goes func(known wire.Name, name []byte) bool) {
	if a.Fields == nil {
		return
	}
	first := -1
	for i := range a.Fields.Len() {
		if goes(a.Fields.Known(i), a.Fields.Name(i)) {
			first = i
			break
		}
	}
	if first < 0 {
		return
	}
	to := &c.dressed.spare
	to.Clear()
	for i := range a.Fields.Len() {
		if i < first || !goes(a.Fields.Known(i), a.Fields.Name(i)) {
			to.Add(a.Fields.Known(i), a.Fields.Name(i), a.Fields.Value(i))
		}
	}
	c.dressed.present, c.dressed.spare = *to, c.dressed.present
	a.Fields = &c.dressed.present
}
