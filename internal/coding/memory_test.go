package coding

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

// held returns the memory that a Writer keeps in use in the middle of a body,
// and the most that one call has appended beyond what it was given.
func held(c Coding, level int, body []byte) (bytes, burst int) {
	var before, after runtime.MemStats
	scratch := make([]byte, 0, 2<<20)
	runtime.GC()
	runtime.GC() // what is in pools goes with the second
	runtime.ReadMemStats(&before)
	w := NewWriter(c, level)
	for len(body) > 0 {
		n := min(len(body), 16<<10)
		burst = max(burst, len(w.Append(scratch, body[:n]))-n)
		body = body[n:]
	}
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	burst = max(burst, len(w.Flush(scratch)))
	w.Abandon()
	runtime.KeepAlive(scratch)
	return max(0, int(after.HeapAlloc)-int(before.HeapAlloc)), burst
}

// words returns n bytes that are full of very short repetitions, which is
// what takes the most memory to write down.
func words(n int) []byte {
	r, b := rand.New(rand.NewPCG(3, 4)), make([]byte, 0, n)
	for len(b) < n {
		w := r.Uint32() % 20_000 * 2654435761
		b = append(b, byte(w>>24), byte(w>>16), byte(w>>8), byte(w), byte(r.Uint32()))
	}
	return b[:n]
}

// The table that stands at levels.
func TestWriter_allocatesWithinItsBounds(t *testing.T) {
	if underRace {
		t.Skip("it takes a minute with the race detector; the run without it is the one that counts")
	}
	const kib = 1 << 10
	limits := [count][Smallest + 1]int{
		Identity: {1: 1, 1, 1, 1, 1, 1, 1, 1, 1},
		Gzip:     {1: 1331, 1331, 1331, 1331, 1126, 1126, 1126, 1126, 1536},
		Brotli:   {1: 2253, 2253, 2253, 2253, 3686, 4300, 5325, 5325, 12288},
		Zstd:     {1: 1024, 1024, 2458, 2458, 2458, 5325, 5325, 5325, 5325},
	}
	bodies := map[string][]byte{"text": page(1 << 20), "noise": noise(1 << 20), "words": words(1 << 20)}
	for c := range count {
		for level := Fastest; level <= Smallest; level++ {
			for name, body := range bodies {
				held(c, level, body[:1000]) // what the library makes once for all
				bytes, burst := held(c, level, body)
				t.Logf("%v-%d, %s: %d KiB, %d KiB at once", c, level, name, bytes/kib, burst/kib)
				if bytes > limits[c][level]*kib+8*kib || burst > 600*kib {
					t.Errorf("%v-%d, %s: keeps %d KiB, want %d; appends %d KiB at once", c, level, name, bytes/kib, limits[c][level], burst/kib)
				}
			}
		}
	}
}

// What an encoder needs it has after the first body. The pools lose some to
// the garbage collector and, on purpose, to the race detector.
func TestAppend_doesNotAllocateOnceItIsWarm(t *testing.T) {
	if underRace {
		t.Skip("the race detector empties pools; the run without it is the one that counts")
	}
	body, dst := page(100_000), make([]byte, 0, 200_000)
	for c := range count {
		for _, level := range []int{Fastest, Default, Smallest} {
			n := testing.AllocsPerRun(50, func() {
				Append(dst, body, c, level)
				w := NewWriter(c, level)
				w.Close(w.Flush(w.Append(dst, body)))
			})
			limit := 0.0
			if c == Zstd {
				limit = 4 // the library: 14 bytes of header and 4 of checksum, for each of two bodies
			}
			if n > limit {
				t.Errorf("%v-%d: %v allocations", c, level, n)
			}
		}
	}
}
