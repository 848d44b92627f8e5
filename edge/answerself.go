package edge

import (
	"net/http"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// selfAnswer is an answer that a rule of the zone gives.
type selfAnswer struct {
	status    int      // of a redirect to climb.location
	rule      *ownRule // an answer of its own
	preflight bool     // leave for a page of another site
}

// steer sends visitors elsewhere, answers by itself, or has something else
// asked, as the zone's rules want it.
func (e *Edge) steer(c *climb) verdict {
	rules, x := &c.zone.rules, c.x
	if !rules.steers || x.Bare || c.zone.state.switches.off(SwitchRules, c.x.Event.Time) {
		return verdict{}
	}
	if !rules.redirects.Empty() {
		if found := rules.redirects.Find(c.location[:0], e.facts(c), x.Hostport); found != nil {
			c.mention(found.Title)
			c.location, c.self.status = found.Location, found.Status
			return verdict{kind: answerRedirect}
		}
	}
	if c.self.rule = e.ownAnswer(c); c.self.rule != nil {
		c.mention(c.self.rule.title)
		return verdict{kind: answerOwn}
	}
	if rules.cors.Preflight(x.MethodName, x.Fields) {
		c.self.preflight = true
		c.mention("cors")
		return verdict{kind: answerOwn}
	}
	if rules.requests.Empty() {
		return verdict{}
	}
	return e.rephrase(c)
}

// rephrase changes the request as the zone's rules want it. From here on it is
// what the cache and the origin know.
func (e *Edge) rephrase(c *climb) verdict {
	x, f, held := c.x, e.facts(c), &c.held
	if !c.zone.rules.requests.Hold(held, f, c.says) {
		return verdict{}
	}
	if target, changed := held.Target(f, c.names); changed {
		// The one form again: a rule cannot climb out of the site either.
		var other exchange.Exchange
		if reason := other.SetTarget(target); reason != seawall.ReasonNone {
			return verdict{refuse, reason}
		}
		c.keepTarget()
		c.targetMemory = append(c.targetMemory[:0], other.Target...)
		x.Target = c.targetMemory
	}
	if held.Fields(&c.asks.spare, f, c.names) {
		c.ask(&c.asks.spare)
	}
	return verdict{}
}

// keepTarget tells the Event what was asked before it is changed.
func (c *climb) keepTarget() {
	if !c.toldTarget {
		c.x.Event.SetText(seawall.EventTarget, c.x.Target)
		c.toldTarget = true
	}
}

// value is what rules may name in values.
func (c *climb) value(name string) []byte {
	x := c.x
	switch name {
	case "client_address":
		return x.Client.Addr().Unmap().AppendTo(nil)
	case "request_id":
		return x.Event.ID.AppendTo(nil)
	case "host":
		return x.Host
	case "path":
		return c.known.RawPath()
	case "client_subject":
		if c.shown != nil {
			return c.shown.Subject
		}
	case "client_fingerprint":
		if c.shown != nil {
			return c.shown.Fingerprint
		}
	case "country":
		if country := c.known.InCountry(); country != [2]byte{} {
			return country[:]
		}
	case "network":
		return c.known.NetworkName()
	}
	return nil
}

// sendRedirect sends the visitor to c.location (RFC 9110, 15.4).
func (e *Edge) sendRedirect(c *climb) {
	x, a, fields := c.x, &c.answer, &c.own.fields
	fields.Clear()
	fields.AddKnown(wire.Location, c.location)
	var scratch [40]byte
	fields.AddKnown(wire.Date, c.now.UTC().AppendFormat(scratch[:0], http.TimeFormat))
	fields.AddKnown(wire.SeawallRequestID, x.Event.ID.AppendTo(scratch[:0]))
	a.Status, a.Fields, a.Length = c.self.status, fields, 0
	x.Event.Status = uint16(a.Status)
	err := e.beginAnswer(c, a)
	if err == nil {
		err = x.Out.End(nil)
	}
	if err != nil {
		e.cut(c, err)
	}
}
