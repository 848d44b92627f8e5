package collapse_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seawall-edge/seawall/internal/program"
)

// home is an address that is nobody else's.
const home = "127.0.0.91"

// world is one running program with the origin behind it and the visitors in
// front of it.
type world struct {
	*origin
	process              *program.Process
	http, debug, metrics string
	zones                []string
	visitors             []*visitor
	goroutines           int // at first

	mu    sync.Mutex // guards what follows
	got   []*answer
	known map[string]bool // targets that somebody asked for
	lines []string        // the same, in order
}

// twoZones is what most stories need.
var twoZones = "zones:\n" + zone("one.test", "") + zone("two.test", "")

// zone is one of the configuration, with settings of its cache.
func zone(name, cache string) string {
	if cache != "" {
		cache = ", cache: {" + cache + "}"
	}
	return fmt.Sprintf("  - {name: %s, origin: {url: '{origin}'}%s}\n", name, cache)
}

// start runs the program with a configuration, and has it checked when the
// story ends.
func start(t *testing.T, config string) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "co-") // short: the path of a Unix socket has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{origin: newOrigin(t), known: map[string]bool{}}
	for _, door := range []*string{&w.http, &w.debug, &w.metrics} {
		if *door, err = program.FreeAddress(home); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(config) {
		if name, found := strings.CutPrefix(line, "  - {name: "); found {
			name, _, _ = strings.Cut(name, ",")
			w.zones = append(w.zones, name)
		}
	}
	config = fmt.Sprintf("http: %s\nstate: %s/state\ndebug: %s\nmetrics: %s\nlimits: {connections_per_address: 5000}\n", w.http, dir, w.debug, w.metrics) +
		strings.ReplaceAll(config, "{origin}", w.server.URL)
	file := filepath.Join(dir, "seawall.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "run", "--config", file)
	command.Env = append(os.Environ(), "GORACE=halt_on_error=0 exitcode=66 atexit_sleep_ms=0")
	if w.process, err = program.Start("seawall", command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.stop(t) })
	if err := w.process.Await(patience, func() error {
		_, err := program.Ask("http://" + w.metrics + "/readyz")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.await(t, "quiet", func() error {
		before := w.goroutines
		if w.goroutines, err = program.Goroutines(w.debug); err == nil && w.goroutines != before {
			err = fmt.Errorf("%d goroutines, %d before", w.goroutines, before)
		}
		return err
	})
	return w
}

// await asks until the answer is nil.
func (w *world) await(t *testing.T, what string, ask func() error) {
	t.Helper()
	if err := program.Eventually(patience, w.process.Exited, ask); err != nil {
		page, _ := program.Ask("http://" + w.metrics + "/metrics") // the error is what counts
		t.Fatalf("waited in vain for %s: %v\nthe origin: %v\n%s%s", what, err, w.unanswered(), interesting(page), short(w.process.Said()))
	}
}

// interesting is what of the metrics tells where requests are.
func interesting(page string) (lines string) {
	for line := range strings.Lines(page) {
		for _, name := range []string{"seawall_connections_open", "seawall_requests_total", "seawall_cache_results", "seawall_cache_requests_waiting"} {
			if strings.HasPrefix(line, name) && !strings.HasSuffix(line, " 0\n") {
				lines += line
			}
		}
	}
	return lines
}

func (w *world) metric(series string) (int64, error) {
	page, err := program.Ask("http://" + w.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	return program.Sample(page, series)
}

func (w *world) mustMetric(t *testing.T, series string) int64 {
	t.Helper()
	n, err := w.metric(series)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	waiting   = "seawall_cache_requests_waiting"
	collapsed = `seawall_cache_results_total{result="collapsed"}`
	stored    = `seawall_store_results_total{result="stored"}`
)

// awaitMetric waits until a series has a value.
func (w *world) awaitMetric(t *testing.T, series string, want int) {
	t.Helper()
	w.await(t, fmt.Sprintf("%s to be %d", series, want), func() error {
		n, err := w.metric(series)
		if err == nil && n != int64(want) {
			err = fmt.Errorf("it is %d", n)
		}
		return err
	})
}

// stop ends a story: everybody leaves, and nothing is left.
func (w *world) stop(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		if err := w.unanswered(); err != nil {
			t.Error(err)
		}
		w.everybodyLeaves()
		if err := program.Eventually(patience, w.process.Exited, w.nothingLeft); err != nil {
			t.Errorf("waited in vain for nothing to be left behind: %v", err)
		}
	}
	close(w.over)
	w.server.CloseClientConnections()
	if err := w.process.Stop(patience); err != nil {
		t.Error(err)
	}
	if said := w.process.Said(); strings.Contains(said, "DATA RACE") || strings.Contains(said, "panic") {
		t.Errorf("the program races or panics\n%s", short(said))
	}
}

// nothingLeft compares with what there was at first: nobody waits, and no
// goroutine is left.
func (w *world) nothingLeft() error {
	n, err := w.metric(waiting)
	if err == nil && n != 0 {
		err = fmt.Errorf("%d requests still wait for others", n)
	}
	if err != nil {
		return err
	}
	goroutines, err := program.Goroutines(w.debug)
	if err == nil && goroutines > w.goroutines {
		err = fmt.Errorf("%d goroutines, at first %d", goroutines, w.goroutines)
	}
	return err
}
