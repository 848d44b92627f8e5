package https_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needs says which Debian package brings which file.
var needs = []struct{ file, debian string }{
	{"/usr/bin/testssl", "testssl.sh"},
	{"/usr/bin/chromium", "chromium"},
	{"/usr/bin/certutil", "libnss3-tools"},
	{"/usr/bin/curl", "curl"},
	{"/usr/bin/openssl", "openssl"},
}

// require skips the test where a package is missing, and names it. CI has
// them all, so there it fails.
func require(t *testing.T, debian ...string) {
	t.Helper()
	var missing []string
next:
	for _, name := range debian {
		for _, need := range needs {
			if need.debian != name {
				continue
			}
			if _, err := os.Stat(need.file); err != nil {
				missing = append(missing, name)
			}
			continue next
		}
		t.Fatalf("nobody knows how to find the package %s", name)
	}
	switch {
	case len(missing) == 0:
	case os.Getenv("CI") != "":
		t.Fatalf("missing Debian packages: %s (run test/setup)", strings.Join(missing, " "))
	default:
		t.Skipf("missing Debian packages: %s (run test/setup)", strings.Join(missing, " "))
	}
}

// A new machine gets every package that is asked for here.
func TestSetup_installsWhatVisitorsNeed(t *testing.T) {
	list, err := exec.Command(filepath.Join("..", "setup"), "--list").Output()
	if err != nil {
		t.Fatalf("ask test/setup: %v", err)
	}
	for _, need := range needs {
		if !strings.Contains("\n"+string(list), "\n"+need.debian+" ") {
			t.Errorf("test/setup does not install %s", need.debian)
		}
	}
}
