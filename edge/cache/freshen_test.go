package cache

import (
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// later is when news come: ten seconds after the answer.
const later = then + Moment(10*time.Second)

// newsOf is news that say these fields, to be varied.
func newsOf(said *wire.Fields) News {
	at := noon.Add(10 * time.Second)
	return News{Said: said, Fields: said, Request: fields(), Requested: at, Received: at, At: later, Written: []byte("X-Visitor")}
}

// RFC 9111, 3.2 and 4.3.4.
func TestFreshened_replacesFieldsButThoseThatDescribeTheBytes(t *testing.T) {
	stored := lasting("ETag", `"a"`, "Content-Encoding", "gzip", "Content-Type", "text/html", "Content-MD5", "m", "Content-Digest", "d",
		"X-Stays", "1", "Link", "</a>", "Link", "</b>", "X-Many", "1", "Set-Cookie", "a=1", "Set-Cookie", "b=1", "Date", httpDate(0))
	object := prepared(t, offerOf(stored, fields()), "hello")
	before := string(object.Fields.Lines())
	news := fields("Cache-Control", "max-age=300", "ETag", `"b"`, "Content-Encoding", "br", "Content-Type", "text/plain", "Content-MD5", "n", "Content-Digest", "e",
		"Content-Length", "0", "Content-Range", "bytes 0-1/2", "Link", "</c>", "x-many", "2", "X-Many", "3", "Set-Cookie", "a=2", "Date", httpDate(10),
		"X-New", "1", "Age", "7", "Connection", "close", "Proxy-Authenticate", "x")
	fresh, result := object.Freshened(newsOf(news))
	if result != seawall.StoreStored {
		t.Fatal(result)
	}
	want := "ETag: \"a\"\r\nX-Stays: 1\r\nCache-Control: max-age=300\r\nLink: </c>\r\nx-many: 2\r\nX-Many: 3\r\nSet-Cookie: a=2\r\nDate: " +
		httpDate(10) + "\r\nX-New: 1\r\nContent-Encoding: gzip\r\nContent-MD5: m\r\nContent-Digest: d\r\nContent-Type: text/plain\r\n"
	if got := string(fresh.Fields.Lines()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if string(fresh.Body) != "hello" || fresh.Status != 200 || fresh.Age(later) != 7 || fresh.TTL(later) != 293 || fresh.Held(later) != 0 {
		t.Errorf("%d, %q, age %d, ttl %d", fresh.Status, fresh.Body, fresh.Age(later), fresh.TTL(later))
	}
	if got := string(object.Fields.Lines()); got != before || object.TTL(then) != 60 {
		t.Errorf("the stored one has changed: %s", got)
	}
}

func TestFreshened_whatIsNotSaidStays(t *testing.T) {
	offer := offerOf(fields("Surrogate-Control", "max-age=50", "Cache-Tag", "t", "ETag", `"a"`, "X-A", "1", "Date", httpDate(-3)), fields())
	offer.Fields = fields("ETag", `"a"`, "X-A", "1", "Date", httpDate(-3))
	object := prepared(t, offer, "x")
	object.Trailers = fields("X-Sum", "1")
	news := newsOf(fields("ETag", `"a"`, "Cache-Control", "no-cache"))
	news.Fields = fields("ETag", `"a"`, "Cache-Control", "no-cache", "Date", httpDate(10))
	fresh, result := object.Freshened(news)
	if result != seawall.StoreStored || fresh.TTL(later) != 50 || fresh.Terms.AlwaysAsk {
		t.Errorf("%s, ttl %d: what was said to caches alone is forgotten", result, fresh.TTL(later))
	}
	if got := string(fresh.forCaches.Lines()); got != "Surrogate-Control: max-age=50\r\nCache-Tag: t\r\n" {
		t.Errorf("for caches: %q", got)
	}
	if got := string(fresh.Fields.Lines()); got != "ETag: \"a\"\r\nX-A: 1\r\nCache-Control: no-cache\r\nDate: "+httpDate(10)+"\r\n" {
		t.Errorf("%q", got)
	}
	if fresh.Trailers != object.Trailers {
		t.Error("the trailers are lost")
	}
	news.Said = fields("Surrogate-Control", "max-age=5")
	if fresh, _ = object.Freshened(news); fresh.TTL(later) != 5 || string(fresh.forCaches.Lines()) != "Surrogate-Control: max-age=5\r\nCache-Tag: t\r\n" {
		t.Errorf("what is said anew: ttl %d, %q", fresh.TTL(later), fresh.forCaches.Lines())
	}
}

func TestFreshened_withoutADateIsFromNow(t *testing.T) {
	object := prepared(t, offerOf(lasting("ETag", `"a"`, "Date", httpDate(-50)), fields()), "x")
	for _, said := range []*wire.Fields{fields(), fields("Date", httpDate(10))} {
		fresh, result := object.Freshened(newsOf(said))
		if result != seawall.StoreStored || fresh.Age(later) != 0 || fresh.TTL(later) != 60 || fresh.Terms.Date != noon.Unix()+10 {
			t.Errorf("%q: %s, age %d, ttl %d", said.Lines(), result, fresh.Age(later), fresh.TTL(later))
		}
	}
}

func TestFreshened_whatIsForOneVisitorIsNotKept(t *testing.T) {
	for _, c := range []struct {
		name          string
		stored        *wire.Fields
		said, request *wire.Fields
		want          seawall.StoreResult
		cooks         bool
	}{
		{"plain", lasting("ETag", `"a"`), fields("X-A", "1"), fields(), seawall.StoreStored, false},
		{"authorization", lasting("ETag", `"a"`), fields(), fields("Authorization", "x"), seawall.StoreAuthorization, false},
		{"authorization, public", lasting("ETag", `"a"`), fields("Cache-Control", "public, max-age=9"), fields("Authorization", "x"), seawall.StoreStored, false},
		{"no-store in the request", lasting("ETag", `"a"`), fields(), fields("Cache-Control", "no-store"), seawall.StoreRequest, false},
		{"a cookie in the request", fields("ETag", `"a"`), fields(), fields("Cookie", "a=b"), seawall.StoreStored, false},
		{"no-store in the answer", lasting("ETag", `"a"`), fields("Cache-Control", "no-store"), fields(), seawall.StoreNoStore, false},
		{"private", lasting("ETag", `"a"`), fields("Cache-Control", "private"), fields(), seawall.StorePrivate, false},
		{"Vary: *", lasting("ETag", `"a"`), fields("Vary", "*"), fields(), seawall.StoreVaryStar, false},
		{"Vary on what the edge writes", lasting("ETag", `"a"`), fields("Vary", "X-Forwarded-For"), fields(), seawall.StoreVaryStar, false},
		{"Vary on what the owner has it write", lasting("ETag", `"a"`), fields("Vary", "X-visitor"), fields(), seawall.StoreVaryStar, false},
		{"a cookie of a lasting answer", lasting("ETag", `"a"`, "Set-Cookie", "a=b"), fields(), fields(), seawall.StoreStored, true},
		{"a cookie where nothing is said", fields("ETag", `"a"`, "Set-Cookie", "a=b"), fields(), fields(), seawall.StoreStored, false},
		{"a new cookie where nothing is said", fields("ETag", `"a"`), fields("Set-Cookie", "a=b"), fields(), seawall.StoreStored, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			object := prepared(t, offerOf(c.stored, fields()), "x")
			before := string(object.Fields.Lines())
			news := newsOf(c.said)
			news.Request = c.request
			fresh, result := object.Freshened(news)
			if result != c.want || fresh == nil || string(fresh.Body) != "x" {
				t.Fatalf("%s, %v; want %s and an answer for this visitor", result, fresh, c.want)
			}
			if fresh.Fields.Has(wire.SetCookie) != c.cooks {
				t.Errorf("a cookie: %v", !c.cooks)
			}
			if string(object.Fields.Lines()) != before {
				t.Error("the stored one has changed")
			}
		})
	}
}

// RFC 9111, 4.1: after a 304 with another Vary, what selects is what the
// request that it answers had.
func TestFreshened_anotherVarySelectsAnew(t *testing.T) {
	object := prepared(t, offerOf(lasting("ETag", `"a"`, "Vary", "X-A"), fields("X-A", "1", "X-B", "1")), "x")
	for _, c := range []struct {
		vary    *wire.Fields
		selects map[string]bool // by X-A and X-B
	}{
		{fields(), map[string]bool{"11": true, "12": true, "21": false}},
		{fields("Vary", "x-a"), map[string]bool{"11": true, "12": true, "21": false}},
		{fields("Vary", "X-A, X-B"), map[string]bool{"11": false, "12": true, "22": false}},
		{fields("Vary", "X-B"), map[string]bool{"11": false, "12": true, "22": true}},
		{fields("Vary", "Host"), map[string]bool{"11": true, "22": true}},
	} {
		news := newsOf(c.vary)
		news.Request = fields("X-A", "1", "X-B", "2")
		fresh, result := object.Freshened(news)
		if result != seawall.StoreStored {
			t.Fatal(result)
		}
		for values, want := range c.selects {
			if got := fresh.Selects(fields("X-A", values[:1], "X-B", values[1:])); got != want {
				t.Errorf("%q, %s: %v", c.vary.Lines(), values, got)
			}
		}
	}
}

// A 304 says nothing of the coding; who cannot read it gets it as little as before.
func TestFreshened_aCompressedAnswerStaysForThoseWhoTakeIt(t *testing.T) {
	object := prepared(t, offerOf(lasting("ETag", `"a"`, "Content-Encoding", "gzip"), fields("Accept-Encoding", "gzip")), "x")
	for _, said := range []*wire.Fields{fields(), fields("Vary", "X-A"), fields("Vary", "Origin, X-A", "ETag", `"a"`)} {
		news := newsOf(said)
		news.Request = fields("Accept-Encoding", "br, gzip")
		fresh, _ := object.Freshened(news)
		if fresh.Selects(fields()) || !fresh.Selects(fields("Accept-Encoding", "gzip")) || fresh.For(fields("Accept-Encoding", "gzip, zstd")).Selects(fields()) || !fresh.For(fields("Accept-Encoding", "gzip, zstd")).Selects(fields("Accept-Encoding", "gzip, br")) {
			t.Errorf("%q: selects the wrong ones", said.Lines())
		}
	}
}

func TestFreshened_aPartStaysAPart(t *testing.T) {
	part := preparedPart(t, "bytes 2-4/9", "234", "ETag", `"a"`)
	part.settle()
	fresh, result := part.Freshened(newsOf(fields("X-A", "1")))
	if result != seawall.StoreStored || fresh.Whole() || fresh.Size() != 9 || fresh.Status != 206 {
		t.Errorf("%s, whole %v, size %d", result, fresh.Whole(), fresh.Size())
	}
}

// RFC 9111, 4.3.4.
func TestChosen_isTheOneThatA304Means(t *testing.T) {
	of := func(pairs ...string) *Object { return prepared(t, offerOf(lasting(pairs...), fields()), "x") }
	strong, weak, dated, other := of("ETag", `"a"`), of("ETag", `W/"a"`), of("Last-Modified", httpDate(-9)), of("ETag", `"b"`)
	twin := of("ETag", `W/"a"`)
	for _, c := range []struct {
		name  string
		asked []*Object
		said  *wire.Fields
		want  *Object
	}{
		{"nobody was asked about", nil, fields("ETag", `"a"`), nil},
		{"one, and it says nothing", []*Object{other}, fields(), other},
		{"one, whatever it says", []*Object{other}, fields("ETag", `"z"`), other},
		{"several, and it says nothing", []*Object{strong, other}, fields(), nil},
		{"several, none of them", []*Object{strong, other, dated}, fields("ETag", `"z"`), nil},
		{"the second", []*Object{other, strong}, fields("ETag", `"a"`), strong},
		{"strong before weak", []*Object{weak, strong}, fields("ETag", `"a"`), strong},
		{"a strong tag, one that is weak", []*Object{other, weak}, fields("ETag", `"a"`), nil},
		{"a weak tag", []*Object{other, weak}, fields("ETag", `W/"a"`), weak},
		{"the newest of two that are alike", []*Object{twin, weak}, fields("ETag", `W/"a"`), twin},
		{"by date", []*Object{strong, dated}, fields("Last-Modified", httpDate(-9)), dated},
		{"another date", []*Object{strong, dated}, fields("Last-Modified", httpDate(-8)), nil},
	} {
		if got := Chosen(c.asked, c.said); got != c.want {
			t.Errorf("%s: the wrong one", c.name)
		}
	}
}

func TestMayBe_isWhatTheOriginCouldMeanForAnother(t *testing.T) {
	part := preparedPart(t, "bytes 0-1/9", "01", "ETag", `"a"`)
	for _, c := range []struct {
		name    string
		object  *Object
		request *wire.Fields
		want    bool
	}{
		{"a strong tag", prepared(t, offerOf(lasting("ETag", `"a"`), fields()), "x"), fields(), true},
		{"a weak one", prepared(t, offerOf(lasting("ETag", `W/"a"`), fields()), "x"), fields(), false},
		{"none", prepared(t, offerOf(lasting("Last-Modified", httpDate(-9000)), fields()), "x"), fields(), false},
		{"a part", part, fields(), false},
		{"a coding that is taken", prepared(t, offerOf(lasting("ETag", `"a"`, "Content-Encoding", "br"), fields()), "x"), fields("Accept-Encoding", "br"), true},
		{"a coding that is not", prepared(t, offerOf(lasting("ETag", `"a"`, "Content-Encoding", "br"), fields()), "x"), fields("Accept-Encoding", "gzip"), false},
	} {
		tag, ok := c.object.MayBe(c.request)
		if ok != c.want || ok && string(tag) != `"a"` {
			t.Errorf("%s: %q, %v", c.name, tag, ok)
		}
	}
}

func TestIsMeant_byItsOwnStrongTagOrByNothingElse(t *testing.T) {
	object := prepared(t, offerOf(lasting("ETag", `"a"`, "Last-Modified", httpDate(-9)), fields()), "x")
	for _, c := range []struct {
		said  *wire.Fields
		alone bool // nothing else was asked about
		want  bool
	}{
		{fields("ETag", `"a"`), false, true}, {fields("ETag", `"a"`), true, true}, {fields(), true, true},
		{fields(), false, false}, {fields("ETag", `W/"a"`), true, false}, {fields("ETag", `"b"`), true, false}, {fields("Last-Modified", httpDate(-9)), true, false},
	} {
		if object.IsMeant(c.said, c.alone) != c.want {
			t.Errorf("%q, alone %v: %v", c.said.Lines(), c.alone, !c.want)
		}
	}
}

func TestIsMeant_byNoTagAtAllWhereItAloneWasAskedAbout(t *testing.T) {
	object := prepared(t, offerOf(lasting("ETag", `"a"`), fields()), "x")
	if !object.IsMeant(fields(), true) || object.IsMeant(fields("ETag", `"b"`), true) || object.IsMeant(fields(), false) {
		t.Error("a 304 without a tag is about what was asked, one with another is not")
	}
}

// An answer that was found by asking about a variant for another request.
func TestFor_makesAVariantOfTheSameBytes(t *testing.T) {
	_, z := open(t, 0)
	object := store(t, z, page, lasting("Vary", "X-A", "ETag", `"a"`), fields("X-A", "1"), "hello")
	request := fields("X-A", "2")
	fresh, _ := object.Freshened(newsOf(fields()))
	if !z.Store(page, fresh.For(request), request, asked(t, z, page)) {
		t.Fatal("not kept")
	}
	if found(z, page, request) != "hello" || found(z, page, fields("X-A", "1")) != "hello" || found(z, page, fields("X-A", "3")) != "" {
		t.Error("a request has another's, or none")
	}
	if len(z.Variants(page)) != 2 {
		t.Errorf("%d variants", len(z.Variants(page)))
	}
	if freshness.Freshens(fields("ETag", `"a"`), &z.Variants(page)[0].Fields) != freshness.StronglySame {
		t.Error("its validator is lost")
	}
}
