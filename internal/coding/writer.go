package coding

import "io"

// Append appends the whole body, encoded, to dst. A level of 0 is [Default],
// others are moved into 1 to 9. The same body gives the same bytes: nothing of
// the time, the machine or earlier bodies is in them. dst and body do not
// overlap.
func Append(dst, body []byte, c Coding, level int) []byte {
	w := NewWriter(c, level)
	if sized, ok := w.stream.encoder.(sizer); ok {
		sized.ResetContentSize(w.stream, int64(len(body)))
	}
	return w.Close(w.Append(dst, body))
}

// A sizer can tell the client how much memory the body takes, so that it does
// not allocate a whole window for a small one.
type sizer interface {
	ResetContentSize(to io.Writer, size int64)
}

// A Writer encodes one body that comes in pieces. It is handed the memory for
// its output with each call and keeps none of it.
//
// The encoder behind it is large (see levels) and comes from a pool: a Writer
// ends with Close or Abandon and is then as the zero Writer, which takes
// nothing. It is for one goroutine and not copied while open.
type Writer struct{ stream *stream }

// NewWriter begins a body. The level is as that of [Append].
func NewWriter(c Coding, level int) Writer { return Writer{open(c, level)} }

// Append takes the next piece of the body and appends to dst what there is of
// its encoding by now, often nothing.
func (w *Writer) Append(dst, piece []byte) []byte {
	s := w.stream
	if s.encoder == nil {
		return append(dst, piece...)
	}
	s.out = dst
	must(s.encoder.Write(piece))
	return s.taken()
}

// Flush appends what is still held back: whoever has everything up to here can
// decode all pieces up to here. It costs some bytes each time, and the
// encoding is worse for it. For event streams, and for whatever else the
// origin is slow with.
func (w *Writer) Flush(dst []byte) []byte {
	s := w.stream
	if s.encoder == nil {
		return dst
	}
	s.out = dst
	check(s.encoder.Flush())
	return s.taken()
}

// Close appends the end of the encoding and gives the encoder back. A Writer
// that is not open stays so.
func (w *Writer) Close(dst []byte) []byte {
	s := w.stream
	if s == nil {
		return dst
	}
	if s.encoder != nil {
		s.out = dst
		check(s.encoder.Close())
		dst = s.taken()
	}
	w.Abandon()
	return dst
}

// Abandon gives the encoder back without an end, for a body that breaks off:
// what the client has must not look complete. A Writer that is not open stays
// so; it does no harm to defer this.
func (w *Writer) Abandon() {
	if w.stream != nil {
		w.stream.pool.Put(w.stream)
		w.stream = nil
	}
}
