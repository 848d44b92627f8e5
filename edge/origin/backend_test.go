package origin

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/spec"
)

// backend is a real server that counts what it gets.
type backend struct {
	url       string
	accepted  atomic.Int64 // connections
	asked     atomic.Int64 // requests
	now, most atomic.Int64 // requests at the same time
}

func newBackend(t *testing.T, handle http.HandlerFunc) *backend {
	t.Helper()
	b := &backend{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		now := b.now.Add(1)
		defer b.now.Add(-1)
		for most := b.most.Load(); now > most && !b.most.CompareAndSwap(most, now); most = b.most.Load() {
		}
		handle(w, r)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			b.accepted.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// says is a handler that answers with a text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// hangsUp is a handler that closes the connection instead of answering.
func hangsUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// nobody returns the URL of a port where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// gone is a server that takes every connection and ends it.
func gone(t *testing.T) (url string, accepted *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted = &atomic.Int64{}
	done := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String(), accepted
}

// requestFrom makes an Exchange of a visitor with this address.
func requestFrom(address string) *exchange.Exchange {
	x, _ := request("GET")
	x.Client = netip.AddrPortFrom(netip.MustParseAddr(address), 1234)
	return x
}

// ask makes a request and returns the answer's body, or why there is none. It
// may be called from any goroutine.
func ask(g *Group, x *exchange.Exchange) (body string, why seawall.Reason) {
	r, err := g.RoundTrip(x)
	if err != nil {
		return "", reasonOf(err)
	}
	defer r.Close()
	for {
		data, err := r.Next()
		if err == io.EOF {
			return body, seawall.ReasonNone
		}
		if err != nil {
			return body, reasonOf(err)
		}
		body += string(data)
	}
}

func reasonOf(err error) seawall.Reason {
	var reasoned interface{ Reason() seawall.Reason }
	if errors.As(err, &reasoned) {
		return reasoned.Reason()
	}
	return seawall.ReasonNone
}

// noLeak fails the test if it ends with more goroutines than it has now.
func noLeak(t *testing.T) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Errorf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
				return
			}
		}
	})
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("it never came to this: " + what)
		}
	}
}

// idle makes a group of servers that are never asked: what chooses among them
// needs no sockets, and so can live in the time of testing/synctest.
func idle(t *testing.T, o spec.OriginSpec, servers ...spec.ServerSpec) *Group {
	t.Helper()
	for i := range servers {
		servers[i].URL = "http://127.0.0.1:1"
	}
	if len(servers) > 0 {
		o.Servers = servers
	} else {
		o.URL = "http://127.0.0.1:1"
	}
	return newGroup(t, o)
}

// turn is what became of a request that had to be chosen for.
type turn struct {
	visitor string
	slot    slot
	server  string
	why     seawall.Reason
	end     func() // of the request; nil when it got no server
}

// choose asks for a server for a request and says what became of it.
func choose(g *Group, x *exchange.Exchange) turn {
	visitor := x.Client.Addr().String()
	got, err := g.acquire(x, &choice{}, time.Time{})
	if err != nil {
		return turn{visitor: visitor, why: reasonOf(err)}
	}
	return turn{visitor, got, got.server.name, seawall.ReasonNone, func() { g.release(got) }}
}

// mustChoose is choose where there has to be a server.
func mustChoose(t *testing.T, g *Group, x *exchange.Exchange) turn {
	t.Helper()
	got := choose(g, x)
	if got.end == nil {
		t.Fatalf("no server: %s", got.why)
	}
	return got
}

// wrecked lets a server fail so often that it rests.
func wrecked(g *Group, s *server) {
	for range g.origin.Breaker.Failures {
		g.failed(slot{s, s.era.Load()}, fail(seawall.ReasonOriginUnreachable, errors.New("refused")), netip.Addr{})
	}
}
