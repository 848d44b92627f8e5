package edge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/http1"
	"github.com/seawall-edge/seawall/edge/journal"
	"github.com/seawall-edge/seawall/internal/geo"
	"github.com/seawall-edge/seawall/spec"
)

// sink collects Events.
type sink struct {
	mu     sync.Mutex
	events []seawall.Event
	more   chan struct{}
}

func (s *sink) Put(_ int, e *seawall.Event) {
	s.mu.Lock()
	s.events = append(s.events, *e)
	s.mu.Unlock()
	s.more <- struct{}{}
}

// next waits for the Event after those that were taken.
func (s *sink) next(t *testing.T) seawall.Event {
	t.Helper()
	select {
	case <-s.more:
	case <-time.After(10 * time.Second):
		t.Fatal("no Event came")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.events[0]
	s.events = s.events[1:]
	return e
}

// stage is an Edge behind a real listener.
type stage struct {
	edge    *Edge
	server  *http1.Server
	events  *sink
	places  *geo.Files
	address string
}

func newStage(t *testing.T, zones ...spec.ZoneSpec) *stage {
	t.Helper()
	s := &stage{events: &sink{more: make(chan struct{}, 1000)}}
	s.start(t, s.events, zones...)
	return s
}

func (s *stage) start(t *testing.T, events EventSink, zones ...spec.ZoneSpec) {
	t.Helper()
	var err error
	if s.edge, err = New(Config{Events: events, Rings: 2, Places: s.places}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.edge.Apply(zones); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.server = http1.New(http1.Config{Handler: s.edge, Rings: 2})
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // at once
		s.server.Drain(ctx)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		s.edge.Close()
	})
}

// ask sends one raw request on a fresh connection.
func (s *stage) ask(t *testing.T, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func (s *stage) get(t *testing.T, host, target string, lines ...string) *http.Response {
	t.Helper()
	return s.ask(t, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\n"+strings.Join(append(lines, "\r\n"), "\r\n"))
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func zoneFor(name, url string, hosts ...string) spec.ZoneSpec {
	return spec.ZoneSpec{Name: name, Hosts: hosts, Origin: spec.OriginSpec{URL: url}}
}

// origin answers with its name and what it was asked, cacheable below /c/.
func newOrigin(t testing.TB, name string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/c/") {
			w.Header().Set("Cache-Control", "max-age=60")
		}
		_, _ = fmt.Fprintf(w, "%s %s %s %s", name, r.Method, r.Host, r.RequestURI)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestLadder_findsTheZoneByExactThenLongestWildcardThenAny(t *testing.T) {
	a, b, c, d := newOrigin(t, "exact"), newOrigin(t, "long"), newOrigin(t, "short"), newOrigin(t, "any")
	s := newStage(t,
		zoneFor("a.test", a.URL), zoneFor("long", b.URL, "*.b.a.test"), zoneFor("short", c.URL, "*.a.test"), zoneFor("*", d.URL))
	for host, want := range map[string]string{
		"a.test": "exact", "A.Test.": "exact", "x.b.a.test": "long", "y.x.b.a.test": "long", "b.a.test": "short", "x.a.test:99": "short",
		"other.test": "any", "127.0.0.1": "any",
	} {
		if got := body(t, s.get(t, host, "/")); !strings.HasPrefix(got, want+" ") {
			t.Errorf("%s: %q; want the zone %s", host, got, want)
		}
		s.events.next(t)
	}
}

func TestLadder_refusesUnknownHostsWithOneEventOfNoZone(t *testing.T) {
	s := newStage(t, zoneFor("a.test", newOrigin(t, "a").URL))
	r := s.get(t, "b.test", "/x", "Accept: text/html")
	page := body(t, r)
	e := s.events.next(t)
	if r.StatusCode != 421 || !strings.Contains(page, e.ID.String()) || r.Header.Get("Seawall-Request-Id") != e.ID.String() {
		t.Errorf("%d, page names the request: %v", r.StatusCode, strings.Contains(page, e.ID.String()))
	}
	if e.Zone != seawall.ZoneNone || e.Rung != seawall.RungZone || e.Action != seawall.ActionRefused || e.Reason != seawall.ReasonUnknownHost ||
		e.Status != 421 || string(e.Text(seawall.EventHost)) != "b.test" || string(e.Text(seawall.EventTarget)) != "/x" {
		t.Errorf("event %+v", e)
	}
	if totals := s.edge.Totals(); totals.Actions[seawall.ActionRefused] != 1 || totals.Reasons[seawall.ReasonUnknownHost] != 1 {
		t.Errorf("counters %+v", totals)
	}
}

func TestLadder_cachesAndSaysSo(t *testing.T) {
	s := newStage(t, zoneFor("a.test", newOrigin(t, "a").URL))
	for i, want := range []struct {
		target, status string
		cache          seawall.CacheResult
		store          seawall.StoreResult
	}{
		{"/c/1", "seawall; fwd=uri-miss; ttl=60; stored", seawall.CacheMissURI, seawall.StoreStored},
		{"/c/1", "seawall; hit; ttl=60", seawall.CacheHit, seawall.StoreNone},
		{"/c/%31", "seawall; hit; ttl=60", seawall.CacheHit, seawall.StoreNone}, // the same target in its canonical form
		{"/c/1?", "seawall; fwd=uri-miss; ttl=60; stored", seawall.CacheMissURI, seawall.StoreStored},
		{"/d/1", "seawall; fwd=uri-miss; detail=no-freshness", seawall.CacheMissURI, seawall.StoreNoFreshness},
	} {
		r := s.get(t, "a.test", want.target)
		status, _, _ := strings.Cut(r.Header.Get("Cache-Status"), "ttl=5") // a second may have passed
		if !strings.HasPrefix(want.status, status) {
			t.Errorf("%d: %s: Cache-Status %q; want %q", i, want.target, r.Header.Get("Cache-Status"), want.status)
		}
		if e := s.events.next(t); e.Cache != want.cache || e.Store != want.store || e.Zone != "a.test" || e.Action != seawall.ActionPassed {
			t.Errorf("%d: %s: event %s %s %s", i, want.target, e.Cache, e.Store, e.Zone)
		}
	}
	if z := s.edge.ZoneTotals()[0]; z.Requests != 5 || z.Hits != 2 || z.BytesOut == 0 {
		t.Errorf("zone counters %+v", z)
	}
}

func TestLadder_keepsZonesHostsAndPortsApartInTheCache(t *testing.T) {
	a, b := newOrigin(t, "a"), newOrigin(t, "b")
	s := newStage(t, zoneFor("a.test", a.URL, "a.test", "www.a.test"), zoneFor("b.test", b.URL))
	for range 2 {
		for host, want := range map[string]string{
			"a.test": "a GET a.test /c/", "www.a.test": "a GET www.a.test /c/", "a.test:8080": "a GET a.test:8080 /c/", "b.test": "b GET b.test /c/",
		} {
			if got := body(t, s.get(t, host, "/c/")); got != want {
				t.Errorf("%s: %q; want %q", host, got, want)
			}
			s.events.next(t)
		}
	}
}

func TestApply_touchesOnlyTheZonesThatChanged(t *testing.T) {
	a, b, c := newOrigin(t, "a"), newOrigin(t, "b"), newOrigin(t, "c")
	s := newStage(t, zoneFor("a.test", a.URL), zoneFor("b.test", b.URL), zoneFor("gone.test", c.URL))
	for _, host := range []string{"a.test", "b.test", "gone.test"} {
		s.get(t, host, "/c/")
		s.events.next(t)
	}
	kept := s.edge.zones.Load().exact["a.test"]
	counters := s.edge.zones.Load().exact["b.test"].state
	done, err := s.edge.Apply([]spec.ZoneSpec{zoneFor("a.test", a.URL), zoneFor("b.test", c.URL), zoneFor("new.test", b.URL), {Name: "bad.test"}})
	if err == nil || !strings.Contains(err.Error(), "bad.test") {
		t.Errorf("a zone without an origin: %v", err)
	}
	if done != (Applied{Added: 1, Changed: 1, Removed: 1, Kept: 1}) {
		t.Errorf("%+v", done)
	}
	table := s.edge.zones.Load()
	if table.exact["a.test"] != kept {
		t.Error("a zone that did not change was compiled again")
	}
	if table.exact["b.test"].state != counters {
		t.Error("counters did not outlive the change")
	}
	if got := body(t, s.get(t, "b.test", "/x")); !strings.HasPrefix(got, "c ") {
		t.Errorf("b.test after the change: %q", got)
	}
	if r := s.get(t, "gone.test", "/c/"); r.StatusCode != 421 {
		t.Errorf("a removed zone answers %d", r.StatusCode)
	}
	if s.edge.cache.Remove("gone.test") != 0 {
		t.Error("what a removed zone had cached is still there")
	}
	// A later version that is broken leaves the one before in place.
	if _, err := s.edge.Apply([]spec.ZoneSpec{{Name: "a.test", Origin: spec.OriginSpec{URL: "gopher://x"}}}); err == nil {
		t.Error("a broken origin was taken")
	}
	if got := body(t, s.get(t, "a.test", "/x")); !strings.HasPrefix(got, "a ") {
		t.Errorf("a.test after a broken change: %q", got)
	}
}

func TestLadder_answersForTheEdgeWhereTheOriginMustNot(t *testing.T) {
	s := newStage(t, zoneFor("a.test", newOrigin(t, "a").URL))
	for request, want := range map[string]int{
		"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n":                     204,
		"OPTIONS / HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\n\r\n":  204,
		"OPTIONS / HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 1\r\n\r\n":  200,
		"TRACE / HTTP/1.1\r\nHost: a.test\r\n\r\n":                       405,
		"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n":             405,
		"GET * HTTP/1.1\r\nHost: a.test\r\n\r\n":                         400,
		"GET a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n":                 400,
		"GET http://a.test/x HTTP/1.1\r\nHost: b.test\r\n\r\n":           200,
		"GET https://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n":          421,
		"OPTIONS http://a.test HTTP/1.1\r\nHost: a.test\r\n\r\n":         204,
		"GET / HTTP/1.0\r\n\r\n":                                         421,
		"GET / HTTP/1.1\r\nHost: a.test\r\nExpect: something\r\n\r\n":    417,
		"GET /../x HTTP/1.1\r\nHost: a.test\r\n\r\n":                     400,
		"POST /c/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n": 200,
	} {
		r := s.ask(t, request)
		e := s.events.next(t)
		if r.StatusCode != want || int(e.Status) != want {
			t.Errorf("%q: %d, event %d %s; want %d", request, r.StatusCode, e.Status, e.Reason, want)
		}
		if r.StatusCode == 405 && r.Header.Get("Allow") == "" {
			t.Errorf("%q: no Allow", request)
		}
	}
}

func TestLadder_namesWhatTheOriginDidWrong(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	s := newStage(t, zoneFor("dead.test", closed.URL))
	r := s.get(t, "dead.test", "/")
	if e := s.events.next(t); r.StatusCode != 502 || e.Reason != seawall.ReasonOriginUnreachable || e.Action != seawall.ActionFailed || e.Rung != seawall.RungOrigin {
		t.Errorf("%d, event %s at %s", r.StatusCode, e.Reason, e.Rung)
	} else if server, cause := string(e.Text(seawall.EventServer)), string(e.Text(seawall.EventCause)); server != "s1" || !strings.Contains(cause, "connection refused") {
		t.Errorf("the Event names server %q and cause %q", server, cause)
	}
	if z := s.edge.ZoneTotals()[0]; z.Failed != 1 {
		t.Errorf("zone counters %+v", z)
	}
}

func TestLadder_survivesAPanic(t *testing.T) {
	s := newStage(t, zoneFor("a.test", newOrigin(t, "a").URL))
	good := s.edge.zones.Load()
	broken := &zone{name: "broken", state: &zoneState{}, pages: &ownPages{}}
	s.edge.zones.Store(&zoneTable{exact: map[string]*zone{"a.test": broken}})
	r := s.get(t, "a.test", "/")
	if e := s.events.next(t); r.StatusCode != 500 || e.Reason != seawall.ReasonInternal {
		t.Errorf("%d, event %s", r.StatusCode, e.Reason)
	}
	s.edge.zones.Store(good)
	if got := body(t, s.get(t, "a.test", "/")); got != "a GET a.test /" {
		t.Errorf("afterwards: %q", got)
	}
}

func TestHit_allocatesNothingEventIncluded(t *testing.T) {
	hitAllocatesNothing(t, zoneFor("a.test", newOrigin(t, "a").URL), "User-Agent: test\r\n", "seawall; hit")
}

// hitAllocatesNothing asks a zone for /c/1 with these fields until it is a
// hit, and then so often that an allocation shows. Each answer has wants.
func hitAllocatesNothing(t *testing.T, z spec.ZoneSpec, fields string, wants ...string) {
	t.Helper()
	kept, err := journal.Open(journal.Config{Rings: 2, Dir: t.TempDir(), Sample: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	var s stage
	s.start(t, kept, z)
	t.Cleanup(func() { _ = kept.Close(context.Background()) })
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	request := []byte("GET /c/1 HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: gzip\r\n" + fields + "\r\n")
	buffer := make([]byte, 4096)
	exchange := func() {
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(buffer); err != nil || n < 100 {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	for range 100 {
		exchange()
	}
	for _, want := range wants {
		if !strings.Contains(string(buffer), want) {
			t.Fatalf("the answer has no %q: %s", want, buffer)
		}
	}
	if n := testing.AllocsPerRun(5000, exchange); n != 0 && !underRace {
		t.Errorf("%v allocations for a hit", n)
	}
	if s.edge.Totals().Cache[seawall.CacheHit] < 5000 {
		t.Error("these were no hits")
	}
}
