package edge

import (
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/edge/origin"
	"github.com/seawall-edge/seawall/edge/rewrite"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/coding"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
)

// ladder is the way of every request of every protocol, from top to bottom.
// A rung looks at the request and returns a verdict: go on, or what to answer
// and why. Only the ladder writes answers. See doc/ladder.md.
var ladder = [...]struct {
	rung seawall.Rung
	step func(*Edge, *climb) verdict
}{
	{seawall.RungZone, (*Edge).zone},               // whose site is this?
	{seawall.RungClient, (*Edge).client},           // who is asking?
	{seawall.RungMaintenance, (*Edge).maintenance}, // is the site open?
	{seawall.RungNormalise, (*Edge).normalise},     // one canonical form, made once
	{seawall.RungAccess, (*Edge).access},           // is this visitor let in?
	{seawall.RungRules, (*Edge).steer},             // is it to ask elsewhere, or for something else?
	{seawall.RungCache, (*Edge).lookup},            // may a stored answer serve, or one that is on its way?
	{seawall.RungOrigin, (*Edge).ask},              // ask the origin
	{seawall.RungStore, (*Edge).keep},              // may its answer be kept?
}

// verdict is a rung's decision.
type verdict struct {
	kind   kind
	reason seawall.Reason
}

type kind uint8

const (
	goOn           kind = iota // to the next rung
	answerStored               // with climb.object
	answerFlight               // with what climb.flight brings, while it arrives
	answerOrigin               // with climb.response, keeping it in climb.fresh if that is set
	answerRedirect             // with climb.location
	answerOwn                  // with climb.self
	answerSelf                 // OPTIONS about the edge itself
	refuse                     // with a page that gives the reason
)

// climb is one request's way up the ladder. It is kept with its Exchange and
// used again for the next request.
type climb struct {
	x        *exchange.Exchange
	zone     *zone // nil until the zone rung
	now      time.Time
	key      []byte
	object   *cache.Object    // a stored answer that serves
	response *origin.Response // the origin's answer
	fresh    *cache.Collector // what is to be stored as it passes by
	cause    error            // what an origin or a body did wrong, for the log
	cached   consultation
	answer   exchange.Answer
	own      ownAnswer
	said     [][]byte            // what proxies in front say about the visitor
	shown    *seawall.Credential // the visitor's certificate; nil: none that counts

	known                     rule.Facts // what conditions ask about
	held                      rewrite.Held
	says                      func(title string) // mention
	names                     rewrite.Values     // value
	explains                  bool               // nobody is asked and nothing is sent
	titles                    []string           // which rules had a say, for whoever explains
	gathered                  bool               // known is filled
	ruled                     []byte             // which rules had a say
	caching                   caching
	asks                      relay       // the request as the zone's rules have it
	more                      wire.Fields // as they have what the edge has added to it
	dressed                   relay       // the answer as they have it
	targetMemory, spareTarget []byte
	toldTarget                bool   // the Event knows what was asked
	location                  []byte // where the visitor is sent
	encoding                  encoding
	plan                      rewrite.Plan
	self                      selfAnswer // what a rule answers
}

// newClimb makes a climb with what it hands to others as functions, which
// would else be made for each request.
func newClimb() *climb {
	c := &climb{}
	c.says, c.names = c.mention, c.value
	return c
}

// Serve has a request climb the ladder. It implements the Handler of the
// protocol loops.
func (e *Edge) Serve(x *exchange.Exchange) {
	c := e.begin(x)
	defer e.rescue(c)
	var v verdict
	for i := range ladder {
		x.Event.Rung = ladder[i].rung
		if v = ladder[i].step(e, c); v.kind != goOn {
			break
		}
	}
	switch v.kind {
	case answerStored:
		e.sendStored(c)
	case answerFlight:
		e.sendFlight(c)
	case answerOrigin:
		e.sendOrigin(c)
	case answerRedirect:
		e.sendRedirect(c)
	case answerOwn:
		e.sendOwn(c)
	case answerSelf:
		e.sendOptions(c)
	default:
		e.sendPage(c, v.reason)
	}
	e.event(c)
}

// Refuse answers a request that its protocol loop could not understand.
func (e *Edge) Refuse(x *exchange.Exchange, reason seawall.Reason) {
	c := e.begin(x)
	defer e.rescue(c)
	x.Event.Rung = seawall.RungDoor
	e.sendPage(c, reason)
	e.event(c)
}

// begin readies the climb that belongs to an Exchange.
func (e *Edge) begin(x *exchange.Exchange) *climb {
	c, ok := x.Own.(*climb)
	if !ok {
		c = newClimb()
		x.Own = c
	}
	c.x, c.zone, c.now = x, nil, time.Unix(0, x.Event.Time)
	c.object, c.response, c.fresh, c.cause = nil, nil, nil, nil
	c.cached.begin()
	c.explains, c.titles = false, nil
	c.gathered, c.ruled, c.caching = false, c.ruled[:0], caching{}
	c.self, c.toldTarget, c.shown = selfAnswer{}, false, nil
	c.encoding.varies, c.encoding.in = false, coding.Identity
	c.answer.Fields, c.answer.Close = nil, false
	c.answer.More.Clear()
	return c
}

// event is the last rung: it says what happened, once for each request.
func (e *Edge) event(c *climb) {
	x := c.x
	event := &x.Event
	event.Duration = time.Since(c.now).Nanoseconds()
	event.BytesOut, event.BytesIn = x.Out.Sent(), x.Out.Received()
	event.Action = event.Reason.Action()
	event.SetText(seawall.EventMethod, x.MethodName)
	event.SetText(seawall.EventHost, x.Host)
	c.keepTarget()
	e.setVisitorTexts(x)
	if x.TLS != nil {
		event.SetText(seawall.EventJA4, x.TLS.JA4[:])
	}
	if c.cause != nil {
		event.SetText(seawall.EventCause, []byte(causeOf(c.cause)))
	}
	if len(c.ruled) > 0 {
		event.SetText(seawall.EventRule, c.ruled)
	}
	if c.zone != nil {
		event.Zone = c.zone.name
		c.zone.state.counters.count(event)
	}
	e.counters[x.Ring%len(e.counters)].count(event)
	e.config.Events.Put(x.Ring, event)
	c.end()
}

// end gives back what the request held.
func (c *climb) end() {
	if c.fresh != nil {
		c.fresh.End() // it did not come whole
		c.fresh = nil
	}
	c.leaveFlight()
	c.abandonEncoding()
	c.cached.epoch.End()
	c.cached.epoch = cache.Epoch{}
	if c.response != nil {
		c.response.Close()
		c.response = nil
	}
}

// rescue turns a panic on the ladder into a failed request: one visitor's
// bad luck must not be everybody's.
func (e *Edge) rescue(c *climb) {
	problem := recover()
	if problem == nil {
		return
	}
	e.config.Logger.Error("panic on the ladder", slog.Any("panic", problem),
		slog.String("request", c.x.Event.ID.String()), slog.String("stack", string(debug.Stack())))
	if !c.x.Out.Begun() {
		e.sendPage(c, seawall.ReasonInternal)
	} else {
		c.x.Out.Abort()
		c.x.Event.Reason = seawall.ReasonInternal
	}
	e.event(c)
}
