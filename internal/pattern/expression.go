package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxProgram bounds a compiled expression, in instructions: a{1000}{1000}
// is short to write. Matching costs text times instructions at worst.
const maxProgram = 1000

func parseExpression(text string, fold bool) (*Pattern, error) {
	if text == "" {
		return nil, &Mistake{0, "an empty expression after ~, which is found in everything; write * if that is meant"}
	}
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(text, flags)
	if err != nil {
		return nil, misread(text, err)
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, misread(text, err)
	}
	if len(program.Inst) > maxProgram {
		return nil, &Mistake{1, fmt.Sprintf("the expression unfolds to %d steps, more than %d; repeat less in it", len(program.Inst), maxProgram)}
	}
	source := text
	if fold {
		source = "(?i:" + text + ")"
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, misread(text, err)
	}
	tree = tree.Simplify()
	return &Pattern{kind: expression, fold: fold, re: re, must: []byte(required(tree)), begin: []byte(beginning(tree)), source: "~" + text}, nil
}

// beginning returns what every text begins with that has a match; "" if that
// is not sure.
func beginning(tree *syntax.Regexp) string {
	if tree.Op != syntax.OpConcat || len(tree.Sub) < 2 || tree.Sub[0].Op != syntax.OpBeginText {
		return ""
	}
	return literal(tree.Sub[1])
}

// literal returns the text that a part of an expression is; "" if it is more
// than one.
func literal(tree *syntax.Regexp) string {
	// What no valid text has is matched by the replacement character as well.
	if tree.Op != syntax.OpLiteral || tree.Flags&syntax.FoldCase != 0 || slices.Contains(tree.Rune, utf8.RuneError) {
		return ""
	}
	return string(tree.Rune)
}

// misread turns the parser's error into ours, with the place where it names
// what it did not like.
func misread(text string, err error) error {
	var wrong *syntax.Error
	if !errors.As(err, &wrong) {
		return &Mistake{1, err.Error()}
	}
	at := strings.LastIndex(text, wrong.Expr) // at worst its end
	return &Mistake{1 + max(at, 0), fmt.Sprintf("not an RE2 expression: %s: %q", wrong.Code, wrong.Expr)}
}

// required returns a text that everything matched has in it; "" if none is
// sure. Looking for it first spares most texts the expression.
func required(tree *syntax.Regexp) string {
	switch tree.Op {
	case syntax.OpLiteral:
		return literal(tree)
	case syntax.OpCapture, syntax.OpPlus:
		return required(tree.Sub[0])
	case syntax.OpRepeat:
		if tree.Min > 0 {
			return required(tree.Sub[0])
		}
	case syntax.OpConcat:
		longest := ""
		for _, sub := range tree.Sub {
			if text := required(sub); len(text) > len(longest) {
				longest = text
			}
		}
		return longest
	}
	return ""
}

// Sample returns a text that the pattern matches in most cases: one with x in
// the place of each star, or the shortest that an expression describes. It is
// for trying a pattern out.
func (p *Pattern) Sample() string {
	if p.kind != expression {
		var text []byte
		for i, piece := range p.pieces {
			if i > 0 {
				text = append(text, 'x')
			}
			text = append(text, piece...)
		}
		return string(text)
	}
	tree, err := syntax.Parse(p.re.String(), syntax.Perl)
	if err != nil {
		return ""
	}
	return sample(tree.Simplify())
}

func sample(tree *syntax.Regexp) string {
	switch tree.Op {
	case syntax.OpLiteral:
		return string(tree.Rune)
	case syntax.OpCharClass:
		if len(tree.Rune) > 0 {
			return string(tree.Rune[:1])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpCapture, syntax.OpPlus, syntax.OpAlternate:
		return sample(tree.Sub[0])
	case syntax.OpStar:
		return sample(tree.Sub[0]) // one, so that a group has something in it
	case syntax.OpConcat:
		var all strings.Builder
		for _, sub := range tree.Sub {
			all.WriteString(sample(sub))
		}
		return all.String()
	}
	return ""
}
