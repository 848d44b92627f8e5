package cache

import (
	"fmt"
	"sync"
	"testing"
)

// on is a key of a zone.
func on(zone, rest string) []byte { return []byte(zone + "\x00hexample.com:80/" + rest) }

func TestZone_twoNeverSeeEachOther(t *testing.T) {
	c, a := open(t, 0)
	ab := c.Zone("ab", Bounds{Variants: 1})
	store(t, a, on("a", "x"), lasting(), fields(), "of a")
	store(t, ab, on("ab", "x"), lasting(), fields(), "of ab")
	if found(a, on("a", "x"), fields()) != "of a" || found(ab, on("ab", "x"), fields()) != "of ab" {
		t.Error("one has what the other should have")
	}
	a.Invalidate(on("a", "x"))
	if found(ab, on("ab", "x"), fields()) != "of ab" {
		t.Error("invalidated in another zone")
	}
	ab.Forget(on("ab", "x"), a.storedNow(on("a", "x")))
	if n := c.Remove("a"); n != 0 {
		t.Errorf("%d keys were left", n)
	}
	if found(ab, on("ab", "x"), fields()) != "of ab" {
		t.Error("removed with another zone")
	}
	if got, _ := a.Stats(); got != 0 {
		t.Errorf("a removed zone has %d bytes", got)
	}
	if n := c.Remove("ab"); n != 1 {
		t.Errorf("%d keys removed; want 1", n)
	}
	if n := c.Remove("nobody"); n != 0 {
		t.Errorf("%d keys removed of a zone that is not there", n)
	}
}

// storedNow returns the only answer under a key; nil when there is none.
func (z *Zone) storedNow(key []byte) *Object {
	if all := z.Variants(key); len(all) == 1 {
		return all[0]
	}
	return nil
}

func TestBelongs_findsAKeyOfAnotherZone(t *testing.T) {
	c := New(Config{})
	z := c.Zone("a", Bounds{})
	store(t, z, on("a", "x"), lasting(), fields(), "x")
	if !z.Belongs([]byte("a\x00")) {
		t.Error("its own key")
	}
	store(t, z, on("ab", "x"), lasting(), fields(), "x")
	if z.Belongs([]byte("a\x00")) {
		t.Error("another zone's key is not noticed")
	}
}

func TestZone_isTheSameAsLongAsItIsNotRemoved(t *testing.T) {
	c, z := open(t, 0)
	store(t, z, page, lasting(), fields(), "x")
	if again := c.Zone("a", Bounds{Variants: 3}); again != z || found(again, page, fields()) != "x" {
		t.Error("new bounds have made a new zone")
	}
	c.Remove("a")
	fresh := c.Zone("a", Bounds{Variants: 3})
	if fresh == z || found(fresh, page, fields()) != "" {
		t.Error("what was removed is still there")
	}
	store(t, fresh, page, lasting(), fields(), "y")
	if found(fresh, page, fields()) != "y" {
		t.Error("a zone that was removed can never be used again")
	}
}

func TestRemove_anAnswerOnItsWayIsNotKept(t *testing.T) {
	c, z := open(t, 0)
	when := asked(t, z, page)
	old := store(t, z, page, lasting(), fields(), "old")
	c.Remove("a")
	object := prepared(t, offerOf(lasting(), fields()), "late")
	if z.Store(page, object, fields(), when) || z.Replace(page, old, object, when) {
		t.Error("kept in a zone that is gone")
	}
	part := preparedPart(t, "bytes 0-3/9", "0123", "ETag", `"a"`)
	if z.StorePart(page, part, fields(), when, 1<<20) {
		t.Error("a part is kept in a zone that is gone")
	}
	whole := prepared(t, offerOf(lasting("ETag", `"a"`), fields()), "broken")
	z.StoreIncomplete(page, whole, fields(), when, 100)
	z.markAlone(page, then+aloneFor)
	fresh := c.Zone("a", Bounds{Variants: 9, Waiters: 9})
	if z.Store(page, object, fields(), when) {
		t.Error("kept in a new zone of the same name")
	}
	if stats := c.Stats(); stats.Objects != 0 {
		t.Errorf("%+v", stats)
	}
	if found(fresh, page, fields()) != "" {
		t.Error("the new zone has the old one's answer")
	}
}

// A zone that is removed and made at the same moment must be able to store.
func TestRemove_aZoneThatIsMadeMeanwhileCanBeUsed(t *testing.T) {
	c, _ := open(t, 0)
	object := prepared(t, offerOf(lasting(), fields()), "x")
	over := make(chan struct{})
	var busy sync.WaitGroup
	defer busy.Wait()
	defer close(over)
	for range 2 {
		busy.Go(func() { // so that there is a moment between any two things
			for {
				select {
				case <-over:
					return
				default:
					c.Stats()
				}
			}
		})
	}
	for round := range 3000 {
		var all sync.WaitGroup
		all.Go(func() { c.Remove("a") })
		for range 4 {
			all.Go(func() { c.Zone("a", Bounds{Variants: 1}) })
		}
		all.Wait()
		if z := c.Zone("a", Bounds{Variants: 1}); !z.Store(page, object, fields(), Epoch{}) {
			t.Fatalf("round %d: a zone in which nothing can be stored", round)
		}
	}
}

func TestZone_aFloorIsKeptFromOthersAndACeilingIsNotPassed(t *testing.T) {
	const budget = 4 << 20
	c, greedy := open(t, budget)
	modest := c.Zone("m", Bounds{Floor: 1 << 20, Variants: 1})
	bounded := c.Zone("b", Bounds{Ceiling: 300 << 10, Variants: 1})
	body := string(pattern(20 << 10))
	const few = 30
	for i := range few {
		store(t, modest, on("m", fmt.Sprint(i)), lasting(), fields(), body)
	}
	for i := range 1000 {
		store(t, greedy, on("a", fmt.Sprint(i)), lasting(), fields(), body)
		store(t, bounded, on("b", fmt.Sprint(i)), lasting(), fields(), body)
	}
	for i := range few {
		if found(modest, on("m", fmt.Sprint(i)), fields()) == "" {
			t.Errorf("%d was pushed out from below the floor", i)
		}
	}
	if bytes, _ := bounded.Stats(); bytes > 300<<10 || bytes < 200<<10 {
		t.Errorf("%d bytes under a ceiling of %d", bytes, 300<<10)
	}
	if bytes, _ := greedy.Stats(); bytes > budget || bytes < budget/2 {
		t.Errorf("%d bytes of the greedy one; the budget is %d", bytes, budget)
	}
	if stats := c.Stats(); stats.Bytes > budget || stats.Evicted < 1000 {
		t.Errorf("%+v", stats)
	}
	huge := prepared(t, offerOf(lasting(), fields()), string(pattern(301<<10)))
	if bounded.Store(on("b", "999"), huge, fields(), Epoch{}) || found(bounded, on("b", "999"), fields()) != "" {
		t.Error("one is above the ceiling alone, or what it replaces is still there")
	}
	c.Zone("b", Bounds{Ceiling: 100 << 10, Variants: 1})
	if bytes, _ := bounded.Stats(); bytes > 100<<10 {
		t.Errorf("%d bytes under a ceiling that has sunk to %d", bytes, 100<<10)
	}
}
