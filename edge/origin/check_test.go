package origin

import (
	"bufio"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/spec"
)

func TestCheck_findsWhatIsWrong(t *testing.T) {
	noLeak(t)
	far := strings.Repeat("x", checkBytes)
	for _, c := range []struct {
		name, answer string
		check        spec.CheckSpec
		want         string // part of what it says; "" when all is well
	}{
		{"a good answer", ok, spec.CheckSpec{}, ""},
		{"a redirect", "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", spec.CheckSpec{}, ""},
		{"not found", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", spec.CheckSpec{Path: "/health"}, "/health answers with status 404, not 200-399"},
		{"what is asked for", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", spec.CheckSpec{Status: "200, 401"}, ""},
		{"not what is asked for", ok, spec.CheckSpec{Status: "204"}, "status 200, not 204"},
		{"hints before", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok, spec.CheckSpec{Text: "ok"}, ""},
		{"nothing but hints", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100), spec.CheckSpec{}, "status 103"},
		{"a text", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nI am well", spec.CheckSpec{Text: "am well"}, ""},
		{"another text", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nI am well", spec.CheckSpec{Text: "alive"}, `the text "alive" is not in the answer to /`},
		{"a text in an answer of status 500", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok", spec.CheckSpec{Text: "ok"}, "status 500"},
		{"a text in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nI am\r\n5\r\n well\r\n0\r\n\r\n", spec.CheckSpec{Text: "am well"}, ""},
		{"a text up to the end", "HTTP/1.0 200 OK\r\n\r\nwell", spec.CheckSpec{Text: "well"}, ""},
		{"a text within bounds", "HTTP/1.0 200 OK\r\n\r\n" + far[4:] + "well", spec.CheckSpec{Text: "well"}, ""},
		{"a text behind them", "HTTP/1.0 200 OK\r\n\r\n" + far + "well", spec.CheckSpec{Text: "well"}, "not in the answer"},
		{"a body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nI am", spec.CheckSpec{Text: "well"}, "not in the answer"},
		{"no HTTP", "220 mail.example ESMTP\r\n", spec.CheckSpec{}, "read the answer to /"},
		{"nothing", "", spec.CheckSpec{}, "read the answer to /"},
		{"a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 10*maxHead), spec.CheckSpec{}, "read the answer to /"},
		{"a connection", "", spec.CheckSpec{Type: spec.CheckTCP}, ""},
	} {
		url, _ := script(t, func(conn net.Conn, from *bufio.Reader) {
			if c.check.Type != spec.CheckTCP {
				take(from)
			}
			_, _ = io.WriteString(conn, c.answer)
		})
		if problem := checkOnce(t, spec.OriginSpec{URL: url, Check: c.check}); c.want == "" && problem != nil || c.want != "" && (problem == nil || !strings.Contains(problem.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, problem)
		}
	}
}

// checkOnce makes one check without anything that goes on by itself.
func checkOnce(t *testing.T, o spec.OriginSpec) error {
	t.Helper()
	kind := o.Check.Type
	o.Check.Type = ""
	g := newGroup(t, o)
	g.origin.Check.Type = kind
	return g.servers[0].checkOnce(t.Context())
}

func TestCheck_asksLikeTheSitesVisitors(t *testing.T) {
	hosts := make(chan string, 1)
	server := newBackend(t, func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host + r.RequestURI + " " + r.Method })
	for _, c := range []struct{ origin, check, want string }{
		{"", "", "a.test/up?x=1 GET"},
		{"server", "", strings.TrimPrefix(server.url, "http://") + "/up?x=1 GET"},
		{"shop.test", "", "shop.test/up?x=1 GET"},
		{"shop.test", "health.test", "health.test/up?x=1 GET"},
		{"shop.test", "server", strings.TrimPrefix(server.url, "http://") + "/up?x=1 GET"},
	} {
		if err := checkOnce(t, spec.OriginSpec{URL: server.url, Host: c.origin, Check: spec.CheckSpec{Path: "/up?x=1", Host: c.check}}); err != nil {
			t.Error(err)
		}
		if got := <-hosts; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestCheck_looksThroughTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(says("ok"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	roots := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	if err := checkOnce(t, spec.OriginSpec{URL: server.URL, Roots: roots, Check: spec.CheckSpec{Text: "ok"}}); err != nil {
		t.Error(err)
	}
	if err := checkOnce(t, spec.OriginSpec{URL: server.URL}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate nobody vouches for: %v", err)
	}
	for _, kind := range []string{spec.CheckHTTP, spec.CheckTCP} {
		if err := checkOnce(t, spec.OriginSpec{URL: nobody(t), Check: spec.CheckSpec{Type: kind}}); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s where nobody listens: %v", kind, err)
		}
	}
}

func TestCheck_takesNoLongerThanItMay(t *testing.T) {
	noLeak(t)
	for name, begin := range map[string]string{"says nothing": "", "stops in the head": "HTTP/1.1 200 OK\r\n", "stops in the text": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nI"} {
		url, _ := script(t, func(conn net.Conn, from *bufio.Reader) {
			take(from)
			_, _ = io.WriteString(conn, begin)
			_, _ = from.Peek(1)
		})
		if err := checkOnce(t, spec.OriginSpec{URL: url, Check: spec.CheckSpec{Timeout: spec.Duration(50 * time.Millisecond), Text: "well"}}); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
	url, _ := script(t, func(conn net.Conn, from *bufio.Reader) {
		take(from)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nI")
		_, _ = from.Peek(1)
	})
	const long = 20 * time.Second
	began := time.Now()
	if err := checkOnce(t, spec.OriginSpec{URL: url, Check: spec.CheckSpec{Timeout: spec.Duration(long)}}); err != nil || time.Since(began) > long/2 {
		t.Errorf("a good head with a body nobody asked about: %v after %v", err, time.Since(began))
	}
}

func TestCheck_turnsOnlyAfterSeveralInARow(t *testing.T) {
	wrong := errors.New("status 500")
	for _, c := range []struct{ checks, want string }{ // f failed, p passed; d down, u up after each
		{"ffffpppp", "uuddduuu"},
		{"fffpp", "uuddu"},
		{"ffpffpfff", "uuuuuuuud"},
		{"fffpfpfpp", "uuddddddu"},
		{"ppppfff", "uuuuuud"},
	} {
		g := idle(t, spec.OriginSpec{})
		got := ""
		for _, check := range c.checks {
			if check == 'f' {
				g.checked(g.servers[0], wrong)
			} else {
				g.checked(g.servers[0], nil)
			}
			if g.servers[0].check.down {
				got += "d"
			} else {
				got += "u"
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.checks, got, c.want)
		}
	}
}

func TestCheck_takesServersOutAndBringsThemBack(t *testing.T) {
	noLeak(t)
	var sick atomic.Bool
	var checks atomic.Int64
	handle := func(name string, sick *atomic.Bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/up" {
				checks.Add(1)
				if sick.Load() {
					w.WriteHeader(500)
				}
				return
			}
			says(name)(w, r)
		}
	}
	one, two := newBackend(t, handle("one", &sick)), newBackend(t, handle("two", new(atomic.Bool)))
	quick := spec.CheckSpec{Type: spec.CheckHTTP, Path: "/up", Interval: spec.Duration(5 * time.Millisecond), Timeout: spec.Duration(10 * time.Second), Passes: 2, Failures: 2}
	g := newGroup(t, spec.OriginSpec{Servers: []spec.ServerSpec{{URL: one.url}, {URL: two.url}}, Check: quick})
	sick.Store(true)
	eventually(t, "it is down", func() bool { return g.Servers()[0].State == "down" })
	if s := g.Servers()[0]; !strings.Contains(s.Why, "status 500") || time.Since(s.Since) > time.Minute {
		t.Errorf("%+v", s)
	}
	for range 10 {
		if body, why := ask(g, requestFrom("192.0.2.1")); body != "two" {
			t.Errorf("%q, %s", body, why)
		}
	}
	sick.Store(false)
	eventually(t, "it is coming back", func() bool { return g.Servers()[0].State == "careful" })
	eventually(t, "it answers again", func() bool { body, _ := ask(g, requestFrom("192.0.2.1")); return body == "one" })
	g.Close()
	n := checks.Load()
	first := newBackend(t, says("ok"))
	quick.Interval = spec.Duration(time.Hour)
	newGroup(t, spec.OriginSpec{URL: first.url, Check: quick})
	eventually(t, "the first check comes at once", func() bool { return first.asked.Load() == 1 })
	if checks.Load() > n {
		t.Error("a closed zone goes on checking")
	}
}

func TestCheck_asksAllWhenAllAreDownByChecksAlone(t *testing.T) {
	server := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.NotFound(w, r)
			return
		}
		says("ok")(w, r)
	})
	check := spec.CheckSpec{Type: spec.CheckHTTP, Interval: spec.Duration(5 * time.Millisecond), Timeout: spec.Duration(10 * time.Second), Failures: 1}
	for _, o := range []spec.OriginSpec{{URL: server.url, Check: check}, {Servers: []spec.ServerSpec{{URL: server.url}, {URL: server.url, Backup: true}}, Check: check}} {
		g := newGroup(t, o)
		eventually(t, "all are down", func() bool {
			for _, s := range g.Servers() {
				if s.State != "down" {
					return false
				}
			}
			return true
		})
		for range 10 {
			if body, why := ask(g, requestFrom("192.0.2.1")); body != "ok" {
				t.Errorf("%q, %s", body, why)
			}
		}
		g.Close()
	}
}

func TestCheck_endsWithItsZoneAtOnce(t *testing.T) {
	noLeak(t)
	for _, kind := range []string{spec.CheckHTTP, spec.CheckTCP} {
		hanging := newBackend(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		url := hanging.url
		if kind == spec.CheckTCP {
			url = "http://" + blackhole(t)
		}
		g := newGroup(t, spec.OriginSpec{URL: url, ConnectTimeout: spec.Duration(time.Hour), Check: spec.CheckSpec{Type: kind, Timeout: spec.Duration(time.Hour), Interval: spec.Duration(time.Hour)}})
		if kind == spec.CheckHTTP {
			eventually(t, "the check hangs", func() bool { return hanging.now.Load() == 1 })
		}
		g.Close() // returns, or the test never ends
		if state := g.Servers()[0].State; state != "well" {
			t.Errorf("%s: the end of the zone is taken for the server's: %s", kind, state)
		}
	}
	// Nor does a context that ends hold anything up.
	ctx, cancel := context.WithCancel(t.Context())
	hanging := newBackend(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if page, err := newGroup(t, spec.OriginSpec{URL: hanging.url}).Fetch(ctx, "/", 10); err == nil {
		t.Errorf("%+v", page)
	}
}

func TestFetch_bringsPages(t *testing.T) {
	server := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprint(w, r.URL.Path)
	})
	g := newGroup(t, spec.OriginSpec{Servers: []spec.ServerSpec{{URL: nobody(t)}, {URL: server.url}}})
	for most, want := range map[int]Page{
		5: {http.StatusTeapot, "text/css", []byte("/down"), true},
		4: {http.StatusTeapot, "text/css", []byte("/dow"), false},
	} {
		page, err := g.Fetch(t.Context(), "/down", most)
		if err != nil || fmt.Sprint(page) != fmt.Sprint(want) {
			t.Errorf("%d: %+v, %v", most, page, err)
		}
	}
}
