package rule

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestGlob(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) { t.Fatal("no") })
	}
}

func TestFolder(t *testing.T) {
	entries, _ := os.ReadDir("testdata")
	if len(entries) == 0 {
		t.Skip("no files")
	}
	for range entries {
		t.Fatal("no")
	}
}

func TestTree(t *testing.T) {
	filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		t.Error(path)
		return nil
	})
}
