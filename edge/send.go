package edge

import (
	"io"
	"net/http"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/pages"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/coding"
	"github.com/seawall-edge/seawall/internal/wire"
)

// ownAnswer is memory for an answer that the edge makes itself.
type ownAnswer struct {
	fields wire.Fields
	page   []byte
}

// sendOrigin passes the origin's answer on while it arrives.
func (e *Edge) sendOrigin(c *climb) {
	x, a := c.x, &c.response.Answer
	x.Event.Status = uint16(a.Status)
	e.addCacheStatus(c, &a.More)
	var id [seawall.RequestIDLen]byte
	a.More.AddKnown(wire.SeawallRequestID, x.Event.ID.AppendTo(id[:0]))
	if c.fresh == nil {
		if cookie := c.response.AppendStickyCookie(c.own.page[:0]); len(cookie) > 0 {
			a.More.AddKnown(wire.SetCookie, cookie)
		}
	}
	if a.Status == http.StatusSwitchingProtocols {
		e.tunnel(c)
		return
	}
	if e.chooseCoding(c, a.Status, a.Fields, a.Length); c.encoding.in != coding.Identity {
		if c.startEncoding(a.Fields, a.Length); c.encoding.open {
			a.Length = -1
		}
	}
	if err := e.beginAnswer(c, a); err != nil {
		e.cut(c, err)
		return
	}
	for {
		data, err := c.response.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			e.collect(c, data)
			err = c.writeUnlessHead(data)
		}
		if err != nil {
			e.cut(c, err)
			return
		}
	}
	if err := c.endUnlessHead(); err != nil {
		e.cut(c, err)
		return
	}
	if err := x.Out.End(c.response.Trailers()); err != nil {
		e.cut(c, err)
		return
	}
	e.store(c)
}

// tunnel joins visitor and origin after a 101.
func (e *Edge) tunnel(c *climb) {
	peer, early := c.response.Tunnel()
	if _, _, err := c.x.Out.Tunnel(&c.response.Answer, peer, early); err != nil {
		e.cut(c, err)
	}
}

// cut ends an answer that cannot be completed.
func (e *Edge) cut(c *climb, err error) {
	c.x.Out.Abort()
	event := &c.x.Event
	event.Reason, c.cause = reasonOf(err), err
	visitors := event.Reason == seawall.ReasonVisitorGone || event.Reason == seawall.ReasonVisitorSlow
	if event.Store == seawall.StoreStored && !(visitors && c.cached.flight != nil) { // a flight goes on without its visitor
		event.Store = seawall.StorePartial
	}
}

var (
	allowed  = []byte("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS")
	noStore  = []byte("no-store")
	retry    = []byte("10")
	policy   = []byte(pages.ContentSecurityPolicy)
	nosniff  = []byte(pages.ContentTypeOptions)
	formType = map[pages.Form][]byte{}
)

func init() {
	for _, form := range []pages.Form{pages.HTML, pages.Problem, pages.Text} {
		formType[form] = []byte(form.ContentType())
	}
}

// sendOptions answers "OPTIONS *", and OPTIONS that is to go no further
// (RFC 9110, 9.3.7 and 7.6.2).
func (e *Edge) sendOptions(c *climb) {
	x, a := c.x, &c.answer
	fields := &c.own.fields
	fields.Clear()
	fields.AddKnown(wire.Allow, allowed)
	e.addOwn(c, fields)
	a.Status, a.Fields, a.Length = http.StatusNoContent, fields, 0
	x.Event.Status = http.StatusNoContent
	err := x.Out.Begin(a)
	if err == nil {
		err = x.Out.End(nil)
	}
	if err != nil {
		e.cut(c, err)
	}
}

// addOwn adds the fields of every answer that the edge makes itself.
func (e *Edge) addOwn(c *climb, fields *wire.Fields) {
	var scratch [40]byte
	fields.AddKnown(wire.Date, c.now.UTC().AppendFormat(scratch[:0], http.TimeFormat))
	fields.AddKnown(wire.CacheControl, noStore)
	fields.AddKnown(wire.SeawallRequestID, c.x.Event.ID.AppendTo(scratch[:0]))
	if value := c.hsts(); value != nil {
		fields.AddKnown(wire.StrictTransportSecurity, value)
	}
}

// sendPage answers with a page that gives the reason and the request's ID.
func (e *Edge) sendPage(c *climb, reason seawall.Reason) {
	x, event := c.x, &c.x.Event
	event.Reason = reason
	status := reason.Status()
	if x.Out.Begun() || status == statusNobody {
		x.Out.Abort()
		return
	}
	accept, _ := x.Fields.Get(wire.Accept)
	form := pages.Choose(accept)
	set := e.pages
	shown := c.zone
	if shown == nil && len(x.Host) > 0 {
		shown = e.zones.Load().find(x.Host) // refused before it had a zone, but meant for one
	}
	if shown != nil {
		set = shown.pages.set.Load()
	}
	page, ours := c.own.page[:0], false
	page, ours = set.Append(page, pages.Page{Reason: reason, ID: event.ID, Host: x.Host, Time: c.now}, form)
	if c.own.page = page; cap(page) > largePage {
		c.own.page = nil
	}
	fields := &c.own.fields
	fields.Clear()
	fields.AddKnown(wire.ContentType, formType[form])
	e.addOwn(c, fields)
	fields.AddKnown(wire.ContentTypeOptions, nosniff)
	if !ours {
		fields.AddKnown(wire.ContentSecurityPolicy, policy)
	}
	switch {
	case reason == seawall.ReasonMaintenance:
		fields.AddKnown(wire.RetryAfter, c.zone.retryAfter)
	case status == http.StatusMethodNotAllowed:
		fields.AddKnown(wire.Allow, allowed)
	case status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		fields.AddKnown(wire.RetryAfter, retry)
	}
	a := &c.answer
	a.Status, a.Fields, a.Length = status, fields, int64(len(page))
	event.Status = uint16(status)
	err := x.Out.Begin(a)
	if err == nil {
		err = x.Out.Write(page)
	}
	if err == nil {
		err = x.Out.End(nil)
	}
	if err != nil {
		x.Out.Abort()
	}
}

// largePage is the largest page whose memory is kept for the next one.
const largePage = 16 << 10

// statusNobody is the status of reasons with nobody left to read a page.
const statusNobody = 499

func (e *Edge) setVisitorTexts(x *exchange.Exchange) {
	if agent, ok := x.Fields.Get(wire.UserAgent); ok {
		x.Event.SetText(seawall.EventUserAgent, agent)
	}
	if referer, ok := x.Fields.Get(wire.Referer); ok {
		x.Event.SetText(seawall.EventReferer, referer)
	}
}
