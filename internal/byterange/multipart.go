package byterange

// Multipart is the content of a 206 with several spans, of the media type
// multipart/byteranges (RFC 9110, 14.6). Nothing is copied into it: the caller
// writes the head of each part, then the bytes of its span, and the end.
type Multipart struct {
	// Boundary is 1 to 70 token characters that do not occur in the bytes;
	// the caller makes it up and names it in Content-Type (RFC 2046, 5.1.1).
	Boundary []byte
	// ContentType is the representation's own, as received; empty for none.
	ContentType []byte
	// Spans are as Parse returned them.
	Spans []Span
	// Size is how many bytes the whole representation has, negative when
	// that is not known.
	Size int64
}

// Length returns how many bytes the content has: the answer's Content-Length.
// It measures what is written, so that the two cannot drift apart.
func (m Multipart) Length() (length int64) {
	var room [256]byte // without an allocation for any ordinary type
	for i, s := range m.Spans {
		length += int64(len(m.AppendPartHead(room[:0], i))) + s.Len()
	}
	return length + int64(len(m.AppendEnd(room[:0])))
}

// AppendPartHead appends what stands before the bytes of span i, counted from
// 0: the delimiter and the part's own fields (RFC 9110, 15.3.7.2).
func (m Multipart) AppendPartHead(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, "\r\n"...) // belongs to the delimiter, not to the bytes before
	}
	dst = append(dst, "--"...)
	dst = append(dst, m.Boundary...)
	if len(m.ContentType) > 0 {
		dst = append(dst, "\r\nContent-Type: "...)
		dst = append(dst, m.ContentType...)
	}
	dst = append(dst, "\r\nContent-Range: "...)
	dst = AppendContentRange(dst, m.Spans[i], m.Size)
	return append(dst, "\r\n\r\n"...)
}

// AppendEnd appends what stands behind the bytes of the last span.
func (m Multipart) AppendEnd(dst []byte) []byte {
	dst = append(dst, "\r\n--"...)
	dst = append(dst, m.Boundary...)
	return append(dst, "--\r\n"...)
}
