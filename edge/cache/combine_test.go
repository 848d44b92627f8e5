package cache

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/internal/byterange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// permutations calls try with every order of n things.
func permutations(n int, try func(order []int)) {
	var grow func(order []int)
	grow = func(order []int) {
		if len(order) == n {
			try(order)
			return
		}
		for i := range n {
			if !strings.ContainsRune(fmt.Sprint(order), rune('0'+i)) {
				grow(append(order[:len(order):len(order)], i))
			}
		}
	}
	grow(nil)
}

// RFC 9111, 3.4: in whatever order parts come, what is there is right, and it
// becomes a whole when nothing is missing.
func TestStorePart_combinesInEveryOrderUntilWhole(t *testing.T) {
	for _, places := range [][][2]int64{
		{{0, 3}, {4, 6}, {7, 9}},         // side by side
		{{0, 5}, {3, 8}, {8, 9}, {2, 4}}, // overlapping
		{{0, 0}, {9, 9}, {1, 8}},         // around
		{{2, 6}, {0, 9}},                 // inside of another
		{{1, 2}, {4, 5}, {7, 8}, {0, 3}}, // never whole
		{{3, 4}, {3, 4}, {3, 6}},         // the same again
	} {
		permutations(len(places), func(order []int) {
			_, z := open(t, 0)
			var held byterange.Set
			for _, i := range order {
				object := storeParts(t, z, places[i:i+1])
				held = held.Add(byterange.Span{First: places[i][0], Last: places[i][1]})
				checkPart(t, object, held)
			}
			if t.Failed() {
				t.Fatalf("%v in order %v", places, order)
			}
		})
	}
}

// checkPart checks that an answer has what is held, and nothing else.
func checkPart(t testing.TB, object *Object, held byterange.Set) {
	t.Helper()
	for first := range int64(10) {
		for last := first; last < 10; last++ {
			span := byterange.Span{First: first, Last: last}
			data, ok := object.Bytes(span)
			if ok != held.Covers(span) || ok && string(data) != digits[first:last+1] {
				t.Errorf("%v: %q, %v; held are %v", span, data, ok, held)
			}
		}
	}
	whole := held.Covers(byterange.Span{First: 0, Last: 9})
	if object.Whole() != whole || object.Size() != 10 || whole && (object.Status != 200 || string(object.Body) != digits) || !whole && object.Status != 206 {
		t.Errorf("whole %v, status %d, body %q; held are %v", object.Whole(), object.Status, object.Body, held)
	}
}

func TestStorePart_doesNotChangeWhatIsStored(t *testing.T) {
	_, z := open(t, 0)
	before := storeParts(t, z, [][2]int64{{0, 3}})
	before.part.pieces[0].data = append(make([]byte, 0, 100), before.part.pieces[0].data...) // room to write into
	storeParts(t, z, [][2]int64{{4, 6}})
	storeParts(t, z, [][2]int64{{7, 9}})
	checkPart(t, before, byterange.Set{{First: 0, Last: 3}})
	// Two that come after the same one do not write into each other.
	_, z = open(t, 0)
	before = storeParts(t, z, [][2]int64{{4, 5}})
	before.part.pieces = append(make([]piece, 0, 9), before.part.pieces...)
	before.part.pieces[0].data = append(make([]byte, 0, 100), before.part.pieces[0].data...)
	settled := func(place, body string) *Object {
		part := preparedPart(t, place, body, "ETag", `"a"`)
		part.settle()
		return part
	}
	front := before.combine(settled("bytes 1-2/10", "12"), 100)
	back := before.combine(settled("bytes 6-7/10", "67"), 100)
	wrong := before.combine(settled("bytes 6-8/10", "XYZ"), 100)
	checkPart(t, before, byterange.Set{{First: 4, Last: 5}})
	checkPart(t, front, byterange.Set{{First: 1, Last: 2}, {First: 4, Last: 5}})
	checkPart(t, back, byterange.Set{{First: 4, Last: 7}})
	if data, _ := wrong.Bytes(byterange.Span{First: 4, Last: 8}); string(data) != "45XYZ" {
		t.Errorf("%q", data)
	}
}

func TestStorePart_doesNotCombineWhatMayBeOfAnotherVersion(t *testing.T) {
	strong, weak := []string{"ETag", `"a"`}, []string{"ETag", `W/"a"`}
	dated := []string{"Last-Modified", httpDate(-3600), "Date", httpDate(-5)}
	young := []string{"Last-Modified", httpDate(-5), "Date", httpDate(-5)}
	for _, c := range []struct {
		name          string
		first, second []string
		place         string
		combined      bool
	}{
		{"one strong tag", strong, strong, "bytes 5-9/10", true},
		{"a date that can be trusted", dated, dated, "bytes 5-9/10", true},
		{"another tag", strong, []string{"ETag", `"b"`}, "bytes 5-9/10", false},
		{"another size", strong, strong, "bytes 5-9/11", false},
		{"weak tags", weak, weak, "bytes 5-9/10", false},
		{"weak and strong", strong, weak, "bytes 5-9/10", false},
		{"no validators", nil, nil, "bytes 5-9/10", false},
		{"a validator in one", strong, nil, "bytes 5-9/10", false},
		{"a date that cannot be trusted", young, young, "bytes 5-9/10", false},
		{"one date, two tags", append(strong[:2:2], dated...), append([]string{"ETag", `"b"`}, dated...), "bytes 5-9/10", false},
		{"an odd one", strong, strong, "bytes 5-8/10", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, z := open(t, 0)
			for i, part := range []*Object{preparedPart(t, "bytes 0-4/10", "01234", c.first...), preparedPart(t, c.place, "56789", c.second...)} {
				if !z.StorePart(page, part, fields(), asked(t, z, page), 1<<20) {
					t.Fatalf("part %d is not kept", i)
				}
			}
			object := z.storedNow(page)
			if object == nil {
				t.Fatalf("%d are stored", len(z.Variants(page)))
			}
			_, first := object.Bytes(byterange.Span{First: 0, Last: 4})
			_, second := object.Bytes(byterange.Span{First: 5, Last: 8})
			if first != c.combined || !second || object.Whole() != c.combined {
				t.Errorf("first %v, second %v, whole %v", first, second, object.Whole())
			}
		})
	}
}

func TestStorePart_anOddOneIsNeverCombined(t *testing.T) {
	_, z := open(t, 0)
	odd := preparedPart(t, "bytes 5-9/10", "56", "ETag", `"a"`)
	z.StorePart(page, odd, fields(), asked(t, z, page), 1<<20)
	object := storeParts(t, z, [][2]int64{{0, 4}})
	checkPart(t, object, byterange.Set{{First: 0, Last: 4}})
	_, z = open(t, 0)
	store(t, z, page, lasting("ETag", `"a"`), fields(), digits)
	odd = preparedPart(t, "bytes 0-9/10", "01", "ETag", `"a"`)
	z.StorePart(page, odd, fields(), asked(t, z, page), 1<<20)
	if object := z.storedNow(page); object.Whole() {
		t.Error("an odd part that says it has all is taken for a whole")
	}
}

// RFC 9111, 3.4: a part brings a whole of its version up to date.
func TestStorePart_aWholeOfThatVersionStaysWhole(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		whole      bool
	}{{"it", digits, 200, true}, {"another size", digits + "0", 200, false}, {"another status", digits, 203, false}} {
		_, z := open(t, 0)
		offer := offerOf(lasting("ETag", `"a"`, "X-Stays", "1", "X-B", "1"), fields())
		offer.Status = c.status
		whole := prepared(t, offer, c.body)
		whole.Trailers = fields("X-Sum", "1")
		z.Store(page, whole, fields(), asked(t, z, page))
		z.StorePart(page, preparedPart(t, "bytes 2-3/10", "23", "ETag", `"a"`, "X-B", "2"), fields(), asked(t, z, page), 1<<20)
		object := z.storedNow(page)
		if object.Whole() != c.whole {
			t.Errorf("%s: whole %v", c.name, object.Whole())
		}
		if !c.whole {
			continue
		}
		if string(object.Body) != digits || object.Trailers == nil || object.Fields.NextNamed([]byte("X-Stays"), -1) < 0 ||
			string(object.Fields.Value(object.Fields.NextNamed([]byte("X-B"), -1))) != "2" {
			t.Errorf("%s: %q, %s", c.name, object.Body, object.Fields.Lines())
		}
	}
}

func TestStorePart_boundsPiecesAndBytes(t *testing.T) {
	_, z := open(t, 0)
	place := func(i int) *Object {
		span := byterange.Span{First: int64(2 * i), Last: int64(2 * i)}
		return preparedPart(t, string(byterange.AppendContentRange(nil, span, 1000)), "x", "ETag", `"a"`)
	}
	for i := range mostPieces {
		z.StorePart(page, place(i), fields(), asked(t, z, page), 1<<20)
	}
	if n := len(z.storedNow(page).part.pieces); n != mostPieces {
		t.Errorf("%d pieces", n)
	}
	z.StorePart(page, place(mostPieces), fields(), asked(t, z, page), 1<<20)
	if n := len(z.storedNow(page).part.pieces); n != 1 {
		t.Errorf("%d pieces after one too many; want the newest alone", n)
	}
	z.StorePart(page, place(mostPieces+1), fields(), asked(t, z, page), 1)
	if object := z.storedNow(page); object.part.held() != 1 {
		t.Errorf("%d bytes; at most 1", object.part.held())
	}
}

func TestStorePart_keepsVariantsApart(t *testing.T) {
	_, z := open(t, 0)
	for i, request := range []*wire.Fields{fields("A", "1"), fields("A", "2"), fields("A", "1")} {
		offer := partOffer([]string{"bytes 0-4/10", "bytes 5-9/10", "bytes 5-9/10"}[i], "ETag", `"a"`, "Vary", "A")
		offer.Request = request
		part, _ := PreparePart(offer)
		part.Body = []byte([]string{"01234", "XXXXX", "56789"}[i])
		z.StorePart(page, part, request, asked(t, z, page), 1<<20)
	}
	one, _ := z.Lookup(page, fields("A", "1"))
	two, _ := z.Lookup(page, fields("A", "2"))
	if !one.Whole() || string(one.Body) != digits || two.Whole() {
		t.Errorf("%q, %v", one.Body, two.Whole())
	}
	// A part with another Vary is for requests like its own.
	offer := partOffer("bytes 0-1/10", "ETag", `"a"`, "Vary", "A, B")
	offer.Request = fields("A", "1", "B", "1")
	part, _ := PreparePart(offer)
	part.Body = []byte("01")
	z.StorePart(page, part, offer.Request, asked(t, z, page), 1<<20)
	if found(z, page, offer.Request) != digits || found(z, page, fields("A", "1", "B", "2")) != "" {
		t.Error("what the newer Vary names does not select")
	}
	// One that says nothing of Vary, after an If-Range, is for those the first was for.
	_, z = open(t, 0)
	for i, answer := range []*wire.Fields{
		lasting("ETag", `"a"`, "Vary", "A", "Content-Range", "bytes 0-4/10"), lasting("ETag", `"a"`, "Content-Range", "bytes 5-9/10"),
	} {
		offer := offerOf(answer, fields("A", "1"))
		offer.Status = 206
		part, _ := PreparePart(offer)
		part.Body = []byte(digits[5*i : 5*i+5])
		z.StorePart(page, part, offer.Request, asked(t, z, page), 1<<20)
	}
	if found(z, page, fields("A", "1")) != digits || found(z, page, fields("A", "2")) != "" {
		t.Error("what the older Vary names does not select")
	}
}

// A part that came after an If-Range says nothing of the coding.
func TestStorePart_ofACompressedAnswerStaysForThoseWhoTakeIt(t *testing.T) {
	_, z := open(t, 0)
	request := fields("Accept-Encoding", "gzip")
	for i, answer := range []*wire.Fields{
		lasting("ETag", `"a"`, "Content-Encoding", "gzip", "Content-Range", "bytes 0-4/10"),
		lasting("ETag", `"a"`, "Vary", "X-A", "Content-Range", "bytes 5-9/10"),
	} {
		offer := offerOf(answer, request)
		offer.Status = 206
		part, _ := PreparePart(offer)
		part.Body = []byte(digits[5*i : 5*i+5])
		z.StorePart(page, part, request, asked(t, z, page), 1<<20)
	}
	if found(z, page, request) != digits || found(z, page, fields()) != "" || found(z, page, fields("Accept-Encoding", "gzip", "X-A", "1")) != "" {
		t.Error("it is selected by the wrong ones")
	}
}

// RFC 9111, 3.3.
func TestStoreIncomplete_keepsAPartOfWhatCanBeRecognised(t *testing.T) {
	for _, c := range []struct {
		name       string
		validators []string
		status     int
		body       string
		length     int64
		kept       bool
	}{
		{"a strong tag", []string{"ETag", `"a"`}, 200, "0123", 10, true},
		{"a date that can be trusted", []string{"Last-Modified", httpDate(-3600), "Date", httpDate(0)}, 200, "0123", 10, true},
		{"a weak tag", []string{"ETag", `W/"a"`}, 200, "0123", 10, false},
		{"no validator", nil, 200, "0123", 10, false},
		{"a date that cannot be trusted", []string{"Last-Modified", httpDate(0), "Date", httpDate(0)}, 200, "0123", 10, false},
		{"another status", []string{"ETag", `"a"`}, 404, "0123", 10, false},
		{"nothing came", []string{"ETag", `"a"`}, 200, "", 10, false},
		{"an unknown length", []string{"ETag", `"a"`}, 200, "0123", -1, false},
		{"it is not incomplete", []string{"ETag", `"a"`}, 200, "0123", 4, false},
	} {
		_, z := open(t, 0)
		offer := offerOf(lasting(c.validators...), fields())
		offer.Status = c.status
		object := prepared(t, offer, c.body)
		z.StoreIncomplete(page, object, fields(), asked(t, z, page), c.length)
		part := z.storedNow(page)
		if (part != nil) != c.kept {
			t.Errorf("%s: kept %v", c.name, part != nil)
			continue
		}
		if part == nil {
			continue
		}
		checkPart(t, part, byterange.Set{{First: 0, Last: 3}})
		if gap, ok := part.Gap(); !ok || gap != (byterange.Span{First: 4, Last: 9}) {
			t.Errorf("%s: the gap is %v", c.name, gap)
		}
		if string(object.Body) != c.body || object.Status != 200 || object.part != nil {
			t.Errorf("%s: the answer itself has changed", c.name)
		}
	}
}

func TestStoreIncomplete_takesThePlaceOfNothingWhole(t *testing.T) {
	for _, tag := range []string{`"a"`, `"b"`} {
		_, z := open(t, 0)
		store(t, z, page, lasting("ETag", `"a"`), fields(), digits)
		z.StoreIncomplete(page, prepared(t, offerOf(lasting("ETag", tag), fields()), "01"), fields(), asked(t, z, page), 10)
		if got := found(z, page, fields()); got != digits {
			t.Errorf("%s: %q", tag, got)
		}
	}
	// What other requests get is none of its business.
	_, z := open(t, 0)
	store(t, z, page, lasting("ETag", `"a"`, "Vary", "A"), fields("A", "1"), digits)
	z.StoreIncomplete(page, prepared(t, offerOf(lasting("ETag", `"a"`, "Vary", "A"), fields("A", "2")), "01"), fields("A", "2"), asked(t, z, page), 10)
	if object, _ := z.Lookup(page, fields("A", "2")); object == nil || object.Whole() || found(z, page, fields("A", "1")) != digits {
		t.Error("another variant stands in its way, or was dropped")
	}
}
