package s3fifo

import "testing"

func TestGhost_keepsWhatItHasWhenItGrows(t *testing.T) {
	var g ghost
	for i := range 32 {
		g.add(hashOf(i), 32)
	}
	g.add(hashOf(32), 10_000)
	remembered := 0
	for i := range 33 {
		if g.take(hashOf(i), 10_000) {
			remembered++
		}
	}
	if remembered < 28 || len(g.buckets) < 10_000/8 {
		t.Errorf("remembers %d of 33 in %d buckets", remembered, len(g.buckets))
	}
}

func TestGhost_remembersAsManyAsThereAreEntries(t *testing.T) {
	for _, n := range []int64{1, 10, 100, 1000, 100_000} {
		var g ghost
		if g.take(hashOf(0), n) {
			t.Error("remembers something from the beginning")
		}
		for i := range int(4 * n) {
			g.add(hashOf(i), min(n, int64(i/2))) // there are more and more
		}
		remembered := [4]int64{}
		for i := range int(4 * n) {
			if g.take(hashOf(i), n) {
				remembered[int64(i)/n]++
			}
			if g.take(hashOf(i), n) {
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

// hashOf is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014). Hashes
// with a seed drawn anew would now and then have two that a ghost cannot tell
// apart, which is in the nature of a ghost and no mistake of it.
func hashOf(i int) uint64 {
	z := (uint64(i) + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
