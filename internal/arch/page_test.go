package arch

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	pageRow    = regexp.MustCompile(`(?m)^\| ([0-9-]) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$`)
	pageFolder = regexp.MustCompile("(\\*\\*)?`([^`]+)`(\\*\\*)?")
)

// The page's table of floors and the table in floors.go say the same, and
// the page names every room there is and marks it as existing.
func TestHouse_agreesWithTheArchitecturePage(t *testing.T) {
	page, err := os.ReadFile("../../doc/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := pageRow.FindAllStringSubmatch(string(page), -1)
	if len(rows) < len(floors) {
		t.Fatalf("the page has %d rows, the code %d floors", len(rows), len(floors))
	}
	existing := map[string]bool{} // by folder: does the page say that it exists?
	for _, row := range rows {
		height, folders, may := row[1], row[2], row[4]
		for _, match := range pageFolder.FindAllStringSubmatch(folders, -1) {
			folder := match[2]
			existing[folder] = match[1] != "" && match[3] != ""
			own := floorOf(folder)
			if own == nil {
				t.Errorf("the page has %s, the code gives it no floor", folder)
			} else if own.height != height || own.says != may {
				t.Errorf("%s: the page says floor %s, may import %q; the code says floor %s, may import %q", folder, height, may, own.height, own.says)
			}
		}
	}
	h, err := read("../..")
	if err != nil {
		t.Fatal(err)
	}
	var rooms []string
	for _, r := range h.rooms {
		rooms = append(rooms, r.folder)
		if _, named := existing[r.folder]; !named && !matches(tools, r.folder) {
			t.Errorf("the page does not name the room %s", r.folder)
		} else if named && !existing[r.folder] {
			t.Errorf("the page says that %s is only planned; set it in bold", r.folder)
		}
	}
	for folder, exists := range existing {
		if exists && !slices.Contains(rooms, folder) && !strings.Contains(folder, "*") {
			t.Errorf("the page says that %s exists; it does not", folder)
		}
	}
}
