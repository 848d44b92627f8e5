package durable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestWriteFile_replacesTheWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, content := range []string{"a long first version", "short", ""} {
		if err := WriteFile(path, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Errorf("%q (%v), want %q", got, err, content)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v (%v), want 0640", info.Mode(), err)
	}
	checkOnly(t, path)
}

func TestWriteFile_leavesTheOldFileAfterAnError(t *testing.T) {
	// A directory cannot be replaced by a file, whoever tries.
	path := filepath.Join(t.TempDir(), "folder")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	err := WriteFile(path, []byte("new"), 0o600)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name %s", err, path)
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		t.Errorf("the directory is gone: %v", err)
	}
	checkOnly(t, path)
}

func TestWriteFile_saysThatTheDirectoryIsMissing(t *testing.T) {
	err := WriteFile(filepath.Join(t.TempDir(), "none", "file"), nil, 0o600)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestWriteFile_neverShowsAPartOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	one, two := bytes.Repeat([]byte("1"), 100_000), bytes.Repeat([]byte("2"), 50_000)
	if err := WriteFile(path, one, 0o600); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for i := range 20 {
			if err := WriteFile(path, [][]byte{two, one}[i%2], 0o600); err != nil {
				t.Error(err)
			}
		}
	})
	for range 200 {
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, one) && !bytes.Equal(got, two) {
			t.Fatalf("read %d bytes: %v", len(got), err)
		}
	}
	wait.Wait()
}

// checkOnly fails when an unfinished file was left beside path.
func checkOnly(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside %s: %v (%v)", path, entries, err)
	}
}
