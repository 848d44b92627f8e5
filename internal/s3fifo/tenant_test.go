package s3fifo

import (
	"fmt"
	"strings"
	"testing"
)

func TestCache_aFloodOfOneTenantLeavesTheOthersTheirFloor(t *testing.T) {
	c := New[int](mib)
	quiet, floorless, loud := c.Tenant("quiet"), c.Tenant("floorless"), c.Tenant("loud")
	quiet.SetBounds(256<<10, 0)
	flood(quiet, "quiet", 200, 1024) // below the floor; nobody ever reads it
	flood(floorless, "floorless", 200, 1024)
	before := quiet.Stats()
	for i := range 3 {
		flood(loud, fmt.Sprint("loud", i), 3000, 1024)
		for j := range 3000 { // and everything looks popular
			c.Get(fmt.Appendf(nil, "loud%d/%d", i, j))
			c.Get(fmt.Appendf(nil, "loud%d/%d", i, j))
		}
	}
	if got := quiet.Stats(); got != before {
		t.Errorf("%+v, was %+v", got, before)
	}
	if n := floorless.Stats().Entries; n > 0 {
		t.Errorf("the flood spared %d without a floor; this test shows nothing", n)
	}
	// Above its floor it competes, and goes down to it and not much below.
	flood(quiet, "more", 200, 1024)
	flood(loud, "loud", 3000, 1024)
	if got := quiet.Stats().Bytes; got > 256<<10 || got < 254<<10 {
		t.Errorf("%d bytes with a floor of %d", got, 256<<10)
	}
	sound(t, c)
}

func TestCache_aTenantMakesRoomItselfAboveItsCeiling(t *testing.T) {
	c := New[int](mib)
	a, b := c.Tenant("a"), c.Tenant("b")
	flood(b, "b", 100, 1024)
	a.SetBounds(0, 64<<10)
	flood(a, "a", 1000, 1024)
	if s := a.Stats(); s.Bytes > 64<<10 || s.Bytes < 62<<10 || s.Evicted != 1000-s.Entries {
		t.Errorf("%+v", s)
	}
	if s := b.Stats(); s.Entries != 100 || s.Evicted != 0 {
		t.Errorf("the other one has %+v", s)
	}
	a.SetBounds(0, 32<<10)
	if s := a.Stats(); s.Bytes > 32<<10 || s.Bytes < 30<<10 {
		t.Errorf("below a new ceiling: %+v", s)
	}
	a.SetBounds(64<<10, 32<<10) // a floor above the ceiling is the ceiling
	if c.floors != 32<<10 {
		t.Errorf("the floor counts %d", c.floors)
	}
	a.SetBounds(0, 0)
	flood(a, "a", 500, 1024)
	if n := left(c, "a", 500); n != 500 {
		t.Errorf("%d of 500 are left without a ceiling", n)
	}
	sound(t, c)
}

func TestCache_hasRoomForTheLargestBesideAllFloors(t *testing.T) {
	c := New[int](mib)
	a, b := c.Tenant("a"), c.Tenant("b")
	a.SetBounds(mib, 0) // half of it counts, less what rounding costs
	flood(a, "a", 2000, 1024)
	had := a.Stats()
	for i := range 3 {
		if !write(b, fmt.Sprint("b/", i), mib/2-bookkeeping-3) {
			t.Errorf("large one %d is not kept", i)
		}
		sound(t, c)
	}
	if got := a.Stats(); got.Bytes < mib/2-2048 || got.Bytes > had.Bytes {
		t.Errorf("%d bytes are left of %d", got.Bytes, had.Bytes)
	}
}

func TestSetBounds_scalesFloorsThatAreTooManyTogether(t *testing.T) {
	c := New[int](8 * mib)
	const n = 40
	var all []*Tenant[int]
	for i := range n {
		x := c.Tenant(fmt.Sprint(i))
		x.SetBounds(mib, 0) // five times the budget
		all = append(all, x)
	}
	// Exactly in proportion but for the rounding, and never more than half.
	least, most := int64(4*mib)*8/9/n, int64(4*mib)/n
	if got := c.effective(mib); got < least || got > most {
		t.Errorf("a floor counts %d, want %d to %d", got, least, most)
	}
	if double := c.effective(2 * mib); double/2 != c.effective(mib) {
		t.Errorf("a floor twice as large counts %d", double)
	}
	for i, x := range all {
		flood(x, fmt.Sprint("x", i), 60, 1024)
	}
	flood(c.Tenant("loud"), "loud", 20000, 1024)
	for i, x := range all {
		if got := x.Stats().Bytes; got < min(60*1024, least-1024-bookkeeping-8) {
			t.Errorf("tenant %d has %d bytes left, its floor counts %d", i, got, c.effective(mib))
		}
	}
	sound(t, c)
	// Those who go give the others back what they had.
	for i := range n - 4 {
		c.Remove(fmt.Sprint(i))
	}
	if got := c.effective(mib); got != mib {
		t.Errorf("a floor counts %d when there is room for all", got)
	}
	sound(t, c)
}

func TestRemove_dropsATenantAndAllItHas(t *testing.T) {
	c := New[int](16 * mib)
	a, b := c.Tenant("a"), c.Tenant("b")
	flood(a, "a", 3000, 100)
	flood(b, "b", 10, 100)
	a.SetBounds(mib, 0)
	if n := c.Remove("a"); n != 3000 || c.Stats() != b.Stats() || left(c, "a", 3000) != 0 || left(c, "b", 10) != 10 {
		t.Errorf("removed %d, %+v left", n, c.Stats())
	}
	if c.Remove("a") != 0 || c.floors != 0 {
		t.Errorf("removed again; floors %d", c.floors)
	}
	// The old one is of no more use, its name is.
	a.SetBounds(mib, 0)
	if write(a, "a/1", 1) || c.floors != 0 {
		t.Error("it lives on")
	}
	if again := c.Tenant("a"); again == a || !write(again, "a/1", 1) {
		t.Error("its name cannot be used again")
	}
	sound(t, c)
}

func TestTenant_takesAKeyFromAnother(t *testing.T) {
	c := New[int](mib)
	a, b := c.Tenant("a"), c.Tenant("b")
	write(a, "x", 100)
	write(b, "x", 200)
	if v, _ := c.Peek([]byte("x")); v != 200 || a.Stats() != (Stats{}) || b.Stats().Entries != 1 {
		t.Errorf("%d; %+v, %+v", v, a.Stats(), b.Stats())
	}
	sound(t, c)
}

func TestDeleteFunc_looksAtTheTenantsOwnAlone(t *testing.T) {
	c := New[int](16 * mib)
	a, b := c.Tenant("a"), c.Tenant("b")
	flood(a, "a", 5*stretch, 100) // so many that it is done in pieces
	flood(b, "b", 100, 100)
	looked := map[string]int{}
	n := a.DeleteFunc(func(key string) bool {
		looked[key]++
		return strings.HasSuffix(key, "7")
	})
	if n != 512 || len(looked) != 5*stretch || looked["a/17"] != 1 || c.Stats().Entries != 5*stretch-512+100 {
		t.Errorf("removed %d, looked at %d", n, len(looked))
	}
	visited := 0
	a.Each(func(key string, value int) bool {
		visited++
		return visited < 100
	})
	if visited != 100 {
		t.Errorf("visited %d", visited)
	}
	sound(t, c)
}

func TestDeleteFunc_leavesWhatIsWrittenAnewMeanwhile(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	flood(a, "a", 10, 100)
	if n := a.DeleteFunc(func(key string) bool { return c.Delete([]byte(key)) && write(a, key, 200) }); n != 0 || left(c, "a", 10) != 10 {
		t.Errorf("removed %d", n)
	}
	sound(t, c)
}

func TestEach_doesNotVisitWhatIsGone(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	flood(a, "a", 10, 100)
	visited := 0
	for key := range a.Each {
		a.DeleteFunc(func(other string) bool { return other != key })
		visited++
	}
	if visited != 1 || c.Stats().Entries != 1 {
		t.Errorf("visited %d", visited)
	}
}

func TestDeleteFunc_looksAtEverythingThoughItMoves(t *testing.T) {
	for name, happens := range map[string]func(c *Cache[int], e *entry[int]){
		"moves":       func(c *Cache[int], e *entry[int]) { c.move(e, small) },
		"is promoted": func(c *Cache[int], e *entry[int]) { c.move(e, main) },
		"goes":        func(c *Cache[int], e *entry[int]) { c.remove(c.shard(e.hash), e) },
		"stays":       func(*Cache[int], *entry[int]) {},
	} {
		c := New[int](16 * mib)
		a := c.Tenant("a")
		flood(a, "a", 3*stretch, 100)
		at := position[int]{queue: small}
		listed, more := a.list(nil, &at)
		if len(listed) != stretch || !more {
			t.Fatalf("the first stretch has %d", len(listed))
		}
		// The last one listed, and the first one that is not yet.
		next := at.last.newer
		happens(c, at.last)
		if name != "goes" {
			happens(c, next)
		}
		for more {
			listed, more = a.list(listed, &at)
		}
		times := map[*entry[int]]int{}
		for _, e := range listed {
			times[e]++
		}
		want := 3 * stretch
		if name == "is promoted" {
			want-- // next is met in the main queue
		}
		if len(times) != want || len(listed) > want+1 {
			t.Errorf("%s: listed %d, %d of them different; want %d", name, len(listed), len(times), want)
		}
		if all := a.all(); name == "is promoted" && all[len(all)-1] != next {
			t.Errorf("%s: not met in the main queue", name)
		}
	}
}
