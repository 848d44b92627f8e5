package cache

import (
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

func TestPrepare_saysWhyAnAnswerIsNotStored(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  *wire.Fields
		request *wire.Fields
		change  func(*Offer)
		want    seawall.StoreResult
	}{
		{"fresh", lasting(), fields(), nil, seawall.StoreStored},
		{"an unknown length", lasting(), fields(), nil, seawall.StoreStored},
		{"as large as may be", lasting(), fields(), func(o *Offer) { o.Length = o.MaxObject }, seawall.StoreStored},
		{"too large", lasting(), fields(), func(o *Offer) { o.Length = o.MaxObject + 1 }, seawall.StoreTooLarge},
		{"PUT", lasting(), fields(), func(o *Offer) { o.Method = []byte("PUT") }, seawall.StoreMethod},
		{"HEAD", lasting(), fields(), func(o *Offer) { o.Method = []byte("HEAD") }, seawall.StoreMethod},
		{"POST", lasting(), fields(), func(o *Offer) { o.Method = []byte("POST") }, seawall.StoreMethod},
		{"POST of itself", lasting(), fields(), func(o *Offer) { o.Method, o.Itself = []byte("POST"), true }, seawall.StoreStored},
		{"206 of no known place", lasting(), fields(), func(o *Offer) { o.Status = 206 }, seawall.StoreStatus},
		{"304", lasting(), fields(), func(o *Offer) { o.Status = 304 }, seawall.StoreStatus},
		{"404", lasting(), fields(), func(o *Offer) { o.Status = 404 }, seawall.StoreStored},
		{"no lifetime, no validator", fields(), fields(), nil, seawall.StoreNoFreshness},
		{"no lifetime, a validator", fields("ETag", `"a"`), fields(), nil, seawall.StoreStored},
		{"no-store", lasting("Cache-Control", "no-store"), fields(), nil, seawall.StoreNoStore},
		{"private", lasting("Cache-Control", "private"), fields(), nil, seawall.StorePrivate},
		{"no-cache, no validator", lasting("Cache-Control", "no-cache"), fields(), nil, seawall.StoreNoCache},
		{"no-cache, a validator", lasting("Cache-Control", "no-cache", "ETag", `"a"`), fields(), nil, seawall.StoreStored},
		{"authorization", lasting(), fields("Authorization", "Basic eA=="), nil, seawall.StoreAuthorization},
		{"authorization, public", lasting("Cache-Control", "public"), fields("Authorization", "x"), nil, seawall.StoreStored},
		{"no-store in the request", lasting(), fields("Cache-Control", "no-store"), nil, seawall.StoreRequest},
		{"Vary: *", lasting("Vary", "Accept, *"), fields(), nil, seawall.StoreVaryStar},
		{"a cookie that is refused", lasting("Set-Cookie", "a=b"), fields(), func(o *Offer) { o.Policy.Cookies = freshness.CookiesRefused }, seawall.StoreSetCookie},
		{"must-understand", lasting("Cache-Control", "must-understand"), fields(), func(o *Offer) { o.Status = 299 }, seawall.StoreUnclear},
		{"expired", lasting("Age", "60"), fields(), nil, seawall.StoreExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			offer := offerOf(c.answer, c.request)
			if c.change != nil {
				c.change(&offer)
			}
			object, result := Prepare(offer)
			if result != c.want || (object != nil) != (c.want == seawall.StoreStored) {
				t.Errorf("%s; want %s", result, c.want)
			}
		})
	}
}

// RFC 9111, 3.1.
func TestPrepare_keepsFieldsButThoseThatMustNotBe(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer *wire.Fields
		policy freshness.Policy
		gone   string // names that are not kept
	}{
		{"what every cache drops", lasting("Age", "1", "Proxy-Authenticate", "x", "Proxy-Authentication-Info", "x", "Proxy-Authorization", "x",
			"Seawall-Request-Id", "x", "ETag", `"a"`, "Set-Cookie", "a=b", "X-Other", "1"), freshness.Policy{},
			"Age Proxy-Authenticate Proxy-Authentication-Info Proxy-Authorization Seawall-Request-Id"},
		{"named by no-cache", lasting("Cache-Control", `no-cache="X-One, ETag"`, "X-One", "1", "x-one", "2", "X-Two", "1", "ETag", `"a"`), freshness.Policy{}, "X-One ETag"},
		{"named by private", lasting("Cache-Control", `private="set-cookie"`, "Set-Cookie", "a=b", "X-Two", "1"), freshness.Policy{}, "Set-Cookie"},
		{"named where it does not count", fields("Cache-Control", `private="X-One"`, "CDN-Cache-Control", "max-age=60", "X-One", "1"), freshness.Policy{}, ""},
		{"a cookie under a heuristic", fields("Last-Modified", httpDate(-1000000), "Set-Cookie", "a=b", "Set-Cookie", "c=d"), freshness.Policy{Heuristic: 86400}, "Set-Cookie"},
		{"a cookie that is removed", lasting("Set-Cookie", "a=b"), freshness.Policy{Cookies: freshness.CookiesRemoved}, "Set-Cookie"},
		{"a cookie of a lasting answer", lasting("Set-Cookie", "a=b", "Set-Cookie", "c=d"), freshness.Policy{}, ""},
		{"a place that a whole answer names", lasting("Content-Range", "bytes 0-1/2"), freshness.Policy{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			offer := offerOf(c.answer, fields())
			offer.Policy = c.policy
			object := prepared(t, offer, "x")
			var want wire.Fields
			for i := range c.answer.Len() {
				name := string(c.answer.Name(i))
				if !contains(c.gone, name) {
					want.Add(c.answer.Known(i), c.answer.Name(i), c.answer.Value(i))
				}
			}
			if string(object.Fields.Lines()) != string(want.Lines()) {
				t.Errorf("kept\n%swant\n%s", object.Fields.Lines(), want.Lines())
			}
		})
	}
}

func contains(names, name string) bool {
	for one := range strings.FieldsSeq(names) {
		if strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}

func TestPrepare_keepsWhatVisitorsGetAndWhatCachesWereTold(t *testing.T) {
	offer := offerOf(fields("Surrogate-Control", "max-age=60", "Surrogate-Key", "k", "Cache-Tag", "t", "Seawall-CDN-Cache-Control", "max-age=90", "Server", "inner", "X-A", "1"), fields())
	offer.Fields = fields("X-A", "1", "X-Added", "2")
	object := prepared(t, offer, "x")
	if got := string(object.Fields.Lines()); got != "X-A: 1\r\nX-Added: 2\r\n" {
		t.Errorf("%q", got)
	}
	if got := string(object.forCaches.Lines()); got != "Surrogate-Control: max-age=60\r\nSurrogate-Key: k\r\nCache-Tag: t\r\nSeawall-CDN-Cache-Control: max-age=90\r\n" {
		t.Errorf("for caches: %q", got)
	}
	if object.TTL(then) != 90 {
		t.Errorf("fresh for %d seconds", object.TTL(then))
	}
}

// What is offered stands in buffers that are used again.
func TestPrepare_sharesNoMemoryWithWhatWasOffered(t *testing.T) {
	buffer := []byte("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: X-A\r\nX-A: answer\r\nSurrogate-Key: k\r\nContent-Encoding: gzip\r\n\r\n")
	var head wire.Response
	if n, problem := head.Parse(buffer); n == 0 {
		t.Fatal(problem)
	}
	request := fields("X-A", "request", "Accept-Encoding", "gzip")
	object := prepared(t, offerOf(&head.Fields, request), "x")
	before := string(object.Fields.Lines()) + string(object.forCaches.Lines())
	clear(buffer)
	clear(request.Lines())
	if got := string(object.Fields.Lines()) + string(object.forCaches.Lines()); got != before || !object.Selects(fields("X-A", "request", "Accept-Encoding", "gzip, br")) {
		t.Errorf("%q; want %q", got, before)
	}
}

// RFC 9111, 4.1: the origin saw other values of these than visitors send.
func TestPrepare_refusesToSelectByWhatTheEdgeWrites(t *testing.T) {
	for _, c := range []struct {
		vary  string
		want  seawall.StoreResult
		names int // that select
	}{
		{"X-Forwarded-For", seawall.StoreVaryStar, 0},
		{"Accept, x-real-ip", seawall.StoreVaryStar, 0},
		{"Forwarded", seawall.StoreVaryStar, 0},
		{"True-Client-IP", seawall.StoreVaryStar, 0},
		{"Host, Via, CDN-Loop, Surrogate-Capability, X-Forwarded-Host, X-Forwarded-Proto", seawall.StoreStored, 0},
		{"host, Accept", seawall.StoreStored, 1},
		{"A, B, C, D, E, F, G, H", seawall.StoreStored, 8},
		{"A, B, C, D, E, F, G, H, Host", seawall.StoreStored, 8},
		{"A, B, C, D, E, F, G, H, I", seawall.StoreVaryStar, 0},
		{"Accept, x-visitor", seawall.StoreVaryStar, 0}, // the owner has the edge write it
		{"x-visitors", seawall.StoreStored, 1},
		{",, ,Accept,", seawall.StoreStored, 1},
	} {
		offer := offerOf(lasting("Vary", c.vary), fields("Accept", "x", "X-Forwarded-For", "192.0.2.1"))
		offer.Written = []byte("X-Visitor")
		object, result := Prepare(offer)
		if result != c.want {
			t.Errorf("%s: %s; want %s", c.vary, result, c.want)
		}
		if object != nil && len(object.vary) != c.names {
			t.Errorf("%s: %d names select; want %d", c.vary, len(object.vary), c.names)
		}
	}
}

func TestClock_isNotSet(t *testing.T) {
	before := Clock()
	if after := Clock(); after < before || before < 0 || before > Moment(24*time.Hour) {
		t.Errorf("%d, then %d", before, after)
	}
}
