package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A floor is a set of folders and what they may import of this module.
// The same table stands in doc/architecture.md; a test holds the two together.
type floor struct {
	height  string   // as the page counts it; "-" is outside the building
	folders []string // patterns of path.Match
	says    string   // the "may import" column of the page
	may     []string // patterns of path.Match
	bare    bool     // no third party at all
}

var (
	tools   = []string{"internal/*"}
	words   = []string{"internal/*", ".", "spec"}
	below3  = []string{"internal/*", ".", "spec", "rule", "envelope", "exchange", "ledger"}
	control = append(slices.Clone(below3), "control/*")
)

// floors is the building, from the ground up. The first floor that matches a
// folder counts. Folders of one floor never import each other, except where
// a row says so.
var floors = []floor{
	{height: "0", folders: tools, says: "standard library, one module each"},
	{height: "1", folders: []string{"."}, says: "standard library", bare: true},
	{height: "1", folders: []string{"spec"}, says: "0, root", may: []string{"internal/*", "."}},
	{height: "2", folders: []string{"rule", "envelope", "exchange", "ledger"}, says: "0 to 1", may: words},
	{height: "3", folders: []string{"edge"}, says: "0 to 2, `edge/*`", may: append(slices.Clone(below3), "edge/*")},
	{height: "3", folders: []string{"edge/*", "control/*"}, says: "0 to 2", may: below3},
	{height: "4", folders: []string{"store/blob"}, says: "0 to 2", may: below3},
	{height: "4", folders: []string{"store/*", "api", "web"}, says: "0 to 2, `control/*`", may: control},
	{height: "4", folders: []string{"link", "link/*"}, says: "0 to 2, `control/*` and `edge/*` (the consumer's interface)",
		may: append(slices.Clone(control), "edge/*")},
	{height: "5", folders: []string{"cmd/*"}, says: "all of the above",
		may: append(slices.Clone(control), "edge", "edge/*", "store/*", "api", "web", "link", "link/*")},
	{height: "-", folders: []string{"test", "test/*", "bench", "bench/*", "doc"}, says: "0 (black box)", may: tools},
}

// floorOf returns the floor of a folder, or nil.
func floorOf(folder string) *floor {
	for i := range floors {
		if matches(floors[i].folders, folder) {
			return &floors[i]
		}
	}
	return nil
}

func matches(patterns []string, folder string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, folder)
		return ok && err == nil
	})
}

// floorsRule: every folder has a floor and imports only what its floor may.
// Tests may import the helpers under internal as well.
func floorsRule(h *house) (problems []Problem) {
	for _, r := range h.rooms {
		own := floorOf(r.folder)
		if own == nil && tooDeep(r.folder) {
			continue // said by depthRule
		}
		if own == nil {
			problems = append(problems, Problem{Where: r.folder, What: "this folder has Go code and no floor; give it one in internal/arch and doc/architecture.md"})
			continue
		}
		for _, f := range r.files {
			for imported := range f.imports() {
				if p, bad := h.direction(r, own, f, imported); bad {
					problems = append(problems, p)
				}
			}
		}
	}
	return problems
}

func (h *house) direction(r *room, own *floor, f *file, imported string) (Problem, bool) {
	if h.guest(imported) && own.bare && !f.test {
		return Problem{Where: f.path, What: fmt.Sprintf("imports %s, but this floor has the standard library alone", imported)}, true
	}
	folder, inside := h.inside(imported)
	if !inside || folder == r.folder || matches(own.may, folder) || f.test && matches(tools, folder) {
		return Problem{}, false
	}
	return Problem{Where: f.path, What: fmt.Sprintf("imports %s (floor %s), but floor %s may import: %s",
		folder, heightOf(folder), own.height, own.says)}, true
}

func heightOf(folder string) string {
	if f := floorOf(folder); f != nil {
		return f.height
	}
	return "unknown"
}

// depthRule: a folder is at most two levels deep.
func depthRule(h *house) (problems []Problem) {
	for _, r := range h.rooms {
		if tooDeep(r.folder) {
			problems = append(problems, Problem{Where: r.folder, What: "this folder is more than two levels deep"})
		}
	}
	return problems
}

func tooDeep(folder string) bool { return strings.Count(folder, "/") > 1 }

// guestsRule: each third-party import path has one room.
func guestsRule(h *house) (problems []Problem) {
	hosts := map[string][]string{}
	for _, r := range h.rooms {
		for _, f := range r.files {
			for imported := range f.imports() {
				if h.guest(imported) && !slices.Contains(hosts[imported], r.folder) {
					hosts[imported] = append(hosts[imported], r.folder)
				}
			}
		}
	}
	for guest, rooms := range hosts {
		if len(rooms) > 1 {
			slices.Sort(rooms)
			problems = append(problems, Problem{Where: rooms[0], What: fmt.Sprintf("%s has more than one room: %s", guest, strings.Join(rooms, ", "))})
		}
	}
	return problems
}
