package program

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

const patience = 10 * time.Second

// saying makes a condition: the process has said it.
func saying(p *Process, text string) func() error {
	return func() error {
		if !strings.Contains(p.Said(), text) {
			return errors.New("not said: " + text)
		}
		return nil
	}
}

func TestProcess_endsWithWhatItStarted(t *testing.T) {
	p, err := Start("shell", exec.Command("sh", "-c", `trap 'echo bye; exit 0' TERM; sleep 600 & echo child $!; wait`))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Await(patience, saying(p, "child ")); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(patience); err != nil {
		t.Error(err)
	}
	if err := saying(p, "bye")(); err != nil {
		t.Error(err)
	}
	awaitEnd(t, strings.Fields(p.Said())[1])
}

// awaitEnd waits for a process to be gone, but for somebody who asks how it ended.
func awaitEnd(t *testing.T, pid string) {
	t.Helper()
	err := Eventually(patience, nil, func() error {
		state, err := os.ReadFile("/proc/" + pid + "/stat")
		if err == nil && !strings.Contains(string(state), ") Z ") {
			return errors.New("it lives")
		}
		return nil
	})
	if err != nil {
		t.Errorf("process %s: %v", pid, err)
	}
}

// TestProcess_endsWithTheTest that is killed, and so does what it started. The
// test that dies is this one again, in a process of its own.
func TestProcess_endsWithTheTest(t *testing.T) {
	const name = "SEAWALL_PROGRAM_TEST_DIES"
	if os.Getenv(name) != "" {
		p, err := Start("shell", exec.Command("sh", "-c", "sleep 600 & echo child $! of $$; wait"))
		if err == nil {
			err = p.Await(patience, saying(p, " of "))
		}
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString(p.Said())
		select {} // until killed
	}
	again := exec.Command(os.Args[0], "-test.run=^TestProcess_endsWithTheTest$")
	again.Env = append(os.Environ(), name+"=1")
	p, err := Start("this test", again)
	if err != nil {
		t.Fatal(err)
	}
	err = p.Await(patience, saying(p, " of "))
	if wrong := again.Process.Kill(); err != nil || wrong != nil {
		t.Fatal(err, wrong)
	}
	said := strings.Fields(p.Said())
	awaitEnd(t, said[1])
	awaitEnd(t, said[3])
	if err := p.Stop(patience); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("it ended with %v", err)
	}
}

func TestProcess_tellsHowItEnded(t *testing.T) {
	p, err := Start("shell", exec.Command("sh", "-c", "echo broken; exit 3"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.Await(patience, func() error { return errors.New("not ready") })
	if err == nil || !strings.Contains(err.Error(), "ended") || !strings.Contains(err.Error(), "broken") {
		t.Errorf("waiting for a process that ends: %v", err)
	}
	if err := p.Stop(patience); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("it ended with %v", err)
	}
	if _, err := Start("nothing", exec.Command("/nonexistent")); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestProcess_mayEndByTheSignalThatAsksItTo(t *testing.T) {
	p, err := Start("sleep", exec.Command("sleep", "600"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(patience); err != nil {
		t.Error(err)
	}
}

func TestFreeAddress_isAnotherEachTime(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		address, err := FreeAddress("127.0.0.10")
		if err != nil || seen[address] {
			t.Fatalf("%s again: %v", address, err)
		}
		seen[address] = true
	}
}

func TestLook_findsOurOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	all, err := Sockets()
	if err != nil {
		t.Fatal(err)
	}
	own := slices.IndexFunc(all, func(s Socket) bool {
		return s.Local.String() == c.LocalAddr().String() && s.Peer.String() == l.Addr().String()
	})
	if own < 0 {
		t.Fatalf("our connection is not among %v", all)
	}
	open, err := Open(os.Getpid())
	if err != nil || !slices.Contains(open, all[own].Name) {
		t.Errorf("%v is not among what we have open: %v, %v", all[own], open, err)
	}
	if n, err := Memory(os.Getpid(), "VmRSS"); err != nil || n < 1<<20 {
		t.Errorf("our memory: %d, %v", n, err)
	}
	if _, err := Memory(os.Getpid(), "VmNone"); err == nil {
		t.Error("a line that is not there was read")
	}
}

func TestSample_findsOneSeries(t *testing.T) {
	const page = "# HELP a b\na_total{b=\"c\"} 1e+06\na 3\n"
	for series, want := range map[string]int64{"a": 3, `a_total{b="c"}`: 1000000} {
		if got, err := Sample(page, series); err != nil || got != want {
			t.Errorf("%s: %d, %v", series, got, err)
		}
	}
	if _, err := Sample(page, "a_total"); err == nil {
		t.Error("a series that is not there was read")
	}
}
