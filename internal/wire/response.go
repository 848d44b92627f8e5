package wire

import "bytes"

// Response is a parsed response head. Origins are read a little more
// leniently than visitors, where RFC 9112 lets a recipient repair: bare LF
// ends a line, folded lines are joined, white space before a colon goes.
type Response struct {
	Status int
	Minor  int
	Fields Fields

	ContentLength int64 // -1: none given
	Chunked       bool
	KeepAlive     bool
	Upgrade       bool
	Nominates     bool // Connection names further fields
}

// Parse reads a head at the start of buf, which it may repair in place. It
// returns the head's length, or 0 with NoProblem when more bytes are needed.
func (r *Response) Parse(buf []byte) (int, Problem) {
	i := bytes.IndexByte(buf, '\n')
	if i < 0 {
		const longest = 1024 // a status line with a talkative reason
		if len(buf) >= 5 && string(buf[:5]) != "HTTP/" || len(buf) > longest {
			return 0, BadStatusLine
		}
		return 0, NoProblem
	}
	line := buf[:i]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	if problem := r.parseStatus(line); problem != NoProblem {
		return 0, problem
	}
	r.Fields.Reset(buf)
	end, problem := parseFields(buf, i+1, &r.Fields, lenient)
	if end == 0 || problem != NoProblem {
		return 0, problem
	}
	return end, r.understand()
}

// parseStatus reads "HTTP/1.x NNN reason"; the space before an empty reason
// may be missing, as it often is.
func (r *Response) parseStatus(line []byte) Problem {
	if len(line) < 12 || line[8] != ' ' || len(line) > 12 && line[12] != ' ' || !isValue(line) {
		return BadStatusLine
	}
	minor, problem := parseVersion(line[:8])
	if problem != NoProblem {
		return BadStatusLine
	}
	r.Minor, r.Status = minor, 0
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return BadStatusLine
		}
		r.Status = r.Status*10 + int(c-'0')
	}
	if r.Status < 100 || r.Status > 599 {
		return BadStatusLine
	}
	return NoProblem
}

func (r *Response) understand() Problem {
	r.ContentLength, r.Chunked = -1, false
	var conn connection
	coded := false
	for i := range r.Fields.list {
		switch r.Fields.list[i].Known {
		case ContentLength:
			// Equal values in one field or several are one length (RFC 9112, 6.3).
			problem, found := NoProblem, false
			EachElement(r.Fields.Value(i), func(element []byte) bool {
				found = true
				length, ok := parseLength(element)
				switch {
				case !ok:
					problem = BadLength
				case r.ContentLength >= 0 && r.ContentLength != length:
					problem = LengthConflict
				}
				r.ContentLength = length
				return problem == NoProblem
			})
			if !found {
				problem = BadLength
			}
			if problem != NoProblem {
				return problem
			}
		case TransferEncoding:
			coded = true
		case Connection:
			conn.read(r.Fields.Value(i))
		}
	}
	r.Upgrade, r.Nominates = conn.upgrade, conn.nominates
	r.KeepAlive = !conn.close && (r.Minor == 1 || conn.keepAlive)
	switch {
	case coded && r.ContentLength >= 0:
		return LengthConflict
	case coded && r.Minor == 0:
		return BadTransferCoding
	case coded && madeUp(&r.Fields):
		r.KeepAlive = false // its end is that of the connection (RFC 9112, 6.3)
		return NoProblem
	case coded:
		var problem Problem
		r.Chunked, problem = transferCoding(&r.Fields)
		return problem
	}
	return NoProblem
}

// madeUp reports whether an answer names one transfer coding that nobody
// knows. No coding is ever asked for, so none of these was applied; the field
// is noise, and the body ends with the connection, as it does after each
// coding but chunked (RFC 9112, 6.3). A coding that exists, or that might be
// chunked misspelled, is another matter: there the bytes are not the body's.
func madeUp(f *Fields) bool {
	i := f.Next(TransferEncoding, -1)
	value := bytes.ToLower(f.Value(i))
	if f.Next(TransferEncoding, i) >= 0 || !IsToken(value) || bytes.Contains(value, []byte("chunk")) {
		return false
	}
	for _, coding := range [...]string{"gzip", "x-gzip", "deflate", "compress", "x-compress", "identity", "br", "zstd", "trailers"} {
		if string(value) == coding {
			return false
		}
	}
	return true
}
