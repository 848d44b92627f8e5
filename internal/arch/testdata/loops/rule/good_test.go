package rule

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestGuardedGlob(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) < 3 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Fatal(file)
	}
}

func TestGuardedTree(t *testing.T) {
	seen := 0
	filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		seen++
		t.Error(path)
		return nil
	})
	if seen == 0 {
		t.Fatal("no files")
	}
}

func openFiles(t *testing.T) (names []string) {
	entries, err := os.ReadDir("somewhere")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestCounts(t *testing.T) {
	if len(openFiles(t)) == 0 {
		t.Fatal("no")
	}
}
