package origin

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/turns"
)

// waiter is a request in the queue.
type waiter struct {
	choice  choice
	granted chan grant // gets one
}

// grant ends the waiting: a place at a server, or why there is none.
type grant struct {
	slot slot
	err  error
}

type place = turns.Place[netip.Prefix, *waiter]

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

var errChanged = fail(seawall.ReasonOriginDown, errors.New("the zone was changed meanwhile"))

// mayWait says why a request cannot wait for a server; g.mu is held. Where
// the queue is full, who has the most in it gives up his last place.
func (g *Group) mayWait(x *exchange.Exchange, c *choice, busy bool, now time.Time) error {
	switch {
	case g.closed:
		return errChanged
	case !busy:
		return g.allDown(c, now)
	case g.queue.Len() < g.origin.Queue.Length:
		return nil
	}
	full := fail(seawall.ReasonOriginBusy, fmt.Errorf("%d requests wait already", g.origin.Queue.Length))
	shed, ok := g.queue.Shed(visitorOf(x.Client.Addr()))
	if !ok {
		return full
	}
	shed.granted <- grant{err: full}
	return nil
}

// await waits in the queue for a server.
func (g *Group) await(x *exchange.Exchange, p *place, began, until time.Time) (slot, error) {
	limit := began.Add(g.origin.Queue.Timeout.Duration())
	total := !until.IsZero() && until.Before(limit)
	if total {
		limit = until
	}
	var gone patience
	timer := time.NewTimer(min(lookUp, time.Until(limit)))
	defer timer.Stop()
	for {
		select {
		case got := <-p.Value.granted:
			return got.slot, got.err
		case now := <-timer.C:
			left := gone.isOver(x.Out, now)
			if !left && now.Before(limit) {
				g.wake() // a breaker lets in more as time goes by
				timer.Reset(min(lookUp, limit.Sub(now)))
				continue
			}
			if got, ok := g.leave(p); ok {
				return got.slot, got.err // granted in this very moment
			}
			switch {
			case left:
				return slot{}, errVisitorGone
			case total:
				return slot{}, errTotal
			}
			return slot{}, fail(seawall.ReasonOriginBusy, fmt.Errorf("no server had time within %s", g.origin.Queue.Timeout))
		}
	}
}

// leave takes a waiter out of the queue, or returns what it was given.
func (g *Group) leave(p *place) (got grant, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case got = <-p.Value.granted:
		return got, true
	default:
	}
	g.queue.Remove(p)
	g.waiting.Store(int64(g.queue.Len()))
	return got, false
}

// release gives a place at a server back.
func (g *Group) release(got slot) {
	got.server.active.Add(-1)
	got.era.active.Add(-1)
	if g.waiting.Load() > 0 {
		g.wake()
	}
}

// wake lets those who wait know that something has changed.
func (g *Group) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.dispatch(time.Now())
	}
}

// dispatch gives servers that have time to those that wait; g.mu is held.
func (g *Group) dispatch(now time.Time) {
	if g.queue.Len() == 0 {
		return
	}
	anybody := choice{}
	room := func() bool {
		if g.origin.Sticky != "" {
			return g.anyTime(now) // somebody may wait for one in particular
		}
		list, _ := g.free(&anybody, now)
		return len(list) > 0
	}
	g.queue.Serve(room, func(w *waiter) bool {
		s, _ := g.pick(&w.choice, now)
		if s == nil {
			return false
		}
		w.granted <- grant{slot: s.take()}
		return true
	})
	g.waiting.Store(int64(g.queue.Len()))
}

func (g *Group) anyTime(now time.Time) bool {
	for _, s := range g.servers {
		if s.hasTime(now) {
			return true
		}
	}
	return false
}

// patience is with a visitor who has ended its side of the connection. Most
// who do have closed the window; some only have nothing more to ask.
type patience struct{ since time.Time }

// endedPatience is how long such a visitor is waited for, from one byte of
// the origin to the next.
const endedPatience = 10 * time.Second

// isOver reports whether nobody waits for the answer any more.
func (p *patience) isOver(out exchange.Stream, now time.Time) bool {
	if out.Gone() {
		return true
	}
	if !out.Ended() {
		return false
	}
	if p.since.IsZero() {
		p.since = now
	}
	return now.Sub(p.since) >= endedPatience
}
