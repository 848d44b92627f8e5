package resolve

import (
	"container/list"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	retryEvery = 5 * time.Second        // between two tries while no server answers
	keepGone   = time.Hour              // for how long the last answer outlives a server's word that the name is gone
	waitStale  = 500 * time.Millisecond // a visitor's wait for something better than a stale answer (RFC 8767, 5 lets it be 1.8 s)
	failure    = time.Second            // for how long it is remembered that nobody answers (RFC 9520, 3.2)
	partialTTL = 30 * time.Second       // most of an answer that lacks a family whose server failed
)

// entry is what is remembered of a name; Resolver.mu guards it.
type entry struct {
	key    string
	place  *list.Element
	last   *good   // the last good answer; nil: there was none, or it is given up
	flight *flight // being asked now
	asked  time.Time
	timer  *time.Timer

	// While last is nil: what to say until when.
	problem      *NameError
	problemUntil time.Time

	// While last is kept against the odds; otherwise all zero.
	away  bool      // no server answers
	gone  time.Time // since when servers say that the name is gone; zero: they do not
	retry time.Time // not to be asked in the background before
}

// good is an answer with addresses; it never changes.
type good struct {
	families [2][]netip.Addr // IPv6, IPv4
	addrs    []netip.Addr
	due      time.Time // for a refresh: the last tenth of its life begins
	expires  time.Time
	source   string
}

// flight is one question on its way and those who wait for it.
type flight struct {
	done   chan struct{} // closed when answer and err are set
	answer Answer
	err    error

	// Guarded by Resolver.mu: the good answer before and the one it made, for
	// the late family.
	before, made *good
}

func (e *entry) stopTimer() {
	if e.timer != nil {
		e.timer.Stop()
	}
}

// fromMemory answers from memory, or asks and waits.
func (r *Resolver) fromMemory(ctx context.Context, key string, now time.Time) (Answer, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return Answer{}, &NameError{Name: key, Err: net.ErrClosed}
	}
	e := r.entry(key)
	e.asked = now
	if answer, err, known := r.known(e, now); known {
		r.mu.Unlock()
		return answer, err
	}
	if e.flight == nil {
		r.start(e)
	}
	flight, last := e.flight, e.last
	r.mu.Unlock()
	return flight.wait(ctx, key, last, now)
}

// entry returns the entry of a name, a new one if need be, and forgets the
// one that nobody asked for longest when there are too many.
func (r *Resolver) entry(key string) *entry {
	if e := r.names[key]; e != nil {
		r.order.MoveToFront(e.place)
		return e
	}
	e := &entry{key: key}
	e.place = r.order.PushFront(e)
	r.names[key] = e
	if len(r.names) > r.limit {
		oldest := r.order.Remove(r.order.Back()).(*entry)
		oldest.stopTimer()
		delete(r.names, oldest.key)
	}
	return e
}

// known returns what can be said without waiting. For an answer that is stale
// or about to end it starts the question in the background.
func (r *Resolver) known(e *entry, now time.Time) (Answer, error, bool) {
	r.giveUp(e, now)
	shaky := e.last != nil && (e.away || !e.gone.IsZero())
	ending := e.last != nil && !now.Before(e.last.due) && now.Before(e.last.expires)
	if (shaky || ending) && e.flight == nil && !now.Before(e.retry) {
		r.start(e)
	}
	switch {
	case e.last != nil && now.Before(e.last.expires):
		return Answer{Addrs: e.last.addrs, Expires: e.last.expires, Source: e.last.source}, nil, true
	case shaky:
		return e.last.stale(e.retry), nil, true
	case e.last == nil && e.problem != nil && now.Before(e.problemUntil):
		return Answer{}, e.problem, true
	}
	return Answer{}, nil, false
}

// giveUp drops the last answer to a name that is gone for too long.
func (r *Resolver) giveUp(e *entry, now time.Time) {
	if e.last == nil || e.gone.IsZero() || now.Sub(e.gone) < keepGone {
		return
	}
	r.log.Warn("a name is gone for good; its last addresses are given up", "name", e.key, "since", e.gone)
	e.stopTimer()
	e.last, e.away, e.gone, e.retry = nil, false, time.Time{}, time.Time{}
}

func (g *good) stale(retry time.Time) Answer {
	return Answer{Addrs: g.addrs, Expires: retry, Stale: true, Source: g.source}
}

// wait waits for the flight's end. With a last answer the wait is short: it
// is better than none, for a caller in a hurry as well.
func (f *flight) wait(ctx context.Context, key string, last *good, now time.Time) (Answer, error) {
	var enough <-chan time.Time
	if last != nil {
		timer := time.NewTimer(waitStale)
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-f.done:
		return f.answer, f.err
	case <-enough:
	case <-ctx.Done():
		if last == nil {
			return Answer{}, &NameError{Name: key, Err: context.Cause(ctx)}
		}
	}
	return last.stale(now.Add(retryEvery)), nil
}

// start sends the question on its way, once for everybody. It needs mu, and a
// resolver that is not closed.
func (r *Resolver) start(e *entry) {
	f := &flight{done: make(chan struct{}), before: e.last}
	e.flight = f
	// The system is asked for what DNS never answered.
	system := e.last == nil || e.last.source == "system"
	r.running.Go(func() {
		r.ask(e.key, system, func(o outcome) { r.settle(e, f, o) })
	})
}

// settle notes an outcome. The first one of a flight is everybody's answer;
// a second one completes it, unless something newer came between.
func (r *Resolver) settle(e *entry, f *flight, o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	first := e.flight == f
	if !first && (f.made == nil || e.last != f.made) {
		return
	}
	switch g := r.combine(o, f.before, now); {
	case g != nil && first:
		f.answer = Answer{Addrs: g.addrs, Expires: g.expires, Source: g.source}
		r.succeed(e, f, g, now)
	case g != nil:
		if f.made.expires.Before(g.expires) {
			g.expires = f.made.expires
		}
		r.succeed(e, f, g, now)
	case o.failure() != nil:
		f.answer, f.err = r.fail(e, o.failure(), now)
	default:
		f.answer, f.err = r.miss(e, o, now)
	}
	if first {
		e.flight = nil
		close(f.done)
	}
}

// combine makes a good answer of an outcome, or nil when it has no address. A
// family whose server failed, or is late, keeps the addresses it had.
func (r *Resolver) combine(o outcome, before *good, now time.Time) *good {
	if !o.has(found) {
		return nil
	}
	g := &good{source: o.source}
	ttl := r.ceiling
	for i, said := range o.families {
		switch {
		case said.kind == found:
			g.families[i] = said.addrs
			ttl = min(ttl, said.ttl)
		case said.kind == failed:
			ttl = min(ttl, partialTTL)
			fallthrough
		case said.kind == pending:
			if before != nil {
				g.families[i] = before.families[i]
			}
		}
	}
	g.addrs = interleave(slices.Concat(g.families[:]...))
	g.expires = now.Add(max(ttl, r.floor))
	return g
}

// succeed remembers a good answer and plans its refresh for the last tenth
// of its life.
func (r *Resolver) succeed(e *entry, f *flight, g *good, now time.Time) {
	if e.away || !e.gone.IsZero() {
		r.log.Info("a name resolves again", "name", e.key, "addresses", g.addrs)
	}
	life := g.expires.Sub(now)
	g.due = g.expires.Add(-life / 10)
	e.last, f.made = g, g
	e.problem, e.away, e.gone, e.retry = nil, false, time.Time{}, time.Time{}
	e.stopTimer()
	if r.closed || r.names[e.key] != e {
		return
	}
	e.timer = time.AfterFunc(g.due.Sub(now), func() { r.refresh(e, g, life) })
}

// refresh asks again for an answer about to end, so that no visitor waits:
// only if somebody asked within a lifetime, so that unused names end.
func (r *Resolver) refresh(e *entry, g *good, life time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.names[e.key] != e || e.last != g || e.flight != nil || r.now().Sub(e.asked) > life {
		return
	}
	r.start(e)
}

// fail notes that nobody could say, and returns what to answer instead.
func (r *Resolver) fail(e *entry, err error, now time.Time) (Answer, error) {
	if e.last == nil {
		e.problem, e.problemUntil = &NameError{Name: strings.TrimSuffix(e.key, "."), Err: err}, now.Add(failure)
		return Answer{}, e.problem
	}
	if !e.away {
		r.log.Warn("no server answers for a name; its last addresses are kept", "name", e.key, "addresses", e.last.addrs, "error", err)
	}
	e.away, e.retry = true, now.Add(retryEvery)
	return e.last.stale(e.retry), nil
}

// miss notes that the name does not exist or has no address, and returns
// what to answer: for an hour the last addresses, if there were any. Names
// vanish by mistake more often than on purpose.
func (r *Resolver) miss(e *entry, o outcome, now time.Time) (Answer, error) {
	ttl, why := mostGone, errNoAddress
	for _, said := range o.families {
		if said.ttl > 0 {
			ttl = min(ttl, said.ttl)
		}
		if said.kind == missing {
			why = errNoName
		}
	}
	e.away = false
	r.giveUp(e, now)
	if e.last == nil {
		e.problem, e.problemUntil = &NameError{Name: strings.TrimSuffix(e.key, "."), NotFound: true, Err: why}, now.Add(ttl)
		return Answer{}, e.problem
	}
	if e.gone.IsZero() {
		e.gone = now
		r.log.Warn("a name is gone; its last addresses are kept for a while", "name", e.key, "addresses", e.last.addrs, "until", now.Add(keepGone), "error", why)
	}
	e.retry = now.Add(ttl)
	return e.last.stale(e.retry), nil
}
