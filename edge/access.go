package edge

import (
	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/rewrite"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// accessList is a compiled spec.AccessSpec.
type accessList struct{ allow, block []accessEntry }

type accessEntry struct {
	title string // for the Event
	when  *rule.Condition
	until int64 // Unix seconds; 0: for ever
	logs  bool  // it turns nobody away
}

func (a *accessList) empty() bool { return len(a.allow) == 0 && len(a.block) == 0 }

// holds reports whether an entry is in force and about the request.
func (a *accessEntry) holds(f *rule.Facts, now int64) bool {
	return (a.until == 0 || now < a.until) && a.when.Holds(f)
}

// access turns away whom the node's list or the zone's is about. Who is
// allowed by a list is let in by that list whatever else it says.
func (e *Edge) access(c *climb) verdict {
	for _, list := range [...]*accessList{e.nodeAccess.Load(), &c.zone.rules.access} {
		if list == nil || list.empty() || c.zone.state.switches.off(SwitchAccess, c.x.Event.Time) {
			continue
		}
		if !e.admits(c, list) {
			return verdict{refuse, seawall.ReasonBlocked}
		}
	}
	return verdict{}
}

// admits asks one list. Where an address can be read in two ways, a visitor is
// let in by it only if both are let in, and turned away if either is: nobody
// knows which of them the origin will take.
func (e *Edge) admits(c *climb, list *accessList) bool {
	f, now, ambiguous := e.facts(c), c.now.Unix(), c.x.Ambiguous()
	for i := range list.allow {
		if entry := &list.allow[i]; entry.holds(f, now) && (!ambiguous || entry.holdsUnresolved(c, f, now)) {
			c.mention(entry.title)
			return true
		}
	}
	for i := range list.block {
		entry := &list.block[i]
		if !entry.holds(f, now) && !(ambiguous && entry.holdsUnresolved(c, f, now)) {
			continue
		}
		if c.mention(entry.title); !entry.logs {
			return false
		}
	}
	return true
}

// holdsUnresolved is holds for the path with nothing in it resolved.
func (a *accessEntry) holdsUnresolved(c *climb, f *rule.Facts, now int64) bool {
	other := *f
	other.SetPath(c.x.Decoded)
	return a.holds(&other, now)
}

// compileAccess compiles one access list; place says whose it is.
func compileAccess(s spec.AccessSpec, lists rule.Lists, place string) (accessList, error) {
	var a accessList
	for i, entry := range s.Allow {
		when, err := rule.Compile(entry.When, lists)
		if err != nil {
			return accessList{}, err
		}
		a.allow = append(a.allow, accessEntry{rewrite.Title(place+"allow", entry.Name, i), when, ends(entry.Until), false})
	}
	for i, entry := range s.Block {
		when, err := rule.Compile(entry.When, lists)
		if err != nil {
			return accessList{}, err
		}
		a.block = append(a.block, accessEntry{rewrite.Title(place+"block", entry.Name, i), when, ends(entry.Until), entry.Action == spec.ActionLog})
	}
	return a, nil
}

func ends(until spec.Time) int64 {
	if until.IsZero() {
		return 0
	}
	return until.Time().Unix()
}
