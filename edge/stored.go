package edge

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/byterange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// covers reports whether a stored part has all that the request asks for: one
// range within it (RFC 9111, 3.3).
func covers(object *cache.Object, x *exchange.Exchange) bool {
	value, ok := x.Fields.Get(wire.Range)
	if !ok || x.Method != exchange.MethodGet || !object.RangeApplies(x.Fields) {
		return false
	}
	var room [byterange.MaxSpans]byterange.Span
	spans, result := byterange.Parse(value, object.Size(), room[:0])
	if result != byterange.Satisfied || len(spans) != 1 {
		return false
	}
	_, _, ok = pieceOf(object, value, spans[0])
	return ok
}

// pieceOf returns the bytes of a span and the place that they really have.
func pieceOf(object *cache.Object, asked []byte, span byterange.Span) (data []byte, place byterange.Span, ok bool) {
	if fromEnd(asked) {
		if data, ok = object.Ending(span); ok {
			return data, span, true
		}
	}
	data, ok = object.Bytes(span)
	span.Last = span.First + int64(len(data)) - 1
	return data, span, ok
}

// fromEnd reports whether a Range field has one range, which is counted from
// the end.
func fromEnd(value []byte) bool {
	for i, c := range value {
		if c == '=' {
			rest := value[i+1:]
			for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
				rest = rest[1:]
			}
			return len(rest) > 0 && rest[0] == '-'
		}
	}
	return false
}

// sendStored answers from the cache (RFC 9111, 4).
func (e *Edge) sendStored(c *climb) {
	x, object := c.x, c.object
	a := &c.answer
	a.Status, a.Fields, a.Length = object.Status, &object.Fields, object.Size()
	var scratch [64]byte
	a.More.AddKnown(wire.Age, strconv.AppendInt(scratch[:0], object.Age(c.cached.at), 10))
	e.addCacheStatus(c, &a.More)
	a.More.AddKnown(wire.SeawallRequestID, x.Event.ID.AppendTo(scratch[:0]))
	var err error
	e.chooseFor(c, object.Codable, object.Size())
	switch {
	case object.Validates(x.Fields):
		a.Status, a.Fields = http.StatusNotModified, &object.NotModified
		err = e.sendHead(c)
	case x.Method == exchange.MethodGet && x.Fields.Has(wire.Range) && (object.Status == http.StatusOK || !object.Whole()) && object.RangeApplies(x.Fields):
		err = e.sendRanges(c)
	case object.Trailers != nil && wantsTrailers(x.Fields):
		body := e.encodeStored(c, object)
		a.Length = -1
		err = e.sendBody(c, body, object.Trailers)
	default:
		body := e.encodeStored(c, object)
		if a.Length = int64(len(body)); c.encoding.open || !object.Whole() {
			a.Length = c.lengthOf(object)
		}
		err = e.sendBody(c, body, nil)
	}
	if err != nil {
		e.cut(c, err)
	}
}

// wantsTrailers reports whether the visitor can take a trailer section (RFC
// 9110, 6.5.1).
func wantsTrailers(f *wire.Fields) bool {
	te, ok := f.Get(wire.TE)
	return ok && wire.HasToken(te, []byte("trailers"))
}

// sendHead sends an answer without a body.
func (e *Edge) sendHead(c *climb) error {
	c.x.Event.Status = uint16(c.answer.Status)
	err := e.beginAnswer(c, &c.answer)
	if err == nil {
		err = c.x.Out.End(nil)
	}
	return err
}

func (e *Edge) sendBody(c *climb, body []byte, trailers *wire.Fields) error {
	c.x.Event.Status = uint16(c.answer.Status)
	err := e.beginAnswer(c, &c.answer)
	if err == nil && c.x.Method != exchange.MethodHead {
		if err = c.write(body); err == nil {
			err = c.endBody()
		}
	}
	if err == nil {
		err = c.x.Out.End(trailers)
	}
	return err
}

// lengthOf is the length of a stored answer's body as it is sent.
func (c *climb) lengthOf(object *cache.Object) int64 {
	if c.encoding.open {
		return -1
	}
	return object.Size()
}

// sendRanges answers a Range from a stored answer (RFC 9110, 14.2).
func (e *Edge) sendRanges(c *climb) error {
	object, a := c.object, &c.answer
	value, _ := c.x.Fields.Get(wire.Range)
	var room [byterange.MaxSpans]byterange.Span
	spans, result := byterange.Parse(value, object.Size(), room[:0])
	var scratch [80]byte
	switch {
	case result == byterange.Ignore:
		return e.sendBody(c, object.Body, nil)
	case result == byterange.Unsatisfiable:
		return e.sendUnsatisfied(c, object.Size())
	case len(spans) > 1:
		return e.sendParts(c, spans)
	}
	data, place, ok := pieceOf(object, value, spans[0])
	if !ok {
		return errNotHere // it was looked for before
	}
	a.Status, a.Length = http.StatusPartialContent, int64(len(data))
	if object.Fields.Has(wire.ContentRange) { // a whole that names a place all the same
		a.Fields = copyFields(&c.own.fields, &object.Fields, wire.ContentRange)
	}
	a.More.AddKnown(wire.ContentRange, byterange.AppendContentRange(scratch[:0], place, object.Size()))
	return e.sendBody(c, data, nil)
}

var errNotHere = errors.New("the part is not stored")

// sendUnsatisfied says that there is nothing in the range (RFC 9110, 15.5.17).
func (e *Edge) sendUnsatisfied(c *climb, size int64) error {
	var scratch [40]byte
	a := &c.answer
	a.Status, a.Length = http.StatusRequestedRangeNotSatisfiable, 0
	c.own.fields.Clear()
	a.Fields = &c.own.fields
	c.own.fields.AddKnown(wire.ContentRange, byterange.AppendUnsatisfied(scratch[:0], size))
	return e.sendBody(c, nil, nil)
}

// sendParts answers several ranges at once (RFC 9110, 14.6).
func (e *Edge) sendParts(c *climb, spans []byterange.Span) error {
	object, a, x := c.object, &c.answer, c.x
	contentType, _ := object.Fields.Get(wire.ContentType)
	var room [64]byte
	boundary := x.Event.ID.AppendTo(append(room[:0], "seawall-"...)) // nobody could know it when the body was made
	parts := byterange.Multipart{Boundary: boundary, ContentType: contentType, Spans: spans, Size: object.Size()}
	c.own.fields.Clear()
	for i := range object.Fields.Len() {
		if known := object.Fields.Known(i); known != wire.ContentType && known != wire.ContentRange {
			c.own.fields.Add(known, object.Fields.Name(i), object.Fields.Value(i))
		}
	}
	c.own.fields.AddKnown(wire.ContentType, append([]byte("multipart/byteranges; boundary="), boundary...))
	a.Status, a.Fields, a.Length = http.StatusPartialContent, &c.own.fields, parts.Length()
	x.Event.Status = http.StatusPartialContent
	if err := e.beginAnswer(c, a); err != nil {
		return err
	}
	for i, span := range spans {
		data, _ := object.Bytes(span)
		c.own.page = parts.AppendPartHead(c.own.page[:0], i)
		if err := x.Out.Write(c.own.page); err != nil {
			return err
		}
		if err := x.Out.Write(data); err != nil {
			return err
		}
	}
	if err := x.Out.Write(parts.AppendEnd(c.own.page[:0])); err != nil {
		return err
	}
	return x.Out.End(nil)
}
