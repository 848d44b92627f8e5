package caching_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// one is for whoever works on the cache.
var one = flag.String("id", "", "run this test of the suite alone, and show what both ends of it saw")

const (
	scoreboardFile = "testdata/scoreboard.txt"
	exceptionsFile = "testdata/exceptions.txt"
	packagesFile   = "testdata/packages.txt"
	// writing says what to write: 1 is the scoreboard, exceptions these as well.
	writing = "SEAWALL_WRITE_SCOREBOARD"
	rewrite = writing + "=1 go test -count=1 -run TestSuite ./test/caching"
)

func TestSuite_passesAsTheScoreboardSays(t *testing.T) {
	t.Parallel()
	s := newStage(t, takePackages(t))
	r := s.drive(t, *one)
	if *one != "" {
		showOne(t, s, r)
		return
	}
	exceptions, err := readExceptions(read(t, exceptionsFile))
	if err != nil {
		t.Fatalf("%s: %v", exceptionsFile, err)
	}
	switch os.Getenv(writing) {
	case "":
	case "exceptions":
		text := r.writeExceptions(exceptions)
		write(t, exceptionsFile, text)
		if exceptions, err = readExceptions(text); err != nil {
			t.Fatal(err)
		}
		fallthrough
	case "1":
		write(t, scoreboardFile, r.scoreboard())
	default:
		t.Fatalf("%s is neither 1 nor exceptions", writing)
	}
	for _, problem := range r.gate(exceptions) {
		t.Error(problem)
	}
	if lines := differences(read(t, scoreboardFile), r.scoreboard()); len(lines) > 0 {
		t.Errorf("%s (-) is not what was seen (+); write it with\n%s\n%s", scoreboardFile, rewrite, strings.Join(lines, "\n"))
	}
	if t.Failed() {
		t.Logf("the suite printed:\n%s", tail(s.printed(t)))
	}
}

// showOne shows how one test went, which fails when that test does.
func showOne(t *testing.T, s *stage, r *report) {
	t.Helper()
	d, known := r.find(*one)
	if !known {
		t.Fatalf("the suite has no test %q", *one)
	}
	v, why := r.judgeAlone(d)
	t.Logf("\n%s\n%s (%s): %s %s", s.printed(t), d.ID, d.Kind, v, why)
	if !v.good() {
		t.Fail()
	}
}

// takePackages returns the suite. Where Node, npm or the registry is missing
// the test is skipped, and says so; CI has them all, so there it fails.
func takePackages(t *testing.T) map[npmPackage][]byte {
	t.Helper()
	packages, err := readPackages(read(t, packagesFile))
	if err != nil {
		t.Fatalf("%s: %v", packagesFile, err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		miss(t, "missing Debian package: nodejs (run test/setup)")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("find a place for packages: %v", err)
	}
	packed, err := shelf{folder: filepath.Join(cache, "seawall-test", "npm"), fetch: fetchWithNPM}.take(packages)
	if errors.Is(err, errNotHere) {
		miss(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func miss(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
