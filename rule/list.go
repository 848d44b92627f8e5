package rule

import (
	"fmt"
	"strings"

	"github.com/seawall-edge/seawall/internal/prefix"
	"github.com/seawall-edge/seawall/spec"
)

// List is a compiled spec.ListSpec: addresses and prefixes by longest match,
// or texts by hash, or both, as the conditions that name it need.
type List struct {
	name      string
	spec      spec.ListSpec
	addresses *prefix.Set
	texts     map[string]struct{} // as they are written
	lower     map[string]struct{} // in lower case
}

// Lists are the lists of a zone, by name. What no condition names is never
// compiled.
type Lists map[string]*List

// NewLists takes over what a zone has; nothing is compiled yet.
func NewLists(specs []spec.ListSpec) Lists {
	all := Lists{}
	for _, s := range specs {
		all[s.Name] = &List{name: s.Name, spec: s}
	}
	return all
}

func (l Lists) find(name string) (*List, error) {
	list := l[name]
	if list == nil {
		return nil, fmt.Errorf("there is no list called %q", name)
	}
	return list, nil
}

// hasText looks in the texts that are in lower case, or in those as they are.
func (l *List) hasText(text []byte, lower bool) bool {
	texts := l.texts
	if lower {
		texts = l.lower
	}
	_, there := texts[string(text)]
	return there
}

// asAddresses compiles the list for comparing addresses.
func (l *List) asAddresses() error {
	if l.addresses != nil {
		return nil
	}
	set, wrong := prefix.ParseAll(l.spec.All())
	if len(wrong) > 0 {
		return fmt.Errorf("list %s: %s", l.name, wrong[0].Text)
	}
	l.addresses = set
	return nil
}

// asTexts compiles the list for comparing texts.
func (l *List) asTexts(lower bool) {
	switch {
	case lower && l.lower == nil:
		l.lower = map[string]struct{}{}
		for _, text := range l.spec.All() {
			l.lower[strings.ToLower(text)] = struct{}{}
		}
	case !lower && l.texts == nil:
		l.texts = map[string]struct{}{}
		for _, text := range l.spec.All() {
			l.texts[text] = struct{}{}
		}
	}
}
