package origin

import (
	"net/netip"
	"slices"
)

// queue is where requests wait for a server. Visitors take turns: one with a
// thousand requests holds up nobody who has one. It does no locking.
type queue struct {
	length int
	lines  map[netip.Prefix]*line
	ring   []*line // those with somebody in them, in the order of their turns
	next   int     // whose turn it is
}

// line is what one visitor waits for, first come first served.
type line struct {
	visitor netip.Prefix
	waiters []*waiter
}

type waiter struct {
	choice  choice
	line    *line
	granted chan *server // gets one server, or nil when there is none to hope for
}

// push puts a request at the end of its visitor's line.
func (q *queue) push(visitor netip.Addr, c *choice) *waiter {
	key := visitorOf(visitor)
	if q.lines == nil {
		q.lines = map[netip.Prefix]*line{}
	}
	l := q.lines[key]
	if l == nil {
		l = &line{visitor: key}
		q.lines[key] = l
		// Behind the one whose turn is over, so that nobody is passed by.
		q.ring = slices.Insert(q.ring, q.next, l)
		q.next++
		if q.next == len(q.ring) {
			q.next = 0
		}
	}
	w := &waiter{choice: *c, line: l, granted: make(chan *server, 1)}
	l.waiters = append(l.waiters, w)
	q.length++
	return w
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

// serve offers the waiting, one after the other and by turns, to give, until
// it has nothing for any of them or there is no room.
func (q *queue) serve(room func() bool, give func(*waiter) bool) {
	for refused := 0; refused < len(q.ring) && room(); {
		l := q.ring[q.next]
		// Within a line one that insists on a server holds up nobody.
		served := slices.IndexFunc(l.waiters, give)
		if served < 0 {
			refused++
			q.next = (q.next + 1) % len(q.ring)
			continue
		}
		refused = 0
		q.take(l, served)
	}
}

// take removes a waiter; the turn goes to the next line.
func (q *queue) take(l *line, i int) {
	l.waiters = slices.Delete(l.waiters, i, i+1)
	q.length--
	at := slices.Index(q.ring, l)
	if len(l.waiters) > 0 {
		if at == q.next {
			q.next = (q.next + 1) % len(q.ring)
		}
		return
	}
	delete(q.lines, l.visitor)
	q.ring = slices.Delete(q.ring, at, at+1)
	if at < q.next {
		q.next--
	}
	if q.next >= len(q.ring) {
		q.next = 0
	}
}

// remove takes out one that waits no longer.
func (q *queue) remove(w *waiter) {
	if i := slices.Index(w.line.waiters, w); i >= 0 {
		q.take(w.line, i)
	}
}

// clear tells everybody that there is nothing to hope for.
func (q *queue) clear() {
	for _, l := range q.ring {
		for _, w := range l.waiters {
			w.granted <- nil
		}
	}
	*q = queue{}
}
