package cache

import (
	"fmt"
	"testing"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

// RFC 9111, 4.1: of several that match, the newest by Date.
func TestCache_lookupChoosesTheNewestThatMatches(t *testing.T) {
	for _, order := range [][]int{{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {2, 1, 3}} {
		_, z := open(t, 0)
		// Three answers that one request matches, each for a request that the
		// others do not match.
		request := fields("A", "1", "B", "1", "C", "1")
		for _, n := range order {
			name := string(rune('A' + n - 1))
			store(t, z, page, lasting("Vary", name, "Date", httpDate(n-10)), fields(name, "1"), name)
		}
		if got := found(z, page, request); got != "C" {
			t.Errorf("order %v: %q; want the newest, C", order, got)
		}
		if got := found(z, page, fields("A", "1", "B", "1")); got != "B" {
			t.Errorf("order %v: %q; want the newest that matches, B", order, got)
		}
		if got := len(z.Variants(page)); got != 3 {
			t.Errorf("order %v: %d variants", order, got)
		}
	}
}

func TestCache_ofTwoWithOneDateTheLaterOneCounts(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, page, lasting("Vary", "A"), fields("A", "1"), "earlier")
	store(t, z, page, lasting("Vary", "B"), fields("B", "1"), "later")
	if got := found(z, page, fields("A", "1", "B", "1")); got != "later" {
		t.Errorf("%q", got)
	}
}

func TestCache_keepsVariantsApart(t *testing.T) {
	_, z := open(t, 0)
	answer := lasting("Vary", "Accept-Encoding, X-Other")
	requests := map[string]*wire.Fields{
		"gzip": fields("Accept-Encoding", "gzip"), "none": fields(), "empty": fields("Accept-Encoding", ""),
		"odd": fields("Accept-Encoding", "gzip", "x-other", "1", "X-OTHER", "2"),
	}
	for body, request := range requests {
		store(t, z, page, answer, request, body)
	}
	for body, request := range requests {
		if got := found(z, page, request); got != body {
			t.Errorf("%q; want %q", got, body)
		}
	}
	for _, request := range []*wire.Fields{
		fields("Accept-Encoding", "br"), fields("Accept-Encoding", "gzip", "X-Other", "12"), fields("X-Other", ""),
		fields("Accept-Encoding", "gzip", "X-Other", "2", "X-Other", "1"), fields("Accept-Encoding", "gzi", "Accept-Encoding", "p"),
	} {
		if object, result := z.Lookup(page, request); object != nil || result != seawall.CacheMissVary {
			t.Errorf("%q: %s", request.Lines(), result)
		}
	}
	if object, result := z.Lookup([]byte("a\x00hexample.com:80/other"), fields()); object != nil || result != seawall.CacheMissURI {
		t.Errorf("another key: %s", result)
	}
	if _, result := z.Lookup(page, requests["gzip"]); result != seawall.CacheHit {
		t.Errorf("%s", result)
	}
}

// Where the origin forgets to say Vary, who takes the compressed answer gets
// it, whichever is the newest, and nobody else does.
func TestCache_compressedAnswersWithoutVaryAreForThoseWhoTakeThem(t *testing.T) {
	gzip, plain := fields("Accept-Encoding", "gzip, br"), fields()
	for _, order := range []string{"the plain one is newer", "the plain one is older"} {
		_, z := open(t, 0)
		store(t, z, page, lasting("Content-Encoding", "gzip", "Date", httpDate(-3)), gzip, "compressed")
		store(t, z, page, lasting("Date", httpDate(map[string]int{"the plain one is newer": -1, "the plain one is older": -5}[order])), plain, "plain")
		for _, c := range []struct {
			request *wire.Fields
			want    string
		}{
			{gzip, "compressed"}, {fields("Accept-Encoding", "gzip"), "compressed"}, {fields("Accept-Encoding", "deflate, x-gzip;q=0.1"), "compressed"},
			{plain, "plain"}, {fields("Accept-Encoding", ""), "plain"}, {fields("Accept-Encoding", "br"), "plain"}, {fields("Accept-Encoding", "br, gzip;q=0"), "plain"},
		} {
			if got := found(z, page, c.request); got != c.want {
				t.Errorf("%s, %q: %q; want %q", order, c.request.Lines(), got, c.want)
			}
		}
		store(t, z, page, lasting("Vary", "Accept-Encoding", "Content-Encoding", "gzip"), fields("Accept-Encoding", "gzip"), "said")
		if got := found(z, page, fields("Accept-Encoding", "gzip, zstd")); got == "said" {
			t.Errorf("%s: what the origin says selects does not", order)
		}
	}
}

func TestCache_storeReplacesWhatTheRequestWouldHaveGotAndNothingElse(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, page, lasting("Vary", "A"), fields("A", "1"), "one")
	store(t, z, page, lasting("Vary", "A"), fields("A", "2"), "two")
	store(t, z, page, lasting("Vary", "B"), fields("B", "1"), "other")
	store(t, z, page, lasting("Vary", "A"), fields("A", "1"), "one again")
	for want, request := range map[string]*wire.Fields{"one again": fields("A", "1"), "two": fields("A", "2"), "other": fields("B", "1")} {
		if got := found(z, page, request); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
	// Now the answer is the same for all, as far as this request can tell.
	store(t, z, page, lasting(), fields("A", "1"), "plain")
	if got := found(z, page, fields("A", "1")); got != "plain" {
		t.Errorf("%q", got)
	}
	if got := len(z.Variants(page)); got != 3 {
		t.Errorf("%d variants; want plain, two and other", got)
	}
}

func TestCache_anOlderAnswerTakesTheNewersPlaceForItsOwnRequest(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, page, lasting("Date", httpDate(-1)), fields(), "newer")
	store(t, z, page, lasting("Date", httpDate(-9)), fields(), "older")
	if got := found(z, page, fields()); got != "older" || len(z.Variants(page)) != 1 {
		t.Errorf("%q, %d variants; what has just come is what the origin says", got, len(z.Variants(page)))
	}
}

func TestCache_boundsVariantsAndDropsTheOldest(t *testing.T) {
	for _, c := range []struct {
		most   int
		dates  []int // of the answers to A: 0, A: 1, ...
		remain []int // the newest first
	}{
		{3, []int{-5, -4, -3, -2, -1}, []int{4, 3, 2}},
		{3, []int{-1, -2, -3}, []int{0, 1, 2}},
		{3, []int{-1, -2, -3, -9}, []int{0, 1, 3}}, // old, but the one that is asked for
		{1, []int{-5, -4}, []int{1}},
		{1, []int{-4, -5}, []int{1}},
		{0, []int{-4, -5, -3}, []int{2}},
		{-7, []int{-4, -5, -3}, []int{2}},
	} {
		cache, z := open(t, 0)
		cache.Zone("a", Bounds{Variants: c.most, Waiters: 1})
		for i, date := range c.dates {
			store(t, z, page, lasting("Vary", "A", "Date", httpDate(date)), fields("A", fmt.Sprint(i)), fmt.Sprint(i))
		}
		var got []int
		for _, object := range z.Variants(page) {
			got = append(got, int(object.Body[0]-'0'))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.remain) {
			t.Errorf("at most %d, dates %v: %v remain; want %v", c.most, c.dates, got, c.remain)
		}
	}
}

func TestCache_boundsTheBytesOfAKeyAndDropsWhatDoesNotFit(t *testing.T) {
	const budget = 1 << 20 // so that a key may have a quarter
	cache, z := open(t, budget)
	big, small := string(pattern(150<<10)), string(pattern(20<<10))
	for i, body := range []string{small, big, small, big} {
		store(t, z, page, lasting("Vary", "A", "Date", httpDate(i-10)), fields("A", fmt.Sprint(i)), body)
	}
	for i, want := range map[string]int{"0": len(small), "1": 0, "2": len(small), "3": len(big)} {
		if got := len(found(z, page, fields("A", i))); got != want {
			t.Errorf("A: %s has %d bytes; want %d", i, got, want)
		}
	}
	cache.Zone("a", Bounds{Variants: 9, Ceiling: 200 << 10})
	store(t, z, page, lasting("Vary", "A"), fields("A", "4"), small)
	if got := len(found(z, page, fields("A", "3"))); got != 0 {
		t.Error("a key has more than half of what its zone may have")
	}
	if got := len(found(z, page, fields("A", "2"))); got == 0 {
		t.Error("what fits is dropped as well")
	}
}

func TestCache_replaceTakesOnesPlaceOnlyWhileItIsThere(t *testing.T) {
	_, z := open(t, 0)
	old := store(t, z, page, lasting("Vary", "A", "Date", httpDate(-5)), fields("A", "1"), "old")
	store(t, z, page, lasting("Vary", "A", "Date", httpDate(-4)), fields("A", "2"), "other")
	fresh := prepared(t, offerOf(lasting("Vary", "A"), fields("A", "1")), "fresh")
	if !z.Replace(page, old, fresh, asked(t, z, page)) || found(z, page, fields("A", "1")) != "fresh" {
		t.Error("it was not replaced")
	}
	if z.Variants(page)[0] != fresh || len(z.Variants(page)) != 2 {
		t.Error("the replacement is not in its place by date")
	}
	again := prepared(t, offerOf(lasting("Vary", "A"), fields("A", "1")), "again")
	if z.Replace(page, old, again, asked(t, z, page)) || found(z, page, fields("A", "1")) != "fresh" {
		t.Error("it was replaced although it had gone")
	}
	z.Forget(page, fresh)
	if z.Replace(page, fresh, again, asked(t, z, page)) || found(z, page, fields("A", "1")) != "" {
		t.Error("what was forgotten has come back")
	}
	if found(z, page, fields("A", "2")) != "other" {
		t.Error("another was lost")
	}
}

func TestCache_replaceKeepsTheMarkWhenItDoesNothing(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, page, lasting(), fields(), "x")
	z.markAlone(page, then+aloneFor)
	gone := prepared(t, offerOf(lasting(), fields()), "gone")
	z.Replace(page, gone, gone, asked(t, z, page))
	if waits(z, page) {
		t.Error("requests wait for each other again")
	}
}

func TestCache_forgetDropsOneAndKeepsTheRest(t *testing.T) {
	cache, z := open(t, 0)
	one := store(t, z, page, lasting("Vary", "A"), fields("A", "1"), "one")
	two := store(t, z, page, lasting("Vary", "A"), fields("A", "2"), "two")
	z.Forget(page, one)
	z.Forget(page, one)
	z.Forget([]byte("a\x00hnowhere:80/"), one)
	if found(z, page, fields("A", "1")) != "" || found(z, page, fields("A", "2")) != "two" {
		t.Error("the wrong one was forgotten")
	}
	z.markAlone(page, then+aloneFor)
	three := store(t, z, page, lasting("Vary", "A"), fields("A", "3"), "three")
	z.markAlone(page, then+aloneFor)
	z.Forget(page, three)
	if waits(z, page) {
		t.Error("the mark was forgotten with one of two")
	}
	z.Invalidate(page)
	z.Store(page, two, fields("A", "2"), Epoch{})
	z.Forget(page, two)
	if stats := cache.Stats(); stats.Objects != 0 || stats.Bytes != 0 {
		t.Errorf("nothing is left, but %+v", stats)
	}
	z.markAlone(page, then+aloneFor)
	z.Forget(page, one)
	if waits(z, page) {
		t.Error("the mark was forgotten with what was not there")
	}
}

func TestCache_countsWhatIsStored(t *testing.T) {
	cache, z := open(t, 0)
	store(t, z, page, lasting(), fields(), "12345")
	other := []byte("a\x00hexample.com:80/b")
	store(t, z, other, lasting(), fields(), "12345")
	stale := prepared(t, offerOf(lasting(), fields()), "x")
	when := asked(t, z, page)
	z.Invalidate(page)
	if z.Store(page, stale, fields(), when) {
		t.Error("kept although it was invalidated")
	}
	stats := cache.Stats()
	if stats.Objects != 1 || stats.Stored != 2 || stats.Bytes < 5+384 || stats.Bytes > 2000 || stats.Evicted != 0 {
		t.Errorf("%+v", stats)
	}
	if bytes, _ := z.Stats(); bytes != stats.Bytes {
		t.Errorf("the zone has %d bytes of %d", bytes, stats.Bytes)
	}
}

// A body that came without a length has grown in large steps.
func TestCache_keepsNoMoreMemoryThanABodyNeeds(t *testing.T) {
	cache, z := open(t, 0)
	offer := offerOf(lasting(), fields())
	object, _ := Prepare(offer)
	stream := z.Collect(object, &offer)
	stream.Add([]byte("a few bytes"))
	stream.End()
	z.Store(page, object, fields(), asked(t, z, page))
	if stats := cache.Stats(); stats.Bytes > 2000 {
		t.Errorf("%d bytes for an answer of 11", stats.Bytes)
	}
	if got := found(z, page, fields()); got != "a few bytes" {
		t.Errorf("%q", got)
	}
}
