package resolve

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

// These tests use real sockets and the real time.

func TestWire_asksBothFamiliesFromUnforeseeablePorts(t *testing.T) {
	noLeaks(t)
	var lines []string
	for i := range 20 {
		lines = append(lines, fmt.Sprintf("n%d.example.test. 60 A 192.0.2.1", i), fmt.Sprintf("n%d.example.test. 60 AAAA 2001:db8::1", i))
	}
	s := newServer(t, lines...)
	address, ports := s.listen(t)
	r := newResolver(t, Config{Servers: []string{address}}, nil)
	for i := range 20 {
		want(t, lookup(t, r, fmt.Sprintf("n%d.example.test", i)), "2001:db8::1 192.0.2.1")
	}
	wantCount(t, s, "udp A ", 20)
	wantCount(t, s, "udp AAAA ", 20)
	seen := ports()
	slices.Sort(seen)
	if n := len(slices.Compact(seen)); n < 20 {
		t.Errorf("40 questions came from %d ports", n)
	}
	ids := map[uint16]bool{}
	var queries []*dns.Msg
	s.change(func() { queries = s.queries })
	for _, q := range queries {
		ids[q.Id] = true
		opt := q.IsEdns0()
		if opt == nil || opt.UDPSize() != 1232 || !q.RecursionDesired || opt.Do() {
			t.Fatalf("asked: %v", q)
		}
	}
	if len(ids) < 38 {
		t.Errorf("40 questions with %d identifiers", len(ids))
	}
}

func TestWire_asksOverTCPWhatIsTooLong(t *testing.T) {
	noLeaks(t)
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("www.example.test. 60 A 198.51.100.%d", i))
	}
	s := newServer(t, append(lines, "www.example.test. 60 AAAA 2001:db8::1")...)
	address, _ := s.listen(t)
	r := newResolver(t, Config{Servers: []string{address}}, nil)
	answer, err := r.Lookup(t.Context(), "www.example.test")
	if err != nil || len(answer.Addrs) != mostAddrs+1 {
		t.Errorf("got %v, %v", answer, err)
	}
	wantCount(t, s, "tcp A ", 1)
	wantCount(t, s, "tcp AAAA ", 0)
}

func TestWire_ignoresWhatItDidNotAskFor(t *testing.T) {
	noLeaks(t)
	s := dualServer(t)
	s.bend = func(_ string, _, a *dns.Msg) []*dns.Msg {
		id, question := a.Copy(), a.Copy()
		id.Id++
		id.Answer = nil
		question.Question[0].Name = "evil.example.test."
		question.Answer = nil
		return []*dns.Msg{id, question, a}
	}
	address, _ := s.listen(t)
	r := newResolver(t, Config{Servers: []string{address}}, nil)
	want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.1 192.0.2.2")
	wantCount(t, s, "", 2)
}

func TestWire_asksTheNextServerWhenOneIsSilentOrAbsent(t *testing.T) {
	noLeaks(t)
	silent, s := newServer(t), dualServer(t)
	silent.silent = true
	silentAddress, _ := silent.listen(t)
	address, _ := s.listen(t)
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	r := newResolver(t, Config{Servers: []string{gone.LocalAddr().String(), silentAddress, address}}, nil)
	r.patience = serverTime
	want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.1 192.0.2.2")
	wantCount(t, silent, "", 2)
}

func TestWire_closesWhileAsking(t *testing.T) {
	noLeaks(t)
	s := newServer(t)
	s.silent = true
	address, _ := s.listen(t)
	asked := make(chan struct{}, 10)
	r := newResolver(t, Config{Servers: []string{address, address, address}}, nil)
	dial := r.dial
	r.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		asked <- struct{}{}
		return conn, err
	}
	failed := make(chan error)
	go func() {
		_, err := r.Lookup(t.Context(), "www.example.test")
		failed <- err
	}()
	<-asked
	<-asked
	r.Close()
	if err := <-failed; err == nil {
		t.Error("a look-up succeeded without a server")
	}
	if n := len(asked); n > 0 {
		t.Errorf("asked %d times more", n) // Close ended the two questions; nobody was asked next
	}
}

func TestWire_connectsToWhatItResolved(t *testing.T) {
	noLeaks(t)
	origin, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer origin.Close()
	port := origin.Addr().(*net.TCPAddr).AddrPort().Port()
	s := newServer(t, "www.example.test. 60 A 127.0.0.1")
	address, _ := s.listen(t)
	r := newResolver(t, Config{Servers: []string{address}}, nil)
	answer, err := r.Lookup(t.Context(), "www.example.test")
	if err != nil {
		t.Fatal(err)
	}
	conn, to, err := Dial(t.Context(), append(answer.Addrs, netip.IPv6Loopback()), port, func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", to.String())
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	want(t, to.String(), fmt.Sprintf("127.0.0.1:%d", port))
}
