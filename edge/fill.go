package edge

import (
	"io"
	"log/slog"
	"runtime/debug"
	"slices"

	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/edge/origin"
	"github.com/seawall-edge/seawall/internal/wire"
)

// takeOff has the body arrive in the flight: all who wait read it there, the
// leader too, each at its own pace. before and after are what is here already.
func (e *Edge) takeOff(c *climb, stream *cache.Collector, before, after []byte) verdict {
	k, response := &c.cached, c.response
	object, length := stream.Object, response.Answer.Length
	if k.fills {
		length = k.stored.Size()
	}
	if object.Status == 204 {
		length = 0 // whatever it says
	}
	k.aged = response.Said().Has(wire.Age)
	if !k.fills && (object.Terms.WithoutCookie || object.Terms.FieldsNamed) {
		k.own = true
		copyFields(&c.own.fields, response.Answer.Fields, wire.Age)
	}
	k.flight.Begin(stream, length)
	k.flight.Attach()
	f := &filling{
		flight: k.flight, response: response, zone: c.zone.cache.zone, key: append([]byte(nil), c.key...),
		request: copyFields(&wire.Fields{}, c.x.Fields), epoch: k.epoch, object: object, length: length, before: before, after: after,
	}
	if k.fills {
		f.expected, f.exact = k.gap.Len(), response.Answer.Length >= 0
	}
	c.response, k.epoch = nil, cache.Epoch{}     // they are f's from here on
	if response.Buffered() && len(before) == 0 { // it cannot have to wait for who reads it
		e.fill(f)
	} else {
		response.Detach()
		go e.fill(f)
	}
	return verdict{kind: answerFlight}
}

// copyFields makes to a copy of from without some names.
func copyFields(to, from *wire.Fields, but ...wire.Name) *wire.Fields {
	to.Clear()
	for i := range from.Len() {
		if known := from.Known(i); !slices.Contains(but, known) {
			to.Add(known, from.Name(i), from.Value(i))
		}
	}
	return to
}

// filling is a body on its way into a flight. It belongs to the goroutine
// that runs fill.
type filling struct {
	flight   *cache.Flight
	response *origin.Response
	zone     *cache.Zone
	key      []byte
	request  *wire.Fields
	epoch    cache.Epoch
	object   *cache.Object
	length   int64 // of the whole; -1 when not known

	before, after []byte // of a part that is completed
	expected      int64  // bytes between the two; 0: all there is
	exact         bool   // there cannot be more of them
}

// fill reads the body to its end, whoever of the visitors is still there.
func (e *Edge) fill(f *filling) {
	defer func() {
		if problem := recover(); problem != nil {
			e.config.Logger.Error("panic on a flight", slog.Any("panic", problem), slog.String("stack", string(debug.Stack())))
			f.flight.Break(malformed("something went wrong inside the edge"))
		}
		f.response.Close()
		f.epoch.End()
	}()
	if err := f.run(); err != nil {
		f.zone.StoreIncomplete(f.key, f.object, f.request, f.epoch, f.length)
		f.flight.Break(err)
	}
}

func (f *filling) run() error {
	if len(f.before) > 0 {
		if err := f.flight.Add(f.before); err != nil {
			return err
		}
	}
	end := f.length
	if f.expected > 0 {
		end = f.expected
	}
	for got := int64(0); ; {
		data, err := f.response.Next()
		switch {
		case err == io.EOF && f.expected > 0 && got != f.expected:
			return malformed("it sent another number of bytes than it had said")
		case err == io.EOF:
			return f.finish(f.after)
		case err != nil:
			return err
		}
		if got += int64(len(data)); got == end && len(f.after) == 0 && (f.expected == 0 || f.exact) {
			return f.finish(data)
		}
		if f.expected > 0 && got > f.expected {
			return malformed("it sent more bytes than it had said")
		}
		if err := f.flight.Add(data); err != nil {
			return err
		}
	}
}

func (f *filling) finish(last []byte) error {
	return f.flight.Finish(last, keptTrailers(f.response), func(object *cache.Object) bool { return f.zone.Store(f.key, object, f.request, f.epoch) })
}

// keptTrailers returns an answer's trailers as they are kept: apart from its
// fields (RFC 9110, 6.5.1); nil when there are none.
func keptTrailers(response *origin.Response) *wire.Fields {
	if t := response.Trailers(); t != nil && t.Len() > 0 {
		return copyFields(&wire.Fields{}, t)
	}
	return nil
}
