package collapse_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// binary is the real program, built once with the race detector.
var binary string

// patience is how long a story waits for what should happen at once.
const patience = 20 * time.Second

// crowdSize is how many visitors come at the same time.
func crowdSize() int {
	if os.Getenv("SEAWALL_PROOF") == "full" {
		return 1000
	}
	return 200
}

// atOnce is how many stories are told at the same time where nobody says how many.
const atOnce = 4

func TestMain(m *testing.M) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce, runtime.GOMAXPROCS(0)))); err != nil {
			fmt.Fprintln(os.Stderr, "set how many stories are told at once:", err)
			os.Exit(1)
		}
	}
	os.Exit(buildAndRun(m))
}

// buildAndRun is apart from TestMain so that the folder is removed before the exit.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "seawall-collapse-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary = os.Getenv("SEAWALL_BINARY"); binary == "" {
		binary = filepath.Join(dir, "seawall")
		if out, err := exec.Command("go", "build", "-race", "-o", binary, "../../cmd/seawall").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}
