package s3fifo

import (
	"fmt"
	"runtime"
	"testing"
)

func TestCache_getDoesNotAllocate(t *testing.T) {
	c := New[*int](mib)
	key := []byte("www.example.com/a/path/of/usual/length/and/a/name.html?query")
	c.Tenant("a").Compute(key, func(*int, bool) (*int, int64, Op) { return new(int), 8, Write })
	if n := testing.AllocsPerRun(1000, func() {
		if _, ok := c.Get(key); !ok {
			t.Fatal("not there")
		}
		if _, ok := c.Peek(key); !ok {
			t.Fatal("not there")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		c.Tenant("a").Compute(key, func(v *int, _ bool) (*int, int64, Op) { return v, 8, Write })
	}); n != 0 {
		t.Errorf("%v allocations to replace", n)
	}
}

// heapBytes returns how much memory what make makes takes.
func heapBytes(build func() any) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	built := build()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(built)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func TestTenant_costsLittleWhenIdle(t *testing.T) {
	const n = 100_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("zone-%06d", i)
	}
	each := heapBytes(func() any {
		c := New[int](mib)
		for _, name := range names {
			c.Tenant(name).SetBounds(1<<10, 1<<20)
		}
		return c
	}) / n
	t.Logf("%d bytes for an idle tenant", each)
	if each > 220 {
		t.Errorf("%d bytes for an idle tenant", each)
	}
}

func TestCache_weighsEntriesAsMuchAsTheyCost(t *testing.T) {
	for _, n := range []int{30_000, 45_000, 57_000, 100_000} {
		var says int64
		costs := heapBytes(func() any {
			c := New[[]byte](1 << 30)
			a := c.Tenant("a")
			for i := range n {
				value := make([]byte, 64)
				a.Compute(fmt.Appendf(nil, "www.example.com/some/path/%06d", i), func([]byte, bool) ([]byte, int64, Op) { return value, 64, Write })
			}
			c.ghost.add(0, c.entries)
			says = c.Stats().Bytes
			return c
		})
		t.Logf("%d bytes each, says %d", costs/int64(n), says/int64(n))
		if costs > says*11/10 || costs < says*6/10 {
			t.Errorf("%d entries cost %d bytes, weigh %d", n, costs, says)
		}
	}
}
