// Package s3fifo is a map in memory that is bounded by bytes and shared by
// many tenants, none of whom can push the others out.
//
// A cache for all takes from who is idle and gives to who is busy, and so it
// serves everybody best as long as nobody misuses it. One that asks for a
// million different things leaves nothing of the others', though; a cache
// for each would prevent that and lie idle most of the time. Here every
// tenant has a floor below which nobody else's writing pushes it, and a
// ceiling above which it makes room itself; between the two all compete.
//
// What makes room is chosen by S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: FIFO
// Queues are All You Need for Cache Eviction, SOSP 2023). What is new waits
// in a small queue of a tenth of the bytes, and only what is read there more
// than once goes on to the main queue; what is gone from the small queue is
// remembered for a while by its hash alone, and goes to the main queue at
// once when it comes again. In the main queue each read, up to three, is one
// more round. Reading counts and moves nothing, so it takes no lock but its
// shard's, for reading.
//
// Each tenant has queues of its own. A stamp says when an entry joined its
// queue, and of the tenants above their floors the one with the oldest entry
// comes first: together that is the order of one queue for all, in which
// nobody has to step over what a floor protects.
package s3fifo

import (
	"hash/maphash"
	"sync"
)

// Op is what Compute does.
type Op uint8

// The operations.
const (
	Keep   Op = iota // leaves everything as it is
	Write            // puts the new value in the place of the old one, if any
	Delete           // removes the old value, if any
)

// shards is how many parts the map has, each with a lock of its own.
const shards = 64

// Cache is safe for use by many goroutines. A key belongs to the tenant that
// wrote it last; tenants that write the same keys take them from each other,
// so callers put something of the tenant's in front of each.
type Cache[V any] struct {
	budget int64
	seed   maphash.Seed // random: nobody can choose keys that meet in one shard
	shards [shards]shard[V]

	// mu guards the queues: everything below, the tenants' fields and the
	// entries' places. It is taken after a shard's lock, never before one.
	mu      sync.Mutex
	tenants map[string]*Tenant[V]
	floors  int64           // all tenants' together
	divisor int64           // of floors that are scaled, see effective; 0: they are not
	stamp   uint64          // the last one given
	bytes   int64           // of all entries
	entries int64           // how many
	evicted int64           // how many had to make room so far
	open    [queues]int64   // bytes in each queue of the tenants above their floors
	order   [queues]turn[V] // the tenants above their floors, oldest entry first
	ghost   ghost           // what was in the small queue
}

// shard is a part of the map.
type shard[V any] struct {
	mu      sync.RWMutex
	entries map[string]*entry[V]
	_       [128 - 32]byte // two processors that read two shards share no cache line
}

// New makes a Cache for so many bytes.
func New[V any](budget int64) *Cache[V] {
	c := &Cache[V]{budget: max(0, budget), seed: maphash.MakeSeed(), tenants: map[string]*Tenant[V]{}}
	for i := range c.shards {
		c.shards[i].entries = map[string]*entry[V]{}
	}
	for q := range c.order {
		c.order[q].queue = queue(q)
	}
	return c
}

func (c *Cache[V]) shard(hash uint64) *shard[V] { return &c.shards[hash>>58] }

// Tenant returns the tenant of a name. One that is new has neither floor nor
// ceiling.
func (c *Cache[V]) Tenant(name string) *Tenant[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tenants[name]
	if t == nil {
		t = &Tenant[V]{cache: c}
		c.tenants[name] = t
	}
	return t
}

// Remove drops a tenant and everything it has, and returns how many entries
// that were. What is written through the old Tenant afterwards is not kept.
func (c *Cache[V]) Remove(name string) int {
	c.mu.Lock()
	t := c.tenants[name]
	if t == nil {
		c.mu.Unlock()
		return 0
	}
	delete(c.tenants, name)
	c.setFloor(t, 0)
	t.removed = true
	c.mu.Unlock()
	return t.DeleteFunc(func(string) bool { return true })
}

// Get returns the value of a key and counts that it was asked for.
func (c *Cache[V]) Get(key []byte) (value V, ok bool) {
	s := c.shard(maphash.Bytes(c.seed, key))
	s.mu.RLock()
	e := s.entries[string(key)]
	if e == nil {
		s.mu.RUnlock()
		return value, false
	}
	value = e.value
	s.mu.RUnlock()
	e.count()
	return value, true
}

// Peek returns the value of a key as if nobody had asked for it.
func (c *Cache[V]) Peek(key []byte) (value V, ok bool) {
	s := c.shard(maphash.Bytes(c.seed, key))
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.entries[string(key)]; e != nil {
		return e.value, true
	}
	return value, false
}

// Delete removes a key and reports whether it was there.
func (c *Cache[V]) Delete(key []byte) bool {
	s := c.shard(maphash.Bytes(c.seed, key))
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[string(key)]
	if e == nil {
		return false
	}
	c.remove(s, e)
	return true
}

// remove takes an entry out of the map and the queues. The shard is locked.
func (c *Cache[V]) remove(s *shard[V], e *entry[V]) {
	delete(s.entries, e.key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.queue != gone {
		c.unlink(e)
	}
}

// Stats is the content at a moment.
type Stats struct {
	Bytes   int64 // of all entries, keys and bookkeeping included
	Entries int64
	Evicted int64 // entries that had to make room, since the start
}

// Stats returns the content of all tenants. While others write, Bytes may be
// above the budget by what they have not made room for yet.
func (c *Cache[V]) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{c.bytes, c.entries, c.evicted}
}
