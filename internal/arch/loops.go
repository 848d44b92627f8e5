package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// sleepRule: a test that sleeps is slow on a good day and wrong on a bad one.
// Inside synctest.Test time is not real and sleeping is how it passes.
func sleepRule(h *house) (problems []Problem) {
	for _, r := range h.rooms {
		for _, f := range r.files {
			ast.Inspect(f.tree, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isSelector(call.Fun, "synctest", "Test") {
					return false
				}
				if expr, ok := n.(*ast.SelectorExpr); ok && f.test && isSelector(expr, "time", "Sleep") {
					problems = append(problems, Problem{Where: h.at(f, expr), What: "a test calls time.Sleep; wait for the thing itself, or use testing/synctest"})
				}
				return true
			})
		}
	}
	return problems
}

var (
	listers = []string{"Glob", "ReadDir"}
	walkers = []string{"Walk", "WalkDir"}
)

// loopsRule: a test that loops over files passes when somebody moves the
// files away, unless it fails when there are none.
func loopsRule(h *house) (problems []Problem) {
	s := h.search()
	for _, r := range h.rooms {
		for _, f := range r.files {
			for _, decl := range f.tree.Decls {
				d, ok := decl.(*ast.FuncDecl)
				if !ok || !f.test || d.Body == nil {
					continue
				}
				fn := function{r, f, d}
				if loop := s.unguarded(fn); loop != "" {
					problems = append(problems, Problem{Where: h.at(f, d), What: fmt.Sprintf("%s loops over %s and does not fail when there are none", d.Name.Name, loop)})
				}
			}
		}
	}
	return problems
}

// unguarded returns what a function loops over and fails tests in, without
// failing when it is empty; "" when there is nothing to complain about.
func (s *search) unguarded(fn function) (loop string) {
	lists := map[string]bool{} // variables that hold a list of files
	ast.Inspect(fn.decl.Body, func(n ast.Node) bool {
		if assign, ok := n.(*ast.AssignStmt); ok && len(assign.Rhs) == 1 && callsOne(assign.Rhs[0], listers) {
			if ident, ok := assign.Lhs[0].(*ast.Ident); ok {
				lists[ident.Name] = true
			}
		}
		return true
	})
	ast.Inspect(fn.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			over, ok := n.X.(*ast.Ident)
			if ok && lists[over.Name] && s.fails(fn, n.Body) && !s.guarded(fn, over.Name) {
				loop = over.Name
			}
		case *ast.CallExpr:
			if callsOne(n, walkers) && s.fails(fn, n) && !s.guarded(fn, "") {
				loop = "a tree of files"
			}
		}
		return true
	})
	return loop
}

func callsOne(n ast.Expr, names []string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains(names, selector.Sel.Name)
}

// guarded reports whether a function fails in an `if` that compares the
// length of the list (any number, when the list has no name) with a literal.
func (s *search) guarded(fn function, list string) (found bool) {
	ast.Inspect(fn.decl.Body, func(n ast.Node) bool {
		if branch, ok := n.(*ast.IfStmt); ok && s.fails(fn, branch.Body) {
			ast.Inspect(branch.Cond, func(n ast.Node) bool {
				compare, ok := n.(*ast.BinaryExpr)
				if !ok {
					return true
				}
				literal, ok := compare.Y.(*ast.BasicLit)
				if ok && literal.Kind == token.INT && (list == "" || isLengthOf(compare.X, list)) {
					found = true
				}
				return true
			})
		}
		return !found
	})
	return found
}

func isLengthOf(n ast.Expr, list string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	function, ok := call.Fun.(*ast.Ident)
	argument, isIdent := call.Args[0].(*ast.Ident)
	return ok && isIdent && function.Name == "len" && argument.Name == list
}
