package forwarded

import (
	"bytes"
	"net/netip"
)

// parseNode reads an address with or without a port, or an identifier that
// stands for one (RFC 7239, 6). Obfuscated names, also of ports, are known to
// Forwarded only; IPv6 addresses without brackets to X-Forwarded-For only,
// where one with a port behind is read as all address, since nobody can tell.
func parseNode(b []byte, kind Kind) (n node, ok bool) {
	if inside, found := bytes.CutPrefix(b, []byte("[")); found {
		text, port, closed := cut(inside, ']')
		n, ok = parseAddr(text)
		return n.Unmap(), closed && ok && n.Is6() && portOrNothing(port, kind)
	}
	if kind == XForwardedFor && bytes.Count(b, []byte(":")) > 1 {
		n, ok = parseAddr(b)
		return n.Unmap(), ok
	}
	name, _, _ := cut(b, ':')
	if !portOrNothing(b[len(name):], kind) {
		return node{}, false
	}
	if bytes.EqualFold(name, []byte("unknown")) || kind == ForwardedField && obfuscated(name) {
		return node{}, true
	}
	v4, ok := parseIPv4(name)
	return netip.AddrFrom4(v4), ok
}

// portOrNothing reports whether b is empty or a colon and a port: one to five
// digits up to 65535, or in Forwarded an obfuscated name (RFC 7239, 6).
func portOrNothing(b []byte, kind Kind) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != ':' {
		return false
	}
	b = b[1:]
	if kind == ForwardedField && obfuscated(b) {
		return true
	}
	if len(b) == 0 || len(b) > 5 {
		return false
	}
	port := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
		port = port*10 + int(c-'0')
	}
	return port <= 65535
}

// obfuscated reports whether b is an underscore and at least one more of
// letters, digits, dot, underscore and hyphen (RFC 7239, 6.3).
func obfuscated(b []byte) bool {
	if len(b) < 2 || b[0] != '_' {
		return false
	}
	for _, c := range b[1:] {
		if !alphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// cut is bytes.Cut for one byte.
func cut(b []byte, separator byte) (before, after []byte, found bool) {
	if i := bytes.IndexByte(b, separator); i >= 0 {
		return b[:i], b[i+1:], true
	}
	return b, nil, false
}

// trim removes optional whitespace: spaces and tabs (RFC 9110, 5.6.3).
func trim(b []byte) []byte { return bytes.Trim(b, " \t") }
