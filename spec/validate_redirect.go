package spec

import (
	"fmt"
	"slices"
	"strings"
)

// redirects checks what does not need the redirects compiled.
func (l *mistakes) redirects(z ZoneSpec, conditions *conditions) {
	r := z.Redirects
	l.word("redirects.www", r.WWW, RedirectAdd, RedirectRemove)
	l.word("redirects.trailing_slash", r.TrailingSlash, RedirectAdd, RedirectRemove)
	if r.WWW != "" && !otherName(z) {
		l.add("redirects.www", "the zone has no two hosts of which one is the other with www. before it")
	}
	l.names("redirects.rules", len(r.Rules), func(i int) string { return r.Rules[i].Name })
	l.names("redirects.lists", len(r.Lists), func(i int) string { return r.Lists[i].Name })
	for i, one := range r.Rules {
		path := fmt.Sprintf("redirects.rules[%d]", i)
		conditions.check(path+".when", one.When)
		if one.From != "" {
			if err := checkPath(one.From); err != nil {
				l.add(path+".from", "%v", err)
			}
		}
		if one.To == "" {
			l.add(path+".to", "where to? Write a path or an address")
		}
		if one.Status != 0 && !RedirectStatus(one.Status) {
			l.add(path+".status", "%d is no redirect; use 301, 302, 303, 307 or 308", one.Status)
		}
	}
	for i, list := range r.Lists {
		path := fmt.Sprintf("redirects.lists[%d]", i)
		if list.Status != 0 && !RedirectStatus(list.Status) {
			l.add(path+".status", "%d is no redirect; use 301, 302, 303, 307 or 308", list.Status)
		}
		if len(list.Text) > largestListText {
			l.add(path+".file", "%s has %d bytes, more than %d", list.File, len(list.Text), largestListText)
		}
	}
}

// otherName reports whether the zone has a name both with www. and without.
func otherName(z ZoneSpec) bool {
	hosts := z.AllHosts()
	for _, host := range hosts {
		if strings.Contains(host, "*") || slices.Contains(hosts, "www."+host) {
			return true // a wildcard may have either
		}
	}
	return false
}
