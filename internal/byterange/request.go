package byterange

import "bytes"

// MaxSpans is how many ranges a request may ask for. A server may ignore one
// that asks for many (RFC 9110, 14.2 and 17.15); players and document viewers
// ask for a handful.
const MaxSpans = 16

// Verdict is what becomes of a Range field.
type Verdict int

const (
	// Ignore means: answer as if there was no such field, with the whole.
	Ignore Verdict = iota
	// Unsatisfiable means: answer 416 and [AppendUnsatisfied] (RFC 9110, 15.5.17).
	Unsatisfiable
	// Satisfied means: answer 206 with the spans (RFC 9110, 15.3.7).
	Satisfied
)

// Parse reads the value of a Range field (RFC 9110, 14.2) against a
// representation of size bytes.
//
// When the verdict is Satisfied there is at least one span and at most
// MaxSpans; none is empty, all end before size. Ranges that overlap or stand
// side by side are one span at the place of the first of them (15.3.7.2), so
// that together the spans are never longer than the representation. With one
// span left the answer is not a multipart.
//
// A field that is malformed, has another unit or more than MaxSpans ranges is
// ignored, and so is every field when the size is not known (negative). A
// number that is too large to hold counts as the largest. Of several ranges
// those that cannot be satisfied are left out. The last n bytes of an empty
// representation can be satisfied (14.1.2), but no Content-Range can name
// them: ignored, too.
//
// The spans are written over the memory of into; with room for MaxSpans there
// Parse does not allocate. They are nil unless the verdict is Satisfied.
func Parse(value []byte, size int64, into []Span) (spans []Span, verdict Verdict) {
	rest, ok := afterUnit(value, '=')
	if !ok || size < 0 {
		return nil, Ignore
	}
	spans = into[:0]
	asked := 0
	for more := true; more; {
		var spec []byte
		spec, rest, more = bytes.Cut(rest, []byte(","))
		if spec = trim(spec); len(spec) == 0 {
			continue // an empty element counts for nothing (5.6.1.2)
		}
		s, ok := resolve(spec, size)
		if asked++; !ok || asked > MaxSpans {
			return nil, Ignore
		}
		if s.Len() > 0 {
			spans = join(spans, s)
		}
	}
	switch {
	case asked == 0:
		return nil, Ignore
	case len(spans) == 0:
		return nil, Unsatisfiable
	}
	return spans, Satisfied
}

// resolve reads one range-spec (RFC 9110, 14.1.2). The span is empty when it
// cannot be satisfied; ok is false when the whole field is to be ignored.
func resolve(spec []byte, size int64) (s Span, ok bool) {
	first, rest, from := number(spec)
	if len(rest) == 0 || rest[0] != '-' {
		return Span{}, false
	}
	last, rest, to := number(rest[1:])
	switch {
	case len(rest) > 0, !from && !to:
		return Span{}, false
	case !from && last > 0 && size == 0:
		return Span{}, false
	case !from:
		return Span{size - min(last, size), size - 1}, true
	case !to:
		return Span{first, size - 1}, true
	}
	return Span{first, min(last, size-1)}, first <= last
}

// join adds a span to spans of which no two touch, in place, and keeps them
// so. They are so few that looking at each is cheaper than keeping an order.
func join(spans []Span, s Span) []Span {
	kept, place := spans[:0], -1
	for _, other := range spans {
		if !s.touches(other) {
			kept = append(kept, other)
			continue
		}
		s = s.with(other)
		if place < 0 {
			place = len(kept)
			kept = append(kept, s)
		}
	}
	if place < 0 {
		return append(kept, s)
	}
	kept[place] = s
	return kept
}
