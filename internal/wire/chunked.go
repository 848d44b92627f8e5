package wire

// Bounds of a chunked body (RFC 9112, 7.1.1 asks recipients to have them).
const (
	maxChunkLine = 4 << 10 // one size line with its extensions
	maxChunkExts = 64 << 10
	maxTrailers  = 8 << 10
)

// Chunked decodes a chunked body (RFC 9112, 7.1) piece by piece, in place.
// The zero value is ready; Reset makes it so again.
type Chunked struct {
	// Trailers holds the trailer section once Next has reported the end.
	Trailers Fields
	// Lenient accepts spaces after a chunk's size, as some origins pad it.
	Lenient bool

	state     chunkState
	remaining int64 // of the chunk's data
	digits    int
	line      int // bytes of this size line
	overhead  int // bytes of all extensions so far
	section   []byte
}

type chunkState uint8

const (
	chunkSize     chunkState = iota // digits of the size
	chunkAfter                      // white space after the size or a name or value
	chunkExt                        // after ";", before a name
	chunkName                       // in a name
	chunkEquals                     // after "=", before a value
	chunkValue                      // in a token
	chunkQuoted                     // in a quoted string
	chunkEscape                     // after a backslash in one
	chunkClosed                     // after the closing quote
	chunkLineEnd                    // CR of the size line seen
	chunkData                       // data
	chunkDataCR                     // data is complete, CR must follow
	chunkDataLF                     // then LF
	chunkTrailers                   // collecting the trailer section
	chunkDone
)

// Reset prepares for another body.
func (c *Chunked) Reset() {
	section := c.section[:0]
	trailers := c.Trailers
	trailers.Reset(nil)
	*c = Chunked{Trailers: trailers, section: section, Lenient: c.Lenient}
}

// Done reports whether the whole body, trailers included, was read.
func (c *Chunked) Done() bool { return c.state == chunkDone }

// Next consumes bytes of in and returns data found in them: a slice of in,
// empty when in held none. Call it again with in[used:] until used is
// len(in) or Done reports true; bytes after the end are not consumed.
func (c *Chunked) Next(in []byte) (data []byte, used int, problem Problem) {
	for used < len(in) && c.state != chunkDone {
		if c.state == chunkData {
			n := int(min(c.remaining, int64(len(in)-used)))
			data = in[used : used+n]
			if c.remaining -= int64(n); c.remaining == 0 {
				c.state = chunkDataCR
			}
			return data, used + n, NoProblem
		}
		if problem = c.step(in[used]); problem != NoProblem {
			return nil, used, problem
		}
		used++
	}
	return nil, used, NoProblem
}

// step takes one byte that is not data.
func (c *Chunked) step(b byte) Problem {
	if c.state < chunkLineEnd {
		if c.line++; c.line > maxChunkLine {
			return BadChunk
		}
	}
	switch c.state {
	case chunkSize:
		return c.sizeDigit(b)
	case chunkAfter, chunkExt, chunkName, chunkEquals, chunkValue, chunkQuoted, chunkEscape, chunkClosed:
		return c.extension(b)
	case chunkLineEnd:
		return c.lineEnd(b)
	case chunkDataCR:
		return c.expect(b, '\r', chunkDataLF)
	case chunkDataLF:
		c.digits, c.line, c.remaining = 0, 0, 0
		return c.expect(b, '\n', chunkSize)
	default:
		return c.trailer(b)
	}
}

func (c *Chunked) expect(b, want byte, then chunkState) Problem {
	if b != want {
		return BadChunk
	}
	c.state = then
	return NoProblem
}

func (c *Chunked) sizeDigit(b byte) Problem {
	digit := int64(-1)
	switch {
	case b >= '0' && b <= '9':
		digit = int64(b - '0')
	case b >= 'a' && b <= 'f':
		digit = int64(b-'a') + 10
	case b >= 'A' && b <= 'F':
		digit = int64(b-'A') + 10
	}
	if digit >= 0 {
		c.digits++
		if c.digits > 16 || c.remaining > 1<<58 {
			return BadChunk
		}
		c.remaining = c.remaining<<4 | digit
		return NoProblem
	}
	if c.digits == 0 {
		return BadChunk
	}
	switch b {
	case '\r':
		c.state = chunkLineEnd
	case ';':
		c.state = chunkExt
	case ' ', '\t':
		c.state = chunkAfter
	default:
		return BadChunk
	}
	return NoProblem
}

// extension reads *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
// (RFC 9112, 7.1.1); the content is dropped.
func (c *Chunked) extension(b byte) Problem {
	if c.overhead++; c.overhead > maxChunkExts {
		return BadChunk
	}
	space := b == ' ' || b == '\t'
	switch c.state {
	case chunkAfter:
		// In the middle of an extension a name may be followed by white space
		// and "=": rare, and refused like every doubt.
		switch {
		case space:
		case b == ';':
			c.state = chunkExt
		case b == '\r' && c.Lenient:
			c.state = chunkLineEnd
		default:
			return BadChunk
		}
	case chunkExt:
		if token[b] {
			c.state = chunkName
		} else if !space {
			return BadChunk
		}
	case chunkName:
		if b == '=' {
			c.state = chunkEquals
			return NoProblem
		}
		return c.afterWord(b)
	case chunkEquals:
		switch {
		case b == '"':
			c.state = chunkQuoted
		case token[b]:
			c.state = chunkValue
		case !space:
			return BadChunk
		}
	case chunkValue:
		return c.afterWord(b)
	case chunkQuoted:
		switch {
		case b == '"':
			c.state = chunkClosed
		case b == '\\':
			c.state = chunkEscape
		case !plainValue[b]:
			return BadChunk
		}
	case chunkEscape:
		if !plainValue[b] {
			return BadChunk
		}
		c.state = chunkQuoted
	case chunkClosed:
		if token[b] {
			return BadChunk
		}
		return c.afterWord(b)
	}
	return NoProblem
}

// afterWord goes on in a name or value, or leaves it.
func (c *Chunked) afterWord(b byte) Problem {
	switch {
	case token[b]:
	case b == ';':
		c.state = chunkExt
	case b == '\r':
		c.state = chunkLineEnd
	case b == ' ' || b == '\t':
		c.state = chunkAfter
	default:
		return BadChunk
	}
	return NoProblem
}

func (c *Chunked) lineEnd(b byte) Problem {
	if b != '\n' {
		return BadChunk
	}
	if c.remaining > 0 {
		c.state = chunkData
		return NoProblem
	}
	c.state = chunkTrailers
	c.section = c.section[:0]
	return NoProblem
}

// trailer collects the trailer section and parses it at its empty line.
func (c *Chunked) trailer(b byte) Problem {
	if len(c.section) == maxTrailers {
		return TrailersTooLarge
	}
	c.section = append(c.section, b)
	if b != '\n' {
		return NoProblem
	}
	c.Trailers.Reset(c.section)
	end, problem := parseFields(c.section, 0, &c.Trailers, strict)
	if problem == FieldsTooLarge {
		return TrailersTooLarge
	}
	if problem != NoProblem {
		return BadChunk
	}
	if end > 0 {
		c.state = chunkDone
	}
	return NoProblem
}
