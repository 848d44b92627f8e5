package s3fifo

// ghost remembers the hashes of as many entries as the Cache holds, of those
// last given up by the small queue. It is a hash table with the time, in
// hashes added, beside each, as the paper's authors propose: what is too old
// counts as not there, and the oldest of a bucket is overwritten.
type ghost struct {
	buckets []bucket // a power of two
	now     uint32
}

type bucket [8]struct{ mark, added uint32 } // mark 0: empty

// leastBuckets is where the table begins. It doubles as entries become more.
const leastBuckets = 8

func (g *ghost) bucket(hash uint64) *bucket {
	return &g.buckets[hash&uint64(len(g.buckets)-1)]
}

// markOf is the part of a hash that its bucket does not say already.
func markOf(hash uint64) uint32 { return uint32(hash>>32) | 1 }

// add remembers a hash where a number of entries is held.
func (g *ghost) add(hash uint64, entries int64) {
	if g.buckets == nil {
		g.buckets = make([]bucket, leastBuckets)
	}
	for int64(len(g.buckets)*len(bucket{})) < entries {
		// A hash is in the lower half or in the upper one by a bit that is not
		// stored, so it is in both.
		g.buckets = append(g.buckets, g.buckets...)
	}
	g.now++
	b := g.bucket(hash)
	oldest := 0
	for i := range b {
		if b[i].mark == 0 {
			oldest = i
			break
		}
		if g.now-b[i].added > g.now-b[oldest].added {
			oldest = i
		}
	}
	b[oldest].mark, b[oldest].added = markOf(hash), g.now
}

// take forgets a hash and reports whether it was among the last as many as
// there are entries.
func (g *ghost) take(hash uint64, entries int64) bool {
	if g.buckets == nil {
		return false
	}
	b := g.bucket(hash)
	for i := range b {
		if b[i].mark == markOf(hash) {
			recent := int64(g.now-b[i].added) < entries
			b[i].mark = 0
			return recent
		}
	}
	return false
}
