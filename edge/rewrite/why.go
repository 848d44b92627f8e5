package rewrite

import "github.com/seawall-edge/seawall/rule"

// Whys notes for each rule, by its title, why it holds.
func (r *Redirects) Whys(to map[string]func(*rule.Facts) []string) {
	for i := range r.rules {
		to[r.rules[i].title] = func(f *rule.Facts) []string { return r.asked.Why(i, f) }
	}
}

// Whys is as that of Redirects.
func (all *Requests) Whys(to map[string]func(*rule.Facts) []string) {
	for i := range all.rules {
		to[all.rules[i].title] = func(f *rule.Facts) []string { return all.asked.Why(i, f) }
	}
}

// Whys is as that of Redirects.
func (all *Answers) Whys(to map[string]func(*rule.Facts) []string) {
	for i := range all.rules {
		to[all.rules[i].title] = func(f *rule.Facts) []string { return all.asked.Why(i, f) }
	}
}
