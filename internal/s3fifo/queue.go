package s3fifo

import (
	"container/heap"
	"sync/atomic"
)

// queue says in which queue an entry is.
type queue uint8

const (
	small  queue = iota // what is new
	main                // what has proved itself
	gone                // in none: it was removed or had to make room
	queues = 2
)

// entry is what a key has. Whoever finds one that is gone in the map is
// between the two halves of its removal.
type entry[V any] struct {
	key    string
	hash   uint64
	tenant *Tenant[V]
	value  V // guarded by the shard's lock

	// Guarded by Cache.mu.
	older, newer *entry[V]
	stamp        uint64 // when it joined its queue
	weight       int64  // bytes, all included
	queue        queue

	reads atomic.Uint32 // chances to stay, at most mostReads
}

// bookkeeping is what an entry costs besides its key and what its value
// holds: itself, its place in the map, and what is remembered of its hash.
const bookkeeping = 160

const mostReads = 3

// count notes a read. One that is lost to another at the same moment does no harm.
func (e *entry[V]) count() {
	if n := e.reads.Load(); n < mostReads {
		e.reads.CompareAndSwap(n, n+1)
	}
}

// fifo is one queue of one tenant. Stamps rise from the oldest to the newest.
type fifo[V any] struct {
	oldest, newest *entry[V]
	bytes          int64
}

func (f *fifo[V]) push(e *entry[V]) {
	e.older = f.newest
	if f.newest == nil {
		f.oldest = e
	} else {
		f.newest.newer = e
	}
	f.newest = e
}

func (f *fifo[V]) remove(e *entry[V]) {
	if e.older == nil {
		f.oldest = e.newer
	} else {
		e.older.newer = e.newer
	}
	if e.newer == nil {
		f.newest = e.older
	} else {
		e.newer.older = e.older
	}
	e.older, e.newer = nil, nil
}

// turn is a heap of the tenants that are above their floors and have
// something in a queue; first is the one with the oldest entry.
type turn[V any] struct {
	queue queue
	waits []wait[V]
}

type wait[V any] struct {
	stamp  uint64 // of the tenant's oldest entry: here, so that comparing looks at one place
	tenant *Tenant[V]
}

func (w *turn[V]) Len() int           { return len(w.waits) }
func (w *turn[V]) Less(i, j int) bool { return w.waits[i].stamp < w.waits[j].stamp }

// Swap is for the heap, like Len, Less, Push and Pop.
func (w *turn[V]) Swap(i, j int) {
	w.waits[i], w.waits[j] = w.waits[j], w.waits[i]
	w.waits[i].tenant.turns[w.queue] = int32(i + 1)
	w.waits[j].tenant.turns[w.queue] = int32(j + 1)
}

// Push is not used: it would put each wait into an interface.
func (w *turn[V]) Push(any) {}

// Pop drops the last.
func (w *turn[V]) Pop() any {
	last := len(w.waits) - 1
	w.waits[last].tenant.turns[w.queue] = 0
	w.waits[last] = wait[V]{}
	w.waits = w.waits[:last]
	return nil
}

func (w *turn[V]) first() *Tenant[V] {
	if len(w.waits) == 0 {
		return nil
	}
	return w.waits[0].tenant
}

// settle puts a tenant where it belongs by its oldest entry and by whether
// it is above its floor.
func (w *turn[V]) settle(t *Tenant[V]) {
	e, at := t.queues[w.queue].oldest, int(t.turns[w.queue])-1
	waiting := t.open && e != nil
	switch {
	case waiting && at < 0:
		w.waits = append(w.waits, wait[V]{e.stamp, t})
		t.turns[w.queue] = int32(len(w.waits))
		heap.Fix(w, len(w.waits)-1)
	case waiting && w.waits[at].stamp != e.stamp:
		w.waits[at].stamp = e.stamp
		heap.Fix(w, at)
	case !waiting && at >= 0:
		heap.Remove(w, at)
	}
}

// settle is called after everything that changes a tenant.
func (c *Cache[V]) settle(t *Tenant[V]) {
	if open := t.bytes() > c.effective(t.floor); open != t.open {
		t.open = open
		for q := range t.queues {
			if open {
				c.open[q] += t.queues[q].bytes
			} else {
				c.open[q] -= t.queues[q].bytes
			}
		}
	}
	for q := range c.order {
		c.order[q].settle(t)
	}
}

// link puts an entry into the queue for it: the main one if it was here not
// long ago.
func (c *Cache[V]) link(e *entry[V]) {
	q := small
	if c.ghost.take(e.hash, c.entries) {
		q = main
	}
	c.join(e, q)
	c.settle(e.tenant)
}

// unlink takes an entry out of its queue for good.
func (c *Cache[V]) unlink(e *entry[V]) {
	c.leave(e)
	c.settle(e.tenant)
}

// move makes an entry the newest of a queue.
func (c *Cache[V]) move(e *entry[V], to queue) {
	c.leave(e)
	c.join(e, to)
	c.settle(e.tenant)
}

func (c *Cache[V]) reweigh(e *entry[V], weight int64) {
	c.weigh(e, weight-e.weight)
	e.weight = weight
	c.settle(e.tenant)
}

func (c *Cache[V]) join(e *entry[V], q queue) {
	c.stamp++
	e.stamp, e.queue = c.stamp, q
	e.tenant.queues[q].push(e)
	e.tenant.entries++
	c.entries++
	c.weigh(e, e.weight)
}

func (c *Cache[V]) leave(e *entry[V]) {
	c.weigh(e, -e.weight)
	c.entries--
	e.tenant.entries--
	e.tenant.queues[e.queue].remove(e)
	e.queue = gone
}

func (c *Cache[V]) weigh(e *entry[V], more int64) {
	c.bytes += more
	e.tenant.queues[e.queue].bytes += more
	if e.tenant.open {
		c.open[e.queue] += more
	}
}
