package browser

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// patience bounds every wait. It is generous: the machine may be busy, and a
// wait ends as soon as its condition holds.
const patience = 30 * time.Second

// process is a program that a story started.
type process struct {
	name    string
	command *exec.Cmd
	said    said
	exited  chan struct{} // closed when err is valid
	err     error
}

// said collects what a process writes while the test may read it.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs a command in its own process group until the test is over.
func start(t *testing.T, name string, command *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, command: command, exited: make(chan struct{})}
	command.Stdout, command.Stderr = &p.said, &p.said
	// A child that outlives its parent and holds the pipe must not hold us.
	command.WaitDelay = time.Second
	attributes(command)
	started := make(chan error)
	go func() {
		// The kernel ends the process with the thread that started it, so the
		// thread has to stay as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			p.err = command.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() { p.stop(t) })
	return p
}

// attributes puts a command into its own process group, which ends with the
// test process.
func attributes(command *exec.Cmd) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// stop ends the process and all of its group, and shows what it said when
// the test has failed.
func (p *process) stop(t *testing.T) {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stop %s: %v", p.name, err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		t.Errorf("%s does not end", p.name)
	}
	if err := syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("end the group of %s: %v", p.name, err)
	}
	<-p.exited
	if t.Failed() {
		t.Logf("%s said:\n%s", p.name, tail(p.said.String(), 2000))
	}
}

func tail(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	return "[...]" + text[len(text)-bytes:]
}

// await waits until ready returns nil, and fails when the process ends first.
func (p *process) await(t *testing.T, ready func() error) {
	t.Helper()
	if err := eventually(ready, p.exited); err != nil {
		t.Fatalf("%s is not ready: %v; it said:\n%s", p.name, err, tail(p.said.String(), 4000))
	}
}

// eventually asks until the answer is nil, patience is over or gone is closed.
func eventually(ask func() error, gone <-chan struct{}) error {
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(patience)
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-gone:
			return errors.New("it has ended")
		case <-deadline:
			return fmt.Errorf("after %v: %w", patience, err)
		}
	}
}

// listening asks whether somebody accepts connections.
func listening(network, address string) func() error {
	return func() error {
		c, err := net.Dial(network, address)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// run runs a command to its end.
func run(t *testing.T, input io.Reader, command *exec.Cmd) {
	t.Helper()
	command.Stdin = input
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command.Args, " "), err, tail(string(out), 4000))
	}
}

// freeAddress has a port of an address that only this room listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := program.FreeAddress("127.0.0.6")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// remaining lists the processes that have a folder in their command line or
// work in it.
func remaining(folder string) (found []string) {
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return []string{err.Error()}
	}
	for _, entry := range processes {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		// Both fail for a process that has just ended, which is what we want.
		line, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		cwd, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "cwd"))
		if bytes.Contains(line, []byte(folder)) || strings.HasPrefix(cwd, folder) {
			found = append(found, entry.Name()+" "+string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return found
}
