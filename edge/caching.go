package edge

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/seawall-edge/seawall/edge/rewrite"
	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// cacheRule is a compiled spec.CacheRuleSpec.
type cacheRule struct {
	title     string
	bypass    bool
	force     bool
	lifetimes []statusLifetime
	browser   int64 // seconds; 0: what answers say

	bypassCookies, removeCookies bool
	bypassAuthorization, share   bool

	key *keyRule // nil: as usual
}

type statusLifetime struct {
	low, high int   // status codes; both ends are in it
	seconds   int64 // -1: not kept
}

// caching is what a zone's rules say about one request: of each thing what
// the first rule says that says something about it.
type caching struct {
	bypass, force, share, removeCookies bool

	lifetimes []statusLifetime
	browser   int64
	key       *keyRule
}

// keyRule is a compiled spec.CacheKeySpec.
type keyRule struct {
	mark    []byte // ends the keys of this rule, so that none that differs finds them; nil: the address tells all
	query   *queryRule
	headers [][]byte
	cookies [][]byte
	device  bool
}

// queryRule says what stays of a query.
type queryRule struct {
	only, ignored pattern.List
	sort          bool
}

// askCaching asks the zone's rules about the request, for c.caching.
func (e *Edge) askCaching(c *climb) {
	said, rules := &c.caching, &c.zone.cache
	if len(rules.rules) == 0 {
		return
	}
	f, ambiguous := e.facts(c), c.x.Ambiguous()
	for i := rules.asked.Next(f, 0); i >= 0; i = rules.asked.Next(f, i+1) {
		r := &rules.rules[i]
		c.mention(r.title)
		said.bypass = said.bypass || r.bypass || r.bypassCookies && c.x.Fields.Has(wire.Cookie) ||
			r.bypassAuthorization && carriesCredentials(c.x.Fields)
		said.removeCookies = said.removeCookies || r.removeCookies
		if ambiguous {
			continue // nothing is kept for longer on the strength of a path that the origin may read otherwise
		}
		said.share = said.share || r.share
		if len(said.lifetimes) == 0 && len(r.lifetimes) > 0 {
			said.lifetimes, said.force = r.lifetimes, r.force
		}
		if said.browser == 0 {
			said.browser = r.browser
		}
		if said.key == nil {
			said.key = r.key
		}
	}
}

// lifetime returns for how many seconds answers with a status are fresh, -1
// where they are not to be kept; ok is false where the rules do not say.
func (s *caching) lifetime(status int) (seconds int64, ok bool) {
	for _, l := range s.lifetimes {
		if status >= l.low && status <= l.high {
			return l.seconds, true
		}
	}
	return 0, false
}

// addRules compiles the rules about the cache.
func (c *cacheRules) addRules(specs []spec.CacheRuleSpec, lists rule.Lists) error {
	for i, s := range specs {
		when, err := rule.Compile(s.When, lists)
		if err != nil {
			return err
		}
		r := cacheRule{
			title: rewrite.Title("cache", s.Name, i), bypass: s.Bypass, force: s.Force, browser: seconds(s.BrowserLifetime),
			bypassCookies: s.Cookies == spec.CookiesBypass, removeCookies: s.Cookies == spec.CookiesRemove,
			bypassAuthorization: s.Authorization == spec.AuthorizationBypass, share: s.Authorization == spec.AuthorizationShare,
		}
		if r.lifetimes, err = compileLifetimes(s.EdgeLifetime); err != nil {
			return err
		}
		if r.key, err = compileKey(s.Key); err != nil {
			return err
		}
		c.rules = append(c.rules, r)
		c.asked.Add(nil, when)
	}
	return nil
}

func seconds(d spec.Duration) int64 { return int64(d.Duration() / time.Second) }

func compileLifetimes(specs []spec.StatusLifetimeSpec) (all []statusLifetime, err error) {
	for _, s := range specs {
		lasts := seconds(s.For)
		if s.Never {
			lasts = -1
		}
		if len(s.Status) == 0 {
			all = append(all, statusLifetime{100, 599, lasts})
		}
		for _, text := range s.Status {
			low, high, wrong := spec.ParseStatus(text)
			if wrong != "" {
				return nil, errors.New(wrong)
			}
			all = append(all, statusLifetime{low, high, lasts})
		}
	}
	return all, nil
}

func compileKey(s spec.CacheKeySpec) (*keyRule, error) {
	k := &keyRule{device: s.Device}
	query := &queryRule{sort: s.SortQuery}
	var err error
	if query.only, err = pattern.ParseList(s.Query, false); err != nil {
		return nil, err
	}
	if query.ignored, err = pattern.ParseList(s.IgnoreQuery, false); err != nil {
		return nil, err
	}
	if query.sort || len(query.only)+len(query.ignored) > 0 {
		k.query = query
	}
	for _, name := range s.Headers {
		k.headers = append(k.headers, []byte(name))
	}
	for _, name := range s.Cookies {
		k.cookies = append(k.cookies, []byte(name))
	}
	if k.separates() {
		digest := fnv.New64a()
		fmt.Fprintf(digest, "%+v", s)
		k.mark = digest.Sum([]byte{0}) // no target has a zero in it
	}
	if k.query == nil && k.mark == nil {
		return nil, nil
	}
	return k, nil
}

// separates reports whether more than the address tells answers apart.
func (k *keyRule) separates() bool { return k.device || len(k.headers)+len(k.cookies) > 0 }

// appendTarget appends a target with what the rule leaves of its query.
func (q *queryRule) appendTarget(dst, target []byte) []byte {
	mark := bytes.IndexByte(target, '?')
	if mark < 0 {
		return append(dst, target...)
	}
	dst = append(dst, target[:mark]...)
	begin := len(dst)
	var room [32][]byte
	kept := room[:0]
	for field := range rule.QueryFields(target) {
		name, _, _ := bytes.Cut(field, []byte("="))
		if q.keeps(name) {
			kept = append(kept, field)
		}
	}
	if q.sort {
		sortFields(kept)
	}
	for i, field := range kept {
		separator := byte('&')
		if i == 0 {
			separator = '?'
		}
		dst = append(append(dst, separator), field...)
	}
	if len(kept) == 0 {
		dst = dst[:begin]
	}
	return dst
}

func (q *queryRule) keeps(name []byte) bool {
	if len(q.only) > 0 {
		return q.only.Match(name)
	}
	return !q.ignored.Match(name)
}
