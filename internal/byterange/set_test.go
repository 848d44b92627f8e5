package byterange

import (
	"math"
	"slices"
	"testing"
)

// RFC 9111, 3.4: parts are combined when they overlap or fit side by side.
func TestSet_addsWhatArrives(t *testing.T) {
	held := Set{{10, 19}, {30, 39}, {50, 59}}
	for _, c := range []struct {
		name string
		add  Span
		want Set
	}{
		{"before all", Span{0, 5}, Set{{0, 5}, {10, 19}, {30, 39}, {50, 59}}},
		{"after all", Span{70, 75}, Set{{10, 19}, {30, 39}, {50, 59}, {70, 75}}},
		{"between", Span{22, 24}, Set{{10, 19}, {22, 24}, {30, 39}, {50, 59}}},
		{"right before one", Span{5, 9}, Set{{5, 19}, {30, 39}, {50, 59}}},
		{"right after one", Span{20, 24}, Set{{10, 24}, {30, 39}, {50, 59}}},
		{"one byte off on both sides", Span{21, 28}, Set{{10, 19}, {21, 28}, {30, 39}, {50, 59}}},
		{"fills a gap", Span{20, 29}, Set{{10, 39}, {50, 59}}},
		{"over a gap", Span{15, 33}, Set{{10, 39}, {50, 59}}},
		{"over all", Span{0, 99}, Set{{0, 99}}},
		{"held already", Span{12, 14}, held},
		{"as held already", Span{30, 39}, held},
		{"empty", Span{25, 24}, held},
		{"the largest", Span{59, math.MaxInt64 - 1}, Set{{10, 19}, {30, 39}, {50, math.MaxInt64 - 1}}},
	} {
		before := slices.Clone(held)
		if got := held.Add(c.add); !slices.Equal(got, c.want) || !slices.Equal(held, before) {
			t.Errorf("%s: %v and %v is %v, want %v", c.name, held, c.add, got, c.want)
		}
	}
	if got := Set(nil).Add(Span{0, 0}); !slices.Equal(got, Set{{0, 0}}) {
		t.Errorf("nothing and the first byte is %v", got)
	}
}

// RFC 9111, 3.3: a stored part answers a request for what is inside it; for
// anything else the missing parts have to be asked for.
func TestSet_saysWhatIsMissing(t *testing.T) {
	held := Set{{10, 19}, {30, 39}}
	for _, c := range []struct {
		name string
		ask  Span
		want Set
	}{
		{"one held", Span{10, 19}, nil},
		{"inside one", Span{12, 13}, nil},
		{"empty", Span{5, 4}, nil},
		{"empty at the end of one", Span{20, 19}, nil},
		{"before all", Span{0, 9}, Set{{0, 9}}},
		{"between", Span{20, 29}, Set{{20, 29}}},
		{"after all", Span{40, 50}, Set{{40, 50}}},
		{"up to the first byte of one", Span{20, 30}, Set{{20, 29}}},
		{"from the last byte of one", Span{19, 29}, Set{{20, 29}}},
		{"the first byte too early", Span{9, 19}, Set{{9, 9}}},
		{"the last byte too late", Span{10, 20}, Set{{20, 20}}},
		{"from one into the other", Span{15, 35}, Set{{20, 29}}},
		{"over all", Span{0, 50}, Set{{0, 9}, {20, 29}, {40, 50}}},
	} {
		if got := held.Missing(c.ask); !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s: %v are missing of %v, want %v", c.name, got, c.ask, c.want)
		}
		if held.Covers(c.ask) != (c.want == nil) {
			t.Errorf("%s: covers %v: %v", c.name, c.ask, c.want != nil)
		}
	}
	if got := Set(nil).Missing(Span{3, 4}); !slices.Equal(got, Set{{3, 4}}) || Set(nil).Covers(Span{3, 4}) {
		t.Errorf("of nothing %v are missing", got)
	}
}

func TestSet_doesNotAllocateForWhatIsHeld(t *testing.T) {
	held := Set{{10, 19}, {30, 39}, {50, 59}}
	s := Span{32, 39}
	if n := testing.AllocsPerRun(100, func() {
		if !held.Covers(s) || held.Missing(s) != nil || len(held.Add(s)) != len(held) {
			t.Error("not held")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// bits is a span of the first 64 bytes as a bitmap.
func bits(spans ...Span) (b uint64) {
	for _, s := range spans {
		for i := s.First; i <= s.Last; i++ {
			b |= 1 << i
		}
	}
	return b
}

// orderly reports whether a set is what its type says.
func orderly(set Set) bool {
	for i, s := range set {
		if s.Last < s.First || i > 0 && s.First-1 <= set[i-1].Last {
			return false
		}
	}
	return true
}

// FuzzSet takes its input as pairs of positions: each span is asked for, then
// added. A bitmap says what should come of it.
func FuzzSet(f *testing.F) {
	f.Add([]byte{10, 19, 30, 39, 20, 29, 0, 63})
	f.Add([]byte{0, 0, 2, 2, 4, 4, 6, 6, 1, 5})
	f.Add([]byte{63, 63, 62, 62, 5, 4, 9, 2})
	f.Fuzz(func(t *testing.T, positions []byte) {
		var set Set
		var model uint64
		for pair := range slices.Chunk(positions, 2) {
			if len(pair) < 2 {
				break
			}
			s := Span{int64(pair[0] % 64), int64(pair[1] % 64)}
			asked := bits(s)
			missing, covers := set.Missing(s), set.Covers(s)
			if !orderly(missing) || bits(missing...) != asked&^model || covers != (asked&^model == 0) || covers != (missing == nil) {
				t.Fatalf("%v covers %v: %v, missing %v", set, s, covers, missing)
			}
			before := slices.Clone(set)
			after := set.Add(s)
			if model |= asked; !orderly(after) || bits(after...) != model || !slices.Equal(set, before) {
				t.Fatalf("%v and %v is %v; the set before is now %v", before, s, after, set)
			}
			set = after
		}
	})
}
