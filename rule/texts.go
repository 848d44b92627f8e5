package rule

import (
	"bytes"

	"github.com/seawall-edge/seawall/internal/pattern"
)

// texts is a list of patterns, of which one has to match.
type texts struct {
	patterns []pattern.Pattern   // the costly ones last
	exact    map[string]struct{} // nil where there are few
	lists    []*List
	fold     bool // exact and lists are in lower case
}

// few exact texts are compared one by one.
const few = 6

func (t *texts) match(text []byte) bool {
	for i := range t.patterns {
		if t.patterns[i].Match(text) {
			return true
		}
	}
	if t.exact == nil && len(t.lists) == 0 {
		return false
	}
	return t.look(text)
}

// look finds a text by its hash.
func (t *texts) look(text []byte) bool {
	if t.fold {
		var room [128]byte
		text = appendLower(room[:0], text)
	}
	if _, there := t.exact[string(text)]; there {
		return true
	}
	for _, list := range t.lists {
		if list.hasText(text, t.fold) {
			return true
		}
	}
	return false
}

// which says what of the list matches.
func (t *texts) which(text []byte) string {
	for _, p := range t.patterns {
		if p.Match(text) {
			return p.String()
		}
	}
	lowered := text
	if t.fold {
		lowered = bytes.ToLower(text)
	}
	for _, list := range t.lists {
		if list.hasText(lowered, t.fold) {
			return "@" + list.name
		}
	}
	return string(text)
}

func (t *texts) add(p *pattern.Pattern) {
	if p.Costly() {
		t.patterns = append(t.patterns, *p)
		return
	}
	t.patterns = append([]pattern.Pattern{*p}, t.patterns...)
}

// settle moves exact texts into a table where there are many.
func (t *texts) settle() {
	count := 0
	for _, p := range t.patterns {
		if _, exact := p.Exact(); exact {
			count++
		}
	}
	if count <= few {
		return
	}
	t.exact = make(map[string]struct{}, count)
	rest := t.patterns[:0]
	for _, p := range t.patterns {
		if text, exact := p.Exact(); exact {
			t.exact[string(text)] = struct{}{}
		} else {
			rest = append(rest, p)
		}
	}
	t.patterns = rest
}

func appendLower(dst, text []byte) []byte {
	for _, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func (t *texts) cost() int {
	cost := costText + len(t.patterns)
	if t.exact != nil || len(t.lists) > 0 {
		cost += costFields
	}
	if n := len(t.patterns); n > 0 && t.patterns[n-1].Costly() {
		cost += costSearch
	}
	return cost
}

// guard returns how texts begin that match.
func (t *texts) guard() guard {
	if t.exact != nil || len(t.lists) > 0 {
		return guard{}
	}
	return guardOf(t.patterns)
}
