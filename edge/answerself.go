package edge

import (
	"net/http"

	"github.com/seawall-edge/seawall/internal/wire"
)

// elsewhere sends visitors elsewhere, or answers by itself, as the zone's
// rules want it.
func (e *Edge) elsewhere(c *climb) verdict {
	rules := &c.zone.rules
	if rules.redirects.Empty() || c.x.Bare || c.zone.state.switches.off(SwitchRules, c.now) {
		return verdict{}
	}
	c.location = c.location[:0]
	if found, ok := rules.redirects.Find(c.location, e.facts(c), c.x.Hostport); ok {
		c.mention(found.Title)
		c.location, c.self.status = found.Location, found.Status
		return verdict{kind: answerRedirect}
	}
	return verdict{}
}

// selfAnswer is an answer that a rule of the zone gives.
type selfAnswer struct{ status int }

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
