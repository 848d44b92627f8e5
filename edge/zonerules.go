package edge

import (
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// zoneRules is what a zone says about some requests, compiled.
type zoneRules struct {
	access accessList
}

// compileRules compiles all that has conditions.
func (e *Edge) compileRules(z *zone, s spec.ZoneSpec) (err error) {
	lists := rule.NewLists(s.Lists)
	if z.rules.access, err = compileAccess(s.Access, lists, ""); err != nil {
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
