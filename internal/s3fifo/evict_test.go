package s3fifo

import (
	"fmt"
	"hash/maphash"
	"testing"
)

func TestCache_keepsWhatIsReadWhenAScanPasses(t *testing.T) {
	// The hot set is a quarter of the budget, each is read twice now and then.
	const hot, size = 256, 1024
	c := New[int](hot * 4 * size)
	a := c.Tenant("a")
	flood(a, "hot", hot, size-bookkeeping-8)
	read := func() {
		for i := range hot {
			c.Get(fmt.Append(nil, "hot/", i))
			c.Get(fmt.Append(nil, "hot/", i))
		}
	}
	read()
	for i := range 10 { // together ten times the budget
		flood(a, fmt.Sprint("scan", i), 4*hot, size)
		if i == 0 {
			read()
		}
	}
	if n := left(c, "hot", hot); n < hot*95/100 {
		t.Errorf("%d of %d are left", n, hot)
	}
	if c.Stats().Evicted < 9*4*hot {
		t.Errorf("only %d made room", c.Stats().Evicted)
	}
	sound(t, c)
}

func TestCache_doesNotKeepWhatWasReadOnce(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	flood(a, "once", 100, 1024)
	for i := range 100 {
		c.Get(fmt.Append(nil, "once/", i))
		c.Peek(fmt.Append(nil, "once/", i))
		c.Peek(fmt.Append(nil, "once/", i))
	}
	flood(a, "more", 1000, 1024)
	if n := left(c, "once", 100); n > 0 {
		t.Errorf("%d are left", n)
	}
}

func TestCache_welcomesBackWhatItGaveUp(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	flood(a, "back", 100, 1024)
	flood(a, "more", 1000, 1024)
	flood(a, "back", 100, 1024) // remembered: into the main queue
	flood(a, "again", 5000, 1024)
	if n := left(c, "back", 100); n < 95 {
		t.Errorf("%d of 100 are left", n)
	}
	// What was given up too long ago is a stranger.
	write(a, "more/0", 1024)
	if newest := a.queues[small].newest.key; newest != "more/0" {
		t.Errorf("the newest in the small queue is %s", newest)
	}
	sound(t, c)
}

// intoMain writes an entry that the small queue gave up just before.
func intoMain(t *Tenant[int], key string, size int) {
	t.cache.ghost.add(maphash.String(t.cache.seed, key), t.cache.entries)
	write(t, key, size)
}

func TestCache_givesWhatProvedItselfARoundForEachRead(t *testing.T) {
	const n, size = 1000, 1000
	c := New[int](n * size)
	a := c.Tenant("a")
	write(a, "first", 0)
	for i := range 5 * n {
		if i == 100 {
			for j := range 100 {
				for range j % 5 {
					c.Get(fmt.Append(nil, "a/", j))
				}
			}
		}
		intoMain(a, fmt.Sprint("a/", i), size-bookkeeping-6)
		for j := range 100 {
			// After so many rounds; a fifth read counts no more than three do.
			_, ok := c.Peek(fmt.Append(nil, "a/", j))
			if rounds := min(j%5, mostReads); i == rounds*n+n/2 && !ok || i == (rounds+1)*n+n/2 && ok {
				t.Errorf("%d with %d reads: there %v after %d more", j, j%5, ok, i)
			}
		}
	}
	if newest := a.queues[main].newest.key; newest != fmt.Sprint("a/", 5*n-1) {
		t.Errorf("the newest of the main queue is %s", newest)
	}
	// What had its rounds is not remembered.
	oldest := a.queues[main].oldest.key
	intoMain(a, "one more", size)
	if _, ok := c.Peek([]byte(oldest)); ok {
		t.Fatalf("%s is still there", oldest)
	}
	if write(a, oldest, 0); a.queues[small].newest == nil || a.queues[small].newest.key != oldest {
		t.Errorf("%s came back to the main queue", oldest)
	}
	sound(t, c)
}

func TestCache_beginsToCountAnewInTheMainQueue(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	write(a, "a", 1000)
	for range 5 {
		c.Get([]byte("a"))
	}
	flood(a, "more", 1200, 1000)
	if e := a.queues[main].oldest; e == nil || e.key != "a" || e.reads.Load() != 0 {
		t.Errorf("%+v is in the main queue", e)
	}
}

func TestCache_doesNotGoThroughEverythingForOneThatLeaves(t *testing.T) {
	const n, size = 8 * mostChances, 1000
	c := New[int](n * size)
	a := c.Tenant("a")
	flood(a, "a", n, size-bookkeeping-6)
	for range 2 {
		for i := range n {
			c.Get(fmt.Append(nil, "a/", i))
		}
	}
	write(a, "b", 2*size)
	spared := int64(0)
	for e := a.queues[main].oldest; e != nil; e = e.newer {
		spared++
	}
	if s := c.Stats(); s.Evicted == 0 || s.Evicted > 3 || spared != s.Evicted*mostChances {
		t.Errorf("%d made room, %d were spared", s.Evicted, spared)
	}
	sound(t, c)
}

func TestCache_keepsTheCountOfWhatIsReplaced(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	flood(a, "known", 100, 500)
	for i := range 100 {
		c.Get(fmt.Append(nil, "known/", i))
		c.Get(fmt.Append(nil, "known/", i))
	}
	flood(a, "known", 100, 600)
	flood(a, "more", 3000, 1024)
	if n := left(c, "known", 100); n != 100 {
		t.Errorf("%d of 100 are left", n)
	}
}

func TestCache_leavesWhatIsWrittenWhereSomethingMadeRoom(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	write(a, "a", 100)
	c.budget = 0
	leaving, _ := c.some(a, nil) // and somebody is faster than the second half
	c.budget = mib
	write(a, "a", 200)
	c.forget(leaving)
	if v, ok := c.Get([]byte("a")); !ok || v != 200 {
		t.Errorf("%d, %v", v, ok)
	}
	sound(t, c)
}
