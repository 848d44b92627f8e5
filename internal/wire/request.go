package wire

import "bytes"

// Limits bounds a request's head, in bytes.
type Limits struct {
	Target int // the request target
	Head   int // the whole head
}

// maxMethod is the longest method that is read; the longest registered one has 17 bytes.
const maxMethod = 32

// Request is a parsed request head. Method and Target are slices of the
// buffer that was parsed.
type Request struct {
	Method []byte
	Target []byte
	Host   []byte // the value of the Host field; nil when there is none
	Minor  int    // 0 or 1; a higher minor version is read as 1 (RFC 9110, 2.5)
	Fields Fields

	ContentLength  int64 // -1: no body, or a chunked one
	Chunked        bool
	KeepAlive      bool // RFC 9112, 9.3
	Upgrade        bool // Connection names Upgrade
	Nominates      bool // Connection names further fields
	ExpectContinue bool
	ExpectUnknown  bool // an expectation other than 100-continue (RFC 9110, 10.1.1)
}

// Reset empties the head.
func (r *Request) Reset() {
	r.Method, r.Target, r.Host, r.Minor = nil, nil, nil, 1
	r.Fields.Reset(nil)
}

// Parse reads a head at the start of buf. It returns the head's length, or 0
// with NoProblem when more bytes are needed. Empty lines before the request
// line are skipped (RFC 9112, 2.2).
func (r *Request) Parse(buf []byte, limits Limits) (int, Problem) {
	r.Reset()
	p := 0
	for len(buf) >= p+2 && buf[p] == '\r' && buf[p+1] == '\n' {
		p += 2
	}
	n, problem := r.parseLine(buf, p, limits)
	if n == 0 || problem != NoProblem {
		return 0, problem
	}
	r.Fields.Reset(buf)
	end, problem := parseFields(buf, n, &r.Fields, strict)
	if problem != NoProblem {
		return 0, problem
	}
	if end > limits.Head || end == 0 && len(buf) >= limits.Head {
		return 0, FieldsTooLarge
	}
	if end == 0 {
		return 0, NoProblem
	}
	return end, r.understand()
}

// parseLine reads the request line and returns where it ends.
func (r *Request) parseLine(buf []byte, p int, limits Limits) (int, Problem) {
	if p == len(buf) || p+1 == len(buf) && buf[p] == '\r' {
		if p > limits.Head {
			return 0, BadRequestLine
		}
		return 0, NoProblem
	}
	if !token[buf[p]] {
		return 0, BadRequestLine
	}
	i := bytes.IndexByte(buf[p:], '\n')
	if i < 0 {
		if len(buf)-p > limits.Target+maxMethod+len("  HTTP/1.1\r\n") {
			return 0, tooLong(buf[p:])
		}
		return 0, NoProblem
	}
	line, next := buf[p:p+i], p+i+1
	if i < 2 || line[i-1] != '\r' {
		return 0, BadRequestLine
	}
	line = line[:i-1]
	space := bytes.IndexByte(line, ' ')
	if space <= 0 || space > maxMethod || !IsToken(line[:space]) {
		return 0, BadRequestLine
	}
	r.Method = line[:space]
	rest := line[space+1:]
	space = bytes.IndexByte(rest, ' ')
	if space < 0 {
		return 0, BadRequestLine // HTTP/0.9
	}
	r.Target = rest[:space]
	if len(r.Target) > limits.Target {
		return 0, TargetTooLong
	}
	if !isTarget(r.Target) {
		return 0, BadTarget
	}
	var problem Problem
	r.Minor, problem = parseVersion(rest[space+1:])
	return next, problem
}

// tooLong decides whether a line without an end is a long target or not HTTP at all.
func tooLong(line []byte) Problem {
	if space := bytes.IndexByte(line, ' '); space <= 0 || space > maxMethod {
		return BadRequestLine
	}
	return TargetTooLong
}

func isTarget(b []byte) bool {
	for _, c := range b {
		if !targetByte[c] {
			return false
		}
	}
	return len(b) > 0
}

// parseVersion reads "HTTP/1.x" (RFC 9112, 2.3).
func parseVersion(b []byte) (minor int, problem Problem) {
	if len(b) != 8 || string(b[:5]) != "HTTP/" || b[5] < '0' || b[5] > '9' || b[6] != '.' || b[7] < '0' || b[7] > '9' {
		return 0, BadRequestLine
	}
	if b[5] != '1' {
		return 0, BadVersion
	}
	if b[7] == '0' {
		return 0, NoProblem
	}
	return 1, NoProblem
}

// understand reads what the fields say about the message itself.
func (r *Request) understand() Problem {
	r.Host, r.ContentLength, r.Chunked = nil, -1, false
	r.ExpectContinue, r.ExpectUnknown = false, false
	var conn connection
	hosts, coded := 0, false
	for i := range r.Fields.list {
		switch r.Fields.list[i].Known {
		case Host:
			r.Host = r.Fields.Value(i)
			hosts++
		case ContentLength:
			if r.ContentLength >= 0 {
				return LengthConflict
			}
			length, ok := parseLength(r.Fields.Value(i))
			if !ok {
				return BadLength
			}
			r.ContentLength = length
		case TransferEncoding:
			coded = true
		case Connection:
			conn.read(r.Fields.Value(i))
		case Expect:
			if EqualFold(r.Fields.Value(i), []byte("100-continue")) {
				r.ExpectContinue = r.Minor == 1
			} else {
				r.ExpectUnknown = true
			}
		}
	}
	r.Upgrade, r.Nominates = conn.upgrade, conn.nominates
	r.KeepAlive = !conn.close && (r.Minor == 1 || conn.keepAlive)
	switch {
	case hosts > 1:
		return HostRepeated
	case hosts == 1 && len(r.Host) == 0, hosts == 0 && r.Minor == 1:
		return HostMissing
	case coded && r.ContentLength >= 0:
		return LengthConflict
	case coded && r.Minor == 0:
		return BadTransferCoding
	case coded:
		var problem Problem
		r.Chunked, problem = transferCoding(&r.Fields)
		return problem
	}
	return NoProblem
}
