package s3fifo

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// together runs f in n goroutines.
func together(n int, f func(i int, random *rand.Rand)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i, rand.New(rand.NewPCG(uint64(i), 3))) })
	}
	all.Wait()
}

func TestCompute_isAtomicForAKey(t *testing.T) {
	c := New[int](mib)
	const writers, each, keys = 8, 2000, 3
	together(writers, func(i int, random *rand.Rand) {
		a := c.Tenant("a")
		for j := range each {
			a.Compute(fmt.Append(nil, "a/", j%keys), func(old int, _ bool) (int, int64, Op) { return old + 1, int64(j), Write })
		}
	})
	sum := 0
	for j := range keys {
		v, _ := c.Get(fmt.Append(nil, "a/", j))
		sum += v
	}
	if sum != writers*each {
		t.Errorf("counted %d of %d", sum, writers*each)
	}
	sound(t, c)
}

// TestCache_isSoundWhateverHappensAtOnce has everybody do everything. Values
// say whose they are, so that a mix-up is seen.
func TestCache_isSoundWhateverHappensAtOnce(t *testing.T) {
	const tenants, keys = 6, 300
	c := New[string](128 << 10)
	steps := 6000
	if testing.Short() {
		steps = 500
	}
	together(8, func(_ int, random *rand.Rand) {
		for range steps {
			name := fmt.Sprint(random.IntN(tenants))
			key := fmt.Append(nil, name, "/", random.IntN(keys))
			a := c.Tenant(name)
			switch k := random.IntN(100); {
			case k < 40:
				a.Compute(key, func(old string, found bool) (string, int64, Op) {
					if found && old != string(key) {
						t.Errorf("%s was found under %s", old, key)
					}
					return string(key), random.Int64N(1500), Write
				})
			case k < 90:
				if value, ok := c.Get(key); ok && value != string(key) {
					t.Errorf("%s was found under %s", value, key)
				}
			case k < 95:
				c.Delete(key)
			case k < 97:
				a.SetBounds(random.Int64N(100<<10), random.Int64N(2)*(4<<10+random.Int64N(100<<10)))
			case k < 98:
				a.DeleteFunc(func(key string) bool { return key[len(key)-1] == '7' })
			case k == 98:
				for key, value := range a.Each {
					if key != value {
						t.Errorf("%s was visited under %s", value, key)
					}
				}
			case random.IntN(8) == 0:
				c.Remove(name)
			default:
				if s := c.Stats(); s.Bytes < 0 || s.Entries < 0 {
					t.Errorf("%+v", s)
				}
				a.Stats()
			}
		}
	})
	sound(t, c)
	for name, a := range c.tenants {
		if a.over() {
			t.Errorf("%s has %+v above its ceiling of %d", name, a.Stats(), a.ceiling)
		}
	}
	if c.Stats().Evicted == 0 {
		t.Error("nothing had to make room")
	}
}

// TestDeleteFunc_missesNothingThatMoves removes everything while others push
// it through the queues. What is written anew says so and may stay.
func TestDeleteFunc_missesNothingThatMoves(t *testing.T) {
	c := New[int](4 * mib)
	a, loud := c.Tenant("a"), c.Tenant("loud")
	for round := range 5 {
		flood(a, "a", 4*stretch, 500)
		var stop atomic.Bool
		var others sync.WaitGroup
		for i := range 2 {
			others.Go(func() {
				for j := 0; !stop.Load(); j++ {
					key := fmt.Append(nil, "a/", j%(4*stretch))
					c.Get(key)
					write(loud, fmt.Sprint("loud", i, "/", j%9000), 400)
					// It counts on what it finds, and begins again where it finds nothing.
					a.Compute(key, func(old int, found bool) (int, int64, Op) {
						if !found {
							return 0, 0, Keep
						}
						return old, 500, Write
					})
				}
			})
		}
		a.DeleteFunc(func(string) bool { return true })
		if s := a.Stats(); s.Entries != 0 {
			t.Errorf("round %d: %d are left", round, s.Entries)
		}
		stop.Store(true)
		others.Wait()
		sound(t, c)
	}
}
