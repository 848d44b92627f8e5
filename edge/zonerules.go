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
	own       ownRules
	requests  *rewrite.Requests
	answers   *rewrite.Answers
	cors      *rewrite.CORS

	steers bool // some of redirects, own, requests or cors is there
}

// compileRules compiles all that has conditions.
func compileRules(z *zone, s spec.ZoneSpec) (err error) {
	lists := rule.NewLists(s.Lists)
	if z.rules.access, err = compileAccess(s.Access, lists, ""); err != nil {
		return err
	}
	if z.rules.redirects, err = rewrite.NewRedirects(s.Redirects, s.Hosts, lists); err != nil {
		return err
	}
	r := &z.rules
	if r.own, err = compileOwn(s.Answers, s.SecurityTxt, lists); err != nil {
		return err
	}
	if r.requests, err = rewrite.NewRequests(s.Rewrite.Requests, lists); err != nil {
		return err
	}
	if r.answers, err = rewrite.NewAnswers(s.Rewrite, lists); err != nil {
		return err
	}
	if r.cors, err = rewrite.NewCORS(s.Rewrite.CORS); err != nil {
		return err
	}
	r.steers = !r.redirects.Empty() || len(r.own.rules) > 0 || !r.requests.Empty() || r.cors != nil
	return z.cache.addRules(s.Cache.Rules, lists)
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
	return rewrite.Check(s, rule.NewLists(s.Lists))
}
