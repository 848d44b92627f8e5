package cache

import (
	"slices"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/byterange"
	"github.com/seawall-edge/seawall/internal/freshness"
	"github.com/seawall-edge/seawall/internal/wire"
)

// part is what is stored of a representation that is not here whole (RFC
// 9111, 3.3). It is never changed once it is stored.
type part struct {
	size   int64   // bytes of the whole
	pieces []piece // sorted, apart from each other

	// odd: the origin called the place of the bytes by a length that they do
	// not have. Such a part answers, as the origin did, what lies within that
	// place, and is never put together with another.
	odd bool
}

// piece is bytes and their place.
type piece struct {
	span byterange.Span
	data []byte
}

// mostPieces bounds the pieces of one part.
const mostPieces = 16

func (p *part) held() (held int64) {
	for _, one := range p.pieces {
		held += int64(len(one.data))
	}
	return held
}

// bytes returns how much memory the part takes.
func (p *part) bytes() (size int) {
	for _, one := range p.pieces {
		size += cap(one.data) + 64
	}
	return size
}

// PreparePart is Prepare for a 206 with one part (RFC 9110, 15.3.7.1).
func PreparePart(offer Offer) (*Object, seawall.StoreResult) {
	span, size, ok := placeOf(offer.Said)
	if !ok || size < 0 {
		return nil, seawall.StorePartial
	}
	return prepare(offer, &part{size: size, pieces: []piece{{span: span}}})
}

// placeOf reads an answer's Content-Range; two of them name no place.
func placeOf(said *wire.Fields) (span byterange.Span, size int64, ok bool) {
	first := said.Next(wire.ContentRange, -1)
	if first < 0 || said.Next(wire.ContentRange, first) >= 0 {
		return span, 0, false
	}
	return byterange.ParseContentRange(said.Value(first))
}

// settle takes the gathered body for the part's only piece.
func (o *Object) settle() {
	o.fit()
	p := o.part
	p.pieces[0].data, o.Body = o.Body, nil
	p.odd = int64(len(p.pieces[0].data)) != p.pieces[0].span.Len()
}

// StorePart keeps a part that has come whole, together with what is stored
// of the same version (RFC 9111, 3.4). What is complete then is an answer
// like any other.
func (z *Zone) StorePart(key []byte, object *Object, request *wire.Fields, asked Epoch, most int64) bool {
	object.settle()
	kept := z.update(key, asked, func(old []*Object) []*Object {
		combined := object
		for _, other := range old {
			if other.Selects(request) {
				combined = other.combine(object, most)
				break
			}
		}
		return z.with(old, combined.asWhole(), func(other *Object) bool { return other.Selects(request) })
	})
	z.count(key, kept)
	return kept
}

// StoreIncomplete keeps what came of a body that was broken off, as a part
// (RFC 9111, 3.3), if its version can be told from others. It takes the place
// of nothing that is whole: an older whole is worth more while the origin
// breaks off.
func (z *Zone) StoreIncomplete(key []byte, object *Object, request *wire.Fields, asked Epoch, length int64) {
	if _, certain := object.Certain(); !certain || object.Status != 200 || len(object.Body) == 0 || length <= int64(len(object.Body)) {
		return
	}
	broken := *object
	broken.Status, broken.Trailers = 206, nil
	broken.part = &part{size: length, pieces: []piece{{span: byterange.Span{First: 0, Last: int64(len(object.Body)) - 1}}}}
	broken.settle()
	z.update(key, asked, func(old []*Object) []*Object {
		for _, other := range old {
			if other.Selects(request) && other.Whole() {
				return nil
			}
		}
		return z.with(old, &broken, func(other *Object) bool { return other.Selects(request) })
	})
}

// combine returns what a stored answer and a newer part are together: the
// newer alone where they are not surely of one version.
func (o *Object) combine(newer *Object, most int64) *Object {
	if !freshness.SameVersion(&o.Fields, &newer.Fields, newer.came) || newer.part.odd {
		return newer
	}
	combined := *newer
	combined.Fields = merge(&o.Fields, &newer.Fields).Clone()
	switch {
	case !newer.Fields.Has(wire.Vary):
		combined.vary = o.vary
	case o.coded() && !newer.selectedBy("accept-encoding"):
		combined.vary = append(slices.Clip(newer.vary), o.vary[len(o.vary)-1])
	}
	if o.part == nil {
		if int64(len(o.Body)) != newer.part.size || o.Status != 200 {
			return newer
		}
		combined.Status, combined.Body, combined.Trailers, combined.part = 200, o.Body, o.Trailers, nil
		return &combined
	}
	if o.part.odd || o.part.size != newer.part.size {
		return newer
	}
	joined := &part{size: o.part.size, pieces: joinPieces(append(slices.Clone(o.part.pieces), newer.part.pieces...))}
	if len(joined.pieces) > mostPieces || joined.held() > most {
		return newer
	}
	combined.part = joined
	return &combined
}

// asWhole returns a part that has every byte as an answer like any other.
func (o *Object) asWhole() *Object {
	p := o.part
	if p == nil || p.odd || p.pieces[0].span.Len() != p.size {
		return o
	}
	whole := *o
	whole.Status, whole.Body, whole.part = 200, p.pieces[0].data, nil
	return &whole
}

// joinPieces sorts pieces and joins those that touch. Where they overlap, the
// bytes are the same: they are of one version.
func joinPieces(pieces []piece) []piece {
	slices.SortFunc(pieces, func(a, b piece) int { return int(min(1, max(-1, a.span.First-b.span.First))) })
	joined := pieces[:1:1]
	for _, next := range pieces[1:] {
		last := &joined[len(joined)-1]
		switch {
		case next.span.First > last.span.Last+1:
			joined = append(joined, next)
		case next.span.Last > last.span.Last:
			rest := next.data[last.span.Last+1-next.span.First:]
			last.data = append(slices.Clip(last.data), rest...)
			last.span.Last = next.span.Last
		}
	}
	return joined
}

// Size returns how many bytes the whole representation has.
func (o *Object) Size() int64 {
	if o.part != nil {
		return o.part.size
	}
	return int64(len(o.Body))
}

// Bytes returns the bytes of a span; ok is false when they are not all here.
func (o *Object) Bytes(span byterange.Span) (data []byte, ok bool) {
	if o.part == nil {
		if span.First < 0 || span.Last >= int64(len(o.Body)) || span.First > span.Last {
			return nil, false
		}
		return o.Body[span.First : span.Last+1], true
	}
	for _, one := range o.part.pieces {
		if one.span.First <= span.First && span.Last <= one.span.Last {
			from, to := span.First-one.span.First, span.Last-one.span.First+1
			if o.part.odd {
				to = min(to, int64(len(one.data)))
			}
			if from >= to {
				return nil, false
			}
			return one.data[from:to], true
		}
	}
	return nil, false
}

// Ending returns the last bytes of an odd part: where the origin miscounted,
// a place that is told from the end is counted from the end.
func (o *Object) Ending(span byterange.Span) (data []byte, ok bool) {
	if o.part == nil || !o.part.odd || span.Last != o.part.size-1 {
		return nil, false
	}
	one := o.part.pieces[0]
	if one.span.Last != span.Last || span.Len() > int64(len(one.data)) {
		return nil, false
	}
	return one.data[int64(len(one.data))-span.Len():], true
}

// Gap returns the one stretch that is missing to a whole; ok is false when
// there are several, or the part must not be completed.
func (o *Object) Gap() (gap byterange.Span, ok bool) {
	if o.part == nil || o.part.odd {
		return gap, false
	}
	var held byterange.Set
	for _, one := range o.part.pieces {
		held = held.Add(one.span)
	}
	missing := held.Missing(byterange.Span{First: 0, Last: o.part.size - 1})
	if len(missing) != 1 {
		return gap, false
	}
	return missing[0], true
}

// Before returns the bytes in front of the gap, After those behind it.
func (o *Object) Before(gap byterange.Span) []byte {
	data, _ := o.Bytes(byterange.Span{First: 0, Last: gap.First - 1})
	return data
}

// After returns the bytes behind the gap.
func (o *Object) After(gap byterange.Span) []byte {
	data, _ := o.Bytes(byterange.Span{First: gap.Last + 1, Last: o.part.size - 1})
	return data
}

// Completed prepares the whole that a stored part and the answer about its gap
// make together; nil when the answer is about something else, for which
// nothing of the part may be used (RFC 9111, 3.4).
func (o *Object) Completed(offer Offer, gap byterange.Span) (*Object, seawall.StoreResult) {
	span, size, ok := placeOf(offer.Said)
	if !ok || span != gap || size != o.part.size || offer.Length >= 0 && offer.Length != gap.Len() ||
		!freshness.SameVersion(&o.Fields, offer.Said, offer.Received) {
		return nil, seawall.StorePartial
	}
	offer.Status, offer.Length = 200, size
	offer.Fields, offer.Said = merge(&o.Fields, offer.Fields), o.updated(offer.Said)
	return prepare(offer, nil)
}

func without(f *wire.Fields, name wire.Name) *wire.Fields {
	rest := &wire.Fields{}
	for i := range f.Len() {
		if f.Known(i) != name {
			rest.Add(f.Known(i), f.Name(i), f.Value(i))
		}
	}
	return rest
}

// Certain reports whether the stored answer has a validator that tells its
// version from every other, and returns it (RFC 9110, 13.1.5).
func (o *Object) Certain() (validator []byte, ok bool) {
	if !freshness.Certain(&o.Fields, o.came) {
		return nil, false
	}
	tag, modified := freshness.Validators(&o.Fields)
	if tag != nil {
		return tag, true
	}
	return modified, true
}

// RangeApplies reports whether the request's If-Range lets its Range count.
func (o *Object) RangeApplies(request *wire.Fields) bool {
	return freshness.RangeApplies(request, &o.Fields, o.came)
}
