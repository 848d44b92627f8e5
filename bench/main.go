// Command bench measures Seawall side by side with nginx, HAProxy, Varnish,
// Traffic Server and Go's own reverse proxy: same origin, same load, one core
// for the server, the other for the load, taking turns. It exists so that
// "faster than nginx" is a figure with a spread and not an opinion.
//
//	go run ./bench [-rounds 5] [-seconds 3] [-servers nginx,seawall] [PAGE...]
//
// A page is one of those that README.md lists. None means all.
//
// Results go to bench/results, one page and one JSON file for each scenario;
// with fewer than five rounds they are printed and not kept. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fewestRounds is what a result needs to be kept.
const fewestRounds = 5

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "origin":
		err = serveOrigin(os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == "reverseproxy":
		err = serveReverseProxy(os.Args[2], os.Args[3])
	default:
		err = measureAll()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measureAll() error {
	b := &bench{goVer: runtime.Version(), root: os.Geteuid() == 0, progress: os.Stderr}
	var seconds int
	var only, servers, folder string
	flag.IntVar(&b.rounds, "rounds", fewestRounds, "rounds; fewer than five are printed, not kept")
	flag.IntVar(&seconds, "seconds", 3, "length of each run in seconds")
	flag.IntVar(&b.idleConnections, "idle", 9500, "idle connections")
	flag.IntVar(&b.socketConnections, "sockets", 9500, "WebSockets; fewer if the limit of descriptors is lower than a proxy needs")
	flag.IntVar(&b.visitors, "visitors", 1000, "visitors of a crowd; fewer if the limit of descriptors is lower than a proxy needs")
	flag.IntVar(&b.certificates, "certificates", 100_000, "certificates that a server starts with")
	flag.IntVar(&b.serverCore, "server-core", 0, "core of the server")
	flag.IntVar(&b.loadCore, "load-core", 1, "core of wrk and the origin")
	flag.StringVar(&only, "only", "", "regular expression of page names")
	flag.StringVar(&servers, "servers", "", "comma-separated servers; empty means all")
	flag.StringVar(&folder, "out", "", "folder for the results (default bench/results of this module)")
	flag.Parse()
	b.length = time.Duration(seconds) * time.Second
	pattern, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("read -only: %w", err)
	}
	pages, err := choose(flag.Args())
	if err != nil {
		return err
	}
	names := strings.FieldsFunc(servers, func(r rune) bool { return r == ',' })
	for _, name := range names {
		if !slices.ContainsFunc(contenders, func(c contender) bool { return c.Name == name }) {
			return fmt.Errorf("read -servers: there is no %q", name)
		}
	}
	b.wanted = func(name string) bool { return len(names) == 0 || slices.Contains(names, name) }
	if err := b.moveToLoadCore(); err != nil {
		return err
	}
	descriptors, err := raiseDescriptors()
	if err != nil {
		return err
	}
	b.socketConnections = min(b.socketConnections, socketsWithin(descriptors))
	b.visitors = min(b.visitors, socketsWithin(descriptors))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	scratch, err := os.MkdirTemp("", "seawall-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	module, err := moduleFolder(ctx)
	if err != nil {
		return err
	}
	if folder == "" {
		folder = filepath.Join(module, "bench", "results")
	}
	b.uploadScript = filepath.Join(scratch, "upload.lua")
	if err := os.WriteFile(b.uploadScript, uploadScript, 0o644); err != nil {
		return err
	}
	if err := b.makeIdentity(scratch); err != nil {
		return err
	}
	if slices.ContainsFunc(contenders, func(c contender) bool { return c.ours() && b.wanted(c.Name) }) {
		b.buildSeawall(ctx, module, scratch)
	}
	end, err := b.startOrigin(ctx)
	if err != nil {
		return err
	}
	defer end()

	conditions := b.conditions(seconds, descriptors)
	ran := 0
	for _, sc := range pages {
		if !pattern.MatchString(sc.Name) {
			continue
		}
		ran++
		outcomes, err := b.run(ctx, sc)
		if err != nil {
			return fmt.Errorf("run %s: %w", sc.Name, err)
		}
		r := judge(sc, conditions, outcomes)
		fmt.Println(r.markdown(sc))
		if b.rounds < fewestRounds {
			continue
		}
		if err := r.write(sc, folder); err != nil {
			return err
		}
	}
	if ran == 0 {
		return fmt.Errorf("no page matches %q", only)
	}
	return nil
}

// moveToLoadCore starts this program again on the load's core, so that
// neither it nor what it starts ever disturbs the server's.
func (b *bench) moveToLoadCore() error {
	var err error
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.serverCore == b.loadCore {
		return errors.New("the server and the load need a core each")
	}
	if pinned([]int{os.Getpid()}, b.loadCore) == nil {
		return nil
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return fmt.Errorf("find taskset (util-linux): %w", err)
	}
	args := append(onCore(b.loadCore, []string{b.self}), os.Args[1:]...)
	return fmt.Errorf("start again on core %d: %w", b.loadCore, syscall.Exec(taskset, args, os.Environ()))
}

// raiseDescriptors lets this program, and all it starts, open as many files
// as the hard limit says.
func raiseDescriptors() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of descriptors: %w", err)
	}
	// Also when there is nothing to raise: without a call of our own, the Go
	// runtime gives those we start the lower limit that it found.
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("raise the limit of descriptors to %d: %w", limit.Max, err)
	}
	return limit.Max, nil
}

// socketsWithin says how many WebSockets a proxy can hold with so many
// descriptors: it needs two for each, and some for itself.
func socketsWithin(descriptors uint64) int {
	const spare = 500
	return max(1, (int(min(descriptors, 1<<20))-spare)/2)
}

func moduleFolder(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	path := strings.TrimSpace(string(out))
	if filepath.Base(path) != "go.mod" {
		return "", errors.New("find the module: run bench inside it")
	}
	return filepath.Dir(path), nil
}

// buildSeawall leaves a note in place of a binary if it does not build: the
// other servers can be measured without it.
func (b *bench) buildSeawall(ctx context.Context, module, scratch string) {
	b.seawall = filepath.Join(scratch, "seawall")
	command := exec.CommandContext(ctx, "go", "build", "-o", b.seawall, "./cmd/seawall")
	command.Dir = module
	if out, err := command.CombinedOutput(); err != nil {
		b.seawallUnable = fmt.Sprintf("cmd/seawall does not build: %v", err)
		fmt.Fprintf(b.progress, "%s\n%s", b.seawallUnable, out)
	}
}

// startOrigin runs the origin as a process of its own and returns what ends it.
func (b *bench) startOrigin(ctx context.Context) (end func(), err error) {
	if b.originPort, err = freePort(); err != nil {
		return nil, err
	}
	args := onCore(b.loadCore, []string{b.self, "origin", b.origin()})
	command := exec.Command(args[0], args[1:]...)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start origin: %w", err)
	}
	b.originPID = command.Process.Pid
	end = func() {
		command.Process.Kill()
		command.Wait()
	}
	for range 100 {
		if err = checkAnswer(ctx, plainSite(b.origin()), path1M); err == nil {
			return end, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	end()
	return nil, fmt.Errorf("start origin: %w", err)
}

var kernelNumber = regexp.MustCompile(`^\d+(\.\d+)*`)

func (b *bench) conditions(seconds int, descriptors uint64) conditions {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	processor := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, ok := strings.Cut(string(text), "model name"); ok {
			processor = strings.TrimSpace(strings.TrimLeft(firstLine(after), "\t: "))
		}
	}
	wrk := "wrk"
	if out, _ := exec.Command("wrk", "-v").CombinedOutput(); len(out) > 0 {
		wrk = "wrk " + versionNumber.FindString(firstLine(string(out)))
	}
	command := "go run ./bench"
	for _, arg := range os.Args[1:] {
		if strings.ContainsAny(arg, " |*()$") {
			arg = strconv.Quote(arg)
		}
		command += " " + arg
	}
	cores, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*")
	return conditions{
		Command: command, Date: time.Now().UTC().Format("2006-01-02"),
		Kernel: "Linux " + kernelNumber.FindString(string(release)), Processor: processor, Cores: len(cores), Wrk: wrk,
		ServerCore: b.serverCore, LoadCore: b.loadCore, Rounds: b.rounds, Seconds: seconds, Idle: b.idleConnections, Certificates: b.certificates,
		Sockets: b.socketConnections, Visitors: b.visitors, Descriptors: descriptors,
	}
}
