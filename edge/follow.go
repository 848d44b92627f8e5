package edge

import (
	"io"
	"net/http"
	"strconv"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/byterange"
	"github.com/seawall-edge/seawall/internal/coding"
	"github.com/seawall-edge/seawall/internal/wire"
)

// sendFlight answers with what a flight brings, while it arrives.
func (e *Edge) sendFlight(c *climb) {
	k := &c.cached
	if !k.leads {
		k.flight.Attach()
	}
	defer k.flight.Detach()
	_, c.object, _ = k.flight.Outcome()
	c.headOfFlight()
	e.addCacheStatus(c, &c.answer.More)
	var id [seawall.RequestIDLen]byte
	c.answer.More.AddKnown(wire.SeawallRequestID, c.x.Event.ID.AppendTo(id[:0]))
	if err := e.ride(c); err != nil {
		e.cut(c, err)
		return
	}
	if k.leads && c.x.Event.Store == seawall.StoreStored {
		c.x.Event.Store = k.flight.Stored()
	}
}

// headOfFlight makes the head of the whole answer. The leader gets what the
// origin has said, the others what a cache says.
func (c *climb) headOfFlight() {
	k, a := &c.cached, &c.answer
	a.Status, a.Fields, a.Length = c.object.Status, &c.object.Fields, k.flight.Length()
	if k.own {
		a.Fields = &c.own.fields
	}
	if !k.leads || k.aged {
		var scratch [20]byte
		a.More.AddKnown(wire.Age, strconv.AppendInt(scratch[:0], c.object.Age(k.at), 10))
	}
}

// ride sends what the visitor wants of the flight: a 304, a range, or all.
func (e *Edge) ride(c *climb) error {
	x, a := c.x, &c.answer
	if c.object.Validates(x.Fields) {
		a.Status = http.StatusNotModified
		if !c.cached.own {
			a.Fields = &c.object.NotModified
		}
		return e.sendHead(c)
	}
	whole := a.Length
	if !x.Fields.Has(wire.Range) {
		e.chooseCoding(c, a.Status, a.Fields, whole)
		if c.encoding.in != coding.Identity {
			return e.rideEncoded(c)
		}
	}
	span := byterange.Span{First: 0, Last: whole - 1}
	switch spans, result := c.rangesOf(whole); {
	case result == byterange.Unsatisfiable:
		return e.sendUnsatisfied(c, whole)
	case result == byterange.Satisfied && len(spans) == 1: // of several at once, all is sent
		span = spans[0]
		if a.Fields.Has(wire.ContentRange) { // a whole that names a place all the same
			own := copyFields(&wire.Fields{}, a.Fields, wire.ContentRange)
			a.Fields = own
		}
		var scratch [80]byte
		a.More.AddKnown(wire.ContentRange, byterange.AppendContentRange(scratch[:0], span, whole))
		a.Status, a.Length = http.StatusPartialContent, span.Len()
	}
	x.Event.Status = uint16(a.Status)
	if err := e.beginAnswer(c, a); err != nil {
		return err
	}
	if x.Method == exchange.MethodHead {
		return x.Out.End(nil)
	}
	if err := e.follow(c, c.cached.flight, span); err != nil {
		return err
	}
	return x.Out.End(e.trailersOf(c.cached.flight, a))
}

// rideEncoded sends the whole in the visitor's coding: as it was made once if
// all is here already, else made while it arrives.
func (e *Edge) rideEncoded(c *climb) error {
	x, a, flight := c.x, &c.answer, c.cached.flight
	x.Event.Status = uint16(a.Status)
	object := flight.Whole()
	if object != nil && object.Trailers == nil {
		if body := e.encodeStored(c, object); c.encoding.in != coding.Identity && !c.encoding.open {
			a.Length = int64(len(body))
			return e.sendBody(c, body, nil)
		}
	}
	if c.encoding.in != coding.Identity && !c.encoding.open {
		c.startEncoding(a.Fields, flight.Length())
	}
	if c.encoding.open {
		a.Length = -1
	}
	if err := e.beginAnswer(c, a); err != nil {
		return err
	}
	if x.Method == exchange.MethodHead {
		return x.Out.End(nil)
	}
	if err := e.follow(c, flight, byterange.Span{First: 0, Last: flight.Length() - 1}); err != nil {
		return err
	}
	if err := c.endBody(); err != nil {
		return err
	}
	return x.Out.End(e.trailersOf(flight, a))
}

// rangesOf reads the Range of a request for an answer that is on its way.
func (c *climb) rangesOf(length int64) ([]byterange.Span, byterange.Verdict) {
	value, ok := c.x.Fields.Get(wire.Range)
	if !ok || length < 0 || c.object.Status != http.StatusOK || c.x.Method != exchange.MethodGet || !c.object.RangeApplies(c.x.Fields) {
		return nil, byterange.Ignore
	}
	return byterange.Parse(value, length, nil)
}

// trailersOf returns the trailers that may follow: none after a length.
func (e *Edge) trailersOf(flight *cache.Flight, a *exchange.Answer) *wire.Fields {
	if a.Length >= 0 {
		return nil
	}
	return flight.Trailers()
}

// mostAtOnce is the most that is handed to the kernel before the flight hears
// how far this visitor is.
const mostAtOnce = 1 << 20

// follow sends the bytes of a span as they arrive. A span that ends before it
// begins is all there is.
func (e *Edge) follow(c *climb, flight *cache.Flight, span byterange.Span) error {
	all := flight.Length() < 0
	for at := span.First; all || at <= span.Last; {
		data, more, err := flight.Read(at)
		switch {
		case err == io.EOF && all:
			return nil
		case err != nil:
			return err
		case more != nil:
			if err := c.x.Out.Flush(); err != nil {
				return err
			}
			if !c.waitFor(more) {
				return errFollowerGone
			}
			continue
		}
		data = data[:min(len(data), mostAtOnce)]
		if !all {
			data = data[:min(int64(len(data)), span.Last+1-at)]
		}
		if err := c.write(data); err != nil {
			return err
		}
		at += int64(len(data))
	}
	return nil
}

// gone is the end of a visitor.
type gone string

func (g gone) Error() string { return string(g) }

// Reason says what that is.
func (g gone) Reason() seawall.Reason { return seawall.ReasonVisitorGone }

var errFollowerGone = gone("the visitor cut the connection")
