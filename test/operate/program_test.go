package operate_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// setup is how a program is started. The zero value is a state directory and
// a configuration of its own.
type setup struct {
	dir    string   // of configuration and state; a new one when empty
	config string   // YAML, put behind the doors' addresses; {edge} is where visitors come in
	flags  []string // of seawall run, besides --config
	plain  bool     // without the race detector
	env    []string // added to ours
	files  int      // RLIMIT_NOFILE; 0: as it is
}

// program is one running process.
type program struct {
	dir, http, debug, metrics string
	config                    string // the file's path
	state                     string
	command                   *exec.Cmd
	said                      *lockedBuffer
	exited                    chan struct{}
	sites                     []*site
	visitors                  []*visitor // everybody who came in by enter
	files                     []string   // open at first, by kind
	goroutines                int        // at first
}

// raceOptions let the program live on after a race, which the exit code then
// tells, and spare the second that the detector waits at every exit.
const raceOptions = "GORACE=halt_on_error=0 exitcode=66 atexit_sleep_ms=0"

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

// given are the addresses that freeAddress has returned.
var given sync.Map

// freeAddress returns one that nobody else takes meanwhile: connections come
// from 127.0.0.1 and the sites are there, so ports of 127.0.0.3 are only ours.
func freeAddress(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.3:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		address := l.Addr().String()
		_ = l.Close()
		if _, known := given.LoadOrStore(address, true); !known {
			return address
		}
	}
}

// shortDir is a folder with a short path: that of a Unix socket has 107 bytes.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "op-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// zoneLine is a zone in the configuration file.
func zoneLine(name, url string) string {
	return fmt.Sprintf("  - {name: %s, origin: {url: '%s'}}\n", name, url)
}

// start runs the program until it is ready, and has it checked when the test ends.
func start(t *testing.T, s setup, sites ...*site) *program {
	t.Helper()
	p := prepare(t, s, sites...)
	p.launch(t, s)
	if err := p.poll("the program to be ready", p.ready); err != nil {
		t.Fatalf("%v\n%s", err, p.said)
	}
	if err := p.poll("quiet", p.settle); err != nil {
		t.Fatal(err)
	}
	return p
}

func prepare(t *testing.T, s setup, sites ...*site) *program {
	t.Helper()
	if s.dir == "" {
		s.dir = shortDir(t)
	}
	p := &program{
		dir: s.dir, config: filepath.Join(s.dir, "seawall.yaml"), state: filepath.Join(s.dir, "state"),
		http: freeAddress(t), debug: freeAddress(t), metrics: freeAddress(t), sites: sites,
		said: &lockedBuffer{}, exited: make(chan struct{}),
	}
	p.write(t, s.config)
	return p
}

// write replaces the configuration in place; the doors stay the same.
func (p *program) write(t *testing.T, config string) {
	t.Helper()
	head := fmt.Sprintf("http: %s\nstate: %s\ndebug: %s\nmetrics: %s\n", p.http, p.state, p.debug, p.metrics)
	config = strings.ReplaceAll(config, "{edge}", p.http)
	if err := os.WriteFile(p.config, []byte(head+config), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *program) launch(t *testing.T, s setup) {
	t.Helper()
	// The collector would close sockets that were forgotten, and hide them.
	binary, collector := raceBinary, "GOGC=off"
	if s.plain {
		binary, collector = plainBinary, "GOGC=200"
	}
	args := append([]string{binary, "run", "--config", p.config}, s.flags...)
	if s.files > 0 {
		args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, s.files)}, args...)
	}
	command := exec.Command(args[0], args[1:]...)
	command.Stdout, command.Stderr = p.said, p.said
	command.Env = append(append(os.Environ(), raceOptions, collector), s.env...)
	if err := command.Start(); err != nil {
		t.Fatalf("start the program: %v", err)
	}
	exited := make(chan struct{})
	p.command, p.exited = command, exited
	go func() {
		_ = command.Wait() // whoever is interested reads the state
		close(exited)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill() // gone already, unless the test failed
		<-exited
	})
}

// poll tries until it works, the process ends or patience does.
func (p *program) poll(what string, try func() error) error {
	deadline := time.Now().Add(2 * patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("waiting for %s: the program ended with %v", what, p.command.ProcessState)
		case now := <-tick.C:
			if now.After(deadline) {
				return fmt.Errorf("waited in vain for %s: %w", what, err)
			}
		}
	}
}

// await is poll for a story that cannot go on without it.
func (p *program) await(t *testing.T, what string, try func() error) {
	t.Helper()
	if err := p.poll(what, try); err != nil {
		t.Fatalf("%v\n%s", err, p.said)
	}
}

// awaitSaid waits until the log holds text n times.
func (p *program) awaitSaid(t *testing.T, text string, n int) {
	t.Helper()
	p.await(t, "the log to say "+text, func() error {
		if got := strings.Count(p.said.String(), text); got < n {
			return fmt.Errorf("said %d times, not %d", got, n)
		}
		return nil
	})
}

func (p *program) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		t.Fatalf("send %v: %v", signal, err)
	}
}

// ended waits for the process to end and returns its exit code.
func (p *program) ended(t *testing.T, within time.Duration) int {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		t.Fatalf("the program does not end within %v\n%s", within, p.said)
	}
	p.checkSaid(t)
	return p.command.ProcessState.ExitCode()
}

func (p *program) checkSaid(t *testing.T) {
	t.Helper()
	if said := p.said.String(); strings.Contains(said, "DATA RACE") || strings.Contains(said, "panic") {
		t.Errorf("the program races or panics\n%s", said)
	}
}

// checkWorld is the checker: when every visitor has left, everything is as it
// was at first, and the program stops when it is asked to.
func (p *program) checkWorld(t *testing.T) {
	t.Helper()
	for _, v := range p.visitors {
		_ = v.conn.Close() // some have left before
	}
	if err := p.poll("nothing to be left behind", p.unchanged); err != nil {
		t.Errorf("%v\n%s", err, p.said)
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.ended(t, 2*patience); code != 0 {
		t.Errorf("the program ended with exit code %d\n%s", code, p.said)
	}
	p.checkGone(t)
}

// checkGone looks at what a program must not leave behind when it has ended.
func (p *program) checkGone(t *testing.T) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(p.state, "admin.sock")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the admin socket is still there: %v", err)
	}
	for _, address := range []string{p.http, p.debug, p.metrics} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("the address is not free again: %v", err)
			continue
		}
		_ = l.Close()
	}
}
