// Package rewrite changes what is asked and what is answered as a zone's
// owner says: redirects, fields, paths.
//
// It decides and makes texts; the ladder sends them. Whatever a visitor sent
// is escaped where it gets into an address, and cannot end a field.
package rewrite

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// Redirects is a compiled spec.RedirectsSpec. It is safe for any number of
// readers.
type Redirects struct {
	https      bool
	www, slash string
	claims     func(host string) bool // whether a host is the zone's
	rules      []redirect
	asked      rule.Set // of rules
	tables     []table
}

// Redirect is where a request is sent.
type Redirect struct {
	Status   int
	Location []byte
	Title    string // of the rule
}

type redirect struct {
	title     string
	when      *rule.Condition
	from      *pattern.Pattern // nil: every path
	to        template
	status    int
	dropQuery bool
}

// redirectValues are what a redirect may name besides groups.
var redirectValues = []string{"host", "path"}

// NewRedirects compiles redirects; hosts are the zone's.
func NewRedirects(s spec.RedirectsSpec, hosts []string, lists rule.Lists) (*Redirects, error) {
	r := &Redirects{https: s.HTTPS, www: s.WWW, slash: s.TrailingSlash, claims: claimed(hosts)}
	for i, one := range s.Rules {
		compiled, err := newRedirect(one, lists)
		if err != nil {
			return nil, fmt.Errorf("redirects.rules[%d].%w", i, err)
		}
		compiled.title = Title("redirect", one.Name, i)
		r.rules = append(r.rules, compiled)
		r.asked.Add(compiled.from, compiled.when)
	}
	for i, list := range s.Lists {
		t, err := newTable(list)
		if err != nil {
			return nil, fmt.Errorf("redirects.lists[%d]: %w", i, err)
		}
		t.title = Title("redirects", list.Name, i)
		r.tables = append(r.tables, t)
	}
	return r, nil
}

// Empty reports whether nobody is ever sent elsewhere.
func (r *Redirects) Empty() bool {
	return r == nil || !r.https && r.www == "" && r.slash == "" && len(r.rules) == 0 && len(r.tables) == 0
}

// Title is what the Event and `seawall why` call a rule.
func Title(kind, name string, place int) string {
	if name == "" {
		return fmt.Sprintf("%s[%d]", kind, place)
	}
	return kind + " " + name
}

func newRedirect(s spec.RedirectSpec, lists rule.Lists) (redirect, error) {
	r := redirect{status: s.Status, dropQuery: s.DropQuery}
	if r.status == 0 {
		r.status = http.StatusFound
	}
	if !spec.RedirectStatus(r.status) {
		return r, wrongIn("status", "%d is no redirect; use 301, 302, 303, 307 or 308", r.status)
	}
	var err error
	if r.when, err = rule.Compile(s.When, lists); err != nil {
		return r, wrongIn("when", "%w", err)
	}
	groups, names := 0, map[string]int(nil)
	if s.From != "" {
		if r.from, err = pattern.Parse(s.From, false); err != nil {
			return r, wrongIn("from", "%w", err)
		}
		groups, names = r.from.Groups()
	}
	if r.to, err = parseTemplate(s.To, groups, names, redirectValues); err != nil {
		return r, wrongIn("to", "%w", err)
	}
	if wrong := checkDestination(&r.to); wrong != "" {
		return r, wrongIn("to", "%s", wrong)
	}
	return r, nil
}

// wrong is a mistake in one setting of a rule.
type wrong struct {
	setting string
	error
}

func (w wrong) Error() string { return w.setting + ": " + w.error.Error() }
func (w wrong) Unwrap() error { return w.error }

func wrongIn(setting, format string, args ...any) error {
	return wrong{setting, fmt.Errorf(format, args...)}
}

// checkDestination says what is wrong with where a redirect leads. What a
// visitor sends must never be able to choose the host: that is how a site
// lends its name to others.
func checkDestination(t *template) string {
	begin := t.begins()
	if text, is := t.fixed(); is {
		begin = text
	}
	for _, part := range t.parts {
		if i := strings.IndexFunc(part.text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' || r == '"' || r == '<' || r == '>' }); i >= 0 {
			return fmt.Sprintf("%q cannot stand in an address; percent-encode it", part.text[i:i+1])
		}
	}
	switch lower := strings.ToLower(begin); {
	case strings.HasPrefix(begin, "//"):
		return "an address without a scheme; write https: before it"
	case strings.HasPrefix(begin, "/"):
		return ""
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		rest := begin[strings.Index(begin, "://")+3:]
		if len(t.parts) > 1 && rest == "" && t.parts[1].value == "host" {
			if len(t.parts) == 2 || strings.HasPrefix(t.parts[2].text, "/") {
				return ""
			}
			return "what follows ${host} must begin with a slash"
		}
		end := strings.IndexAny(rest, "/?#")
		switch {
		case end == 0, rest == "":
			return "the host is missing"
		case end < 0 && len(t.parts) > 1:
			return "what a visitor sends could become a part of the host; write a slash after the host"
		case end > 0 && strings.ContainsAny(rest[:end], "@") || end < 0 && strings.Contains(rest, "@"):
			return "an address with a user is not sent to visitors"
		}
		return ""
	case begin == "" && len(t.parts) > 0 && t.parts[0].value == "path":
		return ""
	}
	return "a path that begins with a slash, or an address that begins with http:// or https://, is needed"
}

// Find returns where a request is to be sent; nil where it is not. hostport is
// the host as the visitor wrote it; dst is memory for the address.
func (r *Redirects) Find(dst []byte, f *rule.Facts, hostport []byte) *Redirect {
	if r.https && !f.Secure || r.www != "" {
		// One step to the right door, and to the slash, unless a rule is about
		// the path as it is.
		ruled := r.ruled(nil, f, hostport)
		if location, moved, _ := r.canonical(dst, f, hostport, ruled == nil); moved {
			return &Redirect{http.StatusPermanentRedirect, location, canonicalTitle}
		}
	}
	if found := r.ruled(dst, f, hostport); found != nil {
		return found
	}
	if r.slash != "" {
		if location, _, slashed := r.canonical(dst, f, hostport, true); slashed {
			return &Redirect{http.StatusPermanentRedirect, location, canonicalTitle}
		}
	}
	return nil
}

const canonicalTitle = "redirect canonical"

// ruled asks rules and lists.
func (r *Redirects) ruled(dst []byte, f *rule.Facts, hostport []byte) *Redirect {
	if i := r.asked.Next(f, 0); i >= 0 {
		one := &r.rules[i]
		var captures [][]byte
		if one.from != nil {
			captures, _ = one.from.Captures(nil, f.Path)
		}
		location := one.to.appendTo(dst, captures, func(name string) []byte {
			if name == "host" {
				return hostport
			}
			return f.Path
		})
		return &Redirect{one.status, withQuery(safe(location), f.Target, one.dropQuery), one.title}
	}
	for i := range r.tables {
		t := &r.tables[i]
		if entry, ok := t.find(f); ok {
			return &Redirect{entry.status, withQuery(append(dst, entry.to...), f.Target, t.dropQuery), t.title}
		}
	}
	return nil
}

// safe keeps a path from being read as a host: browsers take "//example.org"
// for one.
func safe(location []byte) []byte {
	for len(location) > 1 && location[0] == '/' && location[1] == '/' {
		location = location[1:]
	}
	return location
}

// withQuery adds the request's query, unless there is one or it is dropped.
func withQuery(location, target []byte, drop bool) []byte {
	query := bytes.IndexByte(target, '?')
	if drop || query < 0 || bytes.IndexByte(location, '?') >= 0 {
		return location
	}
	if fragment := bytes.IndexByte(location, '#'); fragment >= 0 {
		rest := bytes.Clone(location[fragment:])
		return append(append(location[:fragment], target[query:]...), rest...)
	}
	return append(location, target[query:]...)
}
