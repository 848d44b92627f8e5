package story

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// edge is one running process and what the checker knows about it.
type edge struct {
	command              *exec.Cmd
	http, debug, metrics string
	https                string // empty: visitors come without TLS
	nowhere              string // an address at which nobody listens
	accessLog            string
	zones                []string // whose answers must never be mixed up; none: nobody watches
	origin               *origin
	exited               chan struct{}
	errors               *lockedBuffer

	logged                  int // lines of the access log accounted for
	late                    int // lines that may still come for connections that ended without an answer
	refused                 int // refusals received
	descriptors, goroutines int // before the first case
}

// lockedBuffer takes what the process says while the test may read it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// freeAddress has a port of an address that only this room listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := program.FreeAddress("127.0.0.2")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func startEdge(t *testing.T, s *script, secure bool) *edge {
	t.Helper()
	dir, err := os.MkdirTemp("", "story-") // short: the path of a Unix socket has 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := &edge{
		http: freeAddress(t), debug: freeAddress(t), metrics: freeAddress(t), nowhere: freeAddress(t),
		accessLog: filepath.Join(dir, "access.log"), origin: startOrigin(t),
		exited: make(chan struct{}), errors: &lockedBuffer{},
	}
	if strings.HasPrefix(filepath.Base(s.path), "cache") {
		e.zones = s.zones()
	}
	args := []string{
		"run", "--http", e.http, "--state", filepath.Join(dir, "state"), "--debug", e.debug, "--metrics", e.metrics,
		"--access-log", e.accessLog, "--access-log-format", "json",
	}
	if secure {
		e.https = freeAddress(t)
		args = append(args, "--https", e.https)
	}
	if len(s.config) > 0 {
		file := filepath.Join(dir, "seawall.yaml")
		if err := os.WriteFile(file, []byte(e.addresses(strings.Join(s.config, "\n")+"\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", file)
	}
	for _, a := range s.args {
		args = append(args, e.addresses(a))
	}
	e.command = exec.Command(binary, args...)
	e.command.Stdout, e.command.Stderr = e.errors, e.errors
	e.command.Env = append(os.Environ(), "GORACE=halt_on_error=0 exitcode=66")
	if err := e.command.Start(); err != nil {
		t.Fatalf("start the program: %v", err)
	}
	go func() {
		_ = e.command.Wait() // stop reads the state
		close(e.exited)
	}()
	t.Cleanup(func() { _ = e.command.Process.Kill() }) // after stop it is gone already
	if err := e.poll("the program to be ready", e.ready); err != nil {
		t.Fatalf("%v\n%s", err, e.errors)
	}
	if err := e.warmUp(); err != nil {
		t.Fatalf("the first request: %v\n%s", err, e.errors)
	}
	return e
}

// warmUp makes one request so that what is started by need is started, and
// then counts what there is.
func (e *edge) warmUp() error {
	g := newStage(e)
	err := g.play(&storyCase{name: "warm-up", steps: []step{
		{arrow: "->", bytes: "GET /warm-up HTTP/1.1\r\nHost: one.test\r\n\r\n"},
		{arrow: "=>", items: []string{"GET /warm-up HTTP/1.1"}},
		{arrow: "<=", items: []string{"ordinary"}},
		{arrow: "<-", items: []string{"200", "body ok"}},
		{arrow: "<=!", items: []string{"close"}},
	}})
	if err != nil {
		return err
	}
	return e.poll("quiet", func() error {
		n, err := e.countDescriptors()
		m, err2 := e.countGoroutines()
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		quiet := n == e.descriptors && m == e.goroutines
		if e.descriptors, e.goroutines = n, m; !quiet {
			return errors.New("still changing")
		}
		return nil
	})
}

func (e *edge) addresses(text string) string {
	return strings.NewReplacer("{origin}", e.origin.address(), "{edge}", e.http, "{closed}", e.nowhere).Replace(text)
}

// poll tries until it works, the process ends or patience does.
func (e *edge) poll(what string, try func() error) error {
	deadline := time.Now().Add(2 * patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-e.exited:
			return fmt.Errorf("waiting for %s: the program ended", what)
		case now := <-tick.C:
			if now.After(deadline) {
				return fmt.Errorf("waited in vain for %s: %w", what, err)
			}
		}
	}
}

func (e *edge) ready() error {
	_, err := program.Ask("http://" + e.metrics + "/readyz")
	return err
}

func (e *edge) checkAlive() error {
	select {
	case <-e.exited:
		return fmt.Errorf("the program ended: %v\n%s", e.command.ProcessState, e.errors)
	default:
	}
	if said := e.errors.String(); strings.Contains(said, "DATA RACE") || strings.Contains(said, "panic:") {
		return errors.New(said)
	}
	return nil
}

// countDescriptors leaves out the program's own files: a log being reopened is no leak.
func (e *edge) countDescriptors() (int, error) {
	dir := fmt.Sprintf("/proc/%d/fd", e.command.Process.Pid)
	entries, err := os.ReadDir(dir)
	n := 0
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err == nil && strings.HasPrefix(target, "socket:") {
			n++
		}
	}
	return n, err
}

var goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

func (e *edge) countGoroutines() (int, error) {
	text, err := program.Ask("http://" + e.debug + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	m := goroutineTotal.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New("no goroutine profile")
	}
	return strconv.Atoi(m[1])
}

// checkLog waits for exactly one line per request of the case.
func (e *edge) checkLog(g *stage) error {
	sent := slices.Clone(g.statuses)
	slices.Sort(sent)
	least := e.logged + len(sent) + g.unanswered
	var lines []string
	err := e.poll("the access log", func() (err error) {
		if lines, err = readLines(e.accessLog); err == nil && len(lines) < least {
			err = fmt.Errorf("%d lines for %d requests", len(lines)-e.logged, least-e.logged)
		}
		return err
	})
	if err != nil {
		return err
	}
	own := lines[e.logged:]
	e.logged = len(lines)
	e.late += g.uncertain
	if e.late -= len(lines) - least; e.late < 0 {
		return fmt.Errorf("%d lines in the access log for %d requests: %q", len(own), len(sent)+g.unanswered, own)
	}
	logged, refused, err := readLog(own)
	e.refused += refused
	if err != nil || len(own) != len(sent) || g.unanswered > 0 || e.late > 0 {
		return err
	}
	if slices.Sort(logged); !slices.Equal(logged, sent) {
		return fmt.Errorf("the visitor saw the statuses %v, the access log says %v", sent, logged)
	}
	return nil
}

func readLines(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	// A line that is just being written has no end yet.
	lines := strings.Split(string(data), "\n")
	return lines[:len(lines)-1], nil
}

func readLog(lines []string) (statuses []int, refused int, err error) {
	for _, line := range lines {
		var entry struct {
			Status int
			Action string
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			return nil, 0, fmt.Errorf("access log line %q: %w", line, err)
		}
		statuses = append(statuses, entry.Status)
		if entry.Action == "refused" {
			refused++
		}
	}
	return statuses, refused, nil
}

// checkWhole is the checker: after a script the program is as it was before.
func (e *edge) checkWhole(t *testing.T) {
	idle := e.origin.open() // the edge need not notice at once that these are closed
	if err := e.origin.nothing(); err != nil {
		t.Error(err)
	}
	e.origin.closeAll()
	check := func() error {
		descriptors, err := e.countDescriptors()
		goroutines, err2 := e.countGoroutines()
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if descriptors > e.descriptors+idle || goroutines > e.goroutines+idle {
			return fmt.Errorf("%d sockets and %d goroutines, at first %d and %d, %d idle connections to the origin",
				descriptors, goroutines, e.descriptors, e.goroutines, idle)
		}
		return nil
	}
	if err := e.poll("nothing to be left behind", check); err != nil {
		t.Error(err)
	}
	lines, err := readLines(e.accessLog)
	if err != nil || len(lines) < e.logged || len(lines) > e.logged+e.late {
		t.Errorf("the access log has %d lines, %d requests were made: %v", len(lines), e.logged, err)
	} else if _, refused, err := readLog(lines[e.logged:]); err != nil {
		t.Error(err)
	} else {
		e.refused += refused
	}
	text, err := program.Ask("http://" + e.metrics + "/metrics")
	if err != nil {
		t.Errorf("read the metrics: %v", err)
	}
	if got := refusedTotal(text); got != e.refused {
		t.Errorf("the metrics count %d refused requests, the access log %d", got, e.refused)
	}
	if err := e.checkAlive(); err != nil {
		t.Error(err)
	}
}

var refusedMetric = regexp.MustCompile(`(?m)^seawall_requests_total\{[^}]*action="refused"[^}]*\} (\d+)$`)

func refusedTotal(metrics string) int {
	total := 0
	for _, m := range refusedMetric.FindAllStringSubmatch(metrics, -1) {
		n, _ := strconv.Atoi(m[1])
		total += n
	}
	return total
}

// stop ends the process as an operator would and looks at its last words.
func (e *edge) stop(t *testing.T) {
	t.Helper()
	e.origin.closeAll()
	if err := e.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Logf("ask the program to stop: %v", err)
	}
	select {
	case <-e.exited:
	case <-time.After(2 * patience):
		t.Errorf("the program does not stop\n%s", e.errors)
		return
	}
	if !e.command.ProcessState.Success() || strings.Contains(e.errors.String(), "DATA RACE") {
		t.Errorf("the program ended with %v\n%s", e.command.ProcessState, e.errors)
	}
}

// kill ends a process of which a case failed; what it still does is unknown.
func (e *edge) kill(t *testing.T) {
	t.Helper()
	e.origin.closeAll()
	if err := e.command.Process.Kill(); err != nil {
		t.Logf("kill the program: %v", err)
	}
	<-e.exited
	if strings.Contains(e.errors.String(), "DATA RACE") {
		t.Errorf("the program races\n%s", e.errors)
	}
}
