package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestState_isMadePrivateAndHasAVersion(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	s, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v (%v), want 0700", info.Mode(), err)
	}
	for name, want := range map[string]string{"version": "1\n", "lock": fmt.Sprintf("%d\n", os.Getpid())} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != want {
			t.Errorf("%s holds %q (%v), want %q", name, text, err, want)
		}
	}
}

func TestState_hasOneHolder(t *testing.T) {
	dir := t.TempDir()
	first, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = openState(dir)
	checkError(t, err, dir, "in use by another seawall, process "+fmt.Sprint(os.Getpid()), "--state")
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	again, err := openState(dir)
	if err != nil {
		t.Fatalf("the lock outlived its holder: %v", err)
	}
	defer again.close()
}

func TestState_namesNoHolderItDoesNotKnow(t *testing.T) {
	dir := t.TempDir()
	first, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.close()
	if err := os.Truncate(filepath.Join(dir, "lock"), 0); err != nil {
		t.Fatal(err)
	}
	_, err = openState(dir)
	checkError(t, err, "in use by another seawall;")
}

func TestState_leavesWhatANewerProgramWrote(t *testing.T) {
	tests := []struct{ version, want string }{
		{"2\n", "written by a newer seawall (its version is 2, this program knows 1)"},
		{"999", "written by a newer seawall"},
		{"", "does not hold a version"},
		{"one", "does not hold a version"},
		{"0", "does not hold a version"},
	}
	for _, test := range tests {
		t.Run(test.version, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "version")
			if err := os.WriteFile(path, []byte(test.version), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := openState(dir)
			checkError(t, err, test.want)
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Errorf("something was made: %v (%v)", entries, err)
			}
			if text, err := os.ReadFile(path); err != nil || string(text) != test.version {
				t.Errorf("the version became %q (%v)", text, err)
			}
		})
	}
}

func TestState_saysWhyItCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "state")} {
		_, err := openState(path)
		checkError(t, err, path, "not a directory; choose another")
	}
	if err := os.Mkdir(filepath.Join(dir, "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := openState(dir)
	checkError(t, err, "choose another with --state")
}

// checkError fails unless there is an error of one line with all parts.
func checkError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}
