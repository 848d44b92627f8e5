package s3fifo

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

func benchmarkKeys(n int) (keys [][]byte) {
	for i := range n {
		keys = append(keys, fmt.Appendf(nil, "www.example.com\x00GET\x00/some/path/of/usual/length/%011d", i))
	}
	return keys
}

// BenchmarkGet finds one of 10,000 keys of 60 bytes each time.
func BenchmarkGet(b *testing.B) {
	c := New[*int](1 << 30)
	a := c.Tenant("a")
	keys := benchmarkKeys(10_000)
	for _, key := range keys {
		a.Compute(key, func(*int, bool) (*int, int64, Op) { return new(int), 1000, Write })
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(len(keys)); pb.Next(); i++ {
			if _, ok := c.Get(keys[i%len(keys)]); !ok {
				b.Fatal("not there")
			}
		}
	})
}

// BenchmarkWrite puts new keys into a full Cache, each time for the next of
// some tenants, of which every other one has a floor that protects it.
func BenchmarkWrite(b *testing.B) {
	for _, tenants := range []int{1, 1000, 100_000} {
		b.Run(fmt.Sprint("tenants=", tenants), func(b *testing.B) {
			c := New[int](256 << 20)
			all := make([]*Tenant[int], tenants)
			for i := range all {
				all[i] = c.Tenant(fmt.Sprint(i))
				all[i].SetBounds(int64(i%2)*(1<<10), 0)
			}
			var next atomic.Int64
			put := func(key []byte) {
				n := next.Add(1)
				key = fmt.Append(key[:0], "www.example.com/some/path/of/usual/length/", n)
				all[n%int64(tenants)].Compute(key, func(int, bool) (int, int64, Op) { return 0, 400, Write })
			}
			for range 500_000 {
				put(nil)
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				key := make([]byte, 0, 80)
				for pb.Next() {
					put(key)
				}
			})
		})
	}
}
