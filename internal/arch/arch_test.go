package arch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHouse_isInOrder(t *testing.T) {
	problems, err := Check("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

// Every folder under testdata is a small module that breaks the rule of its
// name; want.txt lists all that must be said about it and nothing else.
func TestRules_complainAboutBadModules(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			want := lines(t, filepath.Join("testdata", rule.name, "want.txt"))
			if len(want) == 0 {
				t.Fatal("want.txt is empty: no complaint is expected")
			}
			got := complaints(t, filepath.Join("testdata", rule.name))
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got:\n%s\n\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			for _, line := range got {
				if !strings.HasSuffix(line, "("+rule.name+")") {
					t.Errorf("another rule complains as well: %s", line)
				}
			}
		})
	}
}

func TestRules_areSilentOnAGoodModule(t *testing.T) {
	if got := complaints(t, "testdata/good"); len(got) > 0 {
		t.Errorf("complaints:\n%s", strings.Join(got, "\n"))
	}
}

func TestRules_haveEveryFolderOfTestdata(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	if err != nil || len(entries) != len(rules)+1 {
		t.Errorf("testdata has %d folders, want one for each of %d rules and the good one (%v)", len(entries), len(rules), err)
	}
}

func TestCheck_refusesWhatItCannotRead(t *testing.T) {
	empty := t.TempDir()
	if _, err := Check(empty); err == nil {
		t.Error("a folder without a module was accepted")
	}
	broken := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.org/house\n\ngo 1.26\n", "house.go": "package house\n\nfunc {\n"} {
		if err := os.WriteFile(filepath.Join(broken, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Check(broken); err == nil {
		t.Error("a file that does not parse was accepted")
	}
}

func complaints(t *testing.T, dir string) (all []string) {
	t.Helper()
	problems, err := Check(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		all = append(all, p.String())
	}
	return all
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}
