package hostile_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience is how long may take what should happen at once.
const patience = 10 * time.Second

// binary is the real program, built once with the race detector.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun is apart from TestMain so that the folder is removed before the exit.
func buildAndRun(m *testing.M) int {
	flag.Parse()
	// Rows wait much and compute little.
	if err := flag.Set("test.parallel", "32"); err != nil {
		fmt.Fprintln(os.Stderr, "run rows side by side:", err)
		return 1
	}
	dir, err := os.MkdirTemp("", "seawall-hostile-")
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
	return m.Run()
}

// groups are the rows by theme, each theme in a file of its own.
var groups = []struct {
	name string
	rows []row
}{
	{"lengths", lengthRows},
	{"codings", codingRows},
	{"chunks", chunkRows},
	{"trailers", trailerRows},
	{"status lines", statusRows},
	{"interim answers", interimRows},
	{"answers without a body", bodilessRows},
	{"switching protocols", switchRows},
	{"fields", fieldRows},
	{"connections", connectionRows},
	{"endings", endingRows},
	{"silence", silentRows},
	{"unasked", unaskedRows},
	{"uploads", uploadRows},
}

// TestOrigin_mayDoWhatItLikes runs every row against one process.
func TestOrigin_mayDoWhatItLikes(t *testing.T) {
	s, rows := newStage(t), 0
	for _, g := range groups {
		names := map[string]bool{}
		for i := range g.rows {
			s.add(t, &g.rows[i])
			names[g.rows[i].name] = true
		}
		if len(names) != len(g.rows) {
			t.Errorf("%s: two rows have one name", g.name)
		}
		rows += len(names)
	}
	if rows < 100 {
		t.Errorf("there are %d rows", rows)
	}
	everyByte := s.addEveryByte(t)
	p := s.start(t)

	t.Run("rows", func(t *testing.T) {
		for _, g := range groups {
			t.Run(g.name, func(t *testing.T) {
				t.Parallel()
				for i := range g.rows {
					t.Run(g.rows[i].name, func(t *testing.T) {
						t.Parallel()
						s.play(t, &g.rows[i])
					})
				}
			})
		}
		t.Run("every byte", func(t *testing.T) {
			t.Parallel()
			for _, cut := range everyByte {
				t.Run(cut.name, func(t *testing.T) {
					t.Parallel()
					s.cutEverywhere(t, cut)
				})
			}
		})
	})
	p.checkWorld(t)
}
