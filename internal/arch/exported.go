package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strings"
)

// exportedRule: a third party's types stay inside its room. Whoever imports
// the room must not need the guest as well. Commands are not imported by
// anybody and are left out; so are tests.
func exportedRule(h *house) (problems []Problem) {
	for _, r := range h.rooms {
		for _, f := range r.files {
			if f.test || f.tree.Name.Name == "main" {
				continue
			}
			guests := h.guestNames(f)
			if len(guests) == 0 {
				continue
			}
			for _, decl := range f.tree.Decls {
				for name, shown := range shownBy(decl) {
					for _, guest := range guestsIn(shown, guests) {
						problems = append(problems, Problem{Where: h.at(f, decl), What: fmt.Sprintf("exported %s shows a type of %s", name, guest)})
					}
				}
			}
		}
	}
	return problems
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// guestNames maps the names by which a file calls its third parties to their
// import paths. Without an alias the name is guessed from the path, as
// `go-thing`, `thing-go`, `thing.go`, `thing.v3` and `thing/v3` are all
// called thing.
func (h *house) guestNames(f *file) map[string]string {
	names := map[string]string{}
	for imported, spec := range f.imports() {
		if !h.guest(imported) {
			continue
		}
		if spec.Name != nil {
			names[spec.Name.Name] = imported
			continue
		}
		last := path.Base(imported)
		if majorVersion.MatchString(last) {
			last = path.Base(path.Dir(imported))
		}
		names[last] = imported
		last, _, _ = strings.Cut(last, ".")
		names[strings.TrimSuffix(strings.TrimPrefix(last, "go-"), "-go")] = imported
	}
	return names
}

// shownBy returns, by exported name, the parts of a declaration that other
// packages can see.
func shownBy(decl ast.Decl) map[string][]ast.Node {
	shown := map[string][]ast.Node{}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiverName(d))) {
			shown[d.Name.Name] = []ast.Node{d.Type}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					shown[s.Name.Name] = []ast.Node{s.Type}
					if s.TypeParams != nil {
						shown[s.Name.Name] = append(shown[s.Name.Name], s.TypeParams)
					}
				}
			case *ast.ValueSpec:
				for i, name := range s.Names {
					if !name.IsExported() || d.Tok != token.VAR {
						continue
					}
					if s.Type != nil {
						shown[name.Name] = []ast.Node{s.Type}
					} else if i < len(s.Values) {
						shown[name.Name] = []ast.Node{valueType(s.Values[i])}
					}
				}
			}
		}
	}
	return shown
}

// receiverName returns the name of a method's type without star and type arguments.
func receiverName(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// valueType returns the part of a value that hints at its type: `guest.New`
// of `guest.New(x)`, `guest.T` of `&guest.T{...}`.
func valueType(value ast.Expr) ast.Node {
	switch v := value.(type) {
	case *ast.UnaryExpr:
		return valueType(v.X)
	case *ast.CallExpr:
		return v.Fun
	case *ast.CompositeLit:
		return v.Type
	default:
		return value
	}
}

// guestsIn returns the third parties named in what is shown. Unexported
// fields of a struct are not shown, function bodies neither.
func guestsIn(shown []ast.Node, guests map[string]string) (found []string) {
	for _, node := range shown {
		if node == nil {
			continue
		}
		ast.Inspect(node, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StructType:
				for _, field := range n.Fields.List {
					if exportedField(field) {
						found = append(found, guestsIn([]ast.Node{field.Type}, guests)...)
					}
				}
				return false
			case *ast.BlockStmt:
				return false
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && guests[x.Name] != "" {
					found = append(found, guests[x.Name])
				}
			}
			return true
		})
	}
	return found
}

// exportedField reports whether a field can be seen from outside. An embedded
// third-party type always can: it lends its methods.
func exportedField(field *ast.Field) bool {
	for _, name := range field.Names {
		if name.IsExported() {
			return true
		}
	}
	return len(field.Names) == 0
}
