// Package cache keeps answers in memory and gives them back.
//
// It is a shared cache (RFC 9111). What may be kept and used again is judged
// by internal/freshness; here are the keeping and the waiting: variants under
// one key, parts that are put together, a budget in bytes of which every zone
// has a floor and a ceiling, and the flights in which many visitors wait for
// one question to the origin.
package cache

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/s3fifo"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Config is what a Cache needs.
type Config struct {
	MaxBytes int64 // budget for bodies, fields and bookkeeping; 256 MiB when zero
}

// Cache is safe for use by many goroutines.
type Cache struct {
	entries *s3fifo.Cache[*entry]
	stored  atomic.Int64

	budget     int64        // of everything stored
	collecting atomic.Int64 // bytes held for bodies that are still arriving

	seed    maphash.Seed
	flights [64]hangar
	waiting atomic.Int64 // requests in flights of all zones
	outlook outlook

	mu    sync.Mutex // guards zones
	zones map[string]*Zone
}

// entry is what is known under one key. It is replaced, never changed.
type entry struct {
	variants []*Object // the newest first
	alone    Moment    // until then requests do not wait for each other
}

// Moment is a point in time by a clock that is never set: nanoseconds since
// the program began.
type Moment int64

var began = time.Now()

// Clock returns the present Moment.
func Clock() Moment { return Moment(time.Since(began)) }

// New makes a Cache.
func New(config Config) *Cache {
	if config.MaxBytes <= 0 {
		config.MaxBytes = 256 << 20
	}
	return &Cache{
		budget: config.MaxBytes, entries: s3fifo.New[*entry](config.MaxBytes),
		seed: maphash.MakeSeed(), zones: map[string]*Zone{},
	}
}

// Stats is the cache's content at a moment.
type Stats struct {
	Bytes   int64
	Objects int64 // keys
	Stored  int64 // since the start
	Evicted int64 // keys that had to make room, since the start
	Waiting int64 // requests that wait for what another has asked for
}

// Stats returns the content at this moment.
func (c *Cache) Stats() Stats {
	s := c.entries.Stats()
	return Stats{s.Bytes, s.Entries, c.stored.Load(), s.Evicted, c.waiting.Load()}
}

// Zone is one zone's part of a Cache.
type Zone struct {
	cache  *Cache
	tenant *s3fifo.Tenant[*entry]
	bounds atomic.Pointer[Bounds]

	waiting atomic.Int64 // requests in its flights
	closed  atomic.Bool
}

// Bounds are a zone's share of what all have together.
type Bounds struct {
	Floor, Ceiling int64 // bytes; no ceiling when zero
	Variants       int   // under one key
	Waiters        int   // requests that wait in flights
}

// Zone returns the part of the zone with this name, with these bounds from
// now on. A key must begin with the zone's name and a zero byte.
func (c *Cache) Zone(name string, bounds Bounds) *Zone {
	c.mu.Lock()
	defer c.mu.Unlock()
	z := c.zones[name]
	if z == nil {
		z = &Zone{cache: c, tenant: c.entries.Tenant(name)}
		c.zones[name] = z
	}
	z.bounds.Store(&bounds)
	z.tenant.SetBounds(bounds.Floor, bounds.Ceiling)
	return z
}

// Remove forgets a zone and returns how many keys it had. Answers that are
// still on their way are not kept.
func (c *Cache) Remove(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock() // to the end: a new zone of this name gets a tenant of its own
	z := c.zones[name]
	if z == nil {
		return 0
	}
	delete(c.zones, name)
	z.closed.Store(true)
	return c.entries.Remove(name)
}

// Stats is the zone's part at this moment.
func (z *Zone) Stats() (bytes, waiting int64) { return z.tenant.Stats().Bytes, z.waiting.Load() }

// Lookup finds the stored answer for a key and the request's fields. The
// result is CacheHit with an Object, CacheMissURI or CacheMissVary; whether
// the Object is fresh enough, and whole, is for the caller to ask it.
func (z *Zone) Lookup(key []byte, request *wire.Fields) (*Object, seawall.CacheResult) {
	e, ok := z.cache.entries.Get(key)
	if !ok || len(e.variants) == 0 {
		return nil, seawall.CacheMissURI
	}
	for i, object := range e.variants {
		if !object.Selects(request) {
			continue
		}
		if len(object.vary) == 0 {
			// Where the origin forgets to say Vary, the plain answer would serve
			// those as well who take the compressed one.
			for _, other := range e.variants[i+1:] {
				if other.coded() && other.Selects(request) {
					return other, seawall.CacheHit
				}
			}
		}
		return object, seawall.CacheHit
	}
	return nil, seawall.CacheMissVary
}

// Variants returns all answers stored under a key, the newest first. The
// slice must not be changed.
func (z *Zone) Variants(key []byte) []*Object {
	if e, ok := z.cache.entries.Peek(key); ok {
		return e.variants
	}
	return nil
}

// Store keeps an answer that the request with these fields brought, unless
// its key was invalidated after the Epoch at which it was asked for. Of what
// is stored already it replaces whatever that request would have got.
func (z *Zone) Store(key []byte, object *Object, request *wire.Fields, asked Epoch) bool {
	object.fit()
	kept := z.update(key, asked, func(old []*Object) []*Object {
		return z.with(old, object, func(other *Object) bool { return other.Selects(request) })
	})
	z.count(key, kept)
	return kept
}

// count notes that an answer was kept, and so that it can be shared.
func (z *Zone) count(key []byte, kept bool) {
	if !kept {
		return
	}
	z.cache.stored.Add(1)
	if outlook := &z.cache.outlook; !outlook.good(key) {
		outlook.was(key, true) // nobody waited for it: only here is it seen
	}
}

// Replace puts an answer in the place of one that is stored. It does nothing
// and returns false when that is not there any more.
func (z *Zone) Replace(key []byte, old, object *Object, asked Epoch) bool {
	return z.update(key, asked, func(variants []*Object) []*Object {
		for _, other := range variants {
			if other == old {
				return z.with(variants, object, func(other *Object) bool { return other == old })
			}
		}
		return nil
	})
}

// Forget drops one answer.
func (z *Zone) Forget(key []byte, object *Object) {
	z.tenant.Compute(key, func(e *entry, found bool) (*entry, int64, s3fifo.Op) {
		if !found {
			return nil, 0, s3fifo.Keep
		}
		left := &entry{alone: e.alone}
		for _, other := range e.variants {
			if other != object {
				left.variants = append(left.variants, other)
			}
		}
		switch {
		case len(left.variants) == len(e.variants):
			return nil, 0, s3fifo.Keep
		case len(left.variants) == 0 && left.alone == 0:
			return nil, 0, s3fifo.Delete
		}
		return left, left.size(), s3fifo.Write
	})
}

// update replaces the variants of a key, if it was not invalidated since asked
// and change returns any. It reports whether they are kept.
func (z *Zone) update(key []byte, asked Epoch, change func([]*Object) []*Object) bool {
	written := false
	kept := z.tenant.Compute(key, func(e *entry, found bool) (*entry, int64, s3fifo.Op) {
		written = false // it may be called again
		if z.closed.Load() || asked.over() {
			return nil, 0, s3fifo.Keep
		}
		next := &entry{}
		if found {
			next.variants = e.variants
		}
		next.variants = change(next.variants)
		if len(next.variants) == 0 {
			return nil, 0, s3fifo.Keep
		}
		written = true
		return next, next.size(), s3fifo.Write
	})
	return kept && written
}

// with returns a list with object in its place by age and without those that
// it replaces, within the bounds.
func (z *Zone) with(old []*Object, object *Object, replaces func(*Object) bool) []*Object {
	bounds := z.bounds.Load()
	room := z.cache.budget / 4
	if bounds.Ceiling > 0 {
		room = min(room, bounds.Ceiling/2)
	}
	most := max(1, bounds.Variants)
	list := make([]*Object, 0, min(len(old)+1, most))
	size, placed := int64(object.size()), false
	for _, other := range old {
		if replaces(other) {
			continue
		}
		if !placed && object.Terms.Date >= other.Terms.Date {
			list, placed = append(list, object), true
		}
		if weight := int64(other.size()); size+weight <= room {
			list, size = append(list, other), size+weight
		}
	}
	if !placed {
		list = append(list, object)
	}
	if len(list) > most {
		dropped := list[most:]
		list = list[:most:most]
		for _, other := range dropped {
			if other == object { // an old one, but the one that is asked for
				list[most-1] = object
			}
		}
	}
	return list
}

// Invalidate drops everything stored under a key, and keeps what is on its
// way there from being stored or waited for (RFC 9111, 4.4).
func (z *Zone) Invalidate(key []byte) {
	z.cache.hangar(key).clear(string(key))
	z.cache.entries.Delete(key)
}

func (e *entry) size() int64 {
	size := int64(64)
	for _, object := range e.variants {
		size += int64(object.size())
	}
	return size
}

// Belongs reports whether every key under which the zone has something begins
// with prefix. Tests ask it after each step.
func (z *Zone) Belongs(prefix []byte) bool {
	all := true
	z.tenant.Each(func(key string, _ *entry) bool {
		all = bytes.HasPrefix([]byte(key), prefix)
		return all
	})
	return all
}
