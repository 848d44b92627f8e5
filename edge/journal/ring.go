package journal

import (
	"sync/atomic"
	"unsafe"

	"github.com/seawall-edge/seawall"
)

// cacheLine keeps words that different cores write apart from each other.
const cacheLine = 64

// slotSize is what a slot holds before it is padded to whole cache lines.
const slotSize = unsafe.Sizeof(seawall.Event{}) + unsafe.Sizeof(atomic.Uint64{})

// A slot holds one Event. Its turn says whose it is: 2*lap while a producer
// may fill it in this lap around the ring, 2*lap+1 while the consumer may
// read it. A slot of zeroes is therefore ready for use, and memory that no
// Event has reached yet is never touched.
type slot struct {
	turn  atomic.Uint64
	event seawall.Event
	_     [(cacheLine - slotSize%cacheLine) % cacheLine]byte
}

// ring is a bounded queue for many producers and one consumer, after Dmitry
// Vyukov's bounded queue: a producer claims a place by moving the tail, fills
// it, and hands it over by changing its turn. Nobody ever waits.
type ring struct {
	slots []slot // only ever written through the turns
	mask  uint64
	shift uint8
	_     [cacheLine]byte

	tail atomic.Uint64 // moved by producers
	_    [cacheLine - 8]byte

	head atomic.Uint64 // moved by the consumer, every 64 Events and at the end of a pass
	_    [cacheLine - 8]byte

	dropped [4]atomic.Uint64 // by action; the fourth is nobody's
	_       [cacheLine - 32]byte
}

func newRing(size int) *ring {
	r := &ring{slots: make([]slot, size), mask: uint64(size - 1)}
	for 1<<r.shift < size {
		r.shift++
	}
	return r
}

// put copies e into the ring. It reports whether the consumer should be woken
// because half of the ring is in use. Passed requests are dropped when three
// quarters are in use, others only when there is no place at all.
func (r *ring) put(e *seawall.Event) (wake bool) {
	size := int64(len(r.slots))
	pos := r.tail.Load()
	for {
		used := int64(pos - r.head.Load())
		if used >= size-size/4 && e.Action == seawall.ActionPassed {
			break
		}
		s := &r.slots[pos&r.mask]
		turn := 2 * (pos >> r.shift)
		now := s.turn.Load()
		if now < turn { // the Event of the lap before is still there
			break
		}
		if now == turn && r.tail.CompareAndSwap(pos, pos+1) {
			s.event = *e
			s.turn.Store(turn + 1)
			return used >= size/2
		}
		pos = r.tail.Load()
	}
	r.dropped[e.Action&3].Add(1)
	return true
}

// drain calls use with every Event that is ready, at most once around the
// ring, and returns how many there were. The Event belongs to use until it
// returns. Only the consumer calls drain.
func (r *ring) drain(use func(*seawall.Event)) int {
	head := r.head.Load()
	n := 0
	for n < len(r.slots) {
		s := &r.slots[head&r.mask]
		turn := 2*(head>>r.shift) + 1
		if s.turn.Load() != turn {
			break
		}
		use(&s.event)
		s.turn.Store(turn + 1)
		head++
		if n++; n%64 == 0 {
			r.head.Store(head)
		}
	}
	if n > 0 {
		r.head.Store(head)
	}
	return n
}
