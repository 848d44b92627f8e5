package rewrite

import (
	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/rule"
)

// Whys notes for each rule, by its title, why it holds.
func (r *Redirects) Whys(to map[string]func(*rule.Facts) []string) {
	for i := range r.rules {
		to[r.rules[i].title] = why(r.rules[i].from, r.rules[i].when)
	}
}

// Whys is as that of Redirects.
func (all *Requests) Whys(to map[string]func(*rule.Facts) []string) {
	for i := range all.rules {
		to[all.rules[i].title] = why(all.rules[i].from, all.rules[i].when)
	}
}

// Whys is as that of Redirects.
func (all *Answers) Whys(to map[string]func(*rule.Facts) []string) {
	for i := range all.rules {
		to[all.rules[i].title] = all.rules[i].when.Why
	}
}

func why(from *pattern.Pattern, when *rule.Condition) func(*rule.Facts) []string {
	if from == nil {
		return when.Why
	}
	return func(f *rule.Facts) []string {
		reasons := []string{"path " + string(f.Path) + " is " + from.String()}
		if !when.Empty() {
			reasons = append(reasons, when.Why(f)...)
		}
		return reasons
	}
}
