package origin

import (
	"net/netip"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/breaker"
)

// succeeded notes that a server answered.
func (g *Group) succeeded(got slot) {
	s := got.server
	if !s.troubled.Load() {
		return
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	s.victim.times, s.check.answered = 0, true
	before, _, _ := s.breaker.Describe(now)
	more := s.breaker.Succeeded(now)
	after, _, _ := s.breaker.Describe(now)
	if after == breaker.Careful && before != after {
		g.wakeAfter(s, g.origin.Breaker.Return.Duration())
	}
	if s.rested && after == breaker.Well {
		s.rested = false
		g.log.Info("a server is back", "server", s.name)
	}
	if more {
		g.dispatch(now)
	}
	s.judge()
}

// victim is the visitor whose requests the server failed last. One visitor
// alone does not bring a server down with an address that it cannot answer.
type victim struct {
	visitor netip.Prefix
	times   int // in a row
}

// failed notes that a server failed a request of a visitor's.
func (g *Group) failed(got slot, problem *Error, visitor netip.Addr) {
	now := time.Now()
	s := got.server
	s.failures.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if got.era != s.era.Load() || g.closed {
		return // from before its rest
	}
	if problem.reason == seawall.ReasonOriginClosed || problem.reason == seawall.ReasonOriginTimeout {
		if who := visitorOf(visitor); who != s.victim.visitor {
			s.victim = victim{visitor: who}
		}
		state, _, _ := s.breaker.Describe(now)
		if s.victim.times++; state == breaker.Well && s.victim.times >= max(2, g.origin.Breaker.Failures) {
			return
		}
	}
	if s.breaker.Failed(now, problem.cause.Error()) {
		rest, _ := s.breaker.Rest()
		g.log.Warn("a server fails and gets a rest", "server", s.name, "rest", rest, "cause", problem.cause)
		s.rested, s.victim.times = true, 0
		s.era.Store(&era{})
		g.wakeAfter(s, rest)
		s.pool.drop()
	}
	s.judge()
}

// wakeAfter lets those who wait know when a rest, or the care after it, is over.
func (g *Group) wakeAfter(s *server, wait time.Duration) {
	if s.awake != nil {
		s.awake.Stop()
	}
	s.awake = time.AfterFunc(wait, g.wake)
}

// judge decides whether the choosing has to look at the server more closely;
// the group's mu is held.
func (s *server) judge() {
	s.troubled.Store(!s.breaker.Quiet() || s.check.down || s.rested)
}
