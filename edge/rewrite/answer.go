package rewrite

import (
	"bytes"

	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// Answers is compiled changes of answers.
type Answers struct {
	rules    []answerRule
	security bool
}

type answerRule struct {
	title   string
	when    *rule.Condition
	changes changes
}

// NewAnswers compiles changes of answers.
func NewAnswers(s spec.RewriteSpec, lists rule.Lists) (*Answers, error) {
	all := &Answers{security: s.SecurityHeaders}
	for i, one := range s.Answers {
		r := answerRule{title: title("answer", one.Name, i)}
		var err error
		if r.when, err = rule.Compile(one.When, lists); err != nil {
			return nil, wrongIn("when", "%w", err)
		}
		if r.changes, err = newChanges(one.Fields); err != nil {
			return nil, err
		}
		all.rules = append(all.rules, r)
	}
	return all, nil
}

// Empty reports whether nothing is ever changed.
func (all *Answers) Empty() bool { return all == nil || len(all.rules) == 0 && !all.security }

// securityFields are added where the origin says nothing about them. None of
// them breaks a page that works; what would (a Content-Security-Policy) only
// its owner can write.
var securityFields = []struct{ name, value []byte }{
	{[]byte("X-Content-Type-Options"), []byte("nosniff")},
	{[]byte("X-Frame-Options"), []byte("SAMEORIGIN")},
	{[]byte("Referrer-Policy"), []byte("strict-origin-when-cross-origin")},
}

// Plan is what is changed about one answer.
type Plan struct {
	all  *Answers
	held []*answerRule
}

// Make decides what is changed about an answer and calls said with the title
// of each rule that holds. A Plan can be made anew.
func (p *Plan) Make(all *Answers, f *rule.Facts, said func(title string)) {
	p.all, p.held = all, p.held[:0]
	for i := range all.rules {
		if r := &all.rules[i]; r.when.Holds(f) {
			said(r.title)
			p.held = append(p.held, r)
		}
	}
}

// Takes reports whether a field of the answer goes.
func (p *Plan) Takes(name []byte) bool {
	for _, r := range p.held {
		if r.changes.takes(name) {
			return true
		}
	}
	return false
}

// AddTo adds the new fields to more; fields are the answer's own.
func (p *Plan) AddTo(more, fields *wire.Fields, values Values) {
	for i, r := range p.held {
		for j := range r.changes.new {
			if !p.takenLater(i+1, r.changes.new[j].name) {
				one := changes{new: r.changes.new[j : j+1]}
				one.addTo(more, values)
			}
		}
	}
	if !p.all.security {
		return
	}
	for _, f := range securityFields {
		if fields != nil && fields.NextNamed(f.name, -1) >= 0 || more.NextNamed(f.name, -1) >= 0 || p.Takes(bytes.ToLower(f.name)) {
			continue
		}
		more.Add(wire.Lookup(f.name), f.name, f.value)
	}
}

func (p *Plan) takenLater(from int, name []byte) bool {
	for _, r := range p.held[from:] {
		if r.changes.takes(name) {
			return true
		}
	}
	return false
}
