package spec

import (
	"fmt"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/internal/pattern"
	"github.com/seawall-edge/seawall/internal/wire"
)

// mostRules bounds each list of rules of a zone.
const mostRules = 1000

func (l *mistakes) cacheRules(rules []CacheRuleSpec, conditions *conditions) {
	l.names("cache.rules", len(rules), func(i int) string { return rules[i].Name })
	for i, r := range rules {
		path := fmt.Sprintf("cache.rules[%d]", i)
		conditions.check(path+".when", r.When)
		if r.Force && len(r.EdgeLifetime) == 0 {
			l.add(path+".force", "for how long? Name an edge_lifetime, too")
		}
		if r.saysNothing() {
			l.add(path, "the rule has no effect; what is to be different?")
		}
		if r.Bypass && (r.Force || r.BrowserLifetime > 0 || len(r.EdgeLifetime) > 0 || !r.Key.isZero()) {
			l.add(path+".bypass", "what is not kept has neither a lifetime nor a key; leave one of them out")
		}
		l.edgeLifetime(path+".edge_lifetime", r.EdgeLifetime)
		l.lifetime(path+".browser_lifetime", r.BrowserLifetime)
		l.second(path+".browser_lifetime", r.BrowserLifetime)
		l.word(path+".cookies", r.Cookies, CookiesBypass, CookiesRemove)
		l.word(path+".authorization", r.Authorization, AuthorizationBypass, AuthorizationShare)
		l.cacheKey(path+".key", r.Key)
	}
}

func (r CacheRuleSpec) saysNothing() bool {
	return !r.Bypass && len(r.EdgeLifetime) == 0 && !r.Force && r.BrowserLifetime == 0 && r.Cookies == "" && r.Authorization == "" && r.Key.isZero()
}

// second refuses what would be rounded to nothing.
func (l *mistakes) second(path string, d Duration) {
	if d > 0 && d < Duration(time.Second) {
		l.add(path, "%s is less than a second, which is as fine as lifetimes are", d)
	}
}

func (l *mistakes) edgeLifetime(path string, lifetimes []StatusLifetimeSpec) {
	for i, lifetime := range lifetimes {
		at := fmt.Sprintf("%s[%d]", path, i)
		for j, status := range lifetime.Status {
			if _, _, wrong := ParseStatus(status); wrong != "" {
				l.add(fmt.Sprintf("%s.status[%d]", at, j), "%s", wrong)
			}
		}
		switch {
		case lifetime.Never && lifetime.For != 0:
			l.add(at, "for and never exclude each other")
		case !lifetime.Never && lifetime.For == 0:
			l.add(at, "for how long? Write for: 1h, or never: true")
		}
		l.lifetime(at+".for", lifetime.For)
		l.second(at+".for", lifetime.For)
		if len(lifetime.Status) == 0 && i < len(lifetimes)-1 {
			l.add(at, "it is about every status, so the entries after it never count")
		}
	}
}

func (l *mistakes) cacheKey(path string, key CacheKeySpec) {
	if len(key.Query) > 0 && len(key.IgnoreQuery) > 0 {
		l.add(path+".ignore_query", "query names all fields that count, so there is nothing left to ignore; use one of them")
	}
	for _, list := range []struct {
		name    string
		entries []string
	}{{"query", key.Query}, {"ignore_query", key.IgnoreQuery}} {
		for i, entry := range list.entries {
			if _, err := pattern.Parse(entry, false); err != nil {
				l.add(fmt.Sprintf("%s.%s[%d]", path, list.name, i), "%v", err)
			}
		}
	}
	for _, list := range []struct {
		name    string
		entries []string
	}{{"headers", key.Headers}, {"cookies", key.Cookies}} {
		for i, entry := range list.entries {
			if !isToken(entry) {
				l.add(fmt.Sprintf("%s.%s[%d]", path, list.name, i), "%q is not a name", entry)
			}
		}
	}
	for i, name := range key.Headers {
		if known := wire.Lookup([]byte(name)); known.Claim() || known.HopByHop() || known.ForCaches() || notForKeys[known] {
			l.add(fmt.Sprintf("%s.headers[%d]", path, i), "%s frames the request, or the edge writes it itself: the origin sees another value than the visitor sent", name)
		}
	}
	if len(key.Headers)+len(key.Cookies) > 8 {
		l.add(path, "more than 8 fields and cookies in one key: there would be a copy for each visitor")
	}
}

// notForKeys are fields that mean something else to a cache, or that the edge
// writes itself.
var notForKeys = map[wire.Name]bool{
	wire.Host: true, wire.Via: true, wire.CDNLoop: true, wire.ContentLength: true, wire.Expect: true, wire.MaxForwards: true,
	wire.Range: true, wire.IfRange: true, wire.IfMatch: true, wire.IfNoneMatch: true, wire.IfModifiedSince: true, wire.IfUnmodifiedSince: true,
	wire.XForwardedFor: true, wire.XForwardedHost: true, wire.XForwardedProto: true, wire.Forwarded: true,
	wire.SeawallDevice: true, wire.SeawallRequestID: true, wire.SurrogateCapability: true, wire.Cookie: true,
}

func (k CacheKeySpec) isZero() bool {
	return len(k.Query)+len(k.IgnoreQuery)+len(k.Headers)+len(k.Cookies) == 0 && !k.SortQuery && !k.Device
}

// names checks the names and the number of the rules of one list.
func (l *mistakes) names(path string, count int, name func(int) string) {
	if count > mostRules {
		l.add(path, "%d rules, more than %d; a list can take the place of many", count, mostRules)
	}
	seen := map[string]int{}
	for i := range count {
		n := name(i)
		if n == "" {
			continue
		}
		at := fmt.Sprintf("%s[%d].name", path, i)
		if first, taken := seen[n]; taken {
			l.add(at, "rule %d is called %s, too", first+1, n)
		}
		seen[n] = i
		if len(n) > 64 || !printable(n) {
			l.add(at, "%q is not a name; use at most 64 printable characters of ASCII", n)
		}
	}
}

func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// word checks a setting that is one of some words, or empty.
func (l *mistakes) word(path, text string, words ...string) {
	if text == "" {
		return
	}
	if err := oneOf(words...)(text); err != nil {
		l.add(path, "%v", err)
	}
}

// writtenKeys refuses keys by the field in which origins get the visitor's
// address.
func (l *mistakes) writtenKeys(z ZoneSpec) {
	for i, r := range z.Cache.Rules {
		for j, name := range r.Key.Headers {
			if z.Origin.ClientAddressField != "" && strings.EqualFold(name, z.Origin.ClientAddressField) {
				l.add(fmt.Sprintf("cache.rules[%d].key.headers[%d]", i, j), "the edge writes %s itself (origin.client_address_field)", name)
			}
		}
	}
}
