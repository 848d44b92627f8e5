// Package program runs other programs for black-box tests, and looks at them
// from outside: what they said, what they have open, how they ended.
//
// A Process ends with the test, however that ends: it is asked to stop, then
// its process group is killed, and a guard kills that group should the test
// itself die first. Nothing here knows package testing, because a process may live
// longer than one test.
package program

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Process is a program that runs. Name is for whoever reads an error.
type Process struct {
	Name    string
	Exited  <-chan struct{} // closed when it has ended
	command *exec.Cmd
	guard   *exec.Cmd
	said    said
	err     error // valid when Exited is closed
	stop    sync.Once
	stopped error // what Stop found
}

// said collects what a process writes while somebody may read it.
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

// Start runs a command in a process group of its own.
func Start(name string, command *exec.Cmd) (*Process, error) {
	exited := make(chan struct{})
	p := &Process{Name: name, Exited: exited, command: command}
	command.Stdout, command.Stderr = &p.said, &p.said
	// A grandchild that outlives its parent and holds the pipe must not hold us.
	command.WaitDelay = time.Second
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.watch(); err != nil {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
		return nil, fmt.Errorf("start the guard of %s: %w", name, err)
	}
	go func() {
		p.err = command.Wait()
		close(exited)
	}()
	return p, nil
}

// watch starts the guard, a shell that waits for the end of a pipe from us,
// which comes when we are no more, and then kills the group. It is one of the
// group, so that the kernel gives the group's number to nobody else meanwhile.
// Called before anybody asks how the process ended, or there may be no group.
func (p *Process) watch() error {
	guard := exec.Command("sh", "-c", "trap '' TERM INT HUP QUIT USR1 USR2 WINCH; read -r _; kill -KILL 0")
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: p.PID()}
	if _, err := guard.StdinPipe(); err != nil {
		return err
	}
	p.guard = guard
	return guard.Start()
}

// PID is the process's number.
func (p *Process) PID() int { return p.command.Process.Pid }

// Said is what the process has written so far, errors and all.
func (p *Process) Said() string { return p.said.String() }

// Await asks until ready returns nil, and fails when the process ends first
// or patience does. The error holds what the process said.
func (p *Process) Await(patience time.Duration, ready func() error) error {
	if err := Eventually(patience, p.Exited, ready); err != nil {
		return fmt.Errorf("wait for %s: %w; it said:\n%s", p.Name, err, p.Said())
	}
	return nil
}

// Stop asks the process to end, waits, and ends what is left of its group.
// The error tells of a process that did not end in time, or ended badly; asked
// again, it is the same.
func (p *Process) Stop(patience time.Duration) error {
	p.stop.Do(func() { p.stopped = p.end(patience) })
	return p.stopped
}

func (p *Process) end(patience time.Duration) error {
	var problems []error
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		problems = append(problems, err)
	}
	select {
	case <-p.Exited:
	case <-time.After(patience):
		problems = append(problems, errors.New("it does not end when asked to"))
	}
	if err := syscall.Kill(-p.PID(), syscall.SIGKILL); err != nil {
		problems = append(problems, fmt.Errorf("end its group: %w", err))
	}
	_ = p.guard.Wait() // killed with its group
	<-p.Exited
	if !p.asAsked() {
		problems = append(problems, p.err)
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("stop %s: %w", p.Name, err)
	}
	return nil
}

// asAsked reports whether the process ended well, or by the signal that asks
// it to. That a grandchild held the pipe is no fault of the process.
func (p *Process) asAsked() bool {
	if p.err == nil || errors.Is(p.err, exec.ErrWaitDelay) {
		return true
	}
	status, ok := p.command.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

// Eventually asks until the answer is nil, patience is over or gone is closed.
func Eventually(patience time.Duration, gone <-chan struct{}, ask func() error) error {
	again := time.NewTicker(10 * time.Millisecond)
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
			return fmt.Errorf("it has ended: %w", err)
		case <-deadline:
			return fmt.Errorf("after %v: %w", patience, err)
		}
	}
}

// Listening makes a condition: somebody accepts connections there.
func Listening(network, address string) func() error {
	return func() error {
		c, err := net.Dial(network, address)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// given are the addresses that FreeAddress has returned.
var given sync.Map

// FreeAddress returns an unused port of an address, another each time. Test
// binaries run beside each other: whoever uses a loopback address that is
// nobody else's, and that no connection comes from, such as 127.0.0.9, keeps
// the port to himself.
func FreeAddress(ip string) (string, error) {
	for {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
		if err != nil {
			return "", fmt.Errorf("find a free port: %w", err)
		}
		address := l.Addr().String()
		if err := l.Close(); err != nil {
			return "", fmt.Errorf("give back a port: %w", err)
		}
		if _, known := given.LoadOrStore(address, true); !known {
			return address, nil
		}
	}
}

// Unprivileged returns who a program runs as when the test is root: some
// refuse to be root, and none should. It is nil when the test is not root.
func Unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("find an unprivileged user: %w", err)
	}
	uid, errUID := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(nobody.Gid, 10, 32)
	if err := errors.Join(errUID, errGID); err != nil {
		return nil, fmt.Errorf("read the unprivileged user: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
