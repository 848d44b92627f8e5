package cache

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/seawall-edge/seawall"
)

// collector begins to gather a body of a length, -1 when it is not known.
func collector(t testing.TB, z *Zone, length, most int64) *Collector {
	t.Helper()
	offer := offerOf(lasting(), fields())
	offer.Length, offer.MaxObject = length, most
	object, result := Prepare(offer)
	if object == nil {
		t.Fatal(result)
	}
	return z.Collect(object, &offer)
}

func TestCollect_holdsMemoryForWhatCameNotForWhatWasPromised(t *testing.T) {
	c, z := open(t, 64<<20)
	s := collector(t, z, 16<<20, 16<<20)
	defer s.End()
	if cap(s.Object.Body) != 0 || c.collecting.Load() != 0 {
		t.Error("memory is held before a byte has come")
	}
	for came := int64(0); came < 1<<20; came += 1000 {
		if result := s.Add(make([]byte, 1000)); result != seawall.StoreStored {
			t.Fatal(result)
		}
		held := int64(cap(s.Object.Body))
		if held > max(firstPiece, 2*(came+1000)) {
			t.Fatalf("%d bytes are held for %d", held, came+1000)
		}
		if c.collecting.Load() != held {
			t.Fatalf("%d bytes are held, %d counted", held, c.collecting.Load())
		}
	}
}

func TestCollect_takesWhatWasPromisedAndNoByteMore(t *testing.T) {
	for _, length := range []int{0, 1, 999, firstPiece - 1, firstPiece, firstPiece + 1, 100_000, 1 << 20} {
		c, z := open(t, 0)
		body := pattern(length)
		s := collector(t, z, int64(length), 1<<20)
		for rest := body; len(rest) > 0; rest = rest[min(777, len(rest)):] {
			if result := s.Add(rest[:min(777, len(rest))]); result != seawall.StoreStored {
				t.Fatal(result)
			}
		}
		if !bytes.Equal(s.Object.Body, body) || cap(s.Object.Body) > length || c.collecting.Load() != int64(length) {
			t.Errorf("%d: %d bytes of room, %d counted", length, cap(s.Object.Body), c.collecting.Load())
		}
		s.End()
		s.End()
	}
}

func TestCollect_isBoundedByTheLargestObject(t *testing.T) {
	for _, most := range []int64{100, firstPiece, 100_000} {
		c, z := open(t, 0)
		s := collector(t, z, -1, most)
		came := int64(0)
		for ; came+50 <= most; came += 50 {
			if result := s.Add(make([]byte, 50)); result != seawall.StoreStored {
				t.Fatal(result)
			}
			if int64(cap(s.Object.Body)) > most {
				t.Fatalf("%d bytes of room; the largest object has %d", cap(s.Object.Body), most)
			}
		}
		if result := s.Add(make([]byte, most-came+1)); result != seawall.StoreTooLarge {
			t.Errorf("above %d: %s", most, result)
		}
		if c.collecting.Load() != 0 {
			t.Errorf("%d counted for what is given up", c.collecting.Load())
		}
	}
}

func TestCollect_isBoundedByAQuarterOfTheBudget(t *testing.T) {
	c, z := open(t, 4<<20) // so that 1 MiB may be on its way
	first, second := collector(t, z, 700<<10, 1<<20), collector(t, z, -1, 1<<20)
	piece := make([]byte, 100<<10)
	for range 7 {
		if result := first.Add(piece); result != seawall.StoreStored {
			t.Fatal(result)
		}
	}
	result := seawall.StoreStored
	for result == seawall.StoreStored {
		result = second.Add(piece)
	}
	if result != seawall.StoreUndecided || c.collecting.Load() != 700<<10 {
		t.Errorf("%s, %d counted; want that of the first alone", result, c.collecting.Load())
	}
	first.End()
	third := collector(t, z, -1, 1<<20)
	for range 10 {
		if result := third.Add(piece); result != seawall.StoreStored {
			t.Errorf("room again: %s", result)
		}
	}
	third.End()
}

// The account is exact whatever many do at once.
func TestCollect_manyAtOnceAreCountedExactly(t *testing.T) {
	c, z := open(t, 8<<20)
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			for round := range 20 {
				s := collector(t, z, -1, 300<<10)
				for j := range 40 {
					if s.Add(make([]byte, 1000*(i+1))) != seawall.StoreStored {
						break
					}
					if j == round+10 {
						break // its visitor leaves
					}
				}
				if int64(cap(s.Object.Body)) < s.held || c.collecting.Load() < s.held {
					t.Error(fmt.Sprint(cap(s.Object.Body), s.held, c.collecting.Load()))
				}
				s.End()
			}
		})
	}
	all.Wait()
}
