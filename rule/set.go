package rule

import "github.com/seawall-edge/seawall/internal/pattern"

// Set is the conditions of a list of rules, to be asked one after the other.
// It is safe for any number of readers. The zero Set is empty.
type Set struct {
	guards []guard // of each; apart, so that those that do not pass cost a nanosecond
	asked  []asked
}

// asked is what one rule is about: both have to hold.
type asked struct {
	only func(*Facts) truth // the only test, as most rules have it; nil: there are others
	from *pattern.Pattern   // of the path; nil: any
	when *Condition
}

func (a *asked) holds(f *Facts) bool {
	if a.only != nil {
		return a.only(f) == yes
	}
	return (a.from == nil || a.from.Match(f.Path)) && (a.when == nil || a.when.tested(f) == yes)
}

// Add adds a rule about paths that match a pattern, nil for all, where a
// condition holds.
func (s *Set) Add(from *pattern.Pattern, when *Condition) {
	var g guard
	if when != nil {
		g = when.guard
	}
	if from != nil {
		g = g.and(guardOf([]pattern.Pattern{*from}))
	}
	a := asked{from: from, when: when}
	if from == nil && when != nil && len(when.tests) == 1 {
		a.only = when.tests[0].ask
	}
	s.guards, s.asked = append(s.guards, g), append(s.asked, a)
}

// Len returns the number of rules.
func (s *Set) Len() int { return len(s.asked) }

// Next returns the first rule that holds from place i on; -1 if none does.
func (s *Set) Next(f *Facts, i int) int {
	if !f.known {
		f.begin()
	}
	for ; i < len(s.guards); i++ {
		if f.head&s.guards[i].mask != s.guards[i].want {
			continue
		}
		if s.asked[i].holds(f) {
			return i
		}
	}
	return -1
}

// Why says why the rule at place i holds; nil where it does not.
func (s *Set) Why(i int, f *Facts) []string {
	a := &s.asked[i]
	reasons := a.when.Why(f)
	if a.from == nil || reasons == nil {
		return reasons
	}
	from := "path " + string(f.Path) + " is " + a.from.String()
	switch {
	case !a.from.Match(f.Path):
		return nil
	case a.when.Empty():
		return []string{from}
	}
	return append([]string{from}, reasons...)
}
