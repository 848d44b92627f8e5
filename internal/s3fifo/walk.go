package s3fifo

// stretch is how many entries are listed before others may have the queues.
const stretch = 1024

// Each calls visit for what the tenant has until it returns false. No lock
// is held meanwhile. What others write meanwhile may be visited or not, and
// an entry that they move may be visited twice.
func (t *Tenant[V]) Each(visit func(key string, value V) bool) {
	for _, e := range t.all() {
		s := t.cache.shard(e.hash)
		s.mu.RLock()
		there, value := s.entries[e.key] == e, e.value
		s.mu.RUnlock()
		if there && !visit(e.key, value) {
			return
		}
	}
}

// DeleteFunc removes those of the tenant's keys that match and returns how
// many. It looks at everything that was there when it was called and at
// nothing of other tenants. No lock is held while match runs.
func (t *Tenant[V]) DeleteFunc(match func(key string) bool) int {
	removed := 0
	for _, e := range t.all() {
		if !match(e.key) {
			continue
		}
		s := t.cache.shard(e.hash)
		s.mu.Lock()
		if s.entries[e.key] == e {
			t.cache.remove(s, e)
			removed++
		}
		s.mu.Unlock()
	}
	return removed
}

// all lists the tenant's entries. It goes the way that entries go, from old
// to new and from the small queue to the main one: what moves meanwhile is
// met again, never missed.
func (t *Tenant[V]) all() (list []*entry[V]) {
	for q := range t.queues {
		at := position[V]{queue: queue(q)}
		for more := true; more; {
			list, more = t.list(list, &at)
		}
	}
	return list
}

// position is how far a queue was listed.
type position[V any] struct {
	queue queue
	last  *entry[V]
	stamp uint64 // of the last one, when it was listed
}

// list goes on by one stretch and reports whether there is more.
func (t *Tenant[V]) list(list []*entry[V], at *position[V]) ([]*entry[V], bool) {
	t.cache.mu.Lock()
	defer t.cache.mu.Unlock()
	e := t.queues[at.queue].oldest
	if at.last != nil && at.last.queue == at.queue && at.last.stamp == at.stamp {
		e = at.last.newer
	}
	// When the last one is not there any more, seldom much older is.
	for e != nil && e.stamp <= at.stamp {
		e = e.newer
	}
	for n := 0; n < stretch && e != nil; n++ {
		list = append(list, e)
		at.last, at.stamp = e, e.stamp
		e = e.newer
	}
	return list, e != nil
}
