package rewrite

import (
	"bytes"
	"strings"

	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// Requests is compiled changes of requests.
type Requests struct {
	rules []requestRule
	asked rule.Set // of rules
}

type requestRule struct {
	title       string
	when        *rule.Condition
	from        *pattern.Pattern // nil: the path stays
	to          template
	query       []queryField
	removeQuery pattern.List
	changes     changes
}

type queryField struct {
	name  []byte
	value template
}

// NewRequests compiles changes of requests.
func NewRequests(specs []spec.RequestRewriteSpec, lists rule.Lists) (*Requests, error) {
	all := &Requests{}
	for i, s := range specs {
		r, err := newRequestRule(s, lists)
		if err != nil {
			return nil, err
		}
		r.title = Title("request", s.Name, i)
		all.rules = append(all.rules, r)
		all.asked.Add(r.from, r.when)
	}
	return all, nil
}

func newRequestRule(s spec.RequestRewriteSpec, lists rule.Lists) (r requestRule, err error) {
	if r.when, err = rule.Compile(s.When, lists); err != nil {
		return r, wrongIn("when", "%w", err)
	}
	groups, names := 0, map[string]int(nil)
	if s.From != "" {
		if r.from, err = pattern.Parse(s.From, false); err != nil {
			return r, wrongIn("from", "%w", err)
		}
		groups, names = r.from.Groups()
		if !strings.HasPrefix(s.To, "/") || strings.ContainsAny(s.To, "?# ") {
			return r, wrongIn("to", "%q is not a path; it begins with a slash and has no query", s.To)
		}
	}
	if r.to, err = parseTemplate(s.To, groups, names, []string{"host", "path"}); err != nil {
		return r, wrongIn("to", "%w", err)
	}
	for _, text := range s.Query {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return r, wrongIn("query", "%q is not a query field; write name=value", text)
		}
		t, err := parseTemplate(value, groups, names, fieldValues)
		if err != nil {
			return r, wrongIn("query", "%w", err)
		}
		r.query = append(r.query, queryField{appendEscaped(nil, []byte(name), true), t})
	}
	if r.removeQuery, err = pattern.ParseList(s.RemoveQuery, false); err != nil {
		return r, wrongIn("remove_query", "%w", err)
	}
	r.changes, err = newChanges(s.Fields)
	return r, err
}

// Empty reports whether nothing is ever changed.
func (all *Requests) Empty() bool { return all == nil || len(all.rules) == 0 }

// Held is the rules that hold for one request.
type Held struct{ rules []*requestRule }

// Hold finds the rules that hold and calls said with the title of each. A
// Held can be used again.
func (all *Requests) Hold(held *Held, f *rule.Facts, said func(title string)) (any bool) {
	held.rules = held.rules[:0]
	for i := all.asked.Next(f, 0); i >= 0; i = all.asked.Next(f, i+1) {
		r := &all.rules[i]
		said(r.title)
		held.rules = append(held.rules, r)
	}
	return len(held.rules) > 0
}

// Target returns what the target becomes; changed is false when it stays as
// it is.
func (h *Held) Target(f *rule.Facts, values Values) (target []byte, changed bool) {
	target = f.Target
	for _, r := range h.rules {
		if r.from != nil || len(r.query)+len(r.removeQuery) > 0 {
			target, changed = r.appendTarget(nil, target, f, values), true
		}
	}
	return target, changed
}

func (r *requestRule) appendTarget(dst, target []byte, f *rule.Facts, values Values) []byte {
	path, _, _ := bytes.Cut(target, []byte("?"))
	var room [9][]byte
	captures := room[:0]
	if r.from != nil {
		captures, _ = r.from.Captures(captures, f.Path)
		dst = safe(r.to.appendTo(dst, captures, func(name string) []byte {
			if name == "host" {
				return f.Host
			}
			return f.Path
		}))
	} else {
		dst = append(dst, path...)
	}
	separator := byte('?')
	for field := range rule.QueryFields(target) {
		name, _, _ := bytes.Cut(field, []byte("="))
		if r.replaces(name) || r.removeQuery.Match(name) {
			continue
		}
		dst = append(append(dst, separator), field...)
		separator = '&'
	}
	for i := range r.query {
		dst = append(append(append(dst, separator), r.query[i].name...), '=')
		separator = '&'
		for _, part := range r.query[i].value.parts {
			switch {
			case part.text != "":
				dst = appendEscaped(dst, []byte(part.text), true)
			case part.group >= 0:
				dst = appendEscaped(dst, captures[part.group], true)
			default:
				dst = appendEscaped(dst, values(part.value), true)
			}
		}
	}
	return dst
}

func (r *requestRule) replaces(name []byte) bool {
	for i := range r.query {
		if bytes.Equal(r.query[i].name, name) {
			return true
		}
	}
	return false
}

// Fields makes the fields of the request in to and reports whether they are
// others than before.
func (h *Held) Fields(to *wire.Fields, f *rule.Facts, values Values) bool {
	changes := false
	for _, r := range h.rules {
		changes = changes || len(r.changes.gone)+len(r.changes.new) > 0
	}
	if !changes {
		return false
	}
	to.Clear()
fields:
	for i := range f.Fields.Len() {
		for _, r := range h.rules {
			if r.changes.takes(f.Fields.Known(i), f.Fields.Name(i)) {
				continue fields
			}
		}
		to.Add(f.Fields.Known(i), f.Fields.Name(i), f.Fields.Value(i))
	}
	for i, r := range h.rules {
		r.changes.addUnless(to, values, h.rules[i+1:])
	}
	return true
}

// addUnless adds the new fields but those that a later rule takes away.
func (c *changes) addUnless(to *wire.Fields, values Values, later []*requestRule) {
	if len(later) == 0 {
		c.addTo(to, values)
		return
	}
	for i := range c.new {
		taken := false
		for _, r := range later {
			taken = taken || r.changes.takes(c.new[i].known, c.new[i].name)
		}
		if !taken {
			c.new[i].addTo(to, values)
		}
	}
}
