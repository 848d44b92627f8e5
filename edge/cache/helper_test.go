package cache

import (
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/wire"
)

// noon is when everything is received, at the Moment then.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const then = Moment(1000 * time.Second)

var page = []byte("a\x00hexample.com:80/dir/page.html")

// fields builds a list from alternating names and values.
func fields(pairs ...string) *wire.Fields {
	var f wire.Fields
	for i := 0; i < len(pairs); i += 2 {
		name := []byte(pairs[i])
		f.Add(wire.Lookup(name), name, []byte(pairs[i+1]))
	}
	return &f
}

// lasting is an answer that is fresh for a minute and says what else is given.
func lasting(pairs ...string) *wire.Fields {
	return fields(append([]string{"Cache-Control", "max-age=60"}, pairs...)...)
}

// httpDate is noon and so many seconds.
func httpDate(seconds int) string {
	return noon.Add(time.Duration(seconds) * time.Second).Format("Mon, 02 Jan 2006 15:04:05 GMT")
}

// offerOf is a plain offer, to be varied.
func offerOf(answer, request *wire.Fields) Offer {
	return Offer{
		Method: get, Request: request, Status: 200, Said: answer, Fields: answer,
		Length: -1, MaxObject: 1 << 20, Requested: noon, Received: noon, At: then,
	}
}

// prepared is a whole answer with its body.
func prepared(t testing.TB, offer Offer, body string) *Object {
	t.Helper()
	object, result := Prepare(offer)
	if object == nil {
		t.Fatalf("not storable: %s", result)
	}
	object.Body = []byte(body)
	return object
}

// open makes a cache with a zone, and looks in the end whether it is at rest.
func open(t testing.TB, budget int64) (*Cache, *Zone) {
	t.Helper()
	c := New(Config{MaxBytes: budget})
	t.Cleanup(func() { atRest(t, c) })
	return c, c.Zone("a", Bounds{Variants: 16, Waiters: 1000})
}

// atRest checks that nothing is held for anybody when nobody does anything,
// and that each zone has its own alone.
func atRest(t testing.TB, c *Cache) {
	t.Helper()
	if n := c.collecting.Load(); n != 0 {
		t.Errorf("%d bytes are held for bodies that do not arrive", n)
	}
	if n := c.waiting.Load(); n != 0 {
		t.Errorf("%d requests wait", n)
	}
	for i := range c.flights {
		for name := range c.flights[i].flights {
			t.Errorf("%q is in a hangar", name)
		}
		for key := range c.flights[i].epochs {
			t.Errorf("the epoch of %q is held", key)
		}
	}
	for name, z := range c.zones {
		if n := z.waiting.Load(); n != 0 {
			t.Errorf("%d requests of %s wait", n, name)
		}
		if !z.Belongs([]byte(name + "\x00")) {
			t.Errorf("%s has something of another zone", name)
		}
	}
}

// asked is the Epoch of who asks the origin now; it ends with the test.
func asked(t testing.TB, z *Zone, key []byte) Epoch {
	epoch := z.Epoch(key)
	t.Cleanup(epoch.End)
	return epoch
}

// store keeps a body for a request and fails when it is not kept.
func store(t testing.TB, z *Zone, key []byte, answer, request *wire.Fields, body string) *Object {
	t.Helper()
	object := prepared(t, offerOf(answer, request), body)
	if !z.Store(key, object, request, asked(t, z, key)) {
		t.Fatalf("%q is not kept", body)
	}
	return object
}

// found returns the body that a request gets; "" when it gets none.
func found(z *Zone, key []byte, request *wire.Fields) string {
	object, _ := z.Lookup(key, request)
	if object == nil {
		return ""
	}
	return string(object.Body)
}

// lead begins a flight.
func lead(t testing.TB, z *Zone, key []byte, request *wire.Fields) *Flight {
	t.Helper()
	f, leads := z.Join(key, request, then, true)
	if f == nil || !leads {
		t.Fatalf("it does not lead: %v, %v", f, leads)
	}
	return f
}

// follow joins a flight.
func follow(t testing.TB, z *Zone, key []byte, request *wire.Fields) *Flight {
	t.Helper()
	f, leads := z.Join(key, request, then, true)
	if f == nil || leads {
		t.Fatalf("it does not follow: %v, %v", f, leads)
	}
	return f
}

// begin gives a flight the head of an answer.
func begin(t testing.TB, z *Zone, f *Flight, offer Offer) *Object {
	t.Helper()
	object := prepared(t, offer, "")
	object.Body = nil
	f.Begin(z.Collect(object, &offer), offer.Length)
	return object
}

// keepIn is what Finish is called with.
func keepIn(z *Zone, key []byte, request *wire.Fields, asked Epoch) func(*Object) bool {
	return func(object *Object) bool { return z.Store(key, object, request, asked) }
}

// readFrom reads a flight's body from a position to its end.
func readFrom(f *Flight, position int64) ([]byte, error) {
	f.Attach()
	defer f.Detach()
	var body []byte
	for {
		data, more, err := f.Read(position)
		switch {
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		case more != nil:
			<-more
		}
		body = append(body, data...)
		position += int64(len(data))
	}
}

// pattern is n bytes in which each place looks different from its neighbours.
func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i ^ i>>8*31 ^ i>>16*17)
	}
	return data
}

// newRandom is the same at each run.
func newRandom(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 7)) }
