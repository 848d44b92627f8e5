package servers_test

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seawall-edge/seawall/internal/program"
)

// edge is the real program in front of every server.
type edge struct {
	stage                *stage
	process              *program.Process
	http, debug, metrics string
	first                look // when nobody had come
}

// build makes the program, with the race detector, or takes the one that
// SEAWALL_BINARY names.
func (s *stage) build() error {
	if err := s.room("edge"); err != nil {
		return err
	}
	s.binary = s.path("seawall")
	if ready := os.Getenv("SEAWALL_BINARY"); ready != "" {
		return exec.Command("cp", ready, s.binary).Run()
	}
	if out, err := exec.Command("go", "build", "-race", "-o", s.binary, "../../cmd/seawall").CombinedOutput(); err != nil {
		return fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return nil
}

// startEdge starts a program with a zone for each server. An environment of
// GOGC=off is for finding leaks: the collector would close sockets that were
// forgotten, and hide them.
func (s *stage) startEdge(name string, env ...string) (*edge, error) {
	at, err := free(3)
	if err != nil {
		return nil, err
	}
	e := &edge{stage: s, http: at[0], debug: at[1], metrics: at[2]}
	config := fmt.Sprintf("http: %s\ndebug: %s\nmetrics: %s\nstate: %s\nzones:\n", e.http, e.debug, e.metrics, s.path("edge", name))
	for _, host := range slices.Sorted(maps.Keys(s.servers)) {
		// What visitors get is held against what the server says itself.
		config += fmt.Sprintf("  - {name: %s, origin: {url: 'http://%s'}, compression: {off: true}}\n", host, s.servers[host].address)
	}
	path := s.path("edge", name+".yaml")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		return nil, err
	}
	// The detector lets the program live on after a race; the exit code tells.
	env = append(env, "GORACE=halt_on_error=0 exitcode=66 atexit_sleep_ms=0")
	e.process, err = s.start("seawall, "+name, func() error {
		_, err := program.Ask("http://" + e.metrics + "/readyz")
		return err
	}, exec.Command(s.binary, "run", "--config", path), env...)
	if err != nil {
		return nil, err
	}
	return e, e.process.Await(patience, e.settle)
}

// look is what a program has open.
type look struct {
	goroutines int
	files      []string         // those that are no connection to a server
	sockets    []program.Socket // those among them that are sockets
	pooled     []program.Socket // connections to servers
}

func (e *edge) look() (l look, err error) {
	if l.files, err = program.Open(e.process.PID()); err != nil {
		return l, err
	}
	all, err := program.Sockets()
	if err != nil {
		return l, err
	}
	for _, s := range all {
		i := slices.Index(l.files, s.Name)
		switch {
		case i < 0: // somebody else's
		case e.stage.hasServer(s.Peer):
			l.files = slices.Delete(l.files, i, i+1)
			l.pooled = append(l.pooled, s)
		default:
			l.sockets = append(l.sockets, s)
		}
	}
	l.goroutines, err = program.Goroutines(e.debug)
	return l, err
}

// settle remembers what is open, and fails while that still changes.
func (e *edge) settle() error {
	now, err := e.look()
	same := len(now.files) == len(e.first.files) && now.goroutines == e.first.goroutines
	e.first = now
	if err == nil && !same {
		err = errors.New("still changing")
	}
	return err
}

// address is where one or more servers are.
type address struct {
	address netip.AddrPort
	hosts   []string
	most    int // visits there were at once
}

func (s *stage) hasServer(at netip.AddrPort) bool {
	for _, server := range s.servers {
		if server.address == at.String() {
			return true
		}
	}
	return false
}

func (s *stage) addresses() (list []address) {
next:
	for _, host := range slices.Sorted(maps.Keys(s.servers)) {
		at, most := netip.MustParseAddrPort(s.servers[host].address), s.servers[host].busy.highest()
		for i := range list {
			if list[i].address == at {
				list[i].hosts = append(list[i].hosts, host)
				list[i].most += most
				continue next
			}
		}
		list = append(list, address{at, []string{host}, most})
	}
	return list
}

// check is the checker: nothing is left of the visitors, and the edge has no
// more connections to a server than it had use for.
func (e *edge) check(t *testing.T) {
	t.Helper()
	if err := program.Eventually(patience, e.process.Exited, e.unchanged); err != nil {
		t.Errorf("after the story: %v", err)
	}
	if err := e.sound(); err != nil {
		t.Error(err)
	}
}

func (e *edge) unchanged() error {
	now, err := e.look()
	if err != nil {
		return err
	}
	const journal = 2 // opened when there is something to write
	if len(now.files) > len(e.first.files)+journal {
		return fmt.Errorf("open are %d files, %v, and at first %d, %v; the sockets are %v",
			len(now.files), now.files, len(e.first.files), e.first.files, now.sockets)
	}
	if now.goroutines > e.first.goroutines {
		return fmt.Errorf("%d goroutines, at first %d", now.goroutines, e.first.goroutines)
	}
	for _, a := range e.stage.addresses() {
		there := slices.DeleteFunc(slices.Clone(now.pooled), func(s program.Socket) bool { return s.Peer != a.address })
		// A visit may begin before the connection of the last one is back.
		if most := 2*a.most + 2; len(there) > most {
			return fmt.Errorf("%d connections to %s, where at most %d visits were at once: %v", len(there), a.hosts, a.most, there)
		}
	}
	return nil
}

// sound fails when the program has said what it never should.
func (e *edge) sound() error {
	for _, trouble := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(e.process.Said(), trouble) {
			return fmt.Errorf("%s says %s", e.process.Name, trouble)
		}
	}
	return nil
}

// sample returns the value of one series of the edge's metrics.
func (e *edge) sample(t *testing.T, series string) int64 {
	t.Helper()
	page, err := program.Ask("http://" + e.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	n, err := program.Sample(page, series)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// gauge counts what is going on and remembers the most.
type gauge struct {
	mu        sync.Mutex
	now, most int
}

func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.most = max(g.most, g.now)
}

func (g *gauge) highest() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.most
}
