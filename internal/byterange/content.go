package byterange

import (
	"bytes"
	"math"
	"strconv"
)

// ParseContentRange reads the value of a Content-Range field (RFC 9110, 14.4)
// such as "bytes 4-9/10": which bytes an answer encloses, and how many the
// whole representation has; size is -1 when the sender did not know ("*").
//
// It is not ok when the value is malformed, has another unit, or contradicts
// itself: the last position before the first, or past the size. Numbers of
// [math.MaxInt64] and more are refused, for here a guess would put bytes in
// the wrong place. Neither is "bytes */10" ok: it belongs to a 416 and
// encloses nothing.
func ParseContentRange(value []byte) (s Span, size int64, ok bool) {
	rest, ok := afterUnit(value, ' ')
	if !ok {
		return Span{}, 0, false
	}
	positions, complete, _ := bytes.Cut(rest, []byte("/"))
	first, last, _ := bytes.Cut(positions, []byte("-"))
	var firstOK, lastOK bool
	s.First, firstOK = exact(first)
	s.Last, lastOK = exact(last)
	sizeOK := string(complete) == "*"
	if size = -1; !sizeOK {
		size, sizeOK = exact(complete)
		sizeOK = sizeOK && s.Last < size
	}
	if !firstOK || !lastOK || !sizeOK || s.Last < s.First {
		return Span{}, 0, false
	}
	return s, size, true
}

// exact reads a number that has to fit and has nothing behind it.
func exact(b []byte) (n int64, ok bool) {
	n, rest, given := number(b)
	return n, given && len(rest) == 0 && n < math.MaxInt64
}

// AppendContentRange appends the value of the Content-Range field of a 206
// that encloses s, of a representation of size bytes; a negative size is not
// known (RFC 9110, 14.4).
func AppendContentRange(dst []byte, s Span, size int64) []byte {
	dst = append(dst, "bytes "...)
	dst = strconv.AppendInt(dst, s.First, 10)
	dst = append(dst, '-')
	dst = strconv.AppendInt(dst, s.Last, 10)
	dst = append(dst, '/')
	if size < 0 {
		return append(dst, '*')
	}
	return strconv.AppendInt(dst, size, 10)
}

// AppendUnsatisfied appends the value of the Content-Range field of a 416,
// which tells the client how many bytes there are (RFC 9110, 14.4 and 15.5.17).
func AppendUnsatisfied(dst []byte, size int64) []byte {
	return strconv.AppendInt(append(dst, "bytes */"...), size, 10)
}
