package servers_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait. It is generous: the machine may be busy, and a
// wait ends as soon as its condition holds.
const patience = 30 * time.Second

// world is what the stories play in, made by TestMain; nil when missing names
// Debian packages that are not here.
var (
	world   *stage
	missing []string
)

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun is apart from TestMain so that everything is ended before the exit.
func buildAndRun(m *testing.M) (code int) {
	if missing = lacking(); len(missing) > 0 {
		return m.Run()
	}
	s, err := newStage()
	if err == nil {
		world = s
		defer func() {
			if err := s.clear(); err != nil {
				fmt.Fprintln(os.Stderr, "end the servers:", err)
				code = max(code, 1)
			}
			if code != 0 {
				s.tell(os.Stderr)
			}
			if err := os.RemoveAll(s.folder); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = max(code, 1)
			}
		}()
		err = s.fill()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the servers:", err)
		return 1
	}
	return m.Run()
}

// fill builds the edge, starts everything behind it, then the edge itself.
func (s *stage) fill() error {
	if err := s.layOutSite(); err != nil {
		return err
	}
	starts := []func() error{s.build, s.startPHP, s.startNginx, s.startApache, s.startLighttpd, s.startNode,
		func() error { return s.startPython("1.0") }, func() error { return s.startPython("1.1") }}
	failures := make([]error, len(starts))
	var all sync.WaitGroup
	for i, start := range starts {
		all.Go(func() { failures[i] = start() })
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	edge, err := s.startEdge("edge", "GOGC=off")
	s.edge = edge
	return err
}

// story tells something about each of the servers, beside each other, and
// then looks whether the edge is as it was.
func story(t *testing.T, hosts []string, tell func(t *testing.T, s *server)) {
	t.Helper()
	require(t)
	t.Run("of", func(t *testing.T) {
		for _, host := range hosts {
			t.Run(host, func(t *testing.T) {
				t.Parallel()
				s := world.servers[host]
				if s == nil {
					t.Fatalf("there is no server %s", host)
				}
				tell(t, s)
			})
		}
	})
	world.edge.check(t)
}

// The servers by what they can do.
var (
	static       = []string{"nginx.test", "apache.test", "lighttpd.test"}
	applications = []string{"nginx.test", "apache.test", "lighttpd.test", "node.test", "python10.test", "python11.test"}
)
