package wire

import (
	"bytes"
	"encoding/binary"
)

// MaxFields is how many fields one head or trailer section may have.
const MaxFields = 128

// manner says how strictly a section of fields is read.
type manner bool

const (
	strict  manner = false // from visitors: every rule
	lenient manner = true  // from origins: bare LF ends a line, folded lines are joined, space before the colon goes (RFC 9112, 2.2, 5.1, 5.2)
)

// parseFields reads field lines from buf[p:] up to and including the empty
// line. It returns where the section ends, or 0 when more bytes are needed.
// A lenient reading turns folds into spaces in place.
func parseFields(buf []byte, p int, f *Fields, how manner) (int, Problem) {
	for {
		i := bytes.IndexByte(buf[p:], '\n')
		if i < 0 {
			return 0, NoProblem
		}
		line, next := buf[p:p+i], p+i+1
		switch {
		case i > 0 && line[i-1] == '\r':
			line = line[:i-1]
		case how == strict:
			return 0, BadField
		}
		if len(line) == 0 {
			return next, NoProblem
		}
		if line[0] == ' ' || line[0] == '\t' {
			if how == strict || len(f.list) == 0 || !unfold(buf, p, line, f) {
				return 0, BadField
			}
			p = next
			continue
		}
		if len(f.list) == MaxFields {
			return 0, FieldsTooLarge
		}
		if !parseField(line, uint32(p), f, how) {
			return 0, BadField
		}
		p = next
	}
}

// parseField reads one line, which begins at offset start, into f.
func parseField(line []byte, start uint32, f *Fields, how manner) bool {
	colon := 0
	for colon < len(line) && token[line[colon]] {
		colon++
	}
	nameEnd := colon
	if how == lenient {
		for colon < len(line) && (line[colon] == ' ' || line[colon] == '\t') {
			colon++
		}
	}
	if nameEnd == 0 || colon == len(line) || line[colon] != ':' {
		return false
	}
	from, to := colon+1, len(line)
	for from < to && (line[from] == ' ' || line[from] == '\t') {
		from++
	}
	for to > from && (line[to-1] == ' ' || line[to-1] == '\t') {
		to--
	}
	if !isValue(line[from:to]) {
		return false
	}
	f.put(Field{start, start + uint32(nameEnd), start + uint32(from), start + uint32(to), Lookup(line[:nameEnd])})
	return true
}

// unfold joins a folded line, which stands at buf[p:], to the field before
// it: the line end between them becomes spaces (RFC 9112, 5.2).
func unfold(buf []byte, p int, line []byte, f *Fields) bool {
	if !isValue(line) {
		return false
	}
	last := &f.list[len(f.list)-1]
	for i := int(last.ValueEnd); i < p; i++ {
		buf[i] = ' '
	}
	to := p + len(line)
	for to > int(last.ValueStart) && (buf[to-1] == ' ' || buf[to-1] == '\t') {
		to--
	}
	for int(last.ValueStart) < to && buf[last.ValueStart] == ' ' {
		last.ValueStart++ // the name stood alone on its line
	}
	last.ValueEnd = uint32(to)
	return true
}

// isValue reports whether b holds only bytes of a field value (RFC 9110,
// 5.5). It looks at eight bytes at once and doubts only words that hold a
// byte below space or a DEL.
func isValue(b []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(b) >= 8 {
		word := binary.LittleEndian.Uint64(b)
		control := (word - ones*0x20) &^ word & highs
		del := word ^ ones*0x7f
		del = (del - ones) &^ del & highs
		if control|del != 0 && !isPlain(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return isPlain(b)
}

func isPlain(b []byte) bool {
	for _, c := range b {
		if !plainValue[c] {
			return false
		}
	}
	return true
}

// parseLength reads a Content-Length value: digits alone, at most 18 of them
// (RFC 9112, 6.3).
func parseLength(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// connection is what the Connection fields of a head say.
type connection struct {
	close, keepAlive, upgrade bool
	nominates                 bool // names fields that must not be passed on
}

func (c *connection) read(value []byte) {
	EachElement(value, func(element []byte) bool {
		switch known := Lookup(element); {
		case EqualFold(element, []byte("close")):
			c.close = true
		case known == KeepAlive:
			c.keepAlive = true
		case known == Upgrade:
			c.upgrade = true
		default:
			c.nominates = true
		}
		return true
	})
}

// transferCoding judges the Transfer-Encoding fields of a head together:
// exactly one "chunked" is understood (RFC 9112, 6.1).
func transferCoding(f *Fields) (chunked bool, problem Problem) {
	count, last, unknown := 0, false, false
	for i := f.Next(TransferEncoding, -1); i >= 0; i = f.Next(TransferEncoding, i) {
		value := f.Value(i)
		for first := true; first || len(value) > 0; first = false {
			element := value
			if comma := bytes.IndexByte(value, ','); comma >= 0 {
				element, value = value[:comma], value[comma+1:]
				if len(trim(value)) == 0 {
					return false, BadTransferCoding
				}
			} else {
				value = nil
			}
			element = trim(element)
			if last = EqualFold(element, []byte("chunked")); last {
				count++
			} else {
				unknown = true
				if semicolon := bytes.IndexByte(element, ';'); semicolon >= 0 {
					element = trim(element[:semicolon])
				}
				if !IsToken(element) {
					return false, BadTransferCoding
				}
			}
		}
	}
	switch {
	case count != 1 || !last:
		return false, BadTransferCoding
	case unknown:
		return false, UnknownTransferCoding
	}
	return true, NoProblem
}
