package rewrite

import (
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// Answers is compiled changes of answers.
type Answers struct {
	rules    []answerRule
	asked    rule.Set // of rules
	security bool
}

type answerRule struct {
	title   string
	changes changes
}

// NewAnswers compiles changes of answers.
func NewAnswers(s spec.RewriteSpec, lists rule.Lists) (*Answers, error) {
	all := &Answers{security: s.SecurityHeaders}
	for i, one := range s.Answers {
		r := answerRule{title: Title("answer", one.Name, i)}
		when, err := rule.Compile(one.When, lists)
		if err != nil {
			return nil, wrongIn("when", "%w", err)
		}
		if r.changes, err = newChanges(one.Fields); err != nil {
			return nil, err
		}
		all.rules = append(all.rules, r)
		all.asked.Add(nil, when)
	}
	return all, nil
}

// Empty reports whether nothing is ever changed.
func (all *Answers) Empty() bool { return all == nil || len(all.rules) == 0 && !all.security }

// securityFields are added where the origin says nothing about them. None of
// them breaks a page that works; what would (a Content-Security-Policy) only
// its owner can write.
var securityFields = [...]struct {
	known wire.Name
	value []byte
}{
	{wire.ContentTypeOptions, []byte("nosniff")},
	{wire.XFrameOptions, []byte("SAMEORIGIN")},
	{wire.ReferrerPolicy, []byte("strict-origin-when-cross-origin")},
}

// securityLines are all of them, for the answer that has none.
var (
	securityLines wire.Fields
	securityNames = wire.SetOf(wire.ContentTypeOptions, wire.XFrameOptions, wire.ReferrerPolicy)
)

func init() {
	for _, f := range securityFields {
		securityLines.AddKnown(f.known, f.value)
	}
}

// Plan is what is changed about one answer.
type Plan struct {
	all  *Answers
	held []*answerRule
	take wire.NameSet // what some of them takes away
}

// Make decides what is changed about an answer and calls said with the title
// of each rule that holds. A Plan can be made anew.
func (p *Plan) Make(all *Answers, f *rule.Facts, said func(title string)) {
	p.all, p.held, p.take = all, p.held[:0], 0
	for i := all.asked.Next(f, 0); i >= 0; i = all.asked.Next(f, i+1) {
		r := &all.rules[i]
		said(r.title)
		p.held, p.take = append(p.held, r), p.take|r.changes.take
	}
}

// Empty reports whether nothing is changed.
func (p *Plan) Empty() bool { return len(p.held) == 0 && !p.all.security }

// TakesFrom reports whether some field of a list may go; false is sure.
func (p *Plan) TakesFrom(fields *wire.Fields) bool { return fields != nil && fields.MayHave(p.take) }

// Takes reports whether a field of the answer goes.
func (p *Plan) Takes(known wire.Name, name []byte) bool { return p.takenFrom(0, known, name) }

// takenFrom reports whether the rule at place, or a later one, takes a field away.
func (p *Plan) takenFrom(place int, known wire.Name, name []byte) bool {
	if p.take&wire.SetOf(known) == 0 {
		return false
	}
	for _, r := range p.held[place:] {
		if r.changes.takes(known, name) {
			return true
		}
	}
	return false
}

// AddTo adds the new fields to more; fields are the answer's own. whole: they
// are all that it has, so that what is missing can be added.
func (p *Plan) AddTo(more, fields *wire.Fields, values Values, whole bool) {
	for i, r := range p.held {
		if i == len(p.held)-1 && r.changes.lines != nil {
			more.AddAll(r.changes.lines)
			continue
		}
		for j := range r.changes.new {
			if field := &r.changes.new[j]; !p.takenFrom(i+1, field.known, field.name) {
				field.addTo(more, values)
			}
		}
	}
	if p.all.security && whole {
		p.addSecurity(more, fields)
	}
}

func (p *Plan) addSecurity(more, fields *wire.Fields) {
	if p.take&securityNames == 0 && !more.MayHave(securityNames) && (fields == nil || !fields.MayHave(securityNames)) {
		more.AddAll(&securityLines)
		return
	}
	var there [len(securityFields)]bool
	for _, list := range [...]*wire.Fields{fields, more} {
		if list == nil {
			continue
		}
		for i := range list.Len() {
			switch list.Known(i) {
			case wire.ContentTypeOptions:
				there[0] = true
			case wire.XFrameOptions:
				there[1] = true
			case wire.ReferrerPolicy:
				there[2] = true
			}
		}
	}
	for i := range securityFields {
		if f := &securityFields[i]; !there[i] && !p.Takes(f.known, nil) {
			more.AddKnown(f.known, f.value)
		}
	}
}
