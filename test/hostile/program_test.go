package hostile_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/internal/program"
)

// process is the program while it runs.
type process struct {
	*program.Process
	http, debug, metrics string
	first                census // when it was ready
}

// census is what a process holds.
type census struct {
	sockets, files, goroutines int
	heap                       int64 // bytes in use
}

// launch runs the program with these zones until it is ready.
func launch(t *testing.T, zones string) *process {
	t.Helper()
	dir, err := os.MkdirTemp("", "hostile-") // the path of a Unix socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &process{http: freeAddress(t), debug: freeAddress(t), metrics: freeAddress(t)}
	config := fmt.Sprintf("http: %s\nstate: %s\ndebug: %s\nmetrics: %s\nzones:\n%s", p.http, filepath.Join(dir, "state"), p.debug, p.metrics, zones)
	file := filepath.Join(dir, "seawall.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "run", "--config", file)
	// The collector would close sockets that were forgotten, and hide them.
	command.Env = append(os.Environ(), "GORACE=halt_on_error=0 exitcode=66 atexit_sleep_ms=0", "GOGC=off")
	if p.Process, err = program.Start("seawall", command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(2 * patience) }) // asked before, unless the test failed
	for _, condition := range []func() error{p.ready, p.settle} {
		if err := p.Await(2*patience, condition); err != nil {
			t.Fatal(err)
		}
	}
	if p.first.heap, err = p.heap(); err != nil {
		t.Fatal(err)
	}
	return p
}

// freeAddress returns one on an address that is this room's.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := program.FreeAddress("127.0.0.4")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (p *process) ready() error {
	_, err := program.Ask("http://" + p.metrics + "/readyz")
	return err
}

// settle takes the census, and fails while it still changes.
func (p *process) settle() error {
	now, err := p.count()
	if err == nil && now != p.first {
		p.first, err = now, fmt.Errorf("still changing")
	}
	return err
}

var goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

// count takes the census without the heap.
func (p *process) count() (census, error) {
	var c census
	dir := fmt.Sprintf("/proc/%d/fd", p.PID())
	entries, err := os.ReadDir(dir)
	if err != nil {
		return c, err
	}
	for _, entry := range entries {
		switch target, err := os.Readlink(filepath.Join(dir, entry.Name())); {
		case err != nil: // closed meanwhile
		case strings.HasPrefix(target, "socket:"):
			c.sockets++
		default:
			c.files++
		}
	}
	text, err := program.Ask("http://" + p.debug + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return c, err
	}
	m := goroutineTotal.FindStringSubmatch(text)
	if m == nil {
		return c, fmt.Errorf("no goroutine profile")
	}
	c.goroutines, err = strconv.Atoi(m[1])
	return c, err
}

var heapInUse = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)

// heap collects what nobody holds and returns what is left. It is asked last:
// the collector also closes what was forgotten.
func (p *process) heap() (int64, error) {
	text, err := program.Ask("http://" + p.debug + "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	m := heapInUse.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("no heap profile")
	}
	return strconv.ParseInt(m[1], 10, 64)
}

// unchanged compares with the census of the beginning. The journal opens its
// two files when there is something to write.
func (p *process) unchanged() error {
	const journal = 2
	now, err := p.count()
	if err == nil && (now.sockets > p.first.sockets || now.files > p.first.files+journal || now.goroutines > p.first.goroutines) {
		err = fmt.Errorf("it holds %+v, at first %+v", now, p.first)
	}
	return err
}

// heapMayGrow is room for the counters of all zones and what is stored.
const heapMayGrow = 32 << 20

// checkWorld is the checker: everything is as it was at first, and the
// program, which has neither raced nor panicked, stops when it is asked to.
func (p *process) checkWorld(t *testing.T) {
	t.Helper()
	if err := p.Await(2*patience, p.unchanged); err != nil {
		t.Error(err)
	}
	if heap, err := p.heap(); err != nil || heap > p.first.heap+heapMayGrow {
		t.Errorf("the heap holds %d bytes, at first %d: %v", heap, p.first.heap, err)
	}
	if err := p.Stop(2 * patience); err != nil {
		t.Error(err)
	}
	if said := p.Said(); strings.Contains(said, "DATA RACE") || strings.Contains(said, "panic") {
		t.Errorf("the program races or panics\n%s", said)
	}
}
