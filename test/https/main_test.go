package https_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binary is the real program, built once with the race detector.
var binary string

// patience is how long may take what should happen at once.
const patience = 20 * time.Second

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun is apart from TestMain so that the folder is removed before the exit.
func buildAndRun(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "seawall-https-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "seawall")
	if out, err := exec.Command("go", "build", "-race", "-o", binary, "../../cmd/seawall").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	// The detector sleeps for a second at the end of each program unless told not to.
	if err := os.Setenv("GORACE", "halt_on_error=0 exitcode=66 atexit_sleep_ms=0"); err != nil {
		fmt.Fprintln(os.Stderr, "tell the race detector what to do:", err)
		return 1
	}
	return m.Run()
}
