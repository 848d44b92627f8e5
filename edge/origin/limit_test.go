package origin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// blackhole returns an address where connections are neither taken nor
// refused: a listener whose backlog is full.
func blackhole(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 16 {
		conn, err := net.DialTimeout("tcp", address, 100*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Skip("this system's backlog cannot be filled")
	return ""
}

const brief = 200 * time.Millisecond

func TestTotal_endsARequestWhereverItIs(t *testing.T) {
	noLeak(t)
	silent := func(_ net.Conn, from *bufio.Reader) { take(from); _, _ = from.Peek(1) }
	middle := func(conn net.Conn, from *bufio.Reader) {
		take(from)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf ")
		_, _ = from.Peek(1)
	}
	drip := func(conn net.Conn, from *bufio.Reader) {
		take(from)
		_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		for ; err == nil; _, err = io.WriteString(conn, ".") {
			<-time.After(time.Millisecond)
		}
	}
	unread := func(_ net.Conn, from *bufio.Reader) { _, _ = io.Copy(io.Discard, from) }
	upload := func(x *exchange.Exchange) { // of which nothing comes
		x.Method, x.MethodName, x.Body, x.Length = exchange.MethodPost, []byte("POST"), newUpload(), 10
	}
	expects := func(x *exchange.Exchange) { upload(x); x.ExpectContinue = true }
	for _, c := range []struct {
		name   string
		handle func(net.Conn, *bufio.Reader)
		with   func(*exchange.Exchange)
		body   string
	}{
		{"connecting", nil, nil, ""},
		{"waiting for the first byte", silent, nil, ""},
		{"in the middle of the body", middle, nil, "half "},
		{"in a body that drips", drip, nil, "..."},
		{"uploading", unread, upload, ""},
		{"waiting to upload", silent, expects, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := ""
			if c.handle == nil {
				url = "http://" + blackhole(t)
			} else {
				url, _ = script(t, c.handle)
			}
			other := newBackend(t, says("other"))
			g := newGroup(t, spec.OriginSpec{TotalTimeout: spec.Duration(brief), Servers: []spec.ServerSpec{{URL: url}, {URL: other.url}}})
			x, _ := request("GET")
			if c.with != nil {
				c.with(x)
			}
			body, why := ask(g, x)
			if why != seawall.ReasonOriginTotal || len(body) < len(c.body) || len(c.body) < len("...") && body != "" {
				t.Errorf("%q, %s", body, why)
			}
			if n := g.servers[0].failures.Load(); n != 0 || other.asked.Load() != 0 {
				t.Errorf("%d failures of the server, %d requests to another", n, other.asked.Load())
			}
			if n := g.Stats().Idle; n != 0 {
				t.Errorf("%d connections kept", n)
			}
			g.Close()
		})
	}
}

func TestTotal_includesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := idle(t, spec.OriginSpec{MaxRequests: 1, Queue: spec.QueueSpec{Timeout: spec.Duration(time.Minute)}})
		mustChoose(t, g, requestFrom("192.0.2.1"))
		began := time.Now()
		_, err := g.acquire(requestFrom("192.0.2.1"), &choice{}, began.Add(2500*time.Millisecond))
		if reasonOf(err) != seawall.ReasonOriginTotal || time.Since(began) != 2500*time.Millisecond || g.Stats().Waiting != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestTotal_doesNotCutATunnel(t *testing.T) {
	noLeak(t)
	url, _ := script(t, func(conn net.Conn, from *bufio.Reader) {
		take(from)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(conn, from)
	})
	g := newGroup(t, spec.OriginSpec{URL: url, TotalTimeout: spec.Duration(time.Second)})
	x, _ := request("GET")
	x.Upgrade = true
	x.Fields.AddKnown(wire.Upgrade, []byte("websocket"))
	r, err := g.RoundTrip(x)
	if err != nil {
		t.Fatal(err)
	}
	over := time.After(time.Until(r.limit.end) + 10*time.Millisecond)
	peer, _ := r.Tunnel()
	<-over
	if _, err := peer.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	_ = peer.Close()
	r.Close()
}

func TestTotal_neverCutsAStranger(t *testing.T) {
	noLeak(t)
	// Answers take about as long as they may: timers fire while connections
	// change hands. A request that may not be repeated notices a cut.
	const total = 4 * time.Millisecond
	server := newBackend(t, func(w http.ResponseWriter, r *http.Request) {
		delay := total * time.Duration(len(r.URL.Path)%3+4) / 5
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
		says(r.URL.Path)(w, r)
	})
	g := newGroup(t, spec.OriginSpec{URL: server.url, TotalTimeout: spec.Duration(total), Breaker: spec.BreakerSpec{Off: true}})
	var visitors sync.WaitGroup
	for v := range 16 {
		visitors.Go(func() {
			for i := range 100 {
				x, _ := request("POST")
				path := fmt.Sprintf("/%d-%d", v, i*i*i)
				x.Target = []byte(path)
				began := time.Now()
				body, why := ask(g, x)
				switch {
				case why == seawall.ReasonNone && body == path:
				case why == seawall.ReasonOriginTotal && time.Since(began) >= total:
				default:
					t.Errorf("%s: %q, %s after %v", path, body, why, time.Since(began))
				}
			}
		})
	}
	visitors.Wait()
	if n := g.servers[0].active.Load(); n != 0 {
		t.Errorf("%d active in the end", n)
	}
	g.Close()
}

func TestRead_keepsToItsTimeForAVisitorWhoHasEndedHisSide(t *testing.T) {
	url, _ := script(t, func(_ net.Conn, from *bufio.Reader) { take(from); _, _ = from.Peek(1) })
	g := newGroup(t, spec.OriginSpec{URL: url, FirstByteTimeout: spec.Duration(brief)})
	x, out := request("GET")
	x.Out = ended{out}
	began := time.Now()
	if why := reasonFor(t, g, x); why != seawall.ReasonOriginTimeout || time.Since(began) > endedPatience/2 {
		t.Errorf("%s after %v", why, time.Since(began))
	}
}

// ended is a visitor who has nothing more to ask.
type ended struct{ *visitor }

func (ended) Ended() bool { return true }
