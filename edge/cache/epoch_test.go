package cache

import (
	"fmt"
	"sync"
	"testing"

	"github.com/seawall-edge/seawall"
)

// RFC 9111, 4.4: what was asked for before a change is not kept after it.
func TestInvalidate_anAnswerOnItsWayIsNotKept(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, page, lasting("Vary", "A"), fields("A", "1"), "one")
	two := store(t, z, page, lasting("Vary", "A"), fields("A", "2"), "two")
	when := asked(t, z, page)
	z.Invalidate(page)
	if _, result := z.Lookup(page, fields("A", "1")); result != seawall.CacheMissURI || len(z.Variants(page)) != 0 {
		t.Errorf("still there: %s", result)
	}
	late := prepared(t, offerOf(lasting(), fields()), "late")
	part := preparedPart(t, "bytes 0-3/9", "0123", "ETag", `"a"`)
	whole := prepared(t, offerOf(lasting("ETag", `"a"`), fields()), "broken")
	z.StoreIncomplete(page, whole, fields(), when, 100)
	if z.Store(page, late, fields(), when) || z.Replace(page, two, late, when) || z.StorePart(page, part, fields(), when, 1<<20) {
		t.Error("kept although it was asked for before the change")
	}
	if object, _ := z.Lookup(page, fields()); object != nil {
		t.Errorf("%q is there", object.Body)
	}
	if !z.Store(page, late, fields(), asked(t, z, page)) {
		t.Error("what is asked for afterwards is not kept")
	}
}

func TestInvalidate_twiceIsNotAsIfNothingHadHappened(t *testing.T) {
	_, z := open(t, 0)
	var before []Epoch
	for range 3 {
		before = append(before, asked(t, z, page))
		z.Invalidate(page)
		for i, epoch := range before {
			if z.Store(page, prepared(t, offerOf(lasting(), fields()), "old"), fields(), epoch) {
				t.Errorf("kept %d changes later", len(before)-i)
			}
		}
		store(t, z, page, lasting(), fields(), "new")
	}
}

func TestInvalidate_whileOthersStoreLeavesNothingOld(t *testing.T) {
	_, z := open(t, 0)
	for round := range 300 {
		when := asked(t, z, page)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				object := &Object{Status: 200, Body: []byte{byte(i)}}
				z.Store(page, object, fields(), when)
			})
		}
		all.Go(func() { z.Invalidate(page) })
		all.Wait()
		if got := len(z.Variants(page)); got != 0 {
			t.Fatalf("round %d: %d answers from before the change", round, got)
		}
	}
}

// Whoever changes things all the time must not keep others from storing.
func TestInvalidate_concernsNoOtherZone(t *testing.T) {
	c, a := open(t, 0)
	b := c.Zone("b", Bounds{Variants: 1})
	for i := range 100 {
		key := on("b", fmt.Sprint(i))
		when := asked(t, b, key)
		for j := range 100 {
			a.Invalidate(on("a", fmt.Sprint(j)))
		}
		if !b.Store(key, prepared(t, offerOf(lasting(), fields()), "slow"), fields(), when) {
			t.Fatalf("key %d of the other zone", i)
		}
	}
}

func TestInvalidate_concernsNoOtherAddress(t *testing.T) {
	_, z := open(t, 0)
	when := asked(t, z, page)
	for i := range 10_000 {
		z.Invalidate(fmt.Appendf(nil, "%s/%d", page, i))
	}
	if !z.Store(page, prepared(t, offerOf(lasting(), fields()), "slow"), fields(), when) {
		t.Error("an answer was given up because of changes elsewhere")
	}
}

func TestEpoch_leavesNothingBehind(t *testing.T) {
	c, z := open(t, 0)
	held := func() (n int) {
		for i := range c.flights {
			n += len(c.flights[i].epochs)
		}
		return n
	}
	first, same := z.Epoch(page), z.Epoch(page)
	if first != same || held() != 1 {
		t.Errorf("%d epochs of one key", held())
	}
	first.End()
	if held() != 1 {
		t.Error("it ends with the first of two who hold it")
	}
	z.Invalidate(page)
	later := z.Epoch(page)
	same.End() // of an epoch that is over
	if later == same || held() != 1 {
		t.Error("the end of what is over has ended the present one")
	}
	later.End()
	Epoch{}.End()
	if held() != 0 {
		t.Errorf("%d epochs are left", held())
	}
}

// Whoever takes an epoch after a change is not told of that change, and
// whoever has one before is told, whatever others do at the same time.
func TestEpoch_manyAtOnceMissNoChange(t *testing.T) {
	_, z := open(t, 0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				epoch := z.Epoch(page)
				if epoch.of.key != string(page) {
					t.Error("another key's")
				}
				z.Invalidate(page)
				if !epoch.over() {
					t.Error("a change was missed")
				}
				epoch.End()
			}
		})
	}
	all.Wait()
}
