package rule

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seawall-edge/seawall/internal/pattern"
)

// The guards spare questions and change no answer: what a Set finds is what
// its patterns and conditions say one by one.
func TestSet_findsWhatItsRulesSayOneByOne(t *testing.T) {
	patterns := []string{"/", "/*", "/a", "/a/*", "/ab*", "*/b", "*b*", "*", "/assets/css/*", "/assets/css/a", "/assets/cs", "~^/a", "~b$", "/b/*/c", "/a\\*"}
	paths := append([]string{"", "*", "/a/", "/a/b", "/abc", "/assets/css/", "/assets/css/b", "/assets/c", "/b/x/c", "/b/c", "/assets\x00", "b"}, patterns...)
	parse := func(text string) *pattern.Pattern {
		p, err := pattern.Parse(text, false)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	type said struct {
		from *pattern.Pattern
		some []*pattern.Pattern
		when *Condition
	}
	set, rules := &Set{}, []said{}
	for i, one := range patterns {
		for _, other := range patterns {
			r := said{some: []*pattern.Pattern{parse(one), parse(other)}, when: compile(t, when{Path: []string{one, other}})}
			if i%2 == 0 {
				r.from = parse(other)
			}
			set.Add(r.from, r.when)
			rules = append(rules, r)
		}
	}
	set.Add(nil, nil)
	f := request()
	for _, path := range paths {
		f.SetPath([]byte(path))
		var want, got []int
		for i, r := range rules {
			matches := slices.ContainsFunc(r.some, func(p *pattern.Pattern) bool { return p.Match(f.Path) })
			if matches && (r.from == nil || r.from.Match(f.Path)) {
				want = append(want, i)
			}
		}
		want = append(want, len(rules))
		for i := set.Next(f, 0); i >= 0; i = set.Next(f, i+1) {
			got = append(got, i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", path, got, want)
		}
		for i := range set.Len() {
			if why := set.Why(i, f); (why != nil) != slices.Contains(want, i) {
				t.Errorf("%q, rule %d: because %q", path, i, why)
			}
		}
	}
}

func TestSet_saysWhy(t *testing.T) {
	set, f := &Set{}, request()
	from, err := pattern.Parse("/shop/*", false)
	if err != nil {
		t.Fatal(err)
	}
	set.Add(from, compile(t, when{}))
	set.Add(from, compile(t, when{Method: []string{"GET"}}))
	set.Add(nil, compile(t, when{Method: []string{"GET"}}))
	for i, want := range []string{"[path /shop/Böll/a.CSS is /shop/*]", "[path /shop/Böll/a.CSS is /shop/* method is GET]", "[method is GET]"} {
		if got := fmt.Sprint(set.Why(i, f)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
