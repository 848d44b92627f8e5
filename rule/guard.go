package rule

import (
	"encoding/binary"

	"github.com/seawall-edge/seawall/internal/pattern"
)

// guard is what paths that match have in common in their first eight bytes:
// most rules are about other parts of the site, and one comparison without a
// pointer to follow says so. The zero guard lets every path pass.
type guard struct{ mask, want uint64 } // want has no bit that mask has not

func (g guard) passes(f *Facts) bool {
	if !f.known {
		f.begin()
	}
	return f.head&g.mask == g.want
}

func (f *Facts) begin() { f.head, f.known = head(f.Path), true }

// guardOf returns what the paths have in common that match one of the patterns.
func guardOf(patterns []pattern.Pattern) (all guard) {
	for i := range patterns {
		begin := patterns[i].Beginning()
		var mask [8]byte
		for j := range min(len(begin), 8) {
			mask[j] = 0xff
		}
		one := guard{binary.LittleEndian.Uint64(mask[:]), head(begin)}
		if i == 0 {
			all = one
		} else {
			all = all.or(one)
		}
	}
	return all
}

// or returns a guard that lets pass what one of two does.
func (g guard) or(h guard) guard {
	mask := g.mask & h.mask &^ (g.want ^ h.want)
	return guard{mask, g.want & mask}
}

// and returns a guard that lets pass what both do, and at worst what g does.
func (g guard) and(h guard) guard {
	if (g.want^h.want)&g.mask&h.mask != 0 {
		return g // nothing passes both
	}
	return guard{g.mask | h.mask, g.want | h.want}
}

// head returns the first eight bytes of a text; zeros where it has fewer.
func head(text []byte) uint64 {
	if len(text) >= 8 {
		return binary.LittleEndian.Uint64(text)
	}
	var room [8]byte
	copy(room[:], text)
	return binary.LittleEndian.Uint64(room[:])
}
