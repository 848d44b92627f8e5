package http1

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// stub is a Handler that answers every request with one body.
type stub struct {
	body     []byte
	gathered atomic.Int64 // most bytes of answers that were held back
	refused  atomic.Int64
	last     atomic.Uint32              // the last refusal's reason
	seen     func(x *exchange.Exchange) // told of each request and refusal, unless nil
}

func (s *stub) Serve(x *exchange.Exchange) {
	if s.seen != nil {
		s.seen(x)
	}
	_ = x.Out.Begin(&exchange.Answer{Status: 200, Fields: &wire.Fields{}, Length: int64(len(s.body))})
	_ = x.Out.Write(s.body)
	_ = x.Out.End(nil)
	held := int64(len(x.Out.(*answer).c.b.out))
	for most := s.gathered.Load(); held > most && !s.gathered.CompareAndSwap(most, held); most = s.gathered.Load() {
	}
}

func (s *stub) Refuse(x *exchange.Exchange, reason seawall.Reason) {
	if s.seen != nil {
		s.seen(x)
	}
	s.refused.Add(1)
	s.last.Store(uint32(reason))
	if reason.Status() == 499 {
		return
	}
	answer := exchange.Answer{Status: reason.Status(), Fields: &wire.Fields{}}
	_ = x.Out.Begin(&answer)
	_ = x.Out.End(nil)
}

// start serves with a stub until the test ends.
func start(t *testing.T, config Config, change func(*Server)) (address string, handler *stub, server *Server) {
	t.Helper()
	return startOn(t, config, change, (*Server).Serve)
}

// startOn is start with another way to serve a listener.
func startOn(t *testing.T, config Config, change func(*Server), serve func(*Server, net.Listener) error) (address string, handler *stub, server *Server) {
	t.Helper()
	handler = &stub{body: []byte("hello")}
	config.Handler = handler
	server = New(config)
	if change != nil {
		change(server)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(server, listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		server.Drain(ctx)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if open, _ := server.Connections(); open != 0 {
			t.Errorf("%d connections are left", open)
		}
		server.mu.Lock()
		defer server.mu.Unlock()
		if len(server.addresses) != 0 {
			t.Errorf("connections are still counted for addresses: %v", server.addresses)
		}
	})
	return listener.Addr().String(), handler, server
}

func dial(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn, bufio.NewReader(conn)
}

// answered reads one answer and returns its body.
func answered(t *testing.T, from *bufio.Reader) (*http.Response, string) {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// until waits for a condition without sleeping.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

func TestConn_gathersAnswersWithinABound(t *testing.T) {
	for _, size := range []int{10, 30 << 10, 60 << 10, 1 << 20} {
		address, handler, _ := start(t, Config{}, func(s *Server) { s.config.Handler.(*stub).body = bytes.Repeat([]byte("x"), size) })
		conn, from := dial(t, address)
		requests := min(250, 8<<20/size)
		if _, err := io.WriteString(conn, strings.Repeat(get, requests)); err != nil {
			t.Fatal(err)
		}
		for i := range requests {
			if _, body := answered(t, from); len(body) != size {
				t.Fatalf("answer %d has %d bytes", i, len(body))
			}
		}
		const head = 512
		if most := handler.gathered.Load(); most > gatherLimit+head || size == 10 && most < 10*head/2 {
			t.Errorf("answers of %d bytes: %d bytes gathered", size, most)
		}
	}
}

func TestConn_goesOnAfterItSettled(t *testing.T) {
	address, _, server := start(t, Config{}, func(s *Server) { s.settle = 10 * time.Millisecond })
	conn, from := dial(t, address)
	for i := range 3 {
		_, _ = io.WriteString(conn, get)
		if _, body := answered(t, from); body != "hello" {
			t.Fatal(body)
		}
		until(t, "the connection to settle", func() bool { return server.calm.settled.Load() == int64(i+1) })
	}
}

// Settling down is no reason to lose the grace that a drain gives.
func TestConn_settlesWhileDraining(t *testing.T) {
	address, _, server := start(t, Config{}, func(s *Server) { s.settle = 200 * time.Millisecond })
	conn, from := dial(t, address)
	_, _ = io.WriteString(conn, get)
	answered(t, from)
	drained := make(chan int)
	go func() { drained <- server.Drain(t.Context()) }()
	until(t, "the connection to settle", func() bool { return server.calm.settled.Load() == 1 })
	_, _ = io.WriteString(conn, get)
	if response, body := answered(t, from); body != "hello" || !response.Close {
		t.Errorf("%q, close %v", body, response.Close)
	}
	if cut := <-drained; cut != 0 {
		t.Errorf("%d connections were cut", cut)
	}
}

func TestConn_isClosedWhenItStaysIdle(t *testing.T) {
	address, handler, _ := start(t, Config{IdleTimeout: 50 * time.Millisecond}, func(s *Server) { s.settle = 10 * time.Millisecond })
	conn, from := dial(t, address)
	_, _ = io.WriteString(conn, get)
	answered(t, from)
	if b, err := from.ReadByte(); err != io.EOF {
		t.Errorf("%q, %v; want a clean end", b, err)
	}
	if handler.refused.Load() != 0 {
		t.Error("an idle connection counts as a refused request")
	}
}

func TestConn_refusesAHeadThatTakesTooLong(t *testing.T) {
	address, handler, _ := start(t, Config{HeadTimeout: 50 * time.Millisecond}, nil)
	conn, from := dial(t, address)
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost:")
	if response, _ := answered(t, from); response.StatusCode != 408 || !response.Close {
		t.Errorf("%d, close %v", response.StatusCode, response.Close)
	}
	if seawall.Reason(handler.last.Load()) != seawall.ReasonHeadTimeout {
		t.Error(seawall.Reason(handler.last.Load()))
	}
	// Nothing at all, or line ends alone, is no request.
	for _, sent := range []string{"", "\r\n\r\n"} {
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, sent)
		if _, err := from.ReadByte(); err != io.EOF {
			t.Errorf("%q: %v", sent, err)
		}
	}
	if handler.refused.Load() != 1 {
		t.Errorf("%d refused", handler.refused.Load())
	}
}

func TestConn_skimsABodyNobodyWantedIfItIsThere(t *testing.T) {
	address, _, _ := start(t, Config{}, nil)
	conn, from := dial(t, address)
	post := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde"
	chunked := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	_, _ = io.WriteString(conn, post+chunked+get)
	for range 3 {
		if response, body := answered(t, from); response.StatusCode != 200 || body != "hello" || response.Close {
			t.Fatalf("%d %q", response.StatusCode, body)
		}
	}
	// One that has not come yet would have to be waited for: the connection ends.
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nabcde")
	if response, _ := answered(t, from); !response.Close {
		t.Error("the connection is offered for another request in the middle of a body")
	}
}

func TestServer_turnsAwayConnectionsAboveALimit(t *testing.T) {
	for _, c := range []struct {
		config Config
		reason seawall.Reason
	}{
		{Config{Connections: 2}, seawall.ReasonConnections},
		{Config{ConnectionsPerAddress: 2}, seawall.ReasonConnectionsPerAddress},
	} {
		address, handler, server := start(t, c.config, nil)
		var conns []net.Conn
		for range 2 {
			conn, from := dial(t, address)
			_, _ = io.WriteString(conn, get)
			answered(t, from)
			conns = append(conns, conn)
		}
		_, from := dial(t, address)
		if response, _ := answered(t, from); response.StatusCode != c.reason.Status() || seawall.Reason(handler.last.Load()) != c.reason {
			t.Errorf("%s: %d", c.reason, response.StatusCode)
		}
		_ = conns[0].Close()
		until(t, "the closed connection to be forgotten", func() bool { open, _ := server.Connections(); return open == 1 })
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, get)
		if response, _ := answered(t, from); response.StatusCode != 200 {
			t.Errorf("%s: a place is free, but %d", c.reason, response.StatusCode)
		}
	}
}

func TestServer_drainsWithoutLosingARequest(t *testing.T) {
	address, _, server := start(t, Config{}, nil)
	idle, fromIdle := dial(t, address)
	busy, fromBusy := dial(t, address)
	for _, c := range []struct {
		conn net.Conn
		from *bufio.Reader
	}{{idle, fromIdle}, {busy, fromBusy}} {
		_, _ = io.WriteString(c.conn, get)
		answered(t, c.from)
	}
	began, drained := time.Now(), make(chan int, 1)
	go func() { drained <- server.Drain(context.Background()) }()
	until(t, "the drain to begin", server.draining.Load)
	_, _ = io.WriteString(busy, get)
	if response, body := answered(t, fromBusy); body != "hello" || !response.Close {
		t.Errorf("during the drain: %q, close %v", body, response.Close)
	}
	if _, err := fromIdle.ReadByte(); err != io.EOF {
		t.Errorf("the idle connection: %v", err)
	}
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("idle connections were closed after %v, within the grace", took)
	}
	if cut := <-drained; cut != 0 {
		t.Errorf("%d cut", cut)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("connections are still accepted")
	}
}
