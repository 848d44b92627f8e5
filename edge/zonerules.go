package edge

import (
	"github.com/seawall-edge/seawall/edge/rewrite"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// zoneRules is what a zone says about some requests, compiled.
type zoneRules struct {
	access    accessList
	redirects *rewrite.Redirects
}

// compileRules compiles all that has conditions.
func (e *Edge) compileRules(z *zone, s spec.ZoneSpec) (err error) {
	lists := rule.NewLists(s.Lists)
	if z.rules.access, err = compileAccess(s.Access, lists, ""); err != nil {
		return err
	}
	if z.rules.redirects, err = rewrite.NewRedirects(s.Redirects, s.Hosts, lists); err != nil {
		return err
	}
	z.cache.rules, err = compileCacheRules(s.Cache.Rules, lists)
	return err
}

// SetAccess makes this the node's list, which is asked before every zone's
// own. With an error the one before stays.
func (e *Edge) SetAccess(s spec.AccessSpec, lists []spec.ListSpec) error {
	compiled, err := compileAccess(s, rule.NewLists(lists), "node ")
	if err == nil {
		e.nodeAccess.Store(&compiled)
	}
	return err
}

// CheckZone returns what is wrong in a zone that has no other mistake: what
// shows only when its rules are put together.
func CheckZone(s spec.ZoneSpec) []spec.Mistake {
	s = s.Resolved()
	return rewrite.CheckRedirects(s.Redirects, s.Hosts, rule.NewLists(s.Lists))
}
