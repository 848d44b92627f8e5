package origin

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/breaker"
)

// choice is what a request asks of the choosing.
type choice struct {
	tried  []*server // those that failed this request
	sticky *server   // the one the visitor is to stay with; nil when it does not matter
}

func (c *choice) excludes(s *server) bool {
	for _, t := range c.tried {
		if t == s {
			return true
		}
	}
	return false
}

// slot is a request's place at a server.
type slot struct {
	server *server
	era    *era
}

// era is the time between two rests of a server. What a server is doing from
// before a rest says nothing about how it is now: neither does it take up the
// room of the trial, nor does its failure end it.
type era struct{ active atomic.Int64 }

var errAllTried = errors.New("every server was asked")

// take counts a request at the server.
func (s *server) take() slot {
	e := s.era.Load()
	s.active.Add(1)
	e.active.Add(1)
	return slot{s, e}
}

// acquire returns a place at a server that has time for the request; release
// gives it back. It waits in the queue where it has to.
func (g *Group) acquire(x *exchange.Exchange, c *choice, until time.Time) (slot, error) {
	if g.simple && len(c.tried) == 0 {
		// The one server has no limit. Only a breaker or a check that found
		// something makes a choice of it.
		if s := g.servers[0]; !s.troubled.Load() {
			return s.take(), nil
		}
	}
	now := time.Now()
	got, p, err := g.chooseOrQueue(x, c, now)
	if p != nil {
		return g.await(x, p, now, until)
	}
	return got, err
}

// chooseOrQueue returns a place at a server or, when none has time, in the queue.
func (g *Group) chooseOrQueue(x *exchange.Exchange, c *choice, now time.Time) (slot, *place, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.queue.Len() > 0 {
		g.dispatch(now) // those who wait are first
	}
	if len(c.tried) == 0 && g.origin.Sticky != "" {
		c.sticky = g.stickyServer(x, now)
	}
	s, busy := g.pick(c, now)
	if s != nil {
		return s.take(), nil, nil
	}
	if err := g.mayWait(x, c, busy, now); err != nil {
		return slot{}, nil, err
	}
	p := g.queue.Push(visitorOf(x.Client.Addr()), &waiter{*c, make(chan grant, 1)})
	g.waiting.Store(int64(g.queue.Len()))
	// Somebody may have left between the pick and this; who leaves from now
	// on sees us in the queue.
	g.dispatch(now)
	return slot{}, p, nil
}

// pick chooses a server that is well and has time: the one with the least to
// do for its weight, and between equals they take turns by weight. busy says
// that there is one worth waiting for. g.mu is held.
func (g *Group) pick(c *choice, now time.Time) (best *server, busy bool) {
	if s := c.sticky; s != nil && !c.excludes(s) && !s.check.down {
		switch {
		case s.hasTime(now):
			return s, false
		case s.breaker.Capacity(now) == breaker.Unbounded:
			return nil, true // it is well, and will have time
		}
	}
	free, busy := g.free(c, now)
	if len(free) == 0 {
		return nil, busy
	}
	for _, s := range free {
		s.load = s.active.Load() // it may change meanwhile
	}
	least := free[0]
	for _, s := range free[1:] {
		if s.load*least.weight < least.load*s.weight {
			least = s
		}
	}
	// Smooth weighted round robin among those who have as little to do.
	total := int64(0)
	for _, s := range free {
		if s.load*least.weight != least.load*s.weight {
			continue
		}
		s.turn += s.weight
		total += s.weight
		if best == nil || s.turn > best.turn {
			best = s
		}
	}
	best.turn -= total
	return best, false
}

// free returns the servers to choose from: primaries that have time; where
// none of those is well, backups, too. It is valid until the next call.
func (g *Group) free(c *choice, now time.Time) (list []*server, busy bool) {
	list, well, hope := g.freeAmong(g.scratch[:0], c, now, func(s *server) bool { return !s.backup && !s.check.down })
	if len(list) > 0 || well {
		return list, well
	}
	list, well, more := g.freeAmong(list, c, now, func(s *server) bool { return s.backup && !s.check.down })
	if len(list) > 0 || well || hope || more {
		return list, well || hope || more
	}
	// Where the checks alone say that every server is down, the checks may be
	// what is wrong: a site is not closed on their word.
	list, well, hope = g.freeAmong(list, c, now, func(*server) bool { return true })
	return list, well || hope
}

// freeAmong adds the servers that have time. well says that one is well that
// has none, hope that one is coming back that has none.
func (g *Group) freeAmong(list []*server, c *choice, now time.Time, among func(*server) bool) (free []*server, well, hope bool) {
	for _, s := range g.servers {
		if c.excludes(s) || !among(s) {
			continue
		}
		capacity := s.breaker.Capacity(now)
		switch {
		case s.hasTime(now):
			list = append(list, s)
		case capacity == breaker.Unbounded:
			well = true
		case capacity > 0:
			hope = true
		}
	}
	g.scratch = list
	return list, well, hope
}

func (s *server) hasTime(now time.Time) bool {
	return s.era.Load().active.Load() < s.breaker.Capacity(now) && (s.limit == 0 || s.active.Load() < s.limit)
}

// allDown says why no server can be asked; g.mu is held.
func (g *Group) allDown(c *choice, now time.Time) error {
	if len(c.tried) > 0 {
		return errAllTried
	}
	s := g.servers[0]
	_, until := s.breaker.Rest()
	for _, other := range g.servers {
		if _, sooner := other.breaker.Rest(); sooner.Before(until) {
			s, until = other, sooner
		}
	}
	_, why, _ := s.breaker.Describe(now)
	return fail(seawall.ReasonOriginDown, fmt.Errorf("server %s rests for %v more, for it failed: %s",
		s.name, until.Sub(now).Round(time.Millisecond), why))
}
