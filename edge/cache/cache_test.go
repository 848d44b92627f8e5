package cache

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fields builds a list from alternating names and values.
func fields(pairs ...string) *wire.Fields {
	var f wire.Fields
	for i := 0; i < len(pairs); i += 2 {
		name := []byte(pairs[i])
		f.Add(wire.Lookup(name), name, []byte(pairs[i+1]))
	}
	return &f
}

// offer is a plain storable answer, to be varied.
func offer(answer, request *wire.Fields) Offer {
	return Offer{
		Method: exchange.MethodGet, Request: request, Status: 200, Fields: answer,
		Length: 5, MaxObject: 1 << 20, Requested: noon, Received: noon,
	}
}

func prepared(t *testing.T, o Offer, body string) *Object {
	t.Helper()
	object, result := Prepare(o)
	if object == nil {
		t.Fatalf("not storable: %s", result)
	}
	object.Body = append(object.Body, body...)
	return object
}

func TestCollect_holdsMemoryForWhatCameNotForWhatWasPromised(t *testing.T) {
	c := New(Config{MaxBytes: 4 << 20}) // so that 1 MiB may be on its way
	defer c.Close()
	promise := func() *Object {
		o := offer(fields("Cache-Control", "max-age=60"), fields())
		o.Length, o.MaxObject = 700<<10, 700<<10
		return prepared(t, o, "")
	}
	first, second := promise(), promise()
	if first.Body != nil || c.collecting.Load() != 0 {
		t.Error("memory is held before a byte has come")
	}
	piece := make([]byte, 100<<10)
	for i := range 7 {
		if result := c.Collect(first, piece); result != seawall.StoreStored {
			t.Fatalf("piece %d: %s", i, result)
		}
	}
	if cap(first.Body) != 700<<10 || c.collecting.Load() != 700<<10 {
		t.Errorf("%d bytes of room, %d counted", cap(first.Body), c.collecting.Load())
	}
	result := seawall.StoreStored
	for range 7 {
		if result = c.Collect(second, piece); result != seawall.StoreStored {
			break
		}
	}
	if result != seawall.StoreUndecided || c.collecting.Load() != 700<<10 {
		t.Errorf("beyond the budget: %s, %d counted", result, c.collecting.Load())
	}
	c.Store([]byte("zone\x00h/"), first)
	if c.collecting.Load() != 0 {
		t.Errorf("stored, but %d counted", c.collecting.Load())
	}
	third := promise()
	if result := c.Collect(third, make([]byte, 800<<10)); result != seawall.StoreTooLarge {
		t.Errorf("beyond one object: %s", result)
	}
}

func TestPrepare_storesOnlyWhatIsAllowedAndFresh(t *testing.T) {
	fresh := []string{"Cache-Control", "max-age=60"}
	for _, c := range []struct {
		name    string
		answer  []string
		request []string
		change  func(*Offer)
		want    seawall.StoreResult
	}{
		{"fresh", fresh, nil, nil, seawall.StoreStored},
		{"no lifetime", nil, nil, nil, seawall.StoreNoFreshness},
		{"no-store", []string{"Cache-Control", "max-age=60, no-store"}, nil, nil, seawall.StoreNoStore},
		{"private", []string{"Cache-Control", "max-age=60, private"}, nil, nil, seawall.StorePrivate},
		{"no-cache", []string{"Cache-Control", "max-age=60, no-cache"}, nil, nil, seawall.StoreNoCache},
		{"request no-store", fresh, []string{"Cache-Control", "no-store"}, nil, seawall.StoreRequest},
		{"authorization", fresh, []string{"Authorization", "Basic eA=="}, nil, seawall.StoreAuthorization},
		{"authorization, public", []string{"Cache-Control", "max-age=60, public"}, []string{"Authorization", "x"}, nil, seawall.StoreStored},
		{"authorization, s-maxage", []string{"Cache-Control", "s-maxage=60"}, []string{"Authorization", "x"}, nil, seawall.StoreStored},
		{"authorization, must-revalidate", []string{"Cache-Control", "max-age=60, must-revalidate"}, []string{"Authorization", "x"}, nil, seawall.StoreStored},
		{"set-cookie", []string{"Cache-Control", "max-age=60", "Set-Cookie", "a=b"}, nil, nil, seawall.StoreSetCookie},
		{"vary star", []string{"Cache-Control", "max-age=60", "Vary", "Accept, *"}, nil, nil, seawall.StoreVaryStar},
		{"expired on arrival", []string{"Cache-Control", "max-age=60", "Age", "60"}, nil, nil, seawall.StoreExpired},
		{"Expires: -1", []string{"Expires", "-1"}, nil, nil, seawall.StoreExpired},
		{"empty Expires", []string{"Expires", ""}, nil, nil, seawall.StoreExpired},
		{"old Date", []string{"Cache-Control", "max-age=60", "Date", "Sun, 22 Nov 2026 11:00:00 GMT"}, nil, nil, seawall.StoreExpired},
		{"POST", fresh, nil, func(o *Offer) { o.Method = exchange.MethodPost }, seawall.StoreMethod},
		{"HEAD", fresh, nil, func(o *Offer) { o.Method = exchange.MethodHead }, seawall.StoreMethod},
		{"206", fresh, nil, func(o *Offer) { o.Status = 206 }, seawall.StoreStatus},
		{"500", fresh, nil, func(o *Offer) { o.Status = 500 }, seawall.StoreStatus},
		{"404", fresh, nil, func(o *Offer) { o.Status = 404 }, seawall.StoreStored},
		{"too large", fresh, nil, func(o *Offer) { o.Length = 2 << 20 }, seawall.StoreTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := offer(fields(c.answer...), fields(c.request...))
			if c.change != nil {
				c.change(&o)
			}
			object, result := Prepare(o)
			if result != c.want || (object != nil) != (c.want == seawall.StoreStored) {
				t.Errorf("%s; want %s", result, c.want)
			}
		})
	}
}

func TestObject_servesWhileFreshAndAsTheRequestAllows(t *testing.T) {
	object := prepared(t, offer(fields("Cache-Control", "max-age=60", "Age", "10"), fields()), "hello")
	if object.Fields.Has(wire.Age) {
		t.Error("the origin's Age is stored")
	}
	for _, c := range []struct {
		request       string
		after         int64
		serves, fresh bool
	}{
		{"", 0, true, true},
		{"", 49, true, true},
		{"", 50, false, false},
		{"no-cache", 0, false, true},
		{"max-age=10", 0, true, true},
		{"max-age=10", 1, false, true},
		{"max-age=0", 0, false, true},
		{"min-fresh=50", 0, true, true},
		{"min-fresh=50", 1, false, true},
		{"max-stale=100", 60, false, false}, // this cache serves nothing stale yet
	} {
		directives := freshness.None()
		directives.Add([]byte(c.request))
		if serves, fresh := object.Serves(directives, noon.Unix()+c.after); serves != c.serves || fresh != c.fresh {
			t.Errorf("%q after %d s: serves %v, fresh %v", c.request, c.after, serves, fresh)
		}
	}
	if object.Age(noon.Unix()+5) != 15 || object.TTL(noon.Unix()+5) != 45 {
		t.Errorf("age %d, ttl %d", object.Age(noon.Unix()+5), object.TTL(noon.Unix()+5))
	}
	if object.Age(noon.Unix()-3600) != 0 {
		t.Error("a clock set back makes the age negative")
	}
}

func TestCache_keepsVariantsApart(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	key := []byte("zone\x00hexample.com/")
	answer := fields("Cache-Control", "max-age=60", "Vary", "Accept-Encoding, X-Other")
	gzip, none, odd := fields("Accept-Encoding", "gzip"), fields(), fields("Accept-Encoding", "gzip", "x-other", "1", "X-OTHER", "2")
	for body, request := range map[string]*wire.Fields{"gzip": gzip, "none": none, "odd": odd} {
		c.Store(key, prepared(t, offer(answer, request), body))
	}
	for body, request := range map[string]*wire.Fields{"gzip": gzip, "none": none, "odd": odd} {
		if object, result := c.Lookup(key, request); object == nil || string(object.Body) != body {
			t.Errorf("%s: %v, %s", body, object, result)
		}
	}
	for _, request := range []*wire.Fields{
		fields("Accept-Encoding", "br"), fields("Accept-Encoding", "gzip", "X-Other", "12"),
		fields("Accept-Encoding", "gzip", "X-Other", "2", "X-Other", "1"), fields("Accept-Encoding", "gzi", "Accept-Encoding", "p"),
	} {
		if object, result := c.Lookup(key, request); object != nil || result != seawall.CacheMissVary {
			t.Errorf("%q: served %s", request.Lines(), object.Body)
		}
	}
	// A new answer for the same selection takes the old one's place.
	c.Store(key, prepared(t, offer(answer, gzip), "newer"))
	if object, _ := c.Lookup(key, gzip); string(object.Body) != "newer" {
		t.Errorf("served %s", object.Body)
	}
	// Another Vary makes the old variants indistinguishable.
	c.Store(key, prepared(t, offer(fields("Cache-Control", "max-age=60"), fields()), "plain"))
	if object, _ := c.Lookup(key, gzip); object == nil || string(object.Body) != "plain" {
		t.Error("a variant survived the loss of Vary")
	}
	c.Invalidate(key)
	if _, result := c.Lookup(key, gzip); result != seawall.CacheMissURI {
		t.Errorf("after invalidation: %s", result)
	}
}

func TestCache_boundsVariantsAndBytes(t *testing.T) {
	const budget = 1 << 20
	c := New(Config{MaxBytes: budget})
	defer c.Close()
	answer := fields("Cache-Control", "max-age=60", "Vary", "X-A")
	key := []byte("zone\x00h/")
	for i := range 2 * maxVariants {
		c.Store(key, prepared(t, offer(answer, fields("X-A", fmt.Sprint(i))), "hello"))
	}
	e, _ := c.entries.GetIfPresent(string(key))
	if len(e.variants) != maxVariants {
		t.Errorf("%d variants", len(e.variants))
	}
	body := string(bytes.Repeat([]byte("x"), 16<<10))
	for i := range 500 {
		c.Store([]byte(fmt.Sprintf("zone\x00h/%d", i)), prepared(t, offer(fields("Cache-Control", "max-age=60"), fields()), body))
	}
	c.entries.CleanUp()
	if size := c.Stats().Bytes; size > budget || size < budget/2 {
		t.Errorf("%d bytes of %d", size, budget)
	}
	if stats := c.Stats(); stats.Stored < 500 || stats.Objects > 100 {
		t.Errorf("%+v", stats)
	}
}

func TestCache_dropsOneZoneAlone(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	for _, key := range []string{"a\x00h/1", "a\x00h/2", "ab\x00h/1", "b\x00ha\x00h/1"} {
		c.Store([]byte(key), prepared(t, offer(fields("Cache-Control", "max-age=60"), fields()), "x"))
	}
	if n := c.Drop([]byte("a\x00")); n != 2 {
		t.Errorf("%d dropped", n)
	}
	for key, want := range map[string]bool{"a\x00h/1": false, "a\x00h/2": false, "ab\x00h/1": true, "b\x00ha\x00h/1": true} {
		if object, _ := c.Lookup([]byte(key), fields()); (object != nil) != want {
			t.Errorf("%q: there %v", key, object != nil)
		}
	}
}

func TestObject_answers304ToAMatchingCondition(t *testing.T) {
	object := prepared(t, offer(fields("Cache-Control", "max-age=60", "ETag", `W/"a,b"`, "Last-Modified", "Sun, 22 Nov 2026 10:00:00 GMT"), fields()), "x")
	for _, c := range []struct {
		name  string
		value string
		want  bool
	}{
		{"If-None-Match", `"a,b"`, true},
		{"If-None-Match", `W/"a,b"`, true},
		{"If-None-Match", `"x" , W/"a,b"`, true},
		{"If-None-Match", `*`, true},
		{"If-None-Match", `"a"`, false},
		{"If-None-Match", `a,b`, false},
		{"If-None-Match", `"a,b`, false},
		{"If-Modified-Since", "Sun, 22 Nov 2026 10:00:00 GMT", true},
		{"If-Modified-Since", "Sun, 22 Nov 2026 11:00:00 GMT", true},
		{"If-Modified-Since", "Sun, 22 Nov 2026 09:00:00 GMT", false},
		{"If-Modified-Since", "yesterday", false},
		{"Accept", "x", false},
	} {
		if got := object.NotModified(fields(c.name, c.value)); got != c.want {
			t.Errorf("%s: %s: %v", c.name, c.value, got)
		}
	}
	if object.NotModified(fields("If-None-Match", `"z"`, "If-Modified-Since", "Sun, 22 Nov 2026 11:00:00 GMT")) {
		t.Error("If-Modified-Since counted beside If-None-Match")
	}
}

func TestCache_looksUpWithoutAllocating(t *testing.T) {
	c := New(Config{})
	defer c.Close()
	key, request := []byte("zone\x00hexample.com/"), fields("Accept-Encoding", "gzip")
	c.Store(key, prepared(t, offer(fields("Cache-Control", "max-age=60", "Vary", "Accept-Encoding"), request), "x"))
	if n := testing.AllocsPerRun(1000, func() {
		if object, _ := c.Lookup(key, request); object == nil {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
