package operate_test

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

// The real program, built once: with the race detector, and without it for
// stories about memory, where the detector's own would be measured.
var raceBinary, plainBinary string

// patience is how long a story waits for what should happen at once.
const patience = 10 * time.Second

// full says that the long forms are wanted.
var full = os.Getenv("SEAWALL_PROOF") == "full"

// atOnce is how many stories are told at the same time where nobody says how
// many: they wait for most of their time, and for nothing that takes a core.
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
	dir, err := os.MkdirTemp("", "seawall-operate-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	raceBinary, plainBinary = filepath.Join(dir, "race"), filepath.Join(dir, "plain")
	for _, args := range [][]string{{"build", "-race", "-o", raceBinary}, {"build", "-o", plainBinary}} {
		if out, err := exec.Command("go", append(args, "../../cmd/seawall")...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}
