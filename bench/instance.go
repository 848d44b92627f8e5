package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// instance is a running server with everything it started.
type instance struct {
	contender contender
	setup     setup
	commands  []*exec.Cmd
	ended     []chan struct{} // closed once commands[i] has ended
	scratch   []string
	logRead   int64 // how far newLogLines has read
}

// freePort asks the kernel. Nothing else on a quiet machine takes the port
// between here and the server's own listen; if it does, the start fails.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// prepare writes the files of a server that is not started yet. The caller
// must stop it, also after an error if it is not nil.
func prepare(c contender, s setup) (*instance, error) {
	in := &instance{contender: c}
	s.Server = c.Name
	var err error
	if s.Dir, err = os.MkdirTemp("", "seawall-bench-"); err != nil {
		return nil, err
	}
	in.scratch = append(in.scratch, s.Dir)
	s.Memory = s.Dir + "/memory"
	if dir, err := os.MkdirTemp("/dev/shm", "seawall-bench-"); err == nil {
		in.scratch = append(in.scratch, dir)
		s.Memory = dir
	}
	if s.Port, err = freePort(); err != nil {
		return in, err
	}
	for s.PlainPort == 0 || s.PlainPort == s.Port {
		if s.PlainPort, err = freePort(); err != nil {
			return in, err
		}
	}
	in.setup = s
	if s.HostFolder != "" {
		if err := os.Symlink(s.HostFolder, filepath.Join(s.Dir, "hosts")); err != nil {
			return in, err
		}
	}
	return in, render(c, s)
}

// start runs a server on the core and returns once it passes on an answer of
// the origin. The caller must stop it, also after an error if it is not nil.
func start(ctx context.Context, c contender, s setup, core int) (*instance, error) {
	in, err := prepare(c, s)
	if err != nil {
		return in, err
	}
	if err := in.run(onCore(core, c.Serve(in.setup))); err != nil {
		return in, err
	}
	if err := in.ready(ctx); err != nil {
		return in, fmt.Errorf("start %s: %w: %s", c.Name, err, in.lastWords())
	}
	if s.AccessLog && c.Log != nil {
		if err := in.run(onCore(core, c.Log(in.setup))); err != nil {
			return in, err
		}
	}
	return in, in.pin(core)
}

// pin keeps all threads of a server on the core.
func (in *instance) pin(core int) error {
	pids, err := in.processes()
	if err != nil {
		return err
	}
	// Traffic Server spreads its network threads over all cores by itself.
	for _, pid := range pids {
		if out, err := exec.Command("taskset", "-a", "-c", "-p", strconv.Itoa(core), strconv.Itoa(pid)).CombinedOutput(); err != nil {
			return fmt.Errorf("pin %s: %w: %s", in.contender.Name, err, out)
		}
	}
	return pinned(pids, core)
}

func (in *instance) run(args []string) error {
	output, err := os.OpenFile(filepath.Join(in.setup.Dir, "stdout"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer output.Close()
	complaints, err := os.OpenFile(filepath.Join(in.setup.Dir, "stderr"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer complaints.Close()
	command := exec.Command(args[0], args[1:]...)
	command.Dir, command.Stdout, command.Stderr = in.setup.Dir, output, complaints
	// A group of its own, so that an interrupt from the terminal reaches the
	// server through stop alone.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", in.contender.Name, err)
	}
	ended := make(chan struct{})
	go func() {
		command.Wait()
		close(ended)
	}()
	in.commands = append(in.commands, command)
	in.ended = append(in.ended, ended)
	return nil
}

// ready polls until the server answers pathPass1K with the origin's bytes.
func (in *instance) ready(ctx context.Context) error {
	limit := time.After(30 * time.Second)
	for {
		err := checkAnswer(ctx, in.setup.site(), pathPass1K)
		if err == nil {
			return nil
		}
		select {
		case <-in.ended[0]:
			return errors.New("it ended")
		case <-limit:
			return fmt.Errorf("not ready in 30 s: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lastWords is the end of what the server printed, for the person reading.
func (in *instance) lastWords() string {
	var words strings.Builder
	for _, name := range []string{"stdout", "stderr", "error.log"} {
		text, _ := os.ReadFile(filepath.Join(in.setup.Dir, name))
		words.Write(text[max(0, len(text)-600):])
	}
	return strings.TrimSpace(words.String())
}

func (in *instance) processes() ([]int, error) {
	var roots []int
	for _, command := range in.commands {
		roots = append(roots, command.Process.Pid)
	}
	return tree(roots)
}

// stop ends every process of the instance by its number and removes its
// files. What does not end in five seconds is killed.
func (in *instance) stop() {
	pids, _ := in.processes()
	for _, command := range slices.Backward(in.commands) {
		command.Process.Signal(syscall.SIGTERM)
	}
	limit := time.After(5 * time.Second)
	killed := false
	for _, ended := range in.ended {
		select {
		case <-ended:
			continue
		case <-limit:
		}
		if !killed {
			killed = true
			for _, pid := range pids {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		<-ended
	}
	for _, dir := range in.scratch {
		os.RemoveAll(dir)
	}
}

// logFile is where the access log of this server goes.
func (in *instance) logFile() string {
	if in.contender.Name == "haproxy" {
		return filepath.Join(in.setup.Dir, "stdout")
	}
	return filepath.Join(in.setup.Dir, "access.log")
}
