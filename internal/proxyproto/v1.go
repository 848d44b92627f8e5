package proxyproto

import "bytes"

// families are what may follow "PROXY " (section 2.1). With UNKNOWN the line
// may end at once or have more that is to be ignored.
var families = []string{"TCP4 ", "TCP6 ", "UNKNOWN ", "UNKNOWN\r"}

// parseV1 reads the line of version 1.
//
// The library waits for the end of the line and lets anything pass in a line
// for UNKNOWN. Here a wrong word is refused when it shows, and so is a byte
// that is not printable ASCII, a lonely CR or LF among them: the line is
// US-ASCII, and neither ends it.
func parseV1(b []byte) (h Header, n int, err error) {
	line := b[:min(len(b), longestV1)]
	if len(line) > len("PROXY ") && !knownFamily(line[len("PROXY "):]) {
		return Header{}, 0, refuse("%+q does not begin with TCP4, TCP6 or UNKNOWN", line[len("PROXY "):min(len(line), 22)])
	}
	end := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' })
	switch {
	case end < 0 && len(line) == longestV1, end == longestV1-1:
		return Header{}, 0, refuse("no CRLF within %d bytes", longestV1)
	case end < 0, line[end] == '\r' && end == len(line)-1:
		return Header{}, 0, nil
	case line[end] != '\r' || line[end+1] != '\n':
		return Header{}, 0, refuse("%+q in the line instead of CRLF", line[end:min(len(line), end+2)])
	}
	n = end + len("\r\n")
	h, err = decode(b[:n])
	if err != nil {
		return Header{}, 0, err
	}
	return h, n, nil
}

// knownFamily reports whether b starts with a family or is a beginning of one.
func knownFamily(b []byte) bool {
	for _, f := range families {
		if begins(f, b) {
			return true
		}
	}
	return false
}
