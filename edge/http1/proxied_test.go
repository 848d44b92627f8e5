package http1

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/proxyproto"
)

var (
	visitor = netip.MustParseAddrPort("203.0.113.7:4711")
	visited = netip.MustParseAddrPort("198.51.100.1:80")
)

const v1 = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\n"

func v2(source netip.AddrPort) string { return string(proxyproto.AppendV2(nil, source, visited)) }

// withAdditions appends an addition of version 2 to a header.
func withAdditions(header string, kind byte, value string) string {
	b := append([]byte(header), kind, byte(len(value)>>8), byte(len(value)))
	b = append(b, value...)
	binary.BigEndian.PutUint16(b[14:], uint16(len(b)-16))
	return string(b)
}

// guests notes on whose behalf requests came.
type guests struct {
	mu   sync.Mutex
	last netip.AddrPort
}

func (g *guests) see(t *testing.T) func(x *exchange.Exchange) {
	return func(x *exchange.Exchange) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.last = x.Client
		if x.Peer != x.Client || x.Event.Client != x.Client.Addr() {
			t.Errorf("client %v, peer %v, Event for %v", x.Client, x.Peer, x.Event.Client)
		}
	}
}

func (g *guests) latest() netip.AddrPort {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last
}

func everybody(netip.Addr) bool { return true }

// startProxied serves behind balancers with the given addresses.
func startProxied(t *testing.T, config Config, trusted func(netip.Addr) bool) (address string, handler *stub, server *Server, seen *guests) {
	t.Helper()
	seen = &guests{}
	change := func(s *Server) { s.config.Handler.(*stub).seen = seen.see(t) }
	serve := func(s *Server, l net.Listener) error { return s.ServeProxied(l, trusted) }
	address, handler, server = startOn(t, config, change, serve)
	return address, handler, server, seen
}

// dialWaiting connects and returns once the server waits for the first byte.
func dialWaiting(t *testing.T, address string, server *Server) (net.Conn, *conn) {
	t.Helper()
	outside, _ := dial(t, address)
	var inside *conn
	until(t, "the server to wait for the first byte", func() bool {
		inside = nil
		server.eachConn(func(c *conn) {
			if c.sock.TCP().RemoteAddr().String() == outside.LocalAddr().String() && c.waiting.Load() == idle {
				inside = c
			}
		})
		return inside != nil
	})
	return outside, inside
}

func TestServeProxied_takesTheAddressFromTheHeader(t *testing.T) {
	address, handler, _, seen := startProxied(t, Config{}, everybody)
	six := netip.MustParseAddrPort("[2001:db8::7]:99")
	for name, c := range map[string]struct {
		header string
		client netip.AddrPort // invalid: the peer's own
	}{
		"version 1":           {v1, visitor},
		"version 1, IPv6":     {"PROXY TCP6 2001:db8::7 2001:db8::1 99 80\r\n", six},
		"version 1, unknown":  {"PROXY UNKNOWN\r\n", netip.AddrPort{}},
		"version 2":           {v2(visitor), visitor},
		"version 2, IPv6":     {v2(six), six},
		"version 2, local":    {v2(netip.AddrPort{}), netip.AddrPort{}},
		"version 2, addition": {withAdditions(v2(visitor), 0x02, "shop.example"), visitor},
		"version 2, longest":  {withAdditions(v2(visitor), 0xe0, strings.Repeat("x", proxyproto.Longest-28-3)), visitor},
	} {
		t.Run(name, func(t *testing.T) {
			conn, from := dial(t, address)
			if !c.client.IsValid() {
				c.client = conn.LocalAddr().(*net.TCPAddr).AddrPort()
			}
			// Header and two requests in one segment, then one on its own.
			_, _ = io.WriteString(conn, c.header+get+get)
			for i := range 3 {
				if response, body := answered(t, from); response.StatusCode != 200 || body != "hello" || response.Close {
					t.Fatalf("request %d: %d %q, close %v", i, response.StatusCode, body, response.Close)
				}
				if seen.latest() != c.client {
					t.Errorf("request %d: from %v, want %v", i, seen.latest(), c.client)
				}
				if i == 1 {
					_, _ = io.WriteString(conn, get)
				}
			}
		})
	}
	if handler.refused.Load() != 0 {
		t.Errorf("%d refused", handler.refused.Load())
	}
}

func TestServeProxied_takesAHeaderThatIsSplitAnywhere(t *testing.T) {
	address, _, server, seen := startProxied(t, Config{}, everybody)
	for _, header := range []string{v1, v2(visitor), "PROXY UNKNOWN\r\n"} {
		whole := header + get
		for split := 1; split <= len(header); split++ {
			outside, inside := dialWaiting(t, address, server)
			_, _ = io.WriteString(outside, whole[:split])
			if split < len(header) {
				until(t, "the first part to be read", func() bool { return inside.waiting.Load() == busy })
			}
			_, _ = io.WriteString(outside, whole[split:])
			reply := make([]byte, 12)
			if _, err := io.ReadFull(outside, reply); err != nil || string(reply) != "HTTP/1.1 200" {
				t.Fatalf("%q split after %d: %q, %v", header, split, reply, err)
			}
			if got := seen.latest(); got != visitor && !strings.Contains(header, "UNKNOWN") {
				t.Errorf("%q split after %d: from %v", header, split, got)
			}
			_ = outside.Close()
		}
	}
}

func TestServeProxied_refusesWhatIsNoHeader(t *testing.T) {
	address, handler, _, seen := startProxied(t, Config{}, everybody)
	tooLong := []byte(v2(visitor))
	binary.BigEndian.PutUint16(tooLong[14:], 5000)
	for i, start := range []string{
		get,
		"\r\n" + get,
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", // TLS
		"PROXY TCP4 203.0.113.7\r\n",
		"PROXY UNKNOWN " + strings.Repeat("x", 200),
		"proxy tcp4",
		string(tooLong),
		withAdditions(v2(visitor), 0x03, "sum?"),
	} {
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, start)
		if response, _ := answered(t, from); response.StatusCode != 400 || !response.Close {
			t.Errorf("%q: %d, close %v", start, response.StatusCode, response.Close)
		}
		if b, err := from.ReadByte(); err != io.EOF {
			t.Errorf("%q: %q, %v after the refusal", start, b, err)
		}
		if reason := seawall.Reason(handler.last.Load()); reason != seawall.ReasonProxyHeader || handler.refused.Load() != int64(i+1) {
			t.Errorf("%q: %s, %d refused", start, reason, handler.refused.Load())
		}
		if own := conn.LocalAddr().(*net.TCPAddr).AddrPort(); seen.latest() != own {
			t.Errorf("%q: refused for %v, not for the peer %v", start, seen.latest(), own)
		}
		_ = conn.Close()
	}
}

func TestServeProxied_waitsForAHeaderOnlySoLong(t *testing.T) {
	address, handler, _, _ := startProxied(t, Config{HeadTimeout: 500 * time.Millisecond}, everybody)
	// Who says nothing at all, or nothing after the header, has not asked.
	half, quiet := []string{v1[:20], v2(visitor)[:4], v2(visitor)[:20]}, []string{"", v1, v2(netip.AddrPort{})}
	var readers []*bufio.Reader
	for _, sent := range slices.Concat(half, quiet) {
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, sent)
		readers = append(readers, from)
	}
	for i, sent := range half {
		if response, _ := answered(t, readers[i]); response.StatusCode != 400 || !response.Close {
			t.Errorf("%q: %d, close %v", sent, response.StatusCode, response.Close)
		}
	}
	for i, sent := range quiet {
		if _, err := readers[len(half)+i].ReadByte(); err != io.EOF {
			t.Errorf("%q: %v", sent, err)
		}
	}
	if reason := seawall.Reason(handler.last.Load()); handler.refused.Load() != int64(len(half)) || reason != seawall.ReasonProxyHeader {
		t.Errorf("%d refused, the last for %s", handler.refused.Load(), reason)
	}
}

func TestServeProxied_countsAPeerThatLeavesInTheMiddle(t *testing.T) {
	address, handler, server, _ := startProxied(t, Config{}, everybody)
	for _, sent := range []string{"", v1[:10]} {
		conn, _ := dialWaiting(t, address, server)
		_, _ = io.WriteString(conn, sent)
		_ = conn.Close()
		until(t, "the connection to be forgotten", func() bool { open, _ := server.Connections(); return open == 0 })
	}
	if reason := seawall.Reason(handler.last.Load()); handler.refused.Load() != 1 || reason != seawall.ReasonVisitorGone {
		t.Errorf("%d refused, the last for %s", handler.refused.Load(), reason)
	}
}

func TestServeProxied_believesOnlyItsPeers(t *testing.T) {
	for name, trusted := range map[string]func(netip.Addr) bool{
		"nobody": nil,
		"others": netip.MustParsePrefix("192.0.2.0/24").Contains,
	} {
		address, handler, _, seen := startProxied(t, Config{}, trusted)
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, get)
		if response, _ := answered(t, from); response.StatusCode != 200 {
			t.Errorf("%s: a visitor without a header gets %d", name, response.StatusCode)
		}
		for _, header := range []string{v1, v2(visitor)} {
			conn, from := dial(t, address)
			_, _ = io.WriteString(conn, header+get)
			if response, _ := answered(t, from); response.StatusCode != 400 || !response.Close {
				t.Errorf("%s: %q: %d", name, header, response.StatusCode)
			}
			if reason := seawall.Reason(handler.last.Load()); reason != seawall.ReasonRequestLine {
				t.Errorf("%s: %q: %s", name, header, reason)
			}
			if own := conn.LocalAddr().(*net.TCPAddr).AddrPort(); seen.latest() != own {
				t.Errorf("%s: %q is taken for %v", name, header, seen.latest())
			}
		}
	}
}

// The peers' own address is no reason to refuse visitors behind it.
func TestServeProxied_limitsTheAnnouncedAddress(t *testing.T) {
	address, handler, server, seen := startProxied(t, Config{ConnectionsPerAddress: 2}, everybody)
	other := netip.MustParseAddrPort("203.0.113.8:4711")
	ask := func(header string) (net.Conn, int) {
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, header+get)
		response, _ := answered(t, from)
		return conn, response.StatusCode
	}
	var open []net.Conn
	for _, header := range []string{v1, v2(visitor), v2(other), v2(other), v2(netip.AddrPort{}), "PROXY UNKNOWN\r\n"} {
		conn, status := ask(header)
		if status != 200 {
			t.Fatalf("%q: %d", header, status)
		}
		open = append(open, conn)
	}
	for header, client := range map[string]netip.Addr{
		v1:                      visitor.Addr(),
		v2(other):               other.Addr(),
		v2(netip.AddrPort{}):    netip.MustParseAddr("127.0.0.1"),
		v2(visitor) + get + v1:  visitor.Addr(),
		"PROXY UNKNOWN foo\r\n": netip.MustParseAddr("127.0.0.1"),
	} {
		conn, status := ask(header)
		if status != 429 || seen.latest().Addr() != client {
			t.Errorf("%q: %d for %v", header, status, seen.latest())
		}
		_ = conn.Close()
		if reason := seawall.Reason(handler.last.Load()); reason != seawall.ReasonConnectionsPerAddress {
			t.Errorf("%q: %s", header, reason)
		}
	}
	// None of those was counted, nor is one that names nobody yet.
	silent, _ := dialWaiting(t, address, server)
	_ = silent.Close()
	until(t, "the others to be forgotten", func() bool { n, _ := server.Connections(); return n == len(open) })
	server.mu.Lock()
	for address, n := range server.addresses {
		if n != 2 || len(server.addresses) != 3 {
			t.Errorf("%d connections are counted for %v", n, address)
		}
	}
	server.mu.Unlock()
	_ = open[0].Close()
	until(t, "the place to be free again", func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return server.addresses[visitor.Addr()] == 1
	})
	if _, status := ask(v1); status != 200 {
		t.Errorf("a place is free, but %d", status)
	}
}

// Peers that keep silent must not hold more connections than there may be.
func TestServeProxied_countsConnectionsBeforeTheirHeader(t *testing.T) {
	address, handler, server, _ := startProxied(t, Config{Connections: 1}, everybody)
	silent, _ := dialWaiting(t, address, server)
	_, from := dial(t, address)
	if response, _ := answered(t, from); response.StatusCode != 503 || seawall.Reason(handler.last.Load()) != seawall.ReasonConnections {
		t.Errorf("beside a silent one: %d", response.StatusCode)
	}
	_ = silent.Close()
	until(t, "the silent one to be forgotten", func() bool { open, _ := server.Connections(); return open == 0 })
	conn, from := dial(t, address)
	_, _ = io.WriteString(conn, v1+get)
	if response, _ := answered(t, from); response.StatusCode != 200 {
		t.Errorf("a place is free, but %d", response.StatusCode)
	}
}

func TestServeProxied_drainsWhileItWaitsForHeaders(t *testing.T) {
	address, handler, server, seen := startProxied(t, Config{HeadTimeout: 10 * time.Second}, everybody)
	silent, _ := dialWaiting(t, address, server)
	late, inside := dialWaiting(t, address, server)
	half, insideHalf := dialWaiting(t, address, server)
	_, _ = io.WriteString(late, v1[:10])
	_, _ = io.WriteString(half, v1[:10])
	until(t, "half a header to be read", func() bool { return inside.waiting.Load() == busy && insideHalf.waiting.Load() == busy })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	drained := make(chan int, 1)
	go func() { drained <- server.Drain(ctx) }()
	until(t, "the drain to begin", server.draining.Load)
	_, _ = io.WriteString(late, v1[10:]+get)
	reply, err := io.ReadAll(late)
	if err != nil || !strings.HasPrefix(string(reply), "HTTP/1.1 200") || !strings.Contains(string(reply), "Connection: close") {
		t.Errorf("header and request within the grace: %q, %v", reply, err)
	}
	if seen.latest() != visitor {
		t.Error(seen.latest())
	}
	_ = late.Close()
	if n, err := silent.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("who sent nothing: %d, %v", n, err)
	}
	until(t, "the others to be forgotten", func() bool { open, _ := server.Connections(); return open == 1 })
	cancel() // half a header is cut like half a request
	if cut := <-drained; cut != 1 {
		t.Errorf("%d cut", cut)
	}
	until(t, "the half header to be counted", func() bool { return handler.refused.Load() == 1 })
}
