package edge

import (
	"time"

	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// cacheRules is what a zone says about its cache, compiled.
type cacheRules struct {
	zone        *cache.Zone // nil: off
	bypassUntil int64       // Unix seconds; the cache is not asked before
	maxObject   int64       // bytes
	policy      freshness.Policy
	written     []byte // the field that gets the visitor's address; nil: none
	whenDown    int64  // seconds beyond its lifetime that a copy serves while the origin is away
	neverStale  bool
	ignore      bool  // requests' own directives
	interval    int64 // seconds for which a copy serves whatever the request's directives
	showKey     bool
	armour      bool // against paths that promise another type
	rules       []cacheRule
	asked       rule.Set // of rules
}

func compileCache(s spec.ZoneSpec) cacheRules {
	c := s.Cache
	rules := cacheRules{
		maxObject: int64(c.MaxObject), neverStale: c.NeverStale,
		written: written(s.Origin.ClientAddressField),
		ignore:  c.Visitors.IgnoreDirectives, interval: int64(c.Visitors.ReloadInterval.Duration() / time.Second), showKey: c.ShowKey, armour: c.Armour,
	}
	rules.policy.IgnoreRequest = rules.ignore
	if !c.NeverStale {
		rules.whenDown = int64(c.WhenDown.Duration() / time.Second)
	}
	if !c.NoHeuristic {
		rules.policy.Heuristic = int64(c.Heuristic.Duration() / time.Second)
	}
	switch c.SetCookie {
	case spec.SetCookieRemove:
		rules.policy.Cookies = freshness.CookiesRemoved
	case spec.SetCookieRefuse:
		rules.policy.Cookies = freshness.CookiesRefused
	}
	if !c.BypassUntil.IsZero() {
		rules.bypassUntil = c.BypassUntil.Time().Unix()
	}
	return rules
}

// openCache gives a zone its part of the cache, or takes that away.
func (e *Edge) openCache(z *zone) {
	c := z.spec.Cache
	switch {
	case e.cache == nil:
	case c.Off:
		e.cache.Remove(z.name) // nothing keeps it right from here on
	default:
		z.cache.zone = e.cache.Zone(z.name, cache.Bounds{
			Floor: int64(c.Bounds.Floor), Ceiling: int64(c.Bounds.Ceiling), Variants: c.Bounds.Variants, Waiters: c.Bounds.Waiters,
		})
	}
}

func written(name string) []byte {
	if name == "" {
		return nil
	}
	return []byte(name)
}
