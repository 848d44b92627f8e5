package rewrite

import (
	"errors"
	"fmt"

	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// Check returns what is wrong in the rules of a zone that has no other mistake.
func Check(z spec.ZoneSpec, lists rule.Lists) (mistakes []spec.Mistake) {
	for i, one := range z.Rewrite.Requests {
		_, err := newRequestRule(one, lists)
		mistakes = note(mistakes, fmt.Sprintf("rewrite.requests[%d]", i), err)
	}
	for i, one := range z.Rewrite.Answers {
		_, err := newChanges(one.Fields)
		mistakes = note(mistakes, fmt.Sprintf("rewrite.answers[%d]", i), err)
	}
	return append(mistakes, checkRedirects(z.Redirects, z.Hosts, lists)...)
}

// note adds what is wrong in one rule.
func note(mistakes []spec.Mistake, path string, err error) []spec.Mistake {
	var w wrong
	switch {
	case errors.As(err, &w):
		return append(mistakes, spec.Mistake{Path: path + "." + w.setting, Text: w.error.Error()})
	case err != nil:
		return append(mistakes, spec.Mistake{Path: path, Text: err.Error()})
	}
	return mistakes
}

func checkRedirects(s spec.RedirectsSpec, hosts []string, lists rule.Lists) (mistakes []spec.Mistake) {
	for i, one := range s.Rules {
		_, err := newRedirect(one, lists)
		mistakes = note(mistakes, fmt.Sprintf("redirects.rules[%d]", i), err)
	}
	for i, list := range s.Lists {
		_, err := newTable(list)
		mistakes = note(mistakes, fmt.Sprintf("redirects.lists[%d]", i), err)
	}
	if len(mistakes) > 0 {
		return mistakes
	}
	r, err := NewRedirects(s, hosts, lists)
	if err != nil {
		return []spec.Mistake{{Path: "redirects", Text: err.Error()}}
	}
	return r.circles(s, hosts)
}
