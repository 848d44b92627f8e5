package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoc_rulesPageShowsWhatIsSaid runs the example of doc/rules.md.
func TestDoc_rulesPageShowsWhatIsSaid(t *testing.T) {
	page, err := os.ReadFile("../../doc/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	config, rest, _ := strings.Cut(rest, "```\n")
	_, rest, _ = strings.Cut(rest, "```\n$ seawall ")
	command, rest, _ := strings.Cut(rest, "\n")
	shown, _, found := strings.Cut(rest, "```")
	if !found || config == "" {
		t.Fatal("the page has no example")
	}
	file := filepath.Join(t.TempDir(), "seawall.yaml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(strings.ReplaceAll(command, `"`, ""))
	for i := range args {
		if args[i] == "seawall.yaml" {
			args[i] = file
		}
	}
	if out, _ := said(t, exitDone, args...); out != shown {
		t.Errorf("`seawall %s` says\n%s\nand the page shows\n%s", command, out, shown)
	}
}
