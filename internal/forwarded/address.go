package forwarded

import (
	"bytes"
	"net/netip"
)

// parseAddr reads an address without a zone, as netip.ParseAddr does, whose
// argument and error would have to be allocated for each element of a list
// that a stranger may write. A test holds the two together.
func parseAddr(b []byte) (netip.Addr, bool) {
	if bytes.IndexByte(b, ':') < 0 {
		a, ok := parseIPv4(b)
		return netip.AddrFrom4(a), ok
	}
	a, ok := parseIPv6(b)
	return netip.AddrFrom16(a), ok
}

// parseIPv4 reads four decimal numbers without leading zeros (RFC 3986, 3.2.2).
func parseIPv4(b []byte) (a [4]byte, ok bool) {
	for i := range a {
		part, rest, more := cut(b, '.')
		if len(part) == 0 || len(part) > 3 || len(part) > 1 && part[0] == '0' || more != (i < len(a)-1) {
			return a, false
		}
		number := 0
		for _, c := range part {
			if c < '0' || c > '9' {
				return a, false
			}
			number = number*10 + int(c-'0')
		}
		if number > 255 {
			return a, false
		}
		a[i], b = byte(number), rest
	}
	return a, true
}

// parseIPv6 reads groups of one to four hexadecimal digits, of which one "::"
// stands for one or more zeros and the last two may be an IPv4 address
// (RFC 4291, 2.2).
func parseIPv6(b []byte) (a [16]byte, ok bool) {
	n, gap := 0, -1 // bytes read, and where the zeros go
	if bytes.HasPrefix(b, []byte("::")) {
		gap, b = 0, b[2:]
	}
	for len(b) > 0 {
		if n == len(a) {
			return a, false
		}
		group, digits := 0, 0
		for ; digits < len(b) && digits < 5; digits++ {
			value, isHex := hexadecimal(b[digits])
			if !isHex {
				break
			}
			group = group<<4 | value
		}
		if digits < len(b) && b[digits] == '.' {
			last, isIPv4 := parseIPv4(b)
			if !isIPv4 || n > len(a)-len(last) {
				return a, false
			}
			n += copy(a[n:], last[:])
			break
		}
		if digits == 0 || digits > 4 {
			return a, false
		}
		a[n], a[n+1] = byte(group>>8), byte(group)
		n, b = n+2, b[digits:]
		if len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return a, false
		}
		if b = b[1:]; b[0] == ':' {
			if gap >= 0 {
				return a, false
			}
			gap, b = n, b[1:]
		}
	}
	if (gap < 0) != (n == len(a)) {
		return a, false
	}
	if gap >= 0 {
		moved := copy(a[len(a)-(n-gap):], a[gap:n])
		clear(a[gap : len(a)-moved])
	}
	return a, true
}

func hexadecimal(c byte) (value int, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0'), true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10, true
	}
	return 0, false
}
