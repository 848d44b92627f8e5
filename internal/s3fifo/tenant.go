package s3fifo

import (
	"hash/maphash"
	"math/bits"
)

// Tenant is one of those who share a Cache. It is safe for use by many
// goroutines. An idle one costs little: there may be very many.
type Tenant[V any] struct {
	cache *Cache[V]

	// Guarded by Cache.mu.
	floor, ceiling int64 // bytes; ceiling 0: none
	entries        int64
	evicted        int64
	queues         [queues]fifo[V]
	turns          [queues]int32 // its place in Cache.order, counted from 1; 0: it has none
	open           bool          // it is above its floor: its entries may have to make room for others
	removed        bool
}

// SetBounds sets the bytes below which no other tenant's writing pushes this
// one and those above which it makes room itself, at once if need be. A
// ceiling of 0 is none; a floor above the ceiling counts as the ceiling.
//
// Floors bind at most half of the budget: when they are more all together,
// each counts in proportion, times half of the budget over their sum. For
// this the sum is rounded up, by an eighth at most: so one tenant's bounds
// seldom change what counts of everybody's, which costs a look at everybody.
func (t *Tenant[V]) SetBounds(floor, ceiling int64) {
	c := t.cache
	c.mu.Lock()
	if t.removed {
		c.mu.Unlock()
		return
	}
	t.ceiling = max(0, ceiling)
	floor = min(max(0, floor), c.budget)
	if t.ceiling > 0 {
		floor = min(floor, t.ceiling)
	}
	c.setFloor(t, floor)
	over := c.over(t)
	c.mu.Unlock()
	if over {
		c.makeRoom(t, nil)
	}
}

func (c *Cache[V]) setFloor(t *Tenant[V], floor int64) {
	c.floors += floor - t.floor
	t.floor = floor
	divisor := int64(0)
	if c.floors > c.budget/2 {
		divisor = roundUp(c.floors)
	}
	if divisor == c.divisor {
		c.settle(t)
		return
	}
	c.divisor = divisor
	c.settle(t)
	for _, other := range c.tenants {
		c.settle(other)
	}
}

// roundUp keeps the four leading bits.
func roundUp(n int64) int64 {
	low := int64(1)<<max(0, bits.Len64(uint64(n))-4) - 1
	return (n + low) &^ low
}

// effective returns what counts of a floor.
func (c *Cache[V]) effective(floor int64) int64 {
	if c.divisor == 0 {
		return floor
	}
	high, low := bits.Mul64(uint64(floor), uint64(c.budget/2))
	scaled, _ := bits.Div64(high, low, uint64(c.divisor))
	return int64(scaled)
}

func (t *Tenant[V]) bytes() int64 { return t.queues[small].bytes + t.queues[main].bytes }

// fits reports whether an entry is small enough to be kept: as the floors of
// others may bind half of the budget, one entry can have the other half.
func (t *Tenant[V]) fits(weight int64) bool {
	return !t.removed && weight <= t.cache.budget/2 && (t.ceiling == 0 || weight <= t.ceiling)
}

// Compute decides by the value of a key what becomes of it, and nobody else
// writes that key meanwhile: f gets the old value and returns the new one,
// the bytes it holds, and what to do. It runs under a lock, so it is short
// and calls nothing of the Cache. It is called again when the old value had
// to make room while it ran.
//
// Compute reports whether the key has a value afterwards. One that weighs
// more than the tenant's ceiling or half of the budget is not kept; the old
// one is removed all the same.
func (t *Tenant[V]) Compute(key []byte, f func(old V, found bool) (value V, size int64, op Op)) bool {
	e, kept, over := t.compute(maphash.Bytes(t.cache.seed, key), key, f)
	if over {
		// Whoever reads this shard does not wait until there is room.
		t.cache.makeRoom(t, e)
	}
	return kept
}

func (t *Tenant[V]) compute(hash uint64, key []byte, f func(V, bool) (V, int64, Op)) (e *entry[V], kept, over bool) {
	c := t.cache
	s := c.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		var old V
		e = s.entries[string(key)]
		if e != nil {
			old = e.value
		}
		value, size, op := f(old, e != nil)
		switch {
		case op == Write:
			written, over, ok := t.write(e, hash, key, size)
			if e != nil && written != e {
				delete(s.entries, e.key)
			}
			if !ok {
				continue
			}
			if written != nil {
				written.value = value
				s.entries[written.key] = written
			}
			return written, written != nil, over
		case op == Delete && e != nil:
			c.remove(s, e)
			return nil, false, false
		default:
			return nil, e != nil, false
		}
	}
}

// write brings the queues up to date. It returns the entry for the new value,
// the old one if that can stay in its place; nil if the value is too large.
// It is not ok when the old value is gone from the queues already: a
// DeleteFunc did not meet it there, so nothing may be built on it.
func (t *Tenant[V]) write(old *entry[V], hash uint64, key []byte, size int64) (written *entry[V], over, ok bool) {
	c := t.cache
	weight := min(max(0, size), c.budget) + int64(len(key)) + bookkeeping
	if old == nil || old.tenant != t {
		written = &entry[V]{key: string(key), hash: hash, tenant: t, weight: weight}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old != nil && old.queue == gone {
		return nil, false, false
	}
	switch fits := t.fits(weight); {
	case fits && written == nil:
		written = old
		c.reweigh(old, weight)
	case fits:
		if old != nil {
			c.unlink(old)
		}
		c.link(written)
	default:
		if old != nil {
			c.unlink(old)
		}
		return nil, false, true
	}
	return written, c.over(t), true
}

// Stats returns the tenant's content.
func (t *Tenant[V]) Stats() Stats {
	t.cache.mu.Lock()
	defer t.cache.mu.Unlock()
	return Stats{t.bytes(), t.entries, t.evicted}
}
