// Package arch is the house test: it reads the module's own source and
// complains where a house rule is broken.
//
// Rules that only live in a document are forgotten within a month. Here each
// is a function from the parsed source to a list of problems, and for each
// there is a small bad module under testdata on which it must complain.
// The rules need names and shapes, not types, so the source is parsed and
// never type-checked: the whole house is read in about a second.
package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one place where a house rule is broken.
type Problem struct {
	Rule  string // short name of the rule, also its folder under testdata
	Where string // folder, file or file:line, relative to the module
	What  string // the complaint, one sentence
}

// String returns the problem as one line: where, what, and the rule's name.
func (p Problem) String() string { return fmt.Sprintf("%s: %s (%s)", p.Where, p.What, p.Rule) }

// rules lists every rule of the house with the function that finds breaches.
var rules = []struct {
	name string
	find func(*house) []Problem
}{
	{"floors", floorsRule},
	{"depth", depthRule},
	{"guests", guestsRule},
	{"comments", commentsRule},
	{"length", lengthRule},
	{"leftovers", leftoversRule},
	{"settings", settingsRule},
	{"exported", exportedRule},
	{"failing", failingRule},
	{"sleep", sleepRule},
	{"loops", loopsRule},
}

// Check reads the module in folder dir and returns every problem, sorted by
// place. The error says why the module could not be read; a file that does
// not parse is such an error.
func Check(dir string) ([]Problem, error) {
	h, err := read(dir)
	if err != nil {
		return nil, err
	}
	var problems []Problem
	for _, rule := range rules {
		for _, p := range rule.find(h) {
			p.Rule = rule.name
			problems = append(problems, p)
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(problems), nil
}

// house is the parsed module.
type house struct {
	module string // import path of the module
	fset   *token.FileSet
	rooms  []*room
	found  *search // made once, on demand
}

// room is one folder with Go code, its tests included.
type room struct {
	folder string // relative to the module; "." is the root
	files  []*file
}

// file is one Go file. Files excluded by a build constraint are read too:
// a rule holds on every system.
type file struct {
	path   string // relative to the module
	test   bool
	source []byte
	tree   *ast.File
}

// at returns the position of a node as file:line.
func (h *house) at(f *file, n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, h.fset.Position(n.Pos()).Line)
}

// room returns the room behind an import path of this module, or nil.
func (h *house) room(importPath string) *room {
	folder, inside := h.inside(importPath)
	if !inside {
		return nil
	}
	for _, r := range h.rooms {
		if r.folder == folder {
			return r
		}
	}
	return nil
}

// inside reports whether an import path belongs to this module, and its folder.
func (h *house) inside(importPath string) (folder string, ok bool) {
	if importPath == h.module {
		return ".", true
	}
	return strings.CutPrefix(importPath, h.module+"/")
}

// guest reports whether an import path is a third party's: not ours, and
// with a dot in its first element as no standard package has.
func (h *house) guest(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	_, inside := h.inside(importPath)
	return !inside && strings.Contains(first, ".")
}

// imports returns the import paths of a file with the names they go by in it.
func (f *file) imports() map[string]*ast.ImportSpec {
	all := map[string]*ast.ImportSpec{}
	for _, spec := range f.tree.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			all[p] = spec
		}
	}
	return all
}

// listed is what we want to know of a package from `go list`.
type listed struct {
	Dir                                                          string
	Module                                                       struct{ Path, Dir string }
	GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
}

// read lists and parses the module in dir.
func read(dir string) (*house, error) {
	// -e: an import that cannot be resolved is not our business; the build
	// says it better.
	list := exec.Command("go", "list", "-e", "-json=Dir,Module,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...")
	list.Dir = dir
	list.Env = append(os.Environ(), "GOWORK=off")
	var complaint bytes.Buffer
	list.Stderr = &complaint
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages in %s: %w: %s", dir, err, complaint.String())
	}
	h := &house{fset: token.NewFileSet()}
	for stream := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := stream.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read package list: %w", err)
		}
		if p.Module.Path == "" {
			return nil, fmt.Errorf("no module in %s", dir)
		}
		h.module = p.Module.Path
		r, err := h.readRoom(p)
		if err != nil {
			return nil, err
		}
		h.rooms = append(h.rooms, r)
	}
	if len(h.rooms) == 0 {
		return nil, fmt.Errorf("no packages in %s", dir)
	}
	return h, nil
}

func (h *house) readRoom(p listed) (*room, error) {
	folder, err := filepath.Rel(p.Module.Dir, p.Dir)
	if err != nil {
		return nil, fmt.Errorf("place package: %w", err)
	}
	r := &room{folder: filepath.ToSlash(folder)}
	for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles) {
		source, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("read source: %w", err)
		}
		where := path.Join(r.folder, name)
		tree, err := parser.ParseFile(h.fset, where, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse source: %w", err)
		}
		r.files = append(r.files, &file{path: where, test: strings.HasSuffix(name, "_test.go"), source: source, tree: tree})
	}
	return r, nil
}
