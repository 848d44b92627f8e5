package origin

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/resolve"
	"github.com/seawall-edge/seawall/spec"
)

// nameServer is a DNS server for which every name has the same IPv4 addresses.
type nameServer struct {
	address string
	asked   atomic.Int64 // for IPv4 addresses

	mu    sync.Mutex // guards addrs
	addrs []netip.Addr
}

func newNames(t *testing.T, addresses ...string) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &nameServer{address: conn.LocalAddr().String()}
	n.are(addresses...)
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		query := make([]byte, 1500)
		for {
			length, from, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			if answer := n.answer(query[:length]); answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return n
}

// are changes the addresses of all names.
func (n *nameServer) are(addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs = nil
	for _, a := range addresses {
		n.addrs = append(n.addrs, netip.MustParseAddr(a))
	}
}

// answer makes the answer to a query (RFC 1035, 4.1); an address lives for no
// time.
func (n *nameServer) answer(query []byte) []byte {
	end := 12
	for end < len(query) && query[end] != 0 {
		end += int(query[end]) + 1
	}
	if end += 5; end > len(query) {
		return nil
	}
	answer := append([]byte(nil), query[:end]...)
	answer[2], answer[3] = 0x84|answer[2]&1, 0x80
	clear(answer[6:12])
	if kind := binary.BigEndian.Uint16(query[end-4:]); kind != 1 {
		return answer // none of this type
	}
	n.asked.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	answer[7] = byte(len(n.addrs))
	for _, a := range n.addrs {
		four := a.As4()
		answer = append(append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), four[:]...)
	}
	return answer
}

// public makes a group whose names come from n, for a zone of somebody else.
func public(t *testing.T, n *nameServer, o spec.OriginSpec, own func(netip.AddrPort) bool) *Group {
	t.Helper()
	resolver, err := resolve.New(resolve.Config{Servers: []string{n.address}, Hosts: filepath.Join(t.TempDir(), "none"), Floor: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	o.PublicOnly = true
	g, err := New(Config{Zone: "a.test", Host: "a.test", Origin: spec.ZoneSpec{Name: "a.test", Origin: o}.Resolved().Origin, Shared: Shared{Resolver: resolver, Own: own}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(); resolver.Close() })
	return g
}

func TestDial_refusesAddressesThatNobodysSiteHas(t *testing.T) {
	noLeak(t)
	server := newBackend(t, says("secret"))
	port := server.url[strings.LastIndexByte(server.url, ':'):]
	n := newNames(t)
	for _, host := range []string{"127.0.0.1", "127.8.8.8", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "0.0.0.0", "[::]", "10.0.0.1", "192.168.1.1", "172.16.0.1",
		"169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[fe80::1]", "224.0.0.1", "255.255.255.255", "localhost", "shop.localhost"} {
		x, _ := request("GET")
		if why := reasonFor(t, public(t, n, spec.OriginSpec{URL: "http://" + host + port}, nil), x); why != seawall.ReasonOriginForbidden {
			t.Errorf("%s: %s", host, why)
		}
	}
	for _, address := range []string{"127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0"} {
		n.are(address, "192.168.0.1")
		g := public(t, n, spec.OriginSpec{URL: "http://shop.test" + port, Check: spec.CheckSpec{Type: "tcp", Interval: spec.Duration(time.Hour)}}, nil)
		x, _ := request("GET")
		if why := reasonFor(t, g, x); why != seawall.ReasonOriginForbidden {
			t.Errorf("a name for %s: %s", address, why)
		}
		if _, err := g.Fetch(t.Context(), "/", 10); reasonOf(err) != seawall.ReasonOriginForbidden {
			t.Errorf("a page from %s: %v", address, err)
		}
		if err := g.servers[0].checkOnce(t.Context()); reasonOf(err) != seawall.ReasonOriginForbidden {
			t.Errorf("a check of %s: %v", address, err)
		}
		g.Close()
	}
	if server.accepted.Load() != 0 {
		t.Errorf("%d connections", server.accepted.Load())
	}
	// Without the restriction the same is an origin like any other.
	x, _ := request("GET")
	if _, body := read(t, newGroup(t, spec.OriginSpec{URL: server.url}), x); body != "secret" {
		t.Error(body)
	}
}

func TestDial_looksAtTheAddressItConnectsTo(t *testing.T) {
	noLeak(t)
	server := newBackend(t, says("secret"))
	n := newNames(t, "198.41.0.4") // public; nothing is sent there
	g := public(t, n, spec.OriginSpec{URL: strings.Replace(server.url, "127.0.0.1", "rebound.test", 1)}, nil)
	resolver := g.config.Shared.Resolver
	if answer, err := resolver.Lookup(t.Context(), "rebound.test"); err != nil || len(answer.Addrs) != 1 {
		t.Fatalf("%+v, %v", answer, err)
	}
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("over"))
	if g.servers[0].forbidden(netip.MustParseAddr("198.41.0.4")) != "" {
		t.Fatal("a public address is forbidden")
	}
	if _, err := g.servers[0].dialTCP(over); reasonOf(err) == seawall.ReasonOriginForbidden {
		t.Fatal("the public address was refused")
	}
	n.are("127.0.0.1")
	eventually(t, "the name leads here", func() bool {
		answer, err := resolver.Lookup(t.Context(), "rebound.test")
		return err == nil && answer.Addrs[0].IsLoopback()
	})
	for range 3 {
		x, _ := request("GET")
		if why := reasonFor(t, g, x); why != seawall.ReasonOriginForbidden {
			t.Error(why)
		}
	}
	if server.accepted.Load() != 0 {
		t.Error("the second look at the name was not looked at")
	}
}

func TestDial_doesNotAskItself(t *testing.T) {
	n := newNames(t)
	own := func(a netip.AddrPort) bool { return a == netip.MustParseAddrPort("198.41.0.4:443") }
	for url, want := range map[string]string{"https://shop.test": "it is the edge itself", "http://shop.test": "", "https://shop.test:8443": ""} {
		g := public(t, n, spec.OriginSpec{URL: url}, own)
		if got := g.servers[0].forbidden(netip.MustParseAddr("198.41.0.4")); got != want {
			t.Errorf("%s: %q", url, got)
		}
	}
	n.are("198.41.0.4")
	x, _ := request("GET")
	if why := reasonFor(t, public(t, n, spec.OriginSpec{URL: "https://shop.test"}, own), x); why != seawall.ReasonOriginForbidden {
		t.Error(why)
	}
}

func TestDial_saysWhenANameHasNoAddress(t *testing.T) {
	n := newNames(t)
	x, _ := request("GET")
	if why := reasonFor(t, public(t, n, spec.OriginSpec{URL: "http://shop.test"}, nil), x); why != seawall.ReasonOriginName || n.asked.Load() == 0 {
		t.Errorf("%s, asked %d times", why, n.asked.Load())
	}
}
