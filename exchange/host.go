package exchange

import (
	"bytes"
	"net/netip"

	"github.com/seawall-edge/seawall"
)

// maxHost is the longest host that is read: a domain name has at most 253
// bytes (RFC 1035, 2.3.4), and a final dot and a port may follow.
const maxHost = 253 + 1 + 6

// SetHost makes the canonical forms of a Host field or authority (RFC 9110,
// 7.2): Host in lower case without port and final dot, Hostport with the port
// unless it is the scheme's own.
func (x *Exchange) SetHost(raw []byte, secure bool) seawall.Reason {
	if len(raw) == 0 || len(raw) > maxHost {
		return seawall.ReasonHostMalformed
	}
	if cap(x.hostMemory) < maxHost {
		x.hostMemory = make([]byte, 0, maxHost)
	}
	host, port := raw, []byte(nil)
	if raw[0] == '[' {
		end := bytes.IndexByte(raw, ']')
		if end < 0 || !isIPv6(raw[1:end]) {
			return seawall.ReasonHostMalformed
		}
		host, port = raw[:end+1], raw[end+1:]
		if len(port) > 0 && port[0] != ':' {
			return seawall.ReasonHostMalformed
		}
	} else if colon := bytes.IndexByte(raw, ':'); colon >= 0 {
		host, port = raw[:colon], raw[colon:]
	}
	memory := x.hostMemory[:0]
	for _, c := range host {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		memory = append(memory, c)
	}
	if raw[0] != '[' && !isName(memory) {
		return seawall.ReasonHostMalformed
	}
	if n := len(memory); memory[n-1] == '.' {
		memory = memory[:n-1]
	}
	x.Host = memory
	number, ok := parsePort(port)
	if !ok {
		return seawall.ReasonHostMalformed
	}
	usual := 80
	if secure {
		usual = 443
	}
	if number >= 0 && number != usual {
		memory = append(memory, port...)
	}
	x.hostMemory, x.Hostport = memory, memory
	return seawall.ReasonNone
}

// isName reports whether b is a reg-name of bytes that host names and IPv4
// addresses have; percent-encodings and sub-delims (RFC 3986, 3.2.2) name no
// host that could be served. No label is empty but for a final dot.
func isName(b []byte) bool {
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && b[i-1] != '.':
		default:
			return false
		}
	}
	return len(b) > 0
}

// isIPv6 reports whether b is an address without a zone.
func isIPv6(b []byte) bool {
	if len(b) > 45 {
		return false
	}
	address, err := netip.ParseAddr(string(b))
	return err == nil && address.Is6() && address.Zone() == ""
}

// parsePort reads ":" and at most five digits; -1 means that there is none.
func parsePort(b []byte) (int, bool) {
	if len(b) <= 1 {
		return -1, true // "host:" has an empty port (RFC 3986, 3.2.3)
	}
	if len(b) > 6 {
		return 0, false
	}
	number := 0
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		number = number*10 + int(c-'0')
	}
	return number, number > 0 && number <= 65535
}
