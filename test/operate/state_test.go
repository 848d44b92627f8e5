package operate_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// refused starts the program, which must say why it does not run.
func (p *program) refused(t *testing.T, phrases ...string) {
	t.Helper()
	p.launch(t, setup{})
	if code := p.ended(t, patience); code != 1 {
		t.Errorf("exit code %d, want 1\n%s", code, p.said)
	}
	for _, phrase := range phrases {
		if !strings.Contains(p.said.String(), phrase) {
			t.Errorf("it does not say %q\n%s", phrase, p.said)
		}
	}
	if strings.Contains(p.said.String(), "goroutine ") {
		t.Errorf("it shows a stack\n%s", p.said)
	}
}

// tree is every file below a folder with its content and permissions.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v %v", path, info.Mode(), info.ModTime())
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", text)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// another is a program with doors of its own on the same state directory.
func another(t *testing.T, p *program) *program {
	t.Helper()
	q := prepare(t, setup{config: "zones:\n" + zoneLine("site.test", "http://127.0.0.1:1")})
	if p != nil {
		q.state = p.state
		q.write(t, "zones:\n"+zoneLine("site.test", "http://127.0.0.1:1"))
	}
	return q
}

func TestState_isHeldByOneProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "zones:\n" + zoneLine("site.test", s.url())}, s)
	before := tree(t, p.state)
	another(t, p).refused(t, p.state+" is in use by another seawall, process "+fmt.Sprint(p.command.Process.Pid), "choose another with --state")
	if after := tree(t, p.state); after != before {
		t.Errorf("the second program changed the state directory from\n%s\nto\n%s", before, after)
	}
	p.enter(t).mustGet(t, "site.test", "/", 200)
	p.checkWorld(t)
}

func TestState_ofANewerProgramIsNotTouched(t *testing.T) {
	t.Parallel()
	p := another(t, nil)
	if err := os.Mkdir(p.state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.state, "version"), []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, p.state)
	p.refused(t, "was written by a newer seawall (its version is 99, this program knows 1)", "nothing was touched")
	if after := tree(t, p.state); after != before {
		t.Errorf("it was touched: before\n%s\nafter\n%s", before, after)
	}
}

// TestState_thatCannotBeWritten is the state directory of somebody else. Root
// may write everywhere, so the program runs as nobody then.
func TestState_thatCannotBeWritten(t *testing.T) {
	t.Parallel()
	p := another(t, nil)
	if err := os.Mkdir(p.state, 0o500); err != nil {
		t.Fatal(err)
	}
	before := tree(t, p.state)
	command := exec.Command(raceBinary, "run", "--config", p.config)
	if os.Getuid() == 0 {
		const nobody = 65534
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for _, path := range []string{p.dir, filepath.Dir(raceBinary), p.config, p.state} {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		before = tree(t, p.state)
	}
	out, err := command.CombinedOutput()
	if command.ProcessState == nil || command.ProcessState.ExitCode() != 1 ||
		!strings.Contains(string(out), "the state directory "+p.state+" cannot be used: permission denied") {
		t.Errorf("%v: %s", err, out)
	}
	if after := tree(t, p.state); after != before {
		t.Errorf("it was touched: before\n%s\nafter\n%s", before, after)
	}
}

// TestStart_aPortInUse: for each door one sentence, and nothing is left of
// what was opened before it.
func TestStart_aPortInUse(t *testing.T) {
	t.Parallel()
	for _, door := range []string{"http", "metrics", "debug"} {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "site")
			holder := start(t, setup{config: "zones:\n" + zoneLine("site.test", s.url())}, s)
			p := another(t, nil)
			own := map[string]*string{"http": &p.http, "metrics": &p.metrics, "debug": &p.debug}[door]
			free := *own
			*own = map[string]string{"http": holder.http, "metrics": holder.metrics, "debug": holder.debug}[door]
			p.write(t, "zones:\n"+zoneLine("site.test", s.url()))
			p.refused(t, "cannot listen on the "+door+" address "+*own+": another program is listening there")
			*own = free
			p.checkGone(t)
			p.write(t, "zones:\n"+zoneLine("site.test", s.url()))
			p.launch(t, setup{})
			p.await(t, "the program to start where the first could not", p.ready)
			p.signal(t, syscall.SIGTERM)
			if code := p.ended(t, patience); code != 0 {
				t.Errorf("exit code %d\n%s", code, p.said)
			}
			holder.enter(t).mustGet(t, "site.test", "/", 200)
			holder.checkWorld(t)
		})
	}
}

// TestStart_everyMistakeAtOnce with its place, from check and from run.
func TestStart_everyMistakeAtOnce(t *testing.T) {
	t.Parallel()
	p := prepare(t, setup{config: strings.Join([]string{
		"limits:",
		"  head_timeout: 5", // line 6
		"  colour: blue",
		"cache: {memory: [1]}",
		"zones:",
		"  - {name: one.test, origin: {url: 'http://127.0.0.1:1'}}", // line 10
		"  - {name: one.test, origin: {url: 'http://127.0.0.1:2'}}",
		"  - {name: two.test, hosts: [one.test], origin: {url: 5}}",
		"",
	}, "\n")})
	want := []string{
		":6:17: limits.head_timeout: 5 has no unit", ":7:3: limits.colour: ", ":8:17: cache.memory: ",
		":11:6: zones[1].name: ", ":12:", "zones[2].hosts[0]: one.test is already a host of zone one.test", ":12:55: zones[2].origin.url: ",
	}
	code, _, stderr := run(t, "check", "--config", p.config)
	p.refused(t, "mistakes")
	for command, said := range map[string]string{"check": stderr, "run": p.said.String()} {
		at := 0
		for _, part := range want {
			if part[0] == ':' {
				part = p.config + part
			}
			i := strings.Index(said[at:], part)
			if i < 0 {
				t.Errorf("%s does not say, in the order of the file, %q\n%s", command, part, said)
				continue
			}
			at += i
		}
	}
	if code != 1 {
		t.Errorf("check ends with exit code %d", code)
	}
	if _, err := os.Stat(p.state); err == nil {
		t.Error("a configuration with mistakes made a state directory")
	}
	p.checkGone(t)
}

// TestCheck_startsNothing explains a configuration whose addresses are all in
// use, beside the program that uses them.
func TestCheck_startsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "zones:\n" + zoneLine("site.test", s.url())}, s)
	before := tree(t, p.state)
	code, stdout, stderr := run(t, "check", "--config", p.config)
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	for _, part := range []string{"Visitors come in on " + p.http, "Zone site.test", "Origin: " + s.url()} {
		if !strings.Contains(stdout, part) {
			t.Errorf("check does not say %q\n%s", part, stdout)
		}
	}
	if after := tree(t, p.state); after != before {
		t.Errorf("the state directory changed from\n%s\nto\n%s", before, after)
	}
	code, stdout, stderr = run(t, "status", "--state", p.state)
	if code != 0 || !strings.Contains(stdout, fmt.Sprintf("process %d, serving", p.command.Process.Pid)) || !strings.Contains(stdout, "site.test") {
		t.Errorf("status: exit code %d, %s%s", code, stdout, stderr)
	}
	p.checkWorld(t)
}
