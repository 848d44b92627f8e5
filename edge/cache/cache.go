// Package cache keeps answers in memory and gives them back while they are fresh.
//
// It is a shared cache (RFC 9111) of the plainest kind: explicit freshness
// only, whole answers to GET, variants by Vary, a budget in bytes with an
// admission policy that keeps one-hit wonders from pushing out what is asked
// for again and again. What it does not understand it does not store.
package cache

import (
	"bytes"
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/maypok86/otter/v2"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Config is what a Cache needs.
type Config struct {
	MaxBytes int64 // budget for bodies, fields and bookkeeping; 256 MiB when zero
}

// Cache is safe for use by many goroutines.
type Cache struct {
	entries *otter.Cache[string, *entry]
	stored  atomic.Int64
	evicted atomic.Int64

	budget     int64        // of everything stored
	collecting atomic.Int64 // bytes held for bodies that are still arriving
}

// entry is all variants stored under one key. It is replaced, never changed.
type entry struct {
	vary     [][]byte // names of the request fields that select a variant
	variants []*Object
}

// maxVariants bounds the variants of one key; a Vary on a field with
// unbounded values must not fill the cache from one page.
const maxVariants = 32

// New makes a Cache.
func New(config Config) *Cache {
	if config.MaxBytes <= 0 {
		config.MaxBytes = 256 << 20
	}
	c := &Cache{budget: config.MaxBytes}
	c.entries = otter.Must(&otter.Options[string, *entry]{
		MaximumWeight: uint64(config.MaxBytes),
		Weigher:       weigh,
		OnDeletion: func(e otter.DeletionEvent[string, *entry]) {
			if e.WasEvicted() {
				c.evicted.Add(1)
			}
		},
	})
	return c
}

func weigh(key string, e *entry) uint32 {
	const bookkeeping = 256
	size := len(key) + bookkeeping
	for _, object := range e.variants {
		size += object.size()
	}
	return uint32(min(size, math.MaxUint32))
}

// Stats is the cache's content at a moment.
type Stats struct {
	Bytes   int64
	Objects int64
	Stored  int64 // since the start
	Evicted int64 // keys that had to make room, since the start
}

// Stats returns the content at this moment.
func (c *Cache) Stats() Stats {
	return Stats{int64(c.entries.WeightedSize()), int64(c.entries.EstimatedSize()), c.stored.Load(), c.evicted.Load()}
}

// Lookup finds the stored answer for a key and the request's fields. The
// result is CacheHit with an Object, CacheMissURI or CacheMissVary; whether
// the Object is fresh enough is for the caller to ask it.
func (c *Cache) Lookup(key []byte, request *wire.Fields) (*Object, seawall.CacheResult) {
	e, ok := c.entries.GetIfPresent(unsafe.String(unsafe.SliceData(key), len(key)))
	if !ok {
		return nil, seawall.CacheMissURI
	}
	for _, object := range e.variants {
		if object.selectedBy(e.vary, request) {
			return object, seawall.CacheHit
		}
	}
	return nil, seawall.CacheMissVary
}

// Store keeps an answer. Variants that the new answer's Vary no longer tells
// apart are dropped.
func (c *Cache) Store(key []byte, object *Object) {
	c.Forget(object)
	c.stored.Add(1)
	c.entries.Compute(string(key), func(old *entry, found bool) (*entry, otter.ComputeOp) {
		fresh := &entry{vary: object.vary, variants: []*Object{object}}
		if found && sameNames(old.vary, object.vary) {
			size := object.size()
			for _, variant := range old.variants {
				size += variant.size()
				if len(fresh.variants) < maxVariants && int64(size) < c.budget/4 && !variant.sameSelection(object) {
					fresh.variants = append(fresh.variants, variant)
				}
			}
		}
		return fresh, otter.WriteOp
	})
}

// Invalidate drops everything stored under a key (RFC 9111, 4.4).
func (c *Cache) Invalidate(key []byte) { c.entries.Invalidate(string(key)) }

// Drop removes every answer whose key begins with prefix, and returns how
// many keys that were. It looks at all keys.
func (c *Cache) Drop(prefix []byte) int {
	dropped := 0
	for key := range c.entries.Keys() {
		if len(key) >= len(prefix) && key[:len(prefix)] == string(prefix) {
			c.entries.Invalidate(key)
			dropped++
		}
	}
	return dropped
}

// Close stops the cache's own goroutines.
func (c *Cache) Close() { c.entries.StopAllGoroutines() }

func sameNames(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
