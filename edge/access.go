package edge

import (
	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/rewrite"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// accessList is a compiled spec.AccessSpec.
type accessList struct{ allow, block accessEntries }

type accessEntries struct {
	entries []accessEntry
	asked   rule.Set // of entries
}

type accessEntry struct {
	title string // for the Event
	until int64  // Unix seconds; 0: for ever
	logs  bool   // it turns nobody away
}

func (a *accessList) empty() bool { return len(a.allow.entries) == 0 && len(a.block.entries) == 0 }

// next returns the first entry from place i on that is in force and about the
// request; -1 if there is none.
func (a *accessEntries) next(f *rule.Facts, i int) int {
	for i = a.asked.Next(f, i); i >= 0; i = a.asked.Next(f, i+1) {
		if until := a.entries[i].until; until == 0 || f.Time.Unix() < until {
			return i
		}
	}
	return -1
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
	f := e.facts(c)
	other := f // as the path reads with nothing in it resolved
	if c.x.Ambiguous() {
		copied := *f
		other = &copied
		other.SetPath(c.x.Decoded)
	}
	for i := list.allow.next(f, 0); i >= 0; i = list.allow.next(f, i+1) {
		if other == f || list.allow.next(other, i) == i {
			c.mention(list.allow.entries[i].title)
			return true
		}
	}
	for i := 0; ; i++ {
		at := list.block.next(f, i)
		if other != f {
			at = earlier(at, list.block.next(other, i))
		}
		if i = at; i < 0 {
			return true
		}
		if c.mention(list.block.entries[i].title); !list.block.entries[i].logs {
			return false
		}
	}
}

// earlier returns the smaller of two places of which either may be missing, as -1.
func earlier(a, b int) int {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}

// compileAccess compiles one access list; place says whose it is.
func compileAccess(s spec.AccessSpec, lists rule.Lists, place string) (accessList, error) {
	var a accessList
	for i, entry := range s.Allow {
		when, err := rule.Compile(entry.When, lists)
		if err != nil {
			return accessList{}, err
		}
		a.allow.add(accessEntry{rewrite.Title(place+"allow", entry.Name, i), ends(entry.Until), false}, when)
	}
	for i, entry := range s.Block {
		when, err := rule.Compile(entry.When, lists)
		if err != nil {
			return accessList{}, err
		}
		a.block.add(accessEntry{rewrite.Title(place+"block", entry.Name, i), ends(entry.Until), entry.Action == spec.ActionLog}, when)
	}
	return a, nil
}

func (a *accessEntries) add(entry accessEntry, when *rule.Condition) {
	a.entries = append(a.entries, entry)
	a.asked.Add(nil, when)
}

func ends(until spec.Time) int64 {
	if until.IsZero() {
		return 0
	}
	return until.Time().Unix()
}
