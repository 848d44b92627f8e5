package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// longestFile is the most lines a file without tests may have.
const longestFile = 500

// commentsRule: every package says why it exists, once.
func commentsRule(h *house) (problems []Problem) {
	for _, r := range h.rooms {
		var having []string
		for _, f := range r.files {
			if f.tree.Doc != nil {
				having = append(having, f.path)
			}
		}
		switch {
		case len(having) == 0:
			problems = append(problems, Problem{Where: r.folder, What: "no file has a package comment"})
		case len(having) > 1:
			slices.Sort(having)
			problems = append(problems, Problem{Where: r.folder, What: "more than one package comment: " + strings.Join(having, ", ")})
		}
	}
	return problems
}

// lengthRule: no file above longestFile lines, tests and generated files apart.
func lengthRule(h *house) (problems []Problem) {
	for _, r := range h.rooms {
		for _, f := range r.files {
			lines := bytes.Count(f.source, []byte("\n"))
			if !f.test && !ast.IsGenerated(f.tree) && lines > longestFile {
				problems = append(problems, Problem{Where: f.path, What: fmt.Sprintf("%d lines, more than %d", lines, longestFile)})
			}
		}
	}
	return problems
}

var leftover = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)

// leftoversRule: what is still to be done stands in an issue, not in a comment.
func leftoversRule(h *house) (problems []Problem) {
	for _, r := range h.rooms {
		for _, f := range r.files {
			for _, group := range f.tree.Comments {
				for _, comment := range group.List {
					if word := leftover.FindString(comment.Text); word != "" {
						problems = append(problems, Problem{Where: h.at(f, comment), What: "a comment says " + word + "; that belongs into an issue"})
					}
				}
			}
		}
	}
	return problems
}

// settingsRule: what an owner can set for a zone is spec.ZoneSpec and
// nothing else. A struct elsewhere with such a name, or with three or more of
// its keys, is a second truth that will drift. Tests may spell keys out.
func settingsRule(h *house) (problems []Problem) {
	keys := h.zoneKeys()
	for _, r := range h.rooms {
		if r.folder == "spec" {
			continue
		}
		for _, f := range r.files {
			if f.test {
				continue
			}
			ast.Inspect(f.tree, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.TypeSpec:
					if _, isStruct := n.Type.(*ast.StructType); isStruct && zoneName(n.Name.Name) {
						problems = append(problems, Problem{Where: h.at(f, n), What: n.Name.Name + " is a second type for a zone's settings; use spec.ZoneSpec"})
					}
				case *ast.StructType:
					if same := shared(keys, tagNames(n)); len(same) >= 3 {
						problems = append(problems, Problem{Where: h.at(f, n), What: fmt.Sprintf("a struct repeats the keys %s of spec.ZoneSpec", strings.Join(same, ", "))})
					}
				}
				return true
			})
		}
	}
	return problems
}

func zoneName(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "zonespec") || strings.HasSuffix(name, "zoneconfig") || strings.HasSuffix(name, "zonesettings")
}

// zoneKeys returns the keys of spec.ZoneSpec; none while the type does not exist.
func (h *house) zoneKeys() (keys []string) {
	for _, r := range h.rooms {
		if r.folder != "spec" {
			continue
		}
		for _, f := range r.files {
			ast.Inspect(f.tree, func(n ast.Node) bool {
				if t, ok := n.(*ast.TypeSpec); ok && t.Name.Name == "ZoneSpec" {
					if s, ok := t.Type.(*ast.StructType); ok {
						keys = append(keys, tagNames(s)...)
					}
				}
				return true
			})
		}
	}
	return keys
}

// tagNames returns the keys that a struct's yaml and json tags give its fields.
func tagNames(s *ast.StructType) (names []string) {
	for _, field := range s.Fields.List {
		if field.Tag == nil {
			continue
		}
		text, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			continue
		}
		for _, format := range []string{"yaml", "json"} {
			name, _, _ := strings.Cut(reflect.StructTag(text).Get(format), ",")
			if name != "" && name != "-" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func shared(a, b []string) (both []string) {
	for _, word := range b {
		if slices.Contains(a, word) {
			both = append(both, word)
		}
	}
	return both
}
