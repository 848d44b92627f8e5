package caching_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPage_namesTestsThatExist: each rule of doc/cache.md is shown by something.
func TestPage_namesTestsThatExist(t *testing.T) {
	const root = "../.."
	page, err := os.ReadFile(filepath.Join(root, "doc", "cache.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, pattern := range []string{"internal/*/*_test.go", "edge/*_test.go", "edge/*/*_test.go", "test/*/*_test.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range declared.FindAllSubmatch(text, -1) {
				there[string(name[1])] = true
			}
		}
	}
	scripts, err := filepath.Glob(filepath.Join(root, "test/story/testdata/cache_*.txt"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts %v, %v", scripts, err)
	}
	for _, file := range scripts {
		there[filepath.Base(file)] = true
	}
	rules, named := 0, map[string]bool{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[3], "`") {
			continue
		}
		rules++
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[3], -1) {
			named[name[1]] = true
			if !there[name[1]] {
				t.Errorf("%s: there is no %s", strings.TrimSpace(cells[1]), name[1])
			}
		}
	}
	if rules < 30 {
		t.Errorf("%d rules on the page", rules)
	}
	for _, file := range scripts {
		if !named[filepath.Base(file)] {
			t.Errorf("%s is not on the page", filepath.Base(file))
		}
	}
}
