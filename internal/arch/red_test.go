package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	redCode  = "package house\n\nfunc double(n int) int {\n\treturn n + n\n}\n"
	redTests = "package house\n\nimport \"testing\"\n\nfunc TestDouble(t *testing.T) {\n\tt.Run(\"of two (2)\", func(t *testing.T) {\n" +
		"\t\tif double(2) != 4 {\n\t\t\tt.Fatal(\"no\")\n\t\t}\n\t})\n}\n\nfunc TestBroken(t *testing.T) { t.Fatal(\"always\") }\n"
)

func redPatch(test, line string) string {
	return "# test: " + test + "\n# why\ndiff --git a/house.go b/house.go\n--- a/house.go\n+++ b/house.go\n" +
		"@@ -3,3 +3,3 @@\n func double(n int) int {\n-\treturn n + n\n+\t" + line + "\n }\n"
}

// The runner of test/red is what tells us that tests can fail; so it is seen
// failing itself, on a small repository for each way to be wrong.
func TestRed_saysWhichTestsStayGreen(t *testing.T) {
	for _, c := range []struct {
		name, patch string
		ok          bool
		says        string
	}{
		{"red", redPatch(". TestDouble", "return n * 3"), true, "TestDouble fails, as it should"},
		{"red part", redPatch(". TestDouble/of_two_(2)", "return n * 3"), true, "1 as expected, 0 not"},
		{"stays green", redPatch(". TestDouble", "return n * 2"), false, "TestDouble STAYED GREEN"},
		{"one of two stays green", redPatch(". TestDouble\n# test: . TestDouble/of_two_(2)", "return 2 * n"), false, "0 as expected, 2 not"},
		{"does not compile", redPatch(". TestDouble", "return \"\""), false, "did not run"},
		{"no such test", redPatch(". TestTriple", "return 1"), false, "does not pass without the patch (broken)"},
		{"red before", redPatch(". TestBroken", "return 1"), false, "does not pass without the patch (fail)"},
		{"does not apply", strings.Replace(redPatch(". TestDouble", "return 1"), "n + n", "n - n", 1), false, "does not apply"},
		{"names no test", strings.Replace(redPatch(". TestDouble", "return 1"), "# test:", "# for:", 1), false, "does not begin with"},
		{"no patch", "", false, "there are no patches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			runner, err := os.ReadFile("../../test/red/run")
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "test/red/run", string(runner))
			write(t, dir, "go.mod", "module example.org/house\n\ngo 1.26\n")
			write(t, dir, "house.go", redCode)
			write(t, dir, "house_test.go", redTests)
			if c.patch != "" {
				write(t, dir, "test/red/a.patch", c.patch)
			}
			if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			out, err := exec.Command(filepath.Join(dir, "test/red/run")).CombinedOutput()
			if (err == nil) != c.ok || !strings.Contains(string(out), c.says) {
				t.Errorf("err %v, want success %v and %q, got:\n%s", err, c.ok, c.says, out)
			}
			if now, err := os.ReadFile(filepath.Join(dir, "house.go")); err != nil || string(now) != redCode {
				t.Errorf("the tree itself was changed (%v):\n%s", err, now)
			}
		})
	}
}

// The last line of .ci/run is read by machines, its exit status too.
func TestCI_countsResults(t *testing.T) {
	for _, c := range []struct{ name, output, status, last string }{
		{"good", "=== RUN   TestA\n    --- PASS: TestA/b (0.00s)\n--- PASS: TestA (0.00s)\n--- SKIP: TestC (0.00s)\nok  \\tx\\t0.1s\n", "0", "2 passed, 0 failed"},
		{"bad", "--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL\nFAIL\\tx\\t0.1s\nFAIL\nmake: *** [test] Error 1\n", "1", "1 passed, 1 failed"},
		{"does not build", "--- PASS: TestA (0.00s)\nok  \\tx\\t0.1s\nFAIL\\ty [build failed]\n", "2", "1 passed, 1 failed"},
		{"stopped before the tests", "make[1]: *** [Makefile:3: check] Error 1\n", "2", "0 passed, 1 failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "make", "#!/bin/sh\nprintf '%b' '"+c.output+"'\nexit "+c.status+"\n")
			run := exec.Command("../../.ci/run")
			run.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
			out, _ := run.Output()
			if got := run.ProcessState.ExitCode(); got != int(c.status[0]-'0') {
				t.Errorf("exit status %d, want %s", got, c.status)
			}
			if !strings.HasSuffix(string(out), "\n"+c.last+"\n") || strings.Contains(string(out), "=== RUN") {
				t.Errorf("want last line %q and no noise, got:\n%s", c.last, out)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}
