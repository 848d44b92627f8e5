package edge

import (
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// ask sends the request to the origin.
func (e *Edge) ask(c *climb) verdict {
	if c.cached.missed != seawall.CacheBypass {
		c.cached.epoch = c.zone.cache.zone.Epoch(c.key)
		c.phrase()
	}
	return e.roundTrip(c)
}

// roundTrip asks the origin, and looks for a stored answer when it has none.
func (e *Edge) roundTrip(c *climb) verdict {
	k, x := &c.cached, c.x
	k.requested = time.Now() // it may have waited for others before
	if k.leads {
		k.stand = standIn{x.Out, k.flight}
		x.Out = &k.stand
	}
	response, err := c.zone.origin.RoundTrip(x)
	if k.leads {
		x.Out, k.stand = k.stand.Stream, standIn{}
	}
	if err == nil {
		c.response = response
		return verdict{}
	}
	c.cause = err
	reason := reasonOf(err)
	if reason.Action() != seawall.ActionFailed || reason == seawall.ReasonVisitorGone || reason == seawall.ReasonVisitorSlow {
		return verdict{refuse, reason} // not the origin's fault: whoever waits may try
	}
	if k.leads {
		k.flight.Fail(err)
	}
	if c.staleServes(freshness.FailedToConnect) {
		return verdict{kind: answerStored}
	}
	return verdict{refuse, reason}
}

// standIn is the visitor's Stream while others wait for what it asks: then
// nobody's leaving ends the asking.
type standIn struct {
	exchange.Stream
	flight *cache.Flight
}

// Gone implements exchange.Stream.
func (s *standIn) Gone() bool { return s.flight.Waiting() == 0 && s.Stream.Gone() }

// Ended implements exchange.Stream.
func (s *standIn) Ended() bool { return s.flight.Waiting() == 0 && s.Stream.Ended() }

// Interim implements exchange.Stream.
func (s *standIn) Interim(status int, fields *wire.Fields) error {
	if err := s.Stream.Interim(status, fields); err != nil && s.flight.Waiting() == 0 {
		return err
	}
	return nil
}

// phrase decides what the origin is asked: about what is stored, if anything
// is, instead of what the visitor has.
func (c *climb) phrase() {
	k, x := &c.cached, c.x
	switch {
	case x.Method != exchange.MethodGet && x.Method != exchange.MethodHead, k.alone:
	case k.stored != nil && k.stored.Whole():
		k.asked = append(k.asked, k.stored)
		x.Ask = exchange.Asking{Instead: true, Tags: x.Ask.Tags[:0]}
		tag, modified := freshness.Validators(&k.stored.Fields)
		if tag != nil {
			x.Ask.Tags = append(x.Ask.Tags, tag)
		}
		x.Ask.Modified = modified
	case k.missed == seawall.CacheMissVary && !conditional(x.Fields):
		c.askAboutVariants()
	case k.missed == seawall.CacheMissPartial && x.Method == exchange.MethodGet && !conditional(x.Fields):
		c.askForRest()
	}
}

// conditional reports whether the visitor asks about something it has, or for
// a part.
func conditional(f *wire.Fields) bool {
	return f.Has(wire.IfNoneMatch) || f.Has(wire.IfModifiedSince) || f.Has(wire.Range)
}

// askAboutVariants names all stored variants: perhaps one of them is what the
// origin would choose for this request, too (RFC 9111, 4.3.1).
func (c *climb) askAboutVariants() {
	const most = 8
	k, x := &c.cached, c.x
	tags := x.Ask.Tags[:0]
	for _, variant := range c.zone.cache.zone.Variants(c.key) {
		if tag, may := variant.MayBe(x.Fields); may && len(tags) < most {
			k.asked = append(k.asked, variant)
			tags = append(tags, tag)
		}
	}
	if len(tags) > 0 {
		x.Ask = exchange.Asking{Instead: true, Tags: tags}
	}
}

// askForRest asks for what is missing of an answer that is stored in part
// (RFC 9111, 3.3).
func (c *climb) askForRest() {
	k, x := &c.cached, c.x
	gap, ok := k.stored.Gap()
	if !ok || !k.leads || k.stored.Size() > c.zone.cache.maxObject || !k.stored.Use(&k.directives, k.at).Serves() {
		return
	}
	k.gap, k.fills = gap, true
	asked := fmt.Appendf(nil, "bytes=%d-", gap.First)
	if gap.Last < k.stored.Size()-1 {
		asked = strconv.AppendInt(asked, gap.Last, 10)
	}
	x.Ask = exchange.Asking{Instead: true, Range: asked}
	if validator, certain := k.stored.Certain(); certain {
		x.Ask.Condition = validator
	}
}

// askAgain asks the origin once more, for the whole and without conditions:
// its answer was about nothing that is stored.
func (e *Edge) askAgain(c *climb) verdict {
	k := &c.cached
	c.response.Close()
	c.response = nil
	k.again, k.fills, k.asked = true, false, k.asked[:0]
	c.x.Ask = exchange.Asking{Instead: true, Tags: c.x.Ask.Tags[:0]}
	if v := e.roundTrip(c); v.kind != goOn {
		return v
	}
	return e.keep(c)
}

// refresh asks the origin in the background about an answer that serves
// meanwhile (RFC 5861, 3), unless somebody does so already.
func (e *Edge) refresh(c *climb, object *cache.Object) {
	zone, x := c.zone.cache.zone, c.x
	flight, leads := zone.Join(c.key, x.Fields, c.cached.at, true)
	if flight == nil {
		return
	}
	if !leads {
		flight.Leave(false)
		return
	}
	alone := x.Alone()
	alone.Method, alone.MethodName = exchange.MethodGet, []byte("GET")
	background := newClimb()
	background.x, background.zone, background.now, background.caching = alone, c.zone, c.now, c.caching
	background.key = append([]byte(nil), c.key...)
	k := &background.cached
	k.begin()
	k.at, k.stored, k.flight, k.leads = c.cached.at, object, flight, true
	background.miss(seawall.CacheMissStale)
	go e.ascend(background)
}

// ascend is the way of a request that no visitor waits for.
func (e *Edge) ascend(c *climb) {
	defer e.slip(c)
	v := e.ask(c)
	if v.kind == goOn {
		v = e.keep(c)
	}
	switch v.kind {
	case answerFlight:
		c.cached.flight.Detach() // nobody reads it here
	case answerOrigin:
		e.drain(c)
	}
	c.end()
}

// slip ends a background request that panics.
func (e *Edge) slip(c *climb) {
	if problem := recover(); problem != nil {
		e.config.Logger.Error("panic in the background", slog.Any("panic", problem), slog.String("stack", string(debug.Stack())))
		c.end()
	}
}

// drain reads an answer that nobody waits for, if it is to be stored.
func (e *Edge) drain(c *climb) {
	for c.fresh != nil {
		data, err := c.response.Next()
		if err == io.EOF {
			e.store(c)
			return
		}
		if err != nil {
			return
		}
		e.collect(c, data)
	}
}
