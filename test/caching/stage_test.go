package caching_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// patience bounds every wait for a program to start or stop.
const patience = 30 * time.Second

// longest is how long all tests of the suite may take together. They take 14 s
// where nothing is in their way.
const longest = 3 * time.Minute

// home is an address that is nobody else's, for all that listens here.
const home = "127.0.0.90"

// stage is the folder in which everything runs, and where it is reached.
type stage struct {
	folder string
	as     *syscall.Credential // nil where the test itself is not root
	origin string              // URL
	proxy  string              // URL
}

// newStage lays out the suite and our scripts, builds the edge and starts it
// in front of the suite's origin. All ends with the test.
func newStage(t *testing.T, packages map[npmPackage][]byte) *stage {
	t.Helper()
	// Not t.TempDir: that one only its owner may enter.
	folder, err := os.MkdirTemp("", "seawall-caching-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Errorf("clear the stage: %v", err)
		}
	})
	s := &stage{folder: folder}
	for p, packed := range packages {
		if err := unpack(packed, s.path("node_modules", p.name)); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
	}
	if err := s.layOut(); err != nil {
		t.Fatal(err)
	}
	s.startOrigin(t)
	s.startEdge(t)
	return s
}

// path is a place on the stage. Only the room there is the programs' own.
func (s *stage) path(elements ...string) string {
	return filepath.Join(append([]string{s.folder}, elements...)...)
}

func (s *stage) layOut() (err error) {
	for _, script := range []string{"origin.mjs", "driver.mjs"} {
		text, err := os.ReadFile(filepath.Join("testdata", script))
		if err != nil {
			return fmt.Errorf("read a script: %w", err)
		}
		if err := os.WriteFile(s.path(script), text, 0o644); err != nil {
			return fmt.Errorf("lay out a script: %w", err)
		}
	}
	if err := os.Chmod(s.folder, 0o755); err != nil {
		return fmt.Errorf("open the stage: %w", err)
	}
	if err := os.Mkdir(s.path("room"), 0o755); err != nil {
		return fmt.Errorf("make the room: %w", err)
	}
	if s.as, err = program.Unprivileged(); err != nil || s.as == nil {
		return err
	}
	return os.Chown(s.path("room"), int(s.as.Uid), int(s.as.Gid))
}

// start runs a program as the stage's user until the test ends.
func (s *stage) start(t *testing.T, name string, command *exec.Cmd, env ...string) *program.Process {
	t.Helper()
	command.Dir = s.path("room")
	command.Env = append(os.Environ(), "HOME="+command.Dir, "LC_ALL=C.UTF-8", "TZ=UTC", "NODE_OPTIONS=")
	command.Env = append(command.Env, env...)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	p, err := program.Start(name, command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(patience); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, tail(p.Said()))
		}
	})
	return p
}

// node makes a command of one of our scripts. What the suite prints, at both
// ends, goes to one file, in the order in which it happened.
func (s *stage) node(script string, arguments ...string) *exec.Cmd {
	return exec.Command("sh", append([]string{"-c", `exec node "$@" >>suite.txt`, "sh", s.path(script)}, arguments...)...)
}

// printed is what the suite has printed.
func (s *stage) printed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.path("room", "suite.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var listening = regexp.MustCompile(`Listening on (http://[0-9.:]+)/`)

func (s *stage) startOrigin(t *testing.T) {
	t.Helper()
	p := s.start(t, "the suite's origin", s.node("origin.mjs", home))
	err := p.Await(patience, func() error {
		text, err := os.ReadFile(s.path("room", "suite.txt"))
		if err != nil {
			return err
		}
		match := listening.FindSubmatch(text)
		if match == nil {
			return fmt.Errorf("it says not where it listens: %s", text)
		}
		s.origin = string(match[1])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// startEdge builds the real command, with the race detector, or takes the one
// that SEAWALL_BINARY names, and starts it with default settings.
func (s *stage) startEdge(t *testing.T) {
	t.Helper()
	binary := s.path("seawall")
	build := exec.Command("go", "build", "-race", "-o", binary, "../../cmd/seawall")
	if ready := os.Getenv("SEAWALL_BINARY"); ready != "" {
		build = exec.Command("cp", ready, binary)
	}
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	var doors [2]string
	for i := range doors {
		var err error
		if doors[i], err = program.FreeAddress(home); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf("http: %s\nmetrics: %s\nstate: %s\nzones:\n  - {name: '*', origin: {url: '%s'}}\n",
		doors[0], doors[1], s.path("room", "state"), s.origin)
	if err := os.WriteFile(s.path("seawall.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	// The detector lets the program live on after a race; the exit code tells.
	p := s.start(t, "seawall", exec.Command(binary, "run", "--config", s.path("seawall.yaml")),
		"GORACE=halt_on_error=0 exitcode=66 atexit_sleep_ms=0")
	if err := p.Await(patience, func() error {
		_, err := program.Ask("http://" + doors[1] + "/readyz")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.proxy = "http://" + doors[0]
}

// drive runs the suite's tests, or one of them, and returns what came of them.
func (s *stage) drive(t *testing.T, id string) *report {
	t.Helper()
	results := s.path("room", "results.json")
	p := s.start(t, "the suite's client", s.node("driver.mjs", s.origin, s.proxy, results, id))
	if err := finish(p, longest); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	r, err := readReport(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tail is the end of a long text.
func tail(text string) string {
	const most = 4000
	if len(text) <= most {
		return text
	}
	return "[...]" + text[len(text)-most:]
}
