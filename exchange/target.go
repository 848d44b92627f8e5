package exchange

import (
	"bytes"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

// SetTarget makes the canonical forms of an origin-form target (RFC 9112,
// 3.2.1), which begins with "/".
//
// Target, which the origin receives and the cache keys, is the target as
// received with two changes that no reader can tell apart (RFC 3986, 6.2.2):
// percent-encoded unreserved characters are decoded and the digits of the
// other encodings are in upper case. Path, which rules match, is decoded
// further: dot segments resolved, doubled slashes joined, "%2F" and "%5C"
// read as the separators that some origins take them for. A target that
// climbs above the root in that reading, or ends a string with "%00" in its
// path, is refused. A query is the application's own: a stray "%" or a "%00"
// in it is passed on as it came.
func (x *Exchange) SetTarget(raw []byte) seawall.Reason {
	if len(raw) == 0 || raw[0] != '/' {
		return seawall.ReasonTarget
	}
	if isPlainTarget(raw) {
		x.Target = raw
		x.Path = raw
		if query := bytes.IndexByte(raw, '?'); query >= 0 {
			x.Path = raw[:query]
		}
		x.Decoded = x.Path
		return seawall.ReasonNone
	}
	var reason seawall.Reason
	if x.targetMemory, reason = appendTarget(x.targetMemory[:0], raw); reason != seawall.ReasonNone {
		return reason
	}
	x.Target = x.targetMemory
	path := x.Target
	if query := bytes.IndexByte(path, '?'); query >= 0 {
		path = path[:query]
	}
	if x.pathMemory, reason = appendPath(x.pathMemory[:0], path); reason != seawall.ReasonNone {
		return reason
	}
	x.Path = x.pathMemory
	x.decodedMemory = appendWhole(x.decodedMemory[:0], path)
	x.Decoded = x.decodedMemory
	return seawall.ReasonNone
}

// Ambiguous reports whether the address can be read in two ways: an origin
// that leaves dot segments, doubled slashes or "%2F" as they are sees another
// path than one that resolves them.
func (x *Exchange) Ambiguous() bool { return !bytes.Equal(x.Decoded, x.Path) }

// appendWhole decodes every escape but that of a slash, which is no separator
// for everybody; the path is one that appendPath has read.
func appendWhole(dst, path []byte) []byte {
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if c = byte(wire.Unhex(path[i+1])<<4 | wire.Unhex(path[i+2])); c == '/' {
				dst, c = append(dst, '%', '2'), 'F'
			}
			i += 2
		}
		dst = append(dst, c)
	}
	return dst
}

// isPlainTarget reports whether a target is its own canonical form: no
// escapes, no backslash, and in its path no doubled slash and no segment
// that begins with a dot.
func isPlainTarget(raw []byte) bool {
	query := false
	previous := byte(0)
	for _, c := range raw {
		switch c {
		case '%':
			return false
		case '?':
			query = true
		case '/', '.', '\\':
			if !query && (previous == '/' || c == '\\') {
				return false
			}
		}
		previous = c
	}
	return true
}

// appendTarget decodes what may be decoded without changing the meaning. A
// query with a stray "%" stays as it is altogether: decoding the characters
// after it could make an escape that was none.
func appendTarget(dst, raw []byte) ([]byte, seawall.Reason) {
	before, query := raw, []byte(nil)
	if i := bytes.IndexByte(raw, '?'); i >= 0 {
		before, query = raw[:i], raw[i:]
	}
	dst, zero, ok := appendDecoded(dst, before)
	switch {
	case !ok:
		return dst, seawall.ReasonTarget
	case zero:
		return dst, seawall.ReasonTargetEnds
	}
	end := len(dst)
	if dst, _, ok = appendDecoded(dst, query); !ok {
		dst = append(dst[:end], query...)
	}
	return dst, seawall.ReasonNone
}

// appendDecoded reports besides whether there was an encoded NUL, and whether
// every "%" began an escape.
func appendDecoded(dst, raw []byte) (out []byte, zero, ok bool) {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '%' {
			dst = append(dst, c)
			continue
		}
		if i+2 >= len(raw) {
			return dst, zero, false
		}
		high, low := wire.Unhex(raw[i+1]), wire.Unhex(raw[i+2])
		if high < 0 || low < 0 {
			return dst, zero, false
		}
		i += 2
		if value := byte(high<<4 | low); isUnreserved(value) {
			dst = append(dst, value)
		} else {
			const digits = "0123456789ABCDEF"
			zero = zero || value == 0
			dst = append(dst, '%', digits[high], digits[low])
		}
	}
	return dst, zero, true
}

// appendPath decodes a path whole and resolves its segments (RFC 3986, 5.2.4).
func appendPath(dst, path []byte) ([]byte, seawall.Reason) {
	start := len(dst)
	dst = append(dst, '/')
	for i := 0; i < len(path); {
		c := path[i]
		i++
		if c == '%' {
			c = byte(wire.Unhex(path[i])<<4 | wire.Unhex(path[i+1]))
			i += 2
		}
		if c != '/' && c != '\\' {
			dst = append(dst, c)
			if i < len(path) {
				continue
			}
		}
		ended := c == '/' || c == '\\'
		segment := dst[bytes.LastIndexByte(dst, '/')+1:]
		switch string(segment) {
		case "":
		case ".":
			dst = dst[:len(dst)-1]
		case "..":
			if len(dst)-start == len("/..") {
				return dst, seawall.ReasonTargetClimbs
			}
			dst = dst[:len(dst)-len("/..")]
			dst = dst[:bytes.LastIndexByte(dst, '/')+1]
		default:
			if ended {
				dst = append(dst, '/')
			}
		}
	}
	return dst, seawall.ReasonNone
}

func isUnreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
