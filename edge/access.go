package edge

import (
	"time"

	"github.com/seawall-edge/seawall"
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

// find returns the first entry that is about the request.
func find(entries []accessEntry, f *rule.Facts, now time.Time) *accessEntry {
	for i := range entries {
		entry := &entries[i]
		if (entry.until == 0 || now.Unix() < entry.until) && entry.when.Holds(f) {
			return entry
		}
	}
	return nil
}

// access turns away whom the node's list or the zone's is about. Who is
// allowed by a list is let in by that list whatever else it says.
func (e *Edge) access(c *climb) verdict {
	for _, list := range [...]*accessList{e.nodeAccess.Load(), &c.zone.rules.access} {
		if list == nil || list.empty() || c.zone.state.switches.off(SwitchAccess, c.x.Event.Time) {
			continue
		}
		f := e.facts(c)
		if entry := find(list.allow, f, c.now); entry != nil {
			c.mention(entry.title)
			continue
		}
		entry := find(list.block, f, c.now)
		if entry == nil {
			continue
		}
		c.mention(entry.title)
		if !entry.logs {
			return verdict{refuse, seawall.ReasonBlocked}
		}
	}
	return verdict{}
}

// compileAccess compiles one access list; place says whose it is.
func compileAccess(s spec.AccessSpec, lists rule.Lists, place string) (accessList, error) {
	var a accessList
	for i, entry := range s.Allow {
		when, err := rule.Compile(entry.When, lists)
		if err != nil {
			return accessList{}, err
		}
		a.allow = append(a.allow, accessEntry{title(place+"allow", entry.Name, i), when, ends(entry.Until), false})
	}
	for i, entry := range s.Block {
		when, err := rule.Compile(entry.When, lists)
		if err != nil {
			return accessList{}, err
		}
		a.block = append(a.block, accessEntry{title(place+"block", entry.Name, i), when, ends(entry.Until), entry.Action == spec.ActionLog})
	}
	return a, nil
}

func ends(until spec.Time) int64 {
	if until.IsZero() {
		return 0
	}
	return until.Time().Unix()
}
