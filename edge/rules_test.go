package edge

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/geo"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// twentyRules gives a zone twenty rules of every kind, as owners write them.
// Two are about the request that the tests make.
func twentyRules(z spec.ZoneSpec) spec.ZoneSpec {
	type when = spec.ConditionSpec
	z.Lists = []spec.ListSpec{{Name: "bad", Entries: []string{"198.51.100.0/24", "2001:db8::/32"}}}
	z.Access = spec.AccessSpec{
		Allow: []spec.AllowSpec{{When: when{Address: []string{"192.0.2.1"}}}},
		Block: []spec.BlockSpec{
			{When: when{Address: []string{"@bad"}}}, {When: when{Header: []string{"User-Agent: *badbot*"}}}, {When: when{Path: []string{"/wp-login.php", "/xmlrpc.php"}}},
			{When: when{Method: []string{"PURGE", "TRACK"}}},
		},
	}
	z.Redirects = spec.RedirectsSpec{
		Rules: []spec.RedirectSpec{
			{From: "/old", To: "/new"}, {From: "/blog/*", To: "https://blog.test/$1"}, {From: "~^/post/([0-9]+)$", To: "/p/$1"}, {From: "/shop/*", To: "/store/$1", When: when{Query: []string{"v=1"}}},
		},
		Lists: []spec.RedirectListSpec{{Entries: []string{"/m1 /n1", "/m2 /n2"}}},
	}
	z.Answers = []spec.OwnAnswerSpec{{When: when{Path: []string{"/robots.txt"}}, Body: "x"}}
	z.Rewrite = spec.RewriteSpec{
		SecurityHeaders: true,
		Requests:        []spec.RequestRewriteSpec{{From: "/catalogue/*", To: "/store/$1"}, {When: when{Path: []string{"/api/*"}}, Fields: spec.FieldsSpec{Set: []string{"X-Api: 1"}}}},
		Answers:         []spec.AnswerRewriteSpec{{When: when{Status: []spec.Status{"5xx"}}, Fields: spec.FieldsSpec{Set: []string{"Retry-After: 5"}}}, {Fields: spec.FieldsSpec{Set: []string{"X-Served: yes"}}}},
	}
	z.Cache.Rules = []spec.CacheRuleSpec{
		{When: when{Path: []string{"/account/*"}}, Bypass: true}, {When: when{Cookie: []string{"session"}}, Bypass: true},
		{When: when{Extension: []string{"css", "js", "png"}}, BrowserLifetime: 1 << 40}, {When: when{Path: []string{"/search"}}, Key: spec.CacheKeySpec{IgnoreQuery: []string{"utm_*"}}},
		{When: when{Path: []string{"/c/*"}}, EdgeLifetime: []spec.StatusLifetimeSpec{{For: 1 << 40}}},
	}
	return z
}

func TestHit_withTwentyRulesAllocatesNothing(t *testing.T) {
	hitAllocatesNothing(t, twentyRules(zoneFor("a.test", newOrigin(t, "a").URL)), "User-Agent: Mozilla/5.0 test\r\nCookie: theme=dark\r\n",
		"seawall; hit", "X-Served: yes", "nosniff")
}

// The Event names the rules that had a say, and what was asked before they
// changed it.
func TestEvent_namesTheRulesThatHadASay(t *testing.T) {
	z := twentyRules(zoneFor("a.test", newOrigin(t, "a").URL))
	z.Access.Block[1].Name, z.Cache.Rules[4].Name, z.Redirects.Rules[1].Name, z.Rewrite.Requests[0].Name = "bots", "kept", "blog", "shop"
	s := newStage(t, z)
	for _, c := range []struct{ request, rung, rules, target string }{
		{"GET /c/1 HTTP/1.1\r\nHost: a.test\r\n\r\n", "store", "cache kept, answer[1]", "/c/1"},
		{"GET /blog/a HTTP/1.1\r\nHost: a.test\r\n\r\n", "rules", "redirect blog, answer[1]", "/blog/a"},
		{"GET /x HTTP/1.1\r\nHost: a.test\r\nUser-Agent: BadBot\r\n\r\n", "access", "block bots", "/x"},
		{"GET /catalogue/a?b HTTP/1.1\r\nHost: a.test\r\n\r\n", "store", "request shop, answer[1]", "/catalogue/a?b"},
		{"GET /search?utm_a=1&q=2 HTTP/1.1\r\nHost: a.test\r\n\r\n", "store", "cache[3], answer[1]", "/search?utm_a=1&q=2"},
	} {
		s.ask(t, c.request)
		e := s.events.next(t)
		if e.Rung.String() != c.rung || string(e.Text(seawall.EventRule)) != c.rules || string(e.Text(seawall.EventTarget)) != c.target {
			t.Errorf("%q: rung %s, rules %q, target %q", c.request, e.Rung, e.Text(seawall.EventRule), e.Text(seawall.EventTarget))
		}
	}
}

// BenchmarkReload_millionPrefixes takes a list of a million prefixes over
// while hits go on, and reports the slowest of them.
func BenchmarkReload_millionPrefixes(b *testing.B) {
	var text strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&text, "%d.%d.%d.0/24\n", 1+i>>16, i>>8&255, i&255)
	}
	e, err := New(Config{Events: nothing{}, Rings: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Close)
	url := newOrigin(b, "a").URL
	generation := func(n int) spec.ZoneSpec {
		z := zoneFor("a.test", url)
		z.Lists = []spec.ListSpec{{Name: "bad", Text: text.String(), Entries: []string{fmt.Sprintf("250.0.0.%d", n%250)}}}
		z.Access.Block = []spec.BlockSpec{{When: spec.ConditionSpec{Address: []string{"@bad"}}}}
		return z
	}
	if _, err := e.Apply([]spec.ZoneSpec{generation(0)}); err != nil {
		b.Fatal(err)
	}
	ask := asker(e)
	ask()
	stop, slowest := make(chan struct{}), make(chan time.Duration, 1)
	go func() {
		most := time.Duration(0)
		for {
			select {
			case <-stop:
				slowest <- most
				return
			default:
				began := time.Now()
				ask()
				most = max(most, time.Since(began))
			}
		}
	}()
	for n := 1; b.Loop(); n++ {
		if _, err := e.Apply([]spec.ZoneSpec{generation(n)}); err != nil {
			b.Fatal(err)
		}
	}
	close(stop)
	b.ReportMetric(float64((<-slowest).Microseconds())/1000, "ms-slowest-hit")
}

// benchmarkHit climbs the ladder for a stored answer, without a connection.
func benchmarkHit(b *testing.B, change func(spec.ZoneSpec) spec.ZoneSpec) {
	e, err := New(Config{Events: nothing{}, Rings: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Close)
	if _, err := e.Apply([]spec.ZoneSpec{change(zoneFor("a.test", newOrigin(b, "a").URL))}); err != nil {
		b.Fatal(err)
	}
	ask := asker(e)
	ask()
	if result := ask(); result != seawall.CacheHit {
		b.Fatalf("not a hit: %s", result)
	}
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}

type nothing struct{}

func (nothing) Put(int, *seawall.Event) {}

func BenchmarkHit_bare(b *testing.B) {
	benchmarkHit(b, func(z spec.ZoneSpec) spec.ZoneSpec { return z })
}

func BenchmarkHit_withTwentyRules(b *testing.B) { benchmarkHit(b, twentyRules) }

// What the rules cost that are asked, without the fields that two of them add.
func BenchmarkHit_withTwentyRulesThatAddNothing(b *testing.B) {
	benchmarkHit(b, func(z spec.ZoneSpec) spec.ZoneSpec {
		z = twentyRules(z)
		z.Rewrite.SecurityHeaders, z.Rewrite.Answers[1].When = false, spec.ConditionSpec{Path: []string{"/elsewhere/*"}}
		return z
	})
}

// asker returns a function that asks for a page, without a connection.
func asker(e *Edge) func() seawall.CacheResult {
	fields := &wire.Fields{}
	for _, f := range [][2]string{{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}, {"Accept", "text/html"}, {"Accept-Language", "de"}, {"Cookie", "theme=dark; a=b"}} {
		fields.Add(wire.Lookup([]byte(f[0])), []byte(f[0]), []byte(f[1]))
	}
	peer := netip.MustParseAddrPort("203.0.113.9:40000")
	x, get, host, target := &exchange.Exchange{}, []byte("GET"), []byte("a.test"), []byte("/c/1")
	return func() seawall.CacheResult {
		x.Event.Reset()
		x.Method, x.MethodName, x.Minor, x.Fields, x.Out = exchange.MethodGet, get, 1, fields, exchange.Nobody{}
		x.Host, x.Hostport, x.Target, x.Peer, x.Client = host, host, target, peer, peer
		e.Serve(x)
		return x.Event.Cache
	}
}

// The visitor's place is asked for where a condition wants it, and what no
// file says makes no rule hold.
func TestAccess_byThePlaceOfTheVisitor(t *testing.T) {
	z := zoneFor("a.test", newOrigin(t, "a").URL)
	z.TrustedHops.Addresses = []string{"127.0.0.0/8"}
	z.Access.Block = []spec.BlockSpec{
		{Name: "far", When: spec.ConditionSpec{Country: []string{"AQ"}}},
		{Name: "net", When: spec.ConditionSpec{Network: []string{"AS64502"}}},
		{Name: "others", When: spec.ConditionSpec{Path: []string{"/here/*"}, Not: []spec.ConditionSpec{{Country: []string{"DE"}}}}},
	}
	z.Rewrite.Answers = []spec.AnswerRewriteSpec{{Fields: spec.FieldsSpec{Set: []string{"X-From: ${country} ${network}"}}}}
	places := geo.New(geo.Config{Country: "testdata/places.mmdb", Network: "testdata/places.mmdb"})
	for _, c := range []struct {
		places       *geo.Files
		from, target string
		status       int
		said         string
	}{
		{places, "198.51.100.5", "/here/a", 200, "DE AS64500"}, {places, "198.51.100.200", "/a", 403, ""}, {places, "2001:db8::9", "/a", 403, ""},
		{places, "192.0.2.1", "/here/a", 200, ""}, {places, "::ffff:198.51.100.200", "/a", 403, ""},
		{nil, "198.51.100.200", "/here/a", 200, ""},
	} {
		s := &stage{events: &sink{more: make(chan struct{}, 10)}, places: c.places}
		s.start(t, s.events, z)
		response := s.get(t, "a.test", c.target, "X-Forwarded-For: "+c.from)
		if response.StatusCode != c.status || c.status == 200 && strings.TrimSpace(response.Header.Get("X-From")) != c.said {
			t.Errorf("%s of %s (files: %v): %d, %q", c.target, c.from, c.places != nil, response.StatusCode, response.Header.Get("X-From"))
		}
	}
}
