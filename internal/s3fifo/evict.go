package s3fifo

const (
	// proven is how many reads lead from the small queue to the main one.
	proven = 2
	// tenth is the share of the small queue: where it has more than one part
	// in ten of the bytes it is the one to give up an entry.
	tenth = 10
	// mostChances bounds how many entries stay, because they were read, for
	// each that goes. Only where nearly everything is read all the time are
	// there so many, and there it matters little which one goes.
	mostChances = 256
	// batch is how many entries go before others may have the queues.
	batch = 16
)

// over reports whether a tenant, or all together, have too much.
func (c *Cache[V]) over(t *Tenant[V]) bool { return c.bytes > c.budget || t.over() }

func (t *Tenant[V]) over() bool { return t.ceiling > 0 && t.bytes() > t.ceiling }

// makeRoom removes entries until neither the tenant nor all together have
// too much. The entry for which it is done stays.
func (c *Cache[V]) makeRoom(t *Tenant[V], stays *entry[V]) {
	for more := true; more; {
		var leaving *entry[V]
		leaving, more = c.some(t, stays)
		c.forget(leaving)
	}
}

// some takes a batch of entries out of the queues, as a list by newer. They
// stay in the map for a moment longer, for its locks come first.
func (c *Cache[V]) some(t *Tenant[V], stays *entry[V]) (leaving *entry[V], more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range batch {
		var e *entry[V]
		switch {
		case t.over():
			e = c.giveUp(t, stays)
		case c.bytes > c.budget:
			e = c.giveUp(nil, stays)
		}
		if e == nil {
			return leaving, false
		}
		e.newer, leaving = leaving, e
	}
	return leaving, true
}

// forget takes out of the map what some took out of the queues.
func (c *Cache[V]) forget(leaving *entry[V]) {
	for leaving != nil {
		e := leaving
		leaving, e.newer = e.newer, nil
		s := c.shard(e.hash)
		s.mu.Lock()
		if s.entries[e.key] == e { // otherwise the key was written anew
			delete(s.entries, e.key)
		}
		s.mu.Unlock()
	}
}

// giveUp takes the next entry out of the queues of a tenant, or of all who
// are above their floors when t is nil. While they have too much there is
// one: what floors bind and what stays are each at most half of the budget,
// and what stays is not above the ceiling. Only where a ceiling sinks at this
// moment it may be, and then who lowers the ceiling makes room after us.
func (c *Cache[V]) giveUp(t *Tenant[V], stays *entry[V]) *entry[V] {
	for chances := 0; ; chances++ {
		e := c.next(t, stays)
		if e == nil {
			return nil
		}
		if chances < mostChances && c.spare(e) {
			continue
		}
		if e.queue == small {
			c.ghost.add(e.hash, c.entries)
		}
		c.unlink(e)
		e.tenant.evicted++
		c.evicted++
		return e
	}
}

// spare lets an entry stay that was read, and reports whether it was.
func (c *Cache[V]) spare(e *entry[V]) bool {
	reads := e.reads.Load()
	switch {
	case e.queue == small && reads >= proven:
		e.reads.Store(0)
	case e.queue == main && reads > 0:
		e.reads.Store(reads - 1)
	default:
		return false
	}
	c.move(e, main)
	return true
}

// next returns the entry whose turn it is: the oldest of the small queue if
// that has more than its share, of the main queue otherwise.
func (c *Cache[V]) next(t *Tenant[V], stays *entry[V]) *entry[V] {
	inSmall, inMain := c.open[small], c.open[main]
	if t != nil {
		inSmall, inMain = t.queues[small].bytes, t.queues[main].bytes
	}
	first, second := main, small
	if inSmall > (inSmall+inMain)/tenth {
		first, second = small, main
	}
	if e := c.oldest(t, first, stays); e != nil {
		return e
	}
	return c.oldest(t, second, stays)
}

// oldest returns the oldest entry of a queue. The one that stays goes to the
// end of it; if it is still the oldest there is no other.
func (c *Cache[V]) oldest(t *Tenant[V], q queue, stays *entry[V]) *entry[V] {
	for range 2 {
		of := t
		if of == nil {
			if of = c.order[q].first(); of == nil {
				return nil
			}
		}
		if e := of.queues[q].oldest; e != stays || e == nil {
			return e
		}
		c.move(stays, q)
	}
	return nil
}
