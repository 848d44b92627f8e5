package journal

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/seawall-edge/seawall"
)

func TestRing_handsOverEachEventOnceAndWhole(t *testing.T) {
	const producers, each = 4, 50_000
	r := newRing(64)
	var running atomic.Int32
	running.Store(producers)
	var group sync.WaitGroup
	for p := range producers {
		group.Go(func() {
			defer running.Add(-1)
			var e seawall.Event
			e.Reset()
			e.Action = seawall.ActionFailed
			for n := range each {
				e.BytesIn = int64(p*each + n)
				e.BytesOut = -e.BytesIn
				for int(r.tail.Load()-r.head.Load()) >= len(r.slots) {
					runtime.Gosched()
				}
				r.put(&e) // dropped when the others were faster
			}
		})
	}
	seen := make([]bool, producers*each)
	last := [producers]int64{-1, -1, -1, -1}
	taken := uint64(0)
	take := func(e *seawall.Event) {
		taken++
		p := e.BytesIn / each
		if e.BytesOut != -e.BytesIn || seen[e.BytesIn] || e.BytesIn <= last[p] {
			t.Errorf("Event %d, %d: torn, repeated or out of order", e.BytesIn, e.BytesOut)
		}
		seen[e.BytesIn], last[p] = true, e.BytesIn
	}
	for running.Load() > 0 {
		if r.drain(take) == 0 {
			runtime.Gosched()
		}
	}
	group.Wait()
	r.drain(take)
	dropped := r.dropped[seawall.ActionFailed].Load()
	if taken+dropped != producers*each || taken < each {
		t.Fatalf("%d taken and %d dropped of %d", taken, dropped, producers*each)
	}
}

func TestRing_slotsAreWholeCacheLines(t *testing.T) {
	if size := unsafe.Sizeof(slot{}); size%cacheLine != 0 {
		t.Fatalf("a slot of %d bytes", size)
	}
	r := newRing(4)
	if a, b := uintptr(unsafe.Pointer(&r.tail)), uintptr(unsafe.Pointer(&r.head)); b-a < cacheLine {
		t.Fatalf("head and tail are %d bytes apart", b-a)
	}
}
