package origin

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/resolve"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// visitor is a Stream that takes nothing and may be gone.
type visitor struct {
	exchange.Stream
	gone     atomic.Bool
	interims atomic.Int64
}

func (v *visitor) Flush() error                             { return nil }
func (v *visitor) Gone() bool                               { return v.gone.Load() }
func (v *visitor) Ended() bool                              { return false }
func (v *visitor) Interim(status int, _ *wire.Fields) error { v.interims.Add(1); return nil }

// request makes an Exchange as the ladder hands it over.
func request(method string) (*exchange.Exchange, *visitor) {
	out := &visitor{}
	x := &exchange.Exchange{
		Client: netip.MustParseAddrPort("192.0.2.7:1234"), Peer: netip.MustParseAddrPort("192.0.2.7:1234"), Method: exchange.ParseMethod([]byte(method)), MethodName: []byte(method),
		Minor: 1, Fields: &wire.Fields{}, Host: []byte("a.test"), Hostport: []byte("a.test"), Target: []byte("/x"), Out: out,
	}
	x.Event.Time = time.Now().UnixNano()
	return x, out
}

func newGroup(t *testing.T, o spec.OriginSpec) *Group {
	t.Helper()
	g, err := groupOf(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// groupOf makes a group that ends with the test.
func groupOf(t *testing.T, o spec.OriginSpec) (*Group, error) {
	t.Helper()
	resolver, err := resolve.New(resolve.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(resolver.Close)
	resolved := spec.ZoneSpec{Name: "a.test", Origin: o}.Resolved().Origin
	g, err := New(Config{Zone: "a.test", Host: "a.test", Origin: resolved, Shared: Shared{Resolver: resolver, LoopID: "edge-1"}})
	if err == nil {
		t.Cleanup(g.Close)
	}
	return g, err
}

// read returns a whole answer and closes it.
func read(t *testing.T, p *Group, x *exchange.Exchange) (int, string) {
	t.Helper()
	r, err := p.RoundTrip(x)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var body []byte
	for {
		data, err := r.Next()
		if err == io.EOF {
			return r.Answer.Status, string(body)
		}
		if err != nil {
			t.Fatal(err)
		}
		body = append(body, data...)
	}
}

// reasonFor returns why a request failed.
func reasonFor(t *testing.T, p *Group, x *exchange.Exchange) seawall.Reason {
	t.Helper()
	r, err := p.RoundTrip(x)
	if err == nil {
		r.Close()
		t.Fatal("no error")
	}
	var reasoned interface{ Reason() seawall.Reason }
	if !errors.As(err, &reasoned) {
		t.Fatal(err)
	}
	return reasoned.Reason()
}

// script is an origin that handles each connection in turn.
func script(t *testing.T, connections ...func(net.Conn, *bufio.Reader)) (url string, accepted *atomic.Int64) {
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
		for _, handle := range connections {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			handle(conn, bufio.NewReader(conn))
			_ = conn.Close()
		}
	}()
	return "http://" + listener.Addr().String(), accepted
}

func take(from *bufio.Reader) {
	if r, err := http.ReadRequest(from); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// answersOnceThenCloses looks alive when it is taken from the pool, and ends
// when it is used: the race that every keep-alive connection has.
func answersOnceThenCloses(conn net.Conn, from *bufio.Reader) {
	take(from)
	_, _ = io.WriteString(conn, ok)
	_, _ = from.Peek(1) // the next request has arrived; it is not answered
}

func answersAll(conn net.Conn, from *bufio.Reader) {
	for {
		if _, err := from.Peek(1); err != nil {
			return
		}
		take(from)
		_, _ = io.WriteString(conn, ok)
	}
}

func TestRoundTrip_repeatsOnlyWhatMayBeRepeated(t *testing.T) {
	for method, repeated := range map[string]bool{"GET": true, "HEAD": true, "DELETE": true, "POST": false, "PATCH": false, "PURGE": false} {
		url, accepted := script(t, answersOnceThenCloses, answersAll)
		p := newGroup(t, spec.OriginSpec{URL: url})
		first, _ := request("GET")
		read(t, p, first)
		x, _ := request(method)
		if !repeated {
			if reason := reasonFor(t, p, x); reason != seawall.ReasonOriginClosed {
				t.Errorf("%s: %s", method, reason)
			}
			if accepted.Load() != 1 {
				t.Errorf("%s was sent on %d connections", method, accepted.Load())
			}
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")) // ends the script's second part
			if err == nil {
				_ = conn.Close()
			}
			continue
		}
		if status, _ := read(t, p, x); status != 200 || accepted.Load() != 2 {
			t.Errorf("%s: %d on %d connections", method, status, accepted.Load())
		}
		p.Close() // ends answersAll
	}
}

func TestRoundTrip_saysWhatWentWrong(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Config.ErrorLog = nil
	defer secure.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, c := range []struct {
		name, url string
		want      seawall.Reason
	}{
		{"nobody listens", closed.URL, seawall.ReasonOriginUnreachable},
		{"no such name", "http://origin.invalid", seawall.ReasonOriginName},
		{"a certificate nobody vouches for", secure.URL, seawall.ReasonOriginTLS},
		{"no TLS there", strings.Replace(plain.URL, "http://", "https://", 1), seawall.ReasonOriginTLS},
	} {
		x, _ := request("GET")
		p := newGroup(t, spec.OriginSpec{URL: c.url, ConnectTimeout: spec.Duration(5 * time.Second)})
		if reason := reasonFor(t, p, x); reason != c.want {
			t.Errorf("%s: %s", c.name, reason)
		}
		if p.Stats().Failed != 1 {
			t.Errorf("%s: %+v", c.name, p.Stats())
		}
	}
	for _, url := range []string{"ftp://a", "http://", "://", "a.test:80"} {
		if _, err := groupOf(t, spec.OriginSpec{URL: url}); err == nil {
			t.Errorf("%q is taken for an origin", url)
		}
	}
}

func TestRoundTrip_endsWhenTheVisitorIsGone(t *testing.T) {
	asked := make(chan struct{})
	url, _ := script(t, func(_ net.Conn, from *bufio.Reader) {
		take(from)
		close(asked)
		_, _ = from.Peek(1) // never answers; ends with the connection
	})
	p := newGroup(t, spec.OriginSpec{URL: url})
	x, out := request("GET")
	go func() { <-asked; out.gone.Store(true) }()
	if reason := reasonFor(t, p, x); reason != seawall.ReasonVisitorGone {
		t.Error(reason)
	}
}

func TestRoundTrip_waitsNoLongerThanItMay(t *testing.T) {
	url, _ := script(t, func(_ net.Conn, from *bufio.Reader) { take(from); _, _ = from.Peek(1) })
	p := newGroup(t, spec.OriginSpec{URL: url, FirstByteTimeout: spec.Duration(80 * time.Millisecond)})
	x, _ := request("GET")
	if reason := reasonFor(t, p, x); reason != seawall.ReasonOriginTimeout {
		t.Error(reason)
	}
}

func TestPool_closesConnectionsThatNobodyUses(t *testing.T) {
	ended := make(chan struct{})
	url, _ := script(t, func(conn net.Conn, from *bufio.Reader) { answersAll(conn, from); close(ended) })
	p := newGroup(t, spec.OriginSpec{URL: url, KeepIdle: spec.Duration(20 * time.Millisecond)})
	for range 2 {
		x, _ := request("GET")
		if status, body := read(t, p, x); status != 200 || body != "ok" {
			t.Fatalf("%d %q", status, body)
		}
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("an idle connection was kept")
	}
	if s := p.Stats(); s.Idle != 0 || s.Opened != 1 || s.Reused != 1 {
		t.Errorf("%+v", s)
	}
}

func TestPool_keepsNothingOnceClosed(t *testing.T) {
	ended := make(chan struct{})
	url, _ := script(t, func(conn net.Conn, from *bufio.Reader) { answersAll(conn, from); close(ended) })
	p := newGroup(t, spec.OriginSpec{URL: url})
	x, _ := request("GET")
	r, err := p.RoundTrip(x)
	if err != nil {
		t.Fatal(err)
	}
	p.Close() // the request in flight goes on
	if data, err := r.Next(); err != nil || string(data) != "ok" {
		t.Errorf("%q, %v", data, err)
	}
	r.Close()
	<-ended
	if p.Stats().Idle != 0 {
		t.Error("a connection went back to a closed pool")
	}
}

func TestPool_neverUsesARestlessConnectionAgain(t *testing.T) {
	for name, answer := range map[string]string{
		"more than its length": ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"close":                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0":             "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			url, accepted := script(t, func(conn net.Conn, from *bufio.Reader) {
				take(from)
				_, _ = io.WriteString(conn, answer)
				_, _ = from.Peek(1)
			}, answersAll)
			p := newGroup(t, spec.OriginSpec{URL: url})
			for range 2 {
				x, _ := request("GET")
				if status, body := read(t, p, x); status != 200 || body != "ok" {
					t.Fatalf("%d %q", status, body)
				}
			}
			if accepted.Load() != 2 {
				t.Errorf("%d connections", accepted.Load())
			}
			p.Close()
		})
	}
}

func TestResponse_leavesNoGoroutineBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	url, _ := script(t, answersAll)
	p := newGroup(t, spec.OriginSpec{URL: url})
	for range 10 {
		x, _ := request("GET")
		read(t, p, x)
	}
	p.Close()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
