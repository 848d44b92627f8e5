package story

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// binary is the real program, built once with the race detector.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun is apart from TestMain so that the folder is removed before the exit.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "seawall-story-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the binary:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary = os.Getenv("SEAWALL_BINARY"); binary == "" {
		binary = filepath.Join(dir, "seawall")
		build := exec.Command("go", "build", "-race", "-o", binary, "../../cmd/seawall")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// TestStory_visitorAndOriginSeeWhatTheScriptsSay runs every script against
// the real program and then lets the checker look at the whole.
func TestStory_visitorAndOriginSeeWhatTheScriptsSay(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		for _, secure := range []bool{false, true} {
			if secure && plainOnly[name] {
				continue
			}
			if secure {
				name += " over TLS"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s, err := loadScript(path, secure)
				if err != nil {
					t.Fatal(err)
				}
				s.run(t, secure)
			})
		}
	}
}

// plainOnly are scripts about hosts without a name, and about visitors who are
// turned away before a handshake.
var plainOnly = map[string]bool{"host_any": true, "limit_connections": true, "limit_address": true}

// run plays all cases against one process; after a case that failed, whose
// remains could disturb others, against a new one.
func (s *script) run(t *testing.T, secure bool) {
	var e *edge
	for i := range s.cases {
		c := &s.cases[i]
		if _, apart := c.sites(); secure && !apart {
			continue
		}
		if e == nil {
			e = startEdge(t, s, secure)
		}
		passed := t.Run(c.name, func(t *testing.T) {
			if err := newStage(e).play(c); err != nil {
				t.Errorf("%s:%d: %v", s.path, c.line, err)
			}
			if err := e.checkAlive(); err != nil {
				t.Error(err)
			}
		})
		if !passed {
			e.kill(t)
			e = nil
		}
	}
	if e != nil {
		t.Run("checker", func(t *testing.T) { e.checkWhole(t) })
		e.stop(t)
	}
}
