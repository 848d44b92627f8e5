package arch

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// failingRule: a test that cannot fail proves nothing. Every Test and Fuzz
// function must reach a failing call on a testing value, itself or through
// functions of this module. Helpers of third parties do not count: nobody
// here has seen them fail.
func failingRule(h *house) (problems []Problem) {
	s := h.search()
	for _, r := range h.rooms {
		for _, f := range r.files {
			for _, decl := range f.tree.Decls {
				d, ok := decl.(*ast.FuncDecl)
				if ok && f.test && isTest(d) && !s.reaches(function{r, f, d}) {
					problems = append(problems, Problem{Where: h.at(f, d), What: d.Name.Name + " reaches no failing call (t.Error, t.Fatal or a helper of ours that does)"})
				}
			}
		}
	}
	return problems
}

var testName = regexp.MustCompile(`^(Test|Fuzz)([^a-z].*)?$`)

func isTest(d *ast.FuncDecl) bool {
	if d.Recv != nil || d.Body == nil || !testName.MatchString(d.Name.Name) || d.Type.Params.NumFields() != 1 {
		return false
	}
	star, ok := d.Type.Params.List[0].Type.(*ast.StarExpr)
	return ok && (isSelector(star.X, "testing", "T") || isSelector(star.X, "testing", "F"))
}

func isSelector(n ast.Node, x string, names ...string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	ident, ok := s.X.(*ast.Ident)
	return ok && ident.Name == x && slices.Contains(names, s.Sel.Name)
}

// function is a function or method with the place where it stands.
type function struct {
	room *room
	file *file
	decl *ast.FuncDecl
}

// search finds failing calls. Methods are found by name alone, whatever
// their type: without type checking that is as good as it gets, and it errs
// on the side of silence.
type search struct {
	house     *house
	functions map[*room]map[string][]function // by name; methods as ".Name"
	holders   map[*room][]string              // struct types that embed a testing value
	fields    map[*room][]string              // struct fields that hold a testing value
	reached   map[*ast.FuncDecl]bool          // those that can fail a test
}

// search returns the one search of the house.
func (h *house) search() *search {
	if h.found == nil {
		h.found = newSearch(h)
	}
	return h.found
}

func newSearch(h *house) *search {
	s := &search{
		house:     h,
		functions: map[*room]map[string][]function{},
		holders:   map[*room][]string{},
		fields:    map[*room][]string{},
		reached:   map[*ast.FuncDecl]bool{},
	}
	for _, r := range h.rooms {
		s.functions[r] = map[string][]function{}
		for _, f := range r.files {
			s.learn(r, f)
		}
	}
	for s.spread() {
	}
	return s
}

// spread marks the functions that fail a test through those marked so far,
// and reports whether it found another. Going round until nothing changes
// also settles functions that call each other.
func (s *search) spread() (more bool) {
	for _, byName := range s.functions {
		for _, all := range byName {
			for _, fn := range all {
				if !s.reached[fn.decl] && fn.decl.Body != nil && s.fails(fn, fn.decl.Body) {
					s.reached[fn.decl], more = true, true
				}
			}
		}
	}
	return more
}

func (s *search) learn(r *room, f *file) {
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			name := n.Name.Name
			if n.Recv != nil {
				name = "." + name
			}
			s.functions[r][name] = append(s.functions[r][name], function{r, f, n})
		case *ast.TypeSpec:
			structure, ok := n.Type.(*ast.StructType)
			if !ok {
				break
			}
			for _, field := range structure.Fields.List {
				if !s.isTestingType(r, field.Type) {
					continue
				}
				if len(field.Names) == 0 {
					s.holders[r] = append(s.holders[r], n.Name.Name)
					s.fields[r] = append(s.fields[r], "T", "B", "F", "TB")
				}
				for _, name := range field.Names {
					s.fields[r] = append(s.fields[r], name.Name)
				}
			}
		}
		return true
	})
}

// isTestingType reports whether a type is *testing.T, testing.TB and the
// like, or a struct of the room that embeds one.
func (s *search) isTestingType(r *room, t ast.Expr) bool {
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if ident, ok := t.(*ast.Ident); ok {
		return slices.Contains(s.holders[r], ident.Name)
	}
	return isSelector(t, "testing", "T", "B", "F", "TB")
}

// reaches reports whether a function can fail a test.
func (s *search) reaches(fn function) bool { return s.reached[fn.decl] }

var failing = []string{"Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow"}

// fails reports whether a piece of a function contains or reaches a failing call.
func (s *search) fails(fn function, piece ast.Node) bool {
	return s.failsOn(fn, s.testingValues(fn), piece)
}

func (s *search) failsOn(fn function, values []string, piece ast.Node) (found bool) {
	ast.Inspect(piece, func(n ast.Node) bool {
		if found {
			return false
		}
		switch n := n.(type) {
		case *ast.SelectorExpr:
			found = slices.Contains(failing, n.Sel.Name) && s.isTestingValue(fn, values, n.X) ||
				slices.ContainsFunc(s.behind(fn, n), s.reaches)
			// The selected name is not a name of this scope; go on with what it is selected from.
			found = found || s.failsOn(fn, values, n.X)
			return false
		case *ast.Ident:
			found = slices.ContainsFunc(s.functions[fn.room][n.Name], s.reaches)
		}
		return true
	})
	return found
}

// testingValues returns the names of a function's testing values: receiver
// and parameters, those of the function literals inside included.
func (s *search) testingValues(fn function) (names []string) {
	ast.Inspect(fn.decl, func(n ast.Node) bool {
		list, ok := n.(*ast.FieldList)
		if !ok {
			return true
		}
		for _, field := range list.List {
			if s.isTestingType(fn.room, field.Type) {
				for _, name := range field.Names {
					names = append(names, name.Name)
				}
			}
		}
		return true
	})
	return names
}

func (s *search) isTestingValue(fn function, names []string, x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return slices.Contains(names, x.Name)
	case *ast.SelectorExpr:
		return slices.Contains(s.fields[fn.room], x.Sel.Name)
	}
	return false
}

// behind returns the functions of this module that a selector may mean: a
// function of an imported room, or a method of this or an imported room.
func (s *search) behind(fn function, selector *ast.SelectorExpr) (all []function) {
	all = append(all, s.functions[fn.room]["."+selector.Sel.Name]...)
	for imported, spec := range fn.file.imports() {
		other := s.house.room(imported)
		if other == nil {
			continue
		}
		all = append(all, s.functions[other]["."+selector.Sel.Name]...)
		name := other.files[0].tree.Name.Name
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == strings.TrimSuffix(name, "_test") {
			all = append(all, s.functions[other][selector.Sel.Name]...)
		}
	}
	return all
}
