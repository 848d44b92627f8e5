// Package turns is a queue in which everybody has a line of his own and the
// lines take turns: who has a thousand things to do holds up nobody who has
// one. It does no locking.
package turns

import "slices"

// Queue holds things of type T in lines by K. Its zero value is empty.
type Queue[K comparable, T any] struct {
	length int
	lines  map[K]*line[K, T]
	ring   []*line[K, T] // those with somebody in them, in the order of their turns
	next   int           // whose turn it is
}

// line is first come first served.
type line[K comparable, T any] struct {
	key     K
	waiters []*Place[K, T]
}

// Place is a thing's place in the queue.
type Place[K comparable, T any] struct {
	Value T
	line  *line[K, T]
}

// Len returns how many wait.
func (q *Queue[K, T]) Len() int { return q.length }

// Push puts a thing at the end of its line.
func (q *Queue[K, T]) Push(key K, value T) *Place[K, T] {
	if q.lines == nil {
		q.lines = map[K]*line[K, T]{}
	}
	l := q.lines[key]
	if l == nil {
		l = &line[K, T]{key: key}
		q.lines[key] = l
		// Behind the one whose turn is just over, so that nobody is passed by.
		q.ring = slices.Insert(q.ring, q.next, l)
		q.next++
		if q.next == len(q.ring) {
			q.next = 0
		}
	}
	p := &Place[K, T]{Value: value, line: l}
	l.waiters = append(l.waiters, p)
	q.length++
	return p
}

// Serve offers the waiting, one after the other and by turns, to give, until
// it has nothing for any of them or there is no room.
func (q *Queue[K, T]) Serve(room func() bool, give func(T) bool) {
	for refused := 0; refused < len(q.ring) && room(); {
		l := q.ring[q.next]
		// Within a line one that insists on a server holds up nobody.
		served := slices.IndexFunc(l.waiters, func(p *Place[K, T]) bool { return give(p.Value) })
		if served < 0 {
			refused++
			q.next = (q.next + 1) % len(q.ring)
			continue
		}
		refused = 0
		q.take(l, served)
		if len(l.waiters) > 0 {
			q.next = (q.next + 1) % len(q.ring)
		}
	}
}

// take removes a waiter, and its line when that was the last of it.
func (q *Queue[K, T]) take(l *line[K, T], i int) {
	l.waiters = slices.Delete(l.waiters, i, i+1)
	q.length--
	if len(l.waiters) > 0 {
		return
	}
	at := slices.Index(q.ring, l)
	delete(q.lines, l.key)
	q.ring = slices.Delete(q.ring, at, at+1)
	if at < q.next {
		q.next--
	}
	if q.next >= len(q.ring) {
		q.next = 0
	}
}

// Remove takes out what waits no longer. A line keeps its turn as long as
// there is somebody in it. What was given or removed before is not there.
func (q *Queue[K, T]) Remove(w *Place[K, T]) {
	if i := slices.Index(w.line.waiters, w); i >= 0 {
		q.take(w.line, i)
	}
}

// Clear takes everything out and hands it over.
func (q *Queue[K, T]) Clear(each func(T)) {
	for _, l := range q.ring {
		for _, p := range l.waiters {
			each(p.Value)
		}
		l.waiters = nil // for a Remove that comes later
	}
	*q = Queue[K, T]{}
}

// Shed makes room for one more in the line of key where there is no more
// room in all: it takes out the last of the longest line. It takes out
// nothing when that line would not be longer than key's all the same, for
// then everybody has the same share already.
func (q *Queue[K, T]) Shed(key K) (shed T, ok bool) {
	var longest *line[K, T]
	for _, l := range q.ring {
		if longest == nil || len(l.waiters) > len(longest.waiters) {
			longest = l
		}
	}
	mine := 0
	if l := q.lines[key]; l != nil {
		mine = len(l.waiters)
	}
	if longest == nil || len(longest.waiters) <= mine+1 {
		return shed, false
	}
	last := len(longest.waiters) - 1
	shed = longest.waiters[last].Value
	q.take(longest, last)
	return shed, true
}
