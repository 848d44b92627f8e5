package cache

import (
	"bytes"
	"hash/fnv"
	"sync/atomic"

	"github.com/seawall-edge/seawall/internal/s3fifo"
)

// outlook guesses whether the answer for an address that nobody has asked for
// yet can be shared, from what became of its neighbours: those in the same
// folder and with the same ending. Where answers were for one visitor each,
// nobody is made to wait for the first of them. A wrong guess costs a question
// to the origin, or the wait for one; never a wrong answer.
type outlook struct{ seen [1 << 14]atomic.Int32 }

const longMemory = 4

func (o *outlook) place(key []byte) *atomic.Int32 {
	path := key
	if query := bytes.IndexByte(path, '?'); query >= 0 {
		path = path[:query]
	}
	slash := bytes.LastIndexByte(path, '/') + 1
	hash := fnv.New32a()
	_, _ = hash.Write(path[:slash])
	if dot := bytes.LastIndexByte(path[slash:], '.'); dot >= 0 {
		_, _ = hash.Write(path[slash+dot:])
	}
	return &o.seen[hash.Sum32()%uint32(len(o.seen))]
}

func (o *outlook) good(key []byte) bool { return o.place(key).Load() >= 0 }

// was remembers what became of a key.
func (o *outlook) was(key []byte, shared bool) {
	place := o.place(key)
	now := place.Load()
	next := max(now-1, -longMemory)
	if shared {
		next = min(max(now, 0)+1, longMemory)
	}
	if next != now {
		place.CompareAndSwap(now, next) // a lost race loses one of many observations
	}
}

// markAlone keeps requests for a key from waiting for each other until a
// moment.
func (z *Zone) markAlone(key []byte, until Moment) {
	z.tenant.Compute(key, func(e *entry, found bool) (*entry, int64, s3fifo.Op) {
		next := &entry{alone: until}
		if found {
			next.variants = e.variants
		}
		return next, next.size(), s3fifo.Write
	})
}
