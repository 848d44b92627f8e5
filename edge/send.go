package edge

import (
	"io"
	"net/http"
	"strconv"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/pages"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// ownAnswer is memory for an answer that the edge makes itself.
type ownAnswer struct {
	fields wire.Fields
	page   []byte
}

// sendStored answers from the cache (RFC 9111, 4).
func (e *Edge) sendStored(c *climb) {
	x, object := c.x, c.object
	unix := c.now.Unix()
	a := &c.answer
	a.Status, a.Fields, a.Length = object.Status, &object.Fields, int64(len(object.Body))
	var scratch [64]byte
	a.More.AddKnown(wire.Age, strconv.AppendInt(scratch[:0], object.Age(unix), 10))
	status := append(scratch[:0], "seawall; hit; ttl="...)
	a.More.AddKnown(wire.CacheStatus, strconv.AppendInt(status, object.TTL(unix), 10))
	a.More.AddKnown(wire.SeawallRequestID, x.Event.ID.AppendTo(scratch[:0]))
	if object.NotModified(x.Fields) {
		a.Status = http.StatusNotModified
	}
	x.Event.Status = uint16(a.Status)
	err := x.Out.Begin(a)
	if err == nil && a.Status != http.StatusNotModified {
		err = x.Out.Write(object.Body)
	}
	if err == nil {
		err = x.Out.End(nil)
	}
	if err != nil {
		e.cut(c, err)
	}
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
	if err := x.Out.Begin(a); err != nil {
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
			err = x.Out.Write(data)
		}
		if err != nil {
			e.cut(c, err)
			return
		}
	}
	if err := x.Out.End(c.response.Trailers()); err != nil {
		e.cut(c, err)
		return
	}
	if c.fresh != nil {
		e.cache.Store(c.key, c.fresh)
		c.fresh = nil
	}
}

// collect keeps a copy of what passes by, if it is to be stored.
func (e *Edge) collect(c *climb, data []byte) {
	if c.fresh == nil {
		return
	}
	if result := e.cache.Collect(c.fresh, data); result != seawall.StoreStored {
		c.fresh, c.x.Event.Store = nil, result
	}
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
	c.x.Event.Reason, c.cause = reasonOf(err), err
	if c.x.Event.Store == seawall.StoreStored {
		c.x.Event.Store = seawall.StorePartial
	}
}

// addCacheStatus says how the cache took part and why the answer was not
// kept (RFC 9211).
func (e *Edge) addCacheStatus(c *climb, fields *wire.Fields) {
	event := &c.x.Event
	var scratch [96]byte
	status := append(scratch[:0], "seawall; fwd="...)
	status = append(status, event.Cache.String()...)
	switch event.Store {
	case seawall.StoreStored:
		status = append(status, "; stored"...)
	case seawall.StoreNone:
	default:
		status = append(status, "; detail="...)
		status = append(status, event.Store.String()...)
	}
	fields.AddKnown(wire.CacheStatus, status)
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
