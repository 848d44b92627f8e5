package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// fakeServer is a DNS server whose zone and manners a test may change at any
// time. It stands behind real sockets (listen) or, where time is to be not
// real, behind pipes (network).
type fakeServer struct {
	mu      sync.Mutex
	records map[string][]dns.RR      // by "name. TYPE"
	rcodes  map[uint16]int           // by type: answer with this instead
	late    map[uint16]time.Duration // by type
	silent  bool
	bend    func(network string, q, a *dns.Msg) []*dns.Msg // what to send for the right answer
	asked   []string                                       // "network TYPE name."
	queries []*dns.Msg
}

const soa = "example.test. 300 IN SOA ns.example.test. root.example.test. 1 3600 600 86400 30"

func newServer(t testing.TB, lines ...string) *fakeServer {
	s := &fakeServer{records: map[string][]dns.RR{}, rcodes: map[uint16]int{}, late: map[uint16]time.Duration{}}
	s.put(t, append(lines, soa)...)
	return s
}

// put replaces the records of each name and type that it is given.
func (s *fakeServer) put(t testing.TB, lines ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := map[string][]dns.RR{}
	for _, line := range lines {
		record, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		key := record.Header().Name + " " + dns.TypeToString[record.Header().Rrtype]
		fresh[key] = append(fresh[key], record)
	}
	for key, records := range fresh {
		s.records[key] = records
	}
}

func (s *fakeServer) drop(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		delete(s.records, key)
	}
}

// change changes the server's manners under its lock.
func (s *fakeServer) change(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
}

// count returns how many questions began with prefix ("udp A "), all by default.
func (s *fakeServer) count(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.asked {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// respond returns what to send to a query, and after how long.
func (s *fakeServer) respond(network string, raw []byte) (answers [][]byte, late time.Duration) {
	q := new(dns.Msg)
	if q.Unpack(raw) != nil || len(q.Question) != 1 {
		return nil, 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := q.Question[0].Qtype
	s.asked = append(s.asked, fmt.Sprintf("%s %s %s", network, dns.TypeToString[kind], q.Question[0].Name))
	s.queries = append(s.queries, q)
	if s.silent {
		return nil, 0
	}
	a := s.zone(q)
	if rcode, ok := s.rcodes[kind]; ok {
		a.Rcode, a.Answer, a.Ns = rcode, nil, nil
	}
	all := []*dns.Msg{a}
	if s.bend != nil {
		all = s.bend(network, q, a)
	}
	for _, a := range all {
		if packed, err := a.Pack(); err == nil {
			if network == "udp" && len(packed) > udpSize(q) {
				a = a.Copy()
				a.Truncate(udpSize(q))
				packed, _ = a.Pack()
			}
			answers = append(answers, packed)
		}
	}
	return answers, s.late[kind]
}

func udpSize(q *dns.Msg) int {
	if opt := q.IsEdns0(); opt != nil {
		return int(opt.UDPSize())
	}
	return dns.MinMsgSize
}

// zone is the right answer to a query.
func (s *fakeServer) zone(q *dns.Msg) *dns.Msg {
	a := new(dns.Msg)
	a.SetReply(q)
	a.RecursionAvailable = true
	a.Compress = true
	name := strings.ToLower(q.Question[0].Name)
	for range 20 {
		if cname := s.records[name+" CNAME"]; len(cname) > 0 {
			a.Answer = append(a.Answer, cname...)
			name = cname[0].(*dns.CNAME).Target
			continue
		}
		a.Answer = append(a.Answer, s.records[name+" "+dns.TypeToString[q.Question[0].Qtype]]...)
		break
	}
	exists := false
	for key := range s.records {
		exists = exists || strings.HasPrefix(key, name+" ")
	}
	if !exists {
		a.Rcode = dns.RcodeNameError
	}
	if len(a.Answer) == 0 || !exists {
		a.Ns = s.records["example.test. SOA"]
	}
	return a
}

// serve answers on one connection until the other side closes it.
func (s *fakeServer) serve(network string, conn net.Conn) {
	defer conn.Close()
	for buffer := make([]byte, 65536); ; {
		n, err := 0, error(nil)
		if network == "tcp" {
			if _, err = io.ReadFull(conn, buffer[:2]); err == nil {
				n, err = io.ReadFull(conn, buffer[:binary.BigEndian.Uint16(buffer)])
			}
		} else {
			n, err = conn.Read(buffer)
		}
		if err != nil {
			return
		}
		answers, late := s.respond(network, buffer[:n])
		<-time.After(late)
		for _, answer := range answers {
			if network == "tcp" {
				answer = append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// network is a net of pipes: servers by "address:port". One that is nil has
// its door shut.
type network map[string]*fakeServer

// dialer returns a function that connects, for as long as running is not
// waited for.
func (n network) dialer(running *sync.WaitGroup) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, network, address string) (net.Conn, error) {
		s := n[address]
		if s == nil {
			return nil, errors.New("connection refused")
		}
		client, server := net.Pipe()
		running.Go(func() { s.serve(network, server) })
		return client, nil
	}
}

// listen puts a server behind real sockets on loopback and returns its
// address, and a function that returns the ports that asked over UDP.
func (s *fakeServer) listen(t testing.TB) (address string, ports func() []string) {
	t.Helper()
	packets, listener := bind(t)
	var from []string // guarded by s.mu
	var running sync.WaitGroup
	running.Go(func() {
		for buffer := make([]byte, 65536); ; {
			n, peer, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			s.change(func() { from = append(from, peer.String()) })
			answers, _ := s.respond("udp", buffer[:n])
			for _, answer := range answers {
				packets.WriteTo(answer, peer)
			}
		}
	})
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve("tcp", conn) })
		}
	})
	t.Cleanup(func() {
		packets.Close()
		listener.Close()
		running.Wait()
	})
	return packets.LocalAddr().String(), func() (all []string) {
		s.change(func() { all = slices.Clone(from) })
		return all
	}
}

// bind finds a port that is free for UDP and TCP: somebody may have the one
// of them that chance offered for the other.
func bind(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 100 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if listener, err := net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, listener
		}
		packets.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// Two servers that are nowhere.
const firstServer, secondServer = "192.0.2.53:53", "192.0.2.54:53"

// newResolver returns a resolver that reads no file of this machine, and
// closes it with the test. Without servers it has those of a resolv.conf
// that names them both.
func newResolver(t testing.TB, cfg Config, servers network) *Resolver {
	t.Helper()
	dir := t.TempDir()
	if cfg.Hosts == "" {
		cfg.Hosts = filepath.Join(dir, "hosts")
	}
	if cfg.ResolvConf == "" {
		cfg.ResolvConf = filepath.Join(dir, "resolv.conf")
		write(t, cfg.ResolvConf, "nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch corp.test example.test\n")
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		r.Close()
		running.Wait() // in a bubble: time goes on until the last server is done
	})
	if servers != nil {
		r.dial = servers.dialer(&running)
	} else {
		r.patience = wholeTime // real sockets, a real machine, and others on it
	}
	r.system = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no system here") }
	return r
}

// noLeaks makes a test wait, after all of its other cleaning up, for the end
// of every goroutine that runs code of this package. In a bubble of time,
// synctest sees to that.
func noLeaks(t testing.TB) {
	t.Cleanup(func() {
		var left []string
		for range 10_000 {
			all := make([]byte, 1<<20)
			stacks := strings.Split(string(all[:runtime.Stack(all, true)]), "\n\n")
			left = slices.DeleteFunc(stacks[1:], func(stack string) bool { // the first one is our own
				return !strings.Contains(stack, "seawall/internal/resolve.")
			})
			if len(left) == 0 {
				return
			}
			<-time.After(time.Millisecond)
		}
		t.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
	})
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lookup returns the addresses of a name as text, "stale" in front if they are.
func lookup(t testing.TB, r *Resolver, name string) string {
	t.Helper()
	answer, err := r.Lookup(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return show(answer)
}

func show(answer Answer) string {
	var words []string
	if answer.Stale {
		words = append(words, "stale")
	}
	for _, addr := range answer.Addrs {
		words = append(words, addr.String())
	}
	return strings.Join(words, " ")
}

func want(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// wantError looks a name up, expects an error and returns it.
func wantError(t testing.TB, r *Resolver, name string, notFound bool) error {
	t.Helper()
	answer, err := r.Lookup(t.Context(), name)
	var problem *NameError
	if !errors.As(err, &problem) {
		t.Fatalf("%s: got %v and error %v, want a NameError", name, answer, err)
	}
	if problem.NotFound != notFound {
		t.Errorf("%s: NotFound is %v in: %v", name, problem.NotFound, err)
	}
	return err
}

func wantCount(t testing.TB, s *fakeServer, prefix string, want int) {
	t.Helper()
	if got := s.count(prefix); got != want {
		t.Errorf("%d questions %q, want %d", got, prefix, want)
	}
}

// logbook counts what was logged.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *logbook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logbook) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}
