package origin

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// letter is a body that has arrived whole.
type letter struct{ text string }

func (l *letter) Ready() ([]byte, bool)  { return []byte(l.text), true }
func (l *letter) Next() ([]byte, error)  { return nil, io.EOF }
func (l *letter) Take()                  {}
func (l *letter) Interrupt()             {}
func (l *letter) Trailers() *wire.Fields { return nil }

// echoes is a handler that answers with the method and the body it got.
func echoes(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s %s %v", r.Method, body, err)
}

// withBody gives a request a body, whole at once or in pieces.
func withBody(x *exchange.Exchange, text string, pieces bool) {
	x.Length = int64(len(text))
	if !pieces {
		x.Body = &letter{text}
		return
	}
	body := newUpload()
	x.Body = body
	go func() {
		for part := range strings.SplitAfterSeq(text, " ") {
			select {
			case body.pieces <- []byte(part):
			case <-body.stop:
				return
			}
		}
		close(body.pieces)
	}()
}

func TestRetry_goesOnWhereNothingReachedTheServer(t *testing.T) {
	noLeak(t)
	second := newBackend(t, echoes)
	for _, c := range []struct {
		method, body string
		pieces       bool
	}{{"GET", "", false}, {"POST", "", false}, {"POST", "to be or not", false}, {"POST", "to be or not", true}, {"PATCH", "x", true}} {
		second.asked.Store(0)
		g := newGroup(t, spec.OriginSpec{Servers: []spec.ServerSpec{{URL: nobody(t)}, {URL: second.url}}})
		x, _ := request(c.method)
		if c.body != "" {
			withBody(x, c.body, c.pieces)
		}
		if body, why := ask(g, x); body != c.method+" "+c.body+" <nil>" || why != seawall.ReasonNone || second.asked.Load() != 1 {
			t.Errorf("%+v: %q, %s, asked %d times", c, body, why, second.asked.Load())
		}
		if g.servers[0].failures.Load() != 1 || g.servers[1].failures.Load() != 0 || g.servers[0].active.Load() != 0 || g.servers[1].active.Load() != 0 {
			t.Errorf("%+v: %+v", c, g.Servers())
		}
		g.Close()
	}
}

func TestRetry_placesNoOrderTwice(t *testing.T) {
	noLeak(t)
	for _, c := range []struct {
		method, body string
		pieces, goes bool
	}{
		{"GET", "", false, true}, {"HEAD", "", false, true}, {"PUT", "", false, true}, {"DELETE", "", false, true}, {"OPTIONS", "", false, true},
		{"POST", "", false, false}, {"PATCH", "", false, false}, {"PURGE", "", false, false},
		{"POST", "order", false, false}, {"POST", "order", true, false}, {"PUT", "state", false, false}, {"PUT", "state", true, false}, {"GET", "fat", false, false},
	} {
		first, second := newBackend(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}), newBackend(t, echoes)
		// An order that is placed again without its body must not keep us long.
		const soon = spec.Duration(2 * time.Second)
		g := newGroup(t, spec.OriginSpec{Servers: []spec.ServerSpec{{URL: first.url}, {URL: second.url}}, FirstByteTimeout: soon, IdleTimeout: soon})
		x, _ := request(c.method)
		if c.body != "" {
			withBody(x, c.body, c.pieces)
		}
		_, why := ask(g, x)
		if c.goes != (why == seawall.ReasonNone) || !c.goes && why != seawall.ReasonOriginClosed {
			t.Errorf("%+v: %s", c, why)
		}
		if total := first.asked.Load() + second.asked.Load(); c.goes != (total == 2) {
			t.Errorf("%+v: sent %d times", c, total)
		}
		g.Close()
	}
}

func TestRetry_goesOnFromABalancerWithNobodyBehindIt(t *testing.T) {
	url, _ := gone(t)
	second := newBackend(t, echoes)
	g := newGroup(t, spec.OriginSpec{Breaker: spec.BreakerSpec{Off: true}, Servers: []spec.ServerSpec{{URL: url}, {URL: second.url}}})
	for range 50 {
		x, _ := request("GET")
		if body, why := ask(g, x); body != "GET  <nil>" {
			t.Fatalf("%q, %s", body, why)
		}
	}
	if n := g.servers[0].failures.Load(); n == 0 {
		t.Error("none of its failures count")
	}
}

func TestRetry_doesNotGoOn(t *testing.T) {
	noLeak(t)
	hints := func(conn net.Conn, from *bufio.Reader) {
		take(from)
		_, _ = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n")
	}
	half := func(conn net.Conn, from *bufio.Reader) {
		take(from)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-")
	}
	garbage := func(conn net.Conn, from *bufio.Reader) {
		take(from)
		_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n\r\n")
	}
	hangs := func(_ net.Conn, from *bufio.Reader) { take(from); _, _ = from.Peek(1) }
	for _, c := range []struct {
		name   string
		handle func(net.Conn, *bufio.Reader)
		origin spec.OriginSpec
		want   seawall.Reason
	}{
		{"after an interim answer", hints, spec.OriginSpec{}, seawall.ReasonOriginClosed},
		{"in the middle of a head", half, spec.OriginSpec{}, seawall.ReasonOriginMalformed},
		{"after nonsense", garbage, spec.OriginSpec{}, seawall.ReasonOriginMalformed},
		{"when no answer comes in time", hangs, spec.OriginSpec{FirstByteTimeout: spec.Duration(50 * time.Millisecond)}, seawall.ReasonOriginTimeout},
		{"when the owner forbids it", func(_ net.Conn, from *bufio.Reader) { take(from) }, spec.OriginSpec{NoRetry: true}, seawall.ReasonOriginClosed},
		{"when the owner forbids it and nobody listens", nil, spec.OriginSpec{NoRetry: true}, seawall.ReasonOriginUnreachable},
	} {
		url := nobody(t)
		if c.handle != nil {
			url, _ = script(t, c.handle)
		}
		second := newBackend(t, echoes)
		c.origin.Servers = []spec.ServerSpec{{URL: url}, {URL: second.url}}
		g := newGroup(t, c.origin)
		x, out := request("GET")
		if why := reasonFor(t, g, x); why != c.want || second.asked.Load() != 0 {
			t.Errorf("%s: %s, the second server was asked %d times", c.name, why, second.asked.Load())
		}
		if c.name == "after an interim answer" && out.interims.Load() != 1 {
			t.Error("the visitor did not get the interim answer")
		}
		g.Close()
	}
}

func TestRetry_asksNoMoreThanThreeServers(t *testing.T) {
	var all []*backend
	o := spec.OriginSpec{}
	for range 5 {
		b := newBackend(t, hangsUp)
		all = append(all, b)
		o.Servers = append(o.Servers, spec.ServerSpec{URL: b.url})
	}
	g := newGroup(t, o)
	x, _ := request("GET")
	if why := reasonFor(t, g, x); why != seawall.ReasonOriginClosed {
		t.Error(why)
	}
	asked := int64(0)
	for _, b := range all {
		if b.asked.Load() > 1 {
			t.Error("one server was asked twice")
		}
		asked += b.asked.Load()
	}
	if asked != 3 {
		t.Errorf("%d servers were asked", asked)
	}
}

func TestRetry_saysWhatTheLastServerDid(t *testing.T) {
	hung, dead := newBackend(t, hangsUp), nobody(t)
	for _, c := range []struct {
		servers []spec.ServerSpec
		want    seawall.Reason
	}{
		{[]spec.ServerSpec{{URL: hung.url}, {URL: dead}}, seawall.ReasonOriginUnreachable},
		{[]spec.ServerSpec{{URL: dead}, {URL: hung.url}}, seawall.ReasonOriginClosed},
		{[]spec.ServerSpec{{URL: dead}, {URL: "http://origin.invalid", Backup: true}}, seawall.ReasonOriginName},
	} {
		x, _ := request("GET")
		if why := reasonFor(t, newGroup(t, spec.OriginSpec{Servers: c.servers}), x); why != c.want {
			t.Errorf("%+v: %s", c.servers, why)
		}
	}
	// One that rests is not asked, and the reason is still the last one's.
	g := newGroup(t, spec.OriginSpec{Servers: []spec.ServerSpec{{URL: dead}, {URL: hung.url}}})
	wrecked(g, g.servers[1])
	x, _ := request("GET")
	if why := reasonFor(t, g, x); why != seawall.ReasonOriginUnreachable {
		t.Error(why)
	}
}
