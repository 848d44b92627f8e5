package s3fifo

import (
	"hash/maphash"
	"testing"
)

func TestGhost_keepsWhatItHasWhenItGrows(t *testing.T) {
	var g ghost
	for i := range 32 {
		g.add(maphash.Comparable(seed, i), 32)
	}
	g.add(maphash.Comparable(seed, 32), 10_000)
	remembered := 0
	for i := range 33 {
		if g.take(maphash.Comparable(seed, i), 10_000) {
			remembered++
		}
	}
	if remembered < 28 || len(g.buckets) < 10_000/8 {
		t.Errorf("remembers %d of 33 in %d buckets", remembered, len(g.buckets))
	}
}

func TestGhost_remembersAsManyAsThereAreEntries(t *testing.T) {
	hash := func(i int) uint64 { return maphash.Comparable(seed, i) }
	for _, n := range []int64{1, 10, 100, 1000, 100_000} {
		var g ghost
		if g.take(hash(0), n) {
			t.Error("remembers something from the beginning")
		}
		for i := range int(4 * n) {
			g.add(hash(i), min(n, int64(i/2))) // there are more and more
		}
		remembered := [4]int64{}
		for i := range int(4 * n) {
			if g.take(hash(i), n) {
				remembered[int64(i)/n]++
			}
			if g.take(hash(i), n) {
				t.Fatalf("%d is remembered twice", i)
			}
		}
		// A bucket that has more than its share has forgotten some of them.
		if r := remembered; r[0]+r[1]+r[2] > 0 || r[3] < n*3/4 {
			t.Errorf("%d: remembers %v", n, r)
		}
		if slots := int64(len(g.buckets) * len(bucket{})); slots > max(leastBuckets*8, 2*n) {
			t.Errorf("%d: has %d places", n, slots)
		}
	}
}

var seed = maphash.MakeSeed()
