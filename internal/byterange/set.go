package byterange

import (
	"slices"
	"sort"
)

// A Set is which bytes of one representation are held (RFC 9111, 3.3 and
// 3.4): spans in order, none empty, no two overlapping or side by side. Nil
// holds nothing. Its methods change no set; one that has many spans is slow
// to add to, and how many there may be is for the caller to say.
type Set []Span

// Add returns the set with the bytes of s.
func (set Set) Add(s Span) Set {
	if set.Covers(s) {
		return set
	}
	from := set.endingAt(s.First - 1) // one that ends right before s grows
	to := from
	for ; to < len(set) && s.touches(set[to]); to++ {
		s = s.with(set[to])
	}
	return slices.Concat(set[:from], Set{s}, set[to:])
}

// Covers reports whether all bytes of s are held; those of an empty span are.
func (set Set) Covers(s Span) bool {
	i := set.endingAt(s.First)
	return s.Len() == 0 || i < len(set) && set[i].First <= s.First && s.Last <= set[i].Last
}

// Missing returns the bytes of s that are not held: what is still to be asked
// for. It is nil when s is covered.
func (set Set) Missing(s Span) (gaps Set) {
	for _, held := range set[set.endingAt(s.First):] {
		if held.First > s.Last {
			break
		}
		if s.First < held.First {
			gaps = append(gaps, Span{s.First, held.First - 1})
		}
		s.First = held.Last + 1
	}
	if s.Len() > 0 {
		gaps = append(gaps, s)
	}
	return gaps
}

// endingAt returns the index of the first span that ends at a position or
// after it.
func (set Set) endingAt(position int64) int {
	return sort.Search(len(set), func(i int) bool { return set[i].Last >= position })
}
