package rule

import (
	"encoding/binary"

	"github.com/seawall-edge/seawall/internal/pattern"
)

// guard is how a path has to begin, as a word: most rules are about other
// parts of the site, and one comparison without a pointer to follow says so.
type guard struct{ mask, want uint64 }

// mostGuards is for how many beginnings that is worth it.
const mostGuards = 4

// guardsOf returns how a path begins that matches one of the patterns; none
// if it may begin in any way.
func guardsOf(patterns []pattern.Pattern) []guard {
	if len(patterns) > mostGuards {
		return nil
	}
	var guards []guard
	for i := range patterns {
		begin := patterns[i].Beginning()
		if len(begin) < 2 {
			return nil
		}
		var mask [8]byte
		for i := range min(len(begin), 8) {
			mask[i] = 0xff
		}
		guards = append(guards, guard{binary.LittleEndian.Uint64(mask[:]), head(begin)})
	}
	return guards
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

// beginsAs reports whether the path begins in one of some ways.
func (f *Facts) beginsAs(guards []guard) bool {
	for i := range guards {
		if f.head&guards[i].mask == guards[i].want {
			return true
		}
	}
	return false
}

// Beginning is how paths begin that a pattern matches: a question that is
// cheaper than the pattern. The zero value is every beginning.
type Beginning struct{ guard }

// BeginningOf returns how the paths begin that a pattern matches.
func BeginningOf(p *pattern.Pattern) Beginning {
	if p == nil {
		return Beginning{}
	}
	if guards := guardsOf([]pattern.Pattern{*p}); len(guards) > 0 {
		return Beginning{guards[0]}
	}
	return Beginning{}
}

// Begins reports whether the path begins so.
func (f *Facts) Begins(b Beginning) bool {
	if !f.known {
		f.begin()
	}
	return f.head&b.mask == b.want
}

func (f *Facts) begin() { f.head, f.known = head(f.Path), true }
