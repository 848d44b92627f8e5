package s3fifo

import (
	"fmt"
	"testing"
)

const mib = 1 << 20

// write makes a value of a size; the value is the size.
func write(t *Tenant[int], key string, size int) bool {
	return t.Compute([]byte(key), func(int, bool) (int, int64, Op) { return size, int64(size), Write })
}

// flood writes that many entries of a size under new keys.
func flood(t *Tenant[int], prefix string, n, size int) {
	for i := range n {
		write(t, fmt.Sprint(prefix, "/", i), size)
	}
}

// left counts what is still there of a flood.
func left(c *Cache[int], prefix string, n int) (there int) {
	for i := range n {
		if _, ok := c.Peek(fmt.Append(nil, prefix, "/", i)); ok {
			there++
		}
	}
	return there
}

func sound[V any](t *testing.T, c *Cache[V]) {
	t.Helper()
	if err := consistent(c); err != nil {
		t.Error(err)
	}
	if s := c.Stats(); s.Bytes > c.budget {
		t.Errorf("%d bytes of %d", s.Bytes, c.budget)
	}
}

func TestCache_givesBackWhatWasWritten(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	if a != c.Tenant("a") || a == c.Tenant("b") {
		t.Error("a name has not one tenant")
	}
	if _, ok := c.Get([]byte("a/1")); ok || c.Delete([]byte("a/1")) {
		t.Error("found what nobody wrote")
	}
	if !write(a, "a/1", 7) || !write(a, "a/2", 8) {
		t.Error("not kept")
	}
	if v, ok := c.Get([]byte("a/1")); !ok || v != 7 {
		t.Errorf("got %d, %v", v, ok)
	}
	if v, ok := c.Peek([]byte("a/2")); !ok || v != 8 {
		t.Errorf("peeked %d, %v", v, ok)
	}
	want := Stats{Bytes: 7 + 8 + 2*(3+bookkeeping), Entries: 2}
	if c.Stats() != want || a.Stats() != want || c.Tenant("b").Stats() != (Stats{}) {
		t.Errorf("%+v, %+v", c.Stats(), a.Stats())
	}
	if !c.Delete([]byte("a/1")) || c.Delete([]byte("a/1")) || c.Stats().Entries != 1 {
		t.Error("deleted not once")
	}
	sound(t, c)
}

func TestCache_countsBytesExactlyWhenEntriesAreReplaced(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	for _, size := range []int{100, 5000, 0, -1, 77} {
		write(a, "a/1", size)
		if got, want := c.Stats(), (Stats{Bytes: int64(max(0, size)) + 3 + bookkeeping, Entries: 1}); got != want {
			t.Errorf("after a write of %d: %+v, want %+v", size, got, want)
		}
	}
	c.Delete([]byte("a/1"))
	if c.Stats() != (Stats{}) {
		t.Errorf("nothing is left, and yet %+v", c.Stats())
	}
	sound(t, c)
}

func TestCompute_tellsAndDecides(t *testing.T) {
	c := New[int](mib)
	a := c.Tenant("a")
	for i, step := range []struct {
		op    Op
		found bool // before
		kept  bool
	}{
		{Keep, false, false}, {Delete, false, false}, {Write, false, true}, {Write, true, true},
		{Keep, true, true}, {Delete, true, false}, {Keep, false, false},
	} {
		var found bool
		kept := a.Compute([]byte("a/1"), func(old int, f bool) (int, int64, Op) {
			if found = f; f && old >= i || !f && old != 0 {
				t.Errorf("step %d: found %d", i, old)
			}
			return i, 10, step.op
		})
		if found != step.found || kept != step.kept {
			t.Errorf("step %d: found %v, kept %v", i, found, kept)
		}
	}
	sound(t, c)
}

func TestCompute_buildsOnNothingThatIsGone(t *testing.T) {
	for _, again := range []Op{Write, Keep, Delete} {
		c := New[int](mib)
		a := c.Tenant("a")
		write(a, "a/1", 100)
		var found []bool
		kept := a.Compute([]byte("a/1"), func(_ int, f bool) (int, int64, Op) {
			found = append(found, f)
			if f { // half of what makeRoom does: it waits for this shard now
				c.mu.Lock()
				c.unlink(a.queues[small].oldest)
				c.mu.Unlock()
				return 1, 100, Write
			}
			return 2, 100, again
		})
		if fmt.Sprint(found) != "[true false]" || kept != (again == Write) {
			t.Errorf("then %d: found %v, kept %v", again, found, kept)
		}
		if v, ok := c.Peek([]byte("a/1")); ok != kept || ok && v != 2 {
			t.Errorf("then %d: %d, %v", again, v, ok)
		}
		sound(t, c)
	}
}

func TestCompute_unlocksWhenItsFunctionPanics(t *testing.T) {
	c := New[int](mib)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		c.Tenant("a").Compute([]byte("a/1"), func(int, bool) (int, int64, Op) { panic("no") })
	}()
	if !write(c.Tenant("a"), "a/1", 1) {
		t.Error("not kept")
	}
}

func TestCompute_doesNotKeepWhatIsTooLarge(t *testing.T) {
	c := New[int](mib)
	a, b := c.Tenant("a"), c.Tenant("b")
	b.SetBounds(0, 10000)
	for _, step := range []struct {
		of   *Tenant[int]
		size int
		kept bool
	}{
		{a, mib / 2, false}, {a, mib/2 - bookkeeping - 3, true}, {a, mib, false}, {a, 1 << 62, false},
		{b, 10000 - bookkeeping - 3, true}, {b, 10000, false},
	} {
		// There is one before, and it goes as well.
		write(step.of, "x/1", 1)
		if kept := write(step.of, "x/1", step.size); kept != step.kept {
			t.Errorf("%d bytes: kept %v", step.size, kept)
		}
		if _, ok := c.Peek([]byte("x/1")); ok != step.kept {
			t.Errorf("%d bytes: there %v", step.size, ok)
		}
		sound(t, c)
	}
	for _, budget := range []int64{0, -1, 1, bookkeeping} {
		c := New[int](budget)
		c.Tenant("a").SetBounds(1, 0)
		if write(c.Tenant("a"), "a", 0) {
			t.Errorf("kept within %d bytes", budget)
		}
		sound(t, c)
	}
}
