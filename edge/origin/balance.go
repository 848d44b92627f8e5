package origin

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/breaker"
	"github.com/seawall-edge/seawall/internal/turns"
)

// waiter is a request in the queue.
type waiter struct {
	choice  choice
	granted chan *server // gets one server, or nil when there is none to hope for
}

type place = turns.Place[netip.Prefix, *waiter]

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

var errAllTried = errors.New("every server was asked")

// acquire returns a server that has time for the request and counts the
// request there; release ends that. It waits in the queue where it has to.
func (g *Group) acquire(x *exchange.Exchange, c *choice, until time.Time) (*server, error) {
	if g.simple && len(c.tried) == 0 {
		// The one server has no limit. Only a breaker or a check that found
		// something makes a choice of it.
		if s := g.servers[0]; !s.troubled.Load() {
			s.active.Add(1)
			return s, nil
		}
	}
	now := time.Now()
	g.mu.Lock()
	if len(c.tried) == 0 && g.origin.Sticky != "" {
		c.sticky = g.stickyServer(x, now)
	}
	s, busy := g.pick(c, now)
	switch {
	case s != nil:
		s.active.Add(1)
		g.mu.Unlock()
		return s, nil
	case g.closed:
		g.mu.Unlock()
		return nil, fail(seawall.ReasonOriginDown, errors.New("the zone was changed meanwhile"))
	case !busy:
		err := g.allDown(c, now)
		g.mu.Unlock()
		return nil, err
	case g.queue.Len() >= g.origin.Queue.Length:
		g.mu.Unlock()
		return nil, fail(seawall.ReasonOriginBusy, fmt.Errorf("%d requests wait already", g.origin.Queue.Length))
	}
	w := g.queue.Push(visitorOf(x.Client.Addr()), &waiter{*c, make(chan *server, 1)})
	g.waiting.Store(int64(g.queue.Len()))
	// Somebody may have left between the pick and this; who leaves from now
	// on sees us in the queue.
	g.dispatch(now)
	g.mu.Unlock()
	return g.await(x, w, now, until)
}

// await waits in the queue for a server.
func (g *Group) await(x *exchange.Exchange, p *place, began, until time.Time) (*server, error) {
	limit := began.Add(g.origin.Queue.Timeout.Duration())
	total := !until.IsZero() && until.Before(limit)
	if total {
		limit = until
	}
	timer := time.NewTimer(min(lookUp, time.Until(limit)))
	defer timer.Stop()
	for {
		select {
		case s := <-p.Value.granted:
			if s == nil {
				return nil, fail(seawall.ReasonOriginDown, errors.New("the zone was changed meanwhile"))
			}
			return s, nil
		case now := <-timer.C:
			gone := x.Out.Gone()
			if !gone && now.Before(limit) {
				timer.Reset(min(lookUp, limit.Sub(now)))
				continue
			}
			if s := g.leave(p); s != nil {
				return s, nil // granted in this very moment
			}
			switch {
			case gone:
				return nil, errVisitorGone
			case total:
				return nil, errTotal
			}
			return nil, fail(seawall.ReasonOriginBusy, fmt.Errorf("no server had time within %s", g.origin.Queue.Timeout))
		}
	}
}

// leave takes a waiter out of the queue, or returns the server it was given.
func (g *Group) leave(p *place) *server {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case s := <-p.Value.granted:
		return s
	default:
	}
	g.queue.Remove(p)
	g.waiting.Store(int64(g.queue.Len()))
	return nil
}

// pick chooses among the servers that are well and have time: primaries
// first, then the one with the least to do for its weight, taking turns by
// weight between equals. busy says that there is one that may be waited for.
// g.mu is held.
func (g *Group) pick(c *choice, now time.Time) (best *server, busy bool) {
	if c.sticky != nil && !c.excludes(c.sticky) && c.sticky.well(now) {
		if c.sticky.hasTime(now) {
			return c.sticky, false
		}
		return nil, true
	}
	for _, backup := range []bool{false, true} {
		best, busy = g.pickAmong(c, now, backup, false)
		if best != nil || busy {
			return best, busy
		}
	}
	// Where the checks alone say that every server is down, the checks may be
	// what is wrong: a site is not closed on their word.
	return g.pickAmong(c, now, false, true)
}

func (g *Group) pickAmong(c *choice, now time.Time, backup, unchecked bool) (best *server, busy bool) {
	total := int64(0)
	for _, s := range g.servers {
		if s.backup != backup && !unchecked || c.excludes(s) || !unchecked && s.check.down || s.breaker.Capacity(now) == 0 {
			continue
		}
		if !s.hasTime(now) {
			busy = true
			continue
		}
		s.turn += s.weight
		total += s.weight
		if best == nil || s.before(best) {
			best = s
		}
	}
	if best != nil {
		best.turn -= total
	}
	return best, busy && best == nil
}

// before reports whether s should get the next request rather than t.
func (s *server) before(t *server) bool {
	if mine, theirs := s.active.Load()*t.weight, t.active.Load()*s.weight; mine != theirs {
		return mine < theirs
	}
	return s.turn > t.turn
}

func (s *server) well(now time.Time) bool { return !s.check.down && s.breaker.Capacity(now) > 0 }

func (s *server) hasTime(now time.Time) bool {
	capacity := s.breaker.Capacity(now)
	if s.limit > 0 {
		capacity = min(capacity, s.limit)
	}
	return s.active.Load() < capacity
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

// release ends what acquire began.
func (g *Group) release(s *server) {
	s.active.Add(-1)
	if g.waiting.Load() > 0 {
		g.mu.Lock()
		g.dispatch(time.Now())
		g.mu.Unlock()
	}
}

// dispatch gives servers that have time to those that wait; g.mu is held.
func (g *Group) dispatch(now time.Time) {
	room := func() bool {
		for _, s := range g.servers {
			if s.hasTime(now) {
				return true
			}
		}
		return false
	}
	g.queue.Serve(room, func(w *waiter) bool {
		s, _ := g.pick(&w.choice, now)
		if s == nil {
			return false
		}
		s.active.Add(1)
		w.granted <- s
		return true
	})
	g.waiting.Store(int64(g.queue.Len()))
}

// succeeded notes that a server answered.
func (g *Group) succeeded(s *server) {
	if !s.troubled.Load() {
		return
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	before, _, _ := s.breaker.Describe(now)
	if s.breaker.Succeeded(now) {
		g.dispatch(now)
	}
	if after, _, _ := s.breaker.Describe(now); before != breaker.Well && after == breaker.Well {
		g.log.Info("a server is back", "server", s.name)
	}
	s.judge()
}

// failed notes that a server failed a request.
func (g *Group) failed(s *server, why error) {
	now := time.Now()
	s.failures.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.breaker.Failed(now, why.Error()) && !g.closed {
		rest, _ := s.breaker.Rest()
		g.log.Warn("a server fails and gets a rest", "server", s.name, "rest", rest, "cause", why)
		if s.awake != nil {
			s.awake.Stop()
		}
		s.awake = time.AfterFunc(rest, g.wake)
		s.pool.drop()
	}
	s.judge()
}

// wake lets those who wait know that a rest is over.
func (g *Group) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.dispatch(time.Now())
	}
}

// judge decides whether the choosing has to look at the server more closely;
// the group's mu is held.
func (s *server) judge() {
	s.troubled.Store(!s.breaker.Quiet() || s.check.down)
}

// visitorOf is who takes turns: an IPv4 address, or the /64 that one IPv6
// subscriber has.
func visitorOf(address netip.Addr) netip.Prefix {
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits)
	return prefix
}
