// Package byterange is the arithmetic of range requests and partial content
// (RFC 9110, 14 and 15.3.7; RFC 9111, 3.3 and 3.4) as pure functions of field
// values: no storage, no HTTP.
//
// Who asks for parts writes what he likes: numbers past every end, a thousand
// ranges over the same bytes. Read, clipped and joined in one place, they are
// a few spans inside the representation, and whoever sends the bytes or looks
// for those that are missing has nothing left to check. Whether parts belong
// to one representation is decided where validators are compared.
package byterange

import (
	"bytes"
	"math"
)

// A Span is the bytes from First to Last of a representation, both included,
// counted from 0 (RFC 9110, 14.1.2). It is empty when Last is before First.
// Last is less than [math.MaxInt64], so that every length fits.
type Span struct{ First, Last int64 }

// Len returns how many bytes a span has.
func (s Span) Len() int64 { return max(0, s.Last-s.First+1) }

// touches reports whether two spans overlap or stand side by side.
func (s Span) touches(other Span) bool {
	return s.First-1 <= other.Last && other.First-1 <= s.Last
}

// with returns the one span of two that touch.
func (s Span) with(other Span) Span {
	return Span{min(s.First, other.First), max(s.Last, other.Last)}
}

// afterUnit returns what follows the unit "bytes" and its separator. Units
// compare without regard to case (RFC 9110, 14.1); white space around a field
// value does not belong to it (5.5).
func afterUnit(value []byte, separator byte) (rest []byte, ok bool) {
	const unit = "bytes"
	value = trim(value)
	if len(value) <= len(unit) || value[len(unit)] != separator {
		return nil, false
	}
	for i := range len(unit) {
		c := value[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != unit[i] {
			return nil, false
		}
	}
	return value[len(unit)+1:], true
}

// number reads the digits that b begins with; given is false when there are
// none. What is larger than an int64 counts as the largest: a number that
// wraps around would name bytes that nobody asked for.
func number(b []byte) (n int64, rest []byte, given bool) {
	i := 0
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		digit := int64(b[i] - '0')
		if n > (math.MaxInt64-digit)/10 {
			n = math.MaxInt64
			continue
		}
		n = n*10 + digit
	}
	return n, b[i:], i > 0
}

func trim(b []byte) []byte { return bytes.Trim(b, " \t") }
