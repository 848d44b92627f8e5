package https_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// A program that dies of a signal leaves no picture of its memory where it
// works, keys and all, whatever it may leave (ulimit -c unlimited).
func TestSecrets_areInNoCore(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"GOTRACEBACK=", "GOTRACEBACK=all"} {
		for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGSEGV, syscall.SIGSYS} {
			t.Run(fmt.Sprint(environment, " ", signal), func(t *testing.T) {
				t.Parallel()
				diesWithoutCore(t, environment, signal)
			})
		}
	}
}

func diesWithoutCore(t *testing.T, environment string, signal syscall.Signal) {
	t.Helper()
	const name = "open.example.com"
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(pattern), "/") || strings.HasPrefix(string(pattern), "|") {
		t.Logf("this kernel puts cores elsewhere, %s: none would be seen", strings.TrimSpace(string(pattern)))
	}
	dir, err := os.MkdirTemp("", "https-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	n, key, planted := newNotary(t), newKey(t, "P-256"), secrets{}
	n.certify(t, dir, "open", key, time.Now().Add(quarter), name)
	planted.plant(t, key, keyPEM(t, key))
	door, err := program.FreeAddress("127.0.0.5")
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "seawall.yaml")
	replaceFile(t, config, fmt.Appendf(nil, "state: %[2]s\nzones:\n"+uploaded(name, name, "open"), "http://127.0.0.5:1", state))
	command := exec.Command("sh", "-c", `ulimit -c unlimited; exec "$@"`, "sh", binary, "run", "--config", config, "--http", "127.0.0.5:0", "--https", door)
	command.Dir, command.Env = state, append(os.Environ(), environment)
	p, err := program.Start("seawall", command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(patience) }) // it has died of a signal
	err = p.Await(patience, func() error {
		conn, err := tls.Dial("tcp", door, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].VerifyHostname(name)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.PID(), signal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Exited:
	case <-time.After(3 * patience):
		t.Fatalf("it survives %v", signal)
	}
	if n := planted.found([]byte(p.Said())); n > 0 {
		t.Errorf("what it says at its end has %d pieces of the key", n)
	}
	cores, err := filepath.Glob(filepath.Join(state, "*core*"))
	if err != nil || len(cores) > 0 {
		t.Errorf("it leaves %q, %v", cores, err)
	}
	planted.within(t, state)
}
