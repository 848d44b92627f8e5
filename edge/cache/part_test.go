package cache

import (
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/byterange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// partOffer is the offer of a part.
func partOffer(place string, pairs ...string) Offer {
	offer := offerOf(lasting(append([]string{"Content-Range", place}, pairs...)...), fields())
	offer.Status = 206
	return offer
}

// preparedPart is a part with its bytes.
func preparedPart(t testing.TB, place, body string, pairs ...string) *Object {
	t.Helper()
	object, result := PreparePart(partOffer(place, pairs...))
	if object == nil {
		t.Fatalf("%s: %s", place, result)
	}
	object.Body = []byte(body)
	if object.Fields.Has(wire.ContentRange) {
		t.Error("a part's place stands in its fields")
	}
	return object
}

// RFC 9110, 14.4 and 15.3.7.1.
func TestPreparePart_refusesAPlaceThatCannotBeTrusted(t *testing.T) {
	for _, place := range []string{
		"", "bytes", "bytes ", "bytes 0-1", "bytes 0-1/", "bytes 0-1/*", "bytes */2", "bytes 1-0/2", "bytes 0-2/2", "bytes 2-2/2",
		"bytes -1/2", "bytes 0-/2", "bytes 0-1/2/3", "bytes 0 - 1/2", "bytes=0-1/2", "items 0-1/2", "0-1/2", "bytes +0-1/2", "bytes 0x0-1/2",
		"bytes 0-1/2, bytes 0-1/2", "bytes 0-9223372036854775807/9223372036854775808", "bytes 0-18446744073709551616/18446744073709551617",
	} {
		if object, result := PreparePart(partOffer(place, "ETag", `"a"`)); object != nil || result != seawall.StorePartial {
			t.Errorf("%q: %s", place, result)
		}
	}
	none := offerOf(lasting(), fields())
	none.Status = 206
	if object, result := PreparePart(none); object != nil || result != seawall.StorePartial {
		t.Errorf("no Content-Range: %s", result)
	}
	for _, second := range []string{"bytes 0-1/9", "bytes 2-3/9"} {
		if object, result := PreparePart(partOffer("bytes 0-1/9", "content-range", second)); object != nil || result != seawall.StorePartial {
			t.Errorf("two Content-Range: %s", result)
		}
	}
	if object, result := PreparePart(partOffer("BYTES 0-1/2")); object == nil || result != seawall.StoreStored {
		t.Errorf("a good one: %s", result)
	}
}

func TestPreparePart_isJudgedLikeAnyAnswer(t *testing.T) {
	for want, offer := range map[seawall.StoreResult]Offer{
		seawall.StoreNoStore:  partOffer("bytes 0-1/9", "Cache-Control", "no-store"),
		seawall.StorePrivate:  partOffer("bytes 0-1/9", "Cache-Control", "private"),
		seawall.StoreVaryStar: partOffer("bytes 0-1/9", "Vary", "*"),
		seawall.StoreExpired:  partOffer("bytes 0-1/9", "Age", "60"),
	} {
		if object, result := PreparePart(offer); object != nil || result != want {
			t.Errorf("%s; want %s", result, want)
		}
	}
	large := partOffer("bytes 0-1999999/9999999")
	large.Length = 2_000_000
	if _, result := PreparePart(large); result != seawall.StoreTooLarge {
		t.Errorf("%s", result)
	}
}

// RFC 9111, 3.3.
func TestPart_answersWhatLiesWithinIt(t *testing.T) {
	_, z := open(t, 0)
	request := fields()
	z.StorePart(page, preparedPart(t, "bytes 2-6/10", "23456", "ETag", `"a"`), request, asked(t, z, page), 1<<20)
	object, _ := z.Lookup(page, request)
	if object == nil || object.Whole() || object.Size() != 10 || object.Status != 206 {
		t.Fatalf("%+v", object)
	}
	for _, c := range []struct {
		first, last int64
		want        string
		ok          bool
	}{
		{2, 6, "23456", true}, {3, 4, "34", true}, {6, 6, "6", true}, {1, 3, "", false}, {5, 7, "", false},
		{0, 9, "", false}, {7, 9, "", false}, {4, 3, "", false}, {-1, 3, "", false}, {2, 10, "", false},
	} {
		if data, ok := object.Bytes(byterange.Span{First: c.first, Last: c.last}); ok != c.ok || string(data) != c.want {
			t.Errorf("%d-%d: %q, %v", c.first, c.last, data, ok)
		}
	}
	if _, ok := object.Ending(byterange.Span{First: 8, Last: 9}); ok {
		t.Error("the end of a part that has its place right is taken from somewhere else")
	}
}

func TestWhole_answersEveryPlaceWithinIt(t *testing.T) {
	object := prepared(t, offerOf(lasting(), fields()), "0123456789")
	for _, c := range []struct {
		first, last int64
		want        string
		ok          bool
	}{{0, 9, "0123456789", true}, {9, 9, "9", true}, {0, 10, "", false}, {10, 10, "", false}, {-1, 2, "", false}, {3, 2, "", false}} {
		if data, ok := object.Bytes(byterange.Span{First: c.first, Last: c.last}); ok != c.ok || string(data) != c.want {
			t.Errorf("%d-%d: %q, %v", c.first, c.last, data, ok)
		}
	}
	if _, ok := object.Gap(); ok || object.Size() != 10 || !object.Whole() {
		t.Error("something is missing of a whole")
	}
	if _, ok := object.Ending(byterange.Span{First: 8, Last: 9}); ok {
		t.Error("a whole miscounts")
	}
}

// A part whose Content-Range has another length than its bytes answers as the
// origin did, within the place that it named.
func TestPart_anOddOneAnswersAsTheOriginDid(t *testing.T) {
	at := func(first, last int64) byterange.Span { return byterange.Span{First: first, Last: last} }
	for _, c := range []struct {
		name, place, body string
		span              byterange.Span
		ending            bool // counted from the end
		want              string
		ok                bool
	}{
		{"longer, its begin", "bytes 4-9/10", "abc", at(4, 5), false, "ab", true},
		{"longer, more than came", "bytes 4-9/10", "abc", at(5, 9), false, "bc", true},
		{"longer, all of it", "bytes 4-9/10", "abc", at(4, 9), false, "abc", true},
		{"longer, behind what came", "bytes 4-9/10", "abc", at(7, 9), false, "", false},
		{"longer, outside", "bytes 4-9/10", "abc", at(3, 5), false, "", false},
		{"longer, its end", "bytes 4-9/10", "abc", at(8, 9), true, "bc", true},
		{"longer, its end, more than came", "bytes 4-9/10", "abc", at(6, 9), true, "", false},
		{"longer, not the end", "bytes 4-8/10", "abc", at(8, 9), true, "", false},
		{"shorter, its place", "bytes 4-5/10", "abcdef", at(4, 5), false, "ab", true},
		{"shorter, beyond its place", "bytes 4-5/10", "abcdef", at(4, 7), false, "", false},
		{"shorter, its end", "bytes 8-9/10", "abcdef", at(9, 9), true, "f", true},
		{"nothing came", "bytes 4-9/10", "", at(4, 4), false, "", false},
	} {
		object := preparedPart(t, c.place, c.body, "ETag", `"a"`)
		object.settle()
		bytes := object.Bytes
		if c.ending {
			bytes = object.Ending
		}
		if data, ok := bytes(c.span); ok != c.ok || string(data) != c.want {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, data, ok, c.want, c.ok)
		}
		if _, ok := object.Gap(); ok || !object.part.odd {
			t.Errorf("%s: it could be completed", c.name)
		}
	}
}

func TestGap_isTheOneStretchThatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name          string
		places        [][2]int64
		first, last   int64
		ok            bool
		before, after string
	}{
		{"its end", [][2]int64{{0, 4}}, 5, 9, true, "01234", ""},
		{"its begin", [][2]int64{{5, 9}}, 0, 4, true, "", "56789"},
		{"its middle", [][2]int64{{0, 2}, {7, 9}}, 3, 6, true, "012", "789"},
		{"begin and end", [][2]int64{{3, 6}}, 0, 0, false, "", ""},
		{"two in the middle", [][2]int64{{0, 1}, {4, 5}, {8, 9}}, 0, 0, false, "", ""},
		{"joined", [][2]int64{{0, 2}, {3, 4}, {8, 9}}, 5, 7, true, "01234", "89"},
	} {
		_, z := open(t, 0)
		object := storeParts(t, z, c.places)
		gap, ok := object.Gap()
		if ok != c.ok || ok && (gap.First != c.first || gap.Last != c.last) {
			t.Errorf("%s: %v, %v", c.name, gap, ok)
		}
		if ok && (string(object.Before(gap)) != c.before || string(object.After(gap)) != c.after) {
			t.Errorf("%s: %q before, %q behind", c.name, object.Before(gap), object.After(gap))
		}
	}
}

const digits = "0123456789"

// storeParts keeps places of the ten digits one after the other.
func storeParts(t testing.TB, z *Zone, places [][2]int64) *Object {
	t.Helper()
	for _, place := range places {
		span := byterange.Span{First: place[0], Last: place[1]}
		part := preparedPart(t, string(byterange.AppendContentRange(nil, span, 10)), digits[place[0]:place[1]+1], "ETag", `"a"`)
		if !z.StorePart(page, part, fields(), asked(t, z, page), 1<<20) {
			t.Fatalf("%v is not kept", place)
		}
	}
	object, _ := z.Lookup(page, fields())
	return object
}

// RFC 9111, 3.4.
func TestCompleted_isTheWholeOrNothing(t *testing.T) {
	_, z := open(t, 0)
	object := storeParts(t, z, [][2]int64{{0, 2}, {7, 9}})
	gap, _ := object.Gap()
	for _, c := range []struct {
		name   string
		offer  Offer
		length int64
		ok     bool
	}{
		{"it", partOffer("bytes 3-6/10", "ETag", `"a"`), 4, true},
		{"it, of an unknown length", partOffer("bytes 3-6/10", "ETag", `"a"`), -1, true},
		{"another version", partOffer("bytes 3-6/10", "ETag", `"b"`), 4, false},
		{"a weak one", partOffer("bytes 3-6/10", "ETag", `W/"a"`), 4, false},
		{"no validator", partOffer("bytes 3-6/10"), 4, false},
		{"less", partOffer("bytes 3-5/10", "ETag", `"a"`), 3, false},
		{"more", partOffer("bytes 2-6/10", "ETag", `"a"`), 5, false},
		{"another place", partOffer("bytes 4-7/10", "ETag", `"a"`), 4, false},
		{"another size", partOffer("bytes 3-6/11", "ETag", `"a"`), 4, false},
		{"no size", partOffer("bytes 3-6/*", "ETag", `"a"`), 4, false},
		{"another length", partOffer("bytes 3-6/10", "ETag", `"a"`), 5, false},
		{"malformed", partOffer("bytes 3-6", "ETag", `"a"`), 4, false},
		{"two places", partOffer("bytes 3-6/10", "ETag", `"a"`, "Content-Range", "bytes 0-3/10"), 4, false},
	} {
		c.offer.Length = c.length
		whole, result := object.Completed(c.offer, gap)
		if (whole != nil) != c.ok || !c.ok && result != seawall.StorePartial {
			t.Errorf("%s: %v, %s", c.name, whole != nil, result)
		}
		if whole != nil && (!whole.Whole() || whole.Status != 200 || whole.Fields.Has(wire.ContentRange)) {
			t.Errorf("%s: status %d, %s", c.name, whole.Status, whole.Fields.Lines())
		}
	}
}

func TestCompleted_hasTheFieldsOfBothAndTheTermsOfTheLater(t *testing.T) {
	_, z := open(t, 0)
	part := preparedPart(t, "bytes 0-3/9", "0123", "ETag", `"a"`, "X-Stays", "1", "X-B", "1", "Date", httpDate(-50), "Surrogate-Key", "k")
	z.StorePart(page, part, fields(), asked(t, z, page), 1<<20)
	object, _ := z.Lookup(page, fields())
	gap, _ := object.Gap()
	offer := partOffer("bytes 4-8/9", "ETag", `"a"`, "X-B", "2")
	offer.Received = noon.Add(time.Second)
	whole, result := object.Completed(offer, gap)
	if result != seawall.StoreStored {
		t.Fatal(result)
	}
	if b, _ := whole.Fields.Get(wire.ETag); string(b) != `"a"` || string(whole.Fields.Value(whole.Fields.NextNamed([]byte("X-B"), -1))) != "2" || whole.Fields.NextNamed([]byte("X-Stays"), -1) < 0 {
		t.Errorf("%s", whole.Fields.Lines())
	}
	if whole.Age(then) != 1 || whole.TTL(then) != 59 || !whole.forCaches.Has(wire.SurrogateKey) {
		t.Errorf("age %d, ttl %d, for caches %q", whole.Age(then), whole.TTL(then), whole.forCaches.Lines())
	}
	offer = partOffer("bytes 4-8/9", "ETag", `"a"`, "Cache-Control", "no-store")
	if whole, result := object.Completed(offer, gap); whole != nil || result != seawall.StoreNoStore {
		t.Errorf("no-store: %s", result)
	}
	offer = partOffer("bytes 4-8/9", "ETag", `"a"`)
	offer.MaxObject = 8
	if whole, result := object.Completed(offer, gap); whole != nil || result != seawall.StoreTooLarge {
		t.Errorf("too large: %s", result)
	}
}
