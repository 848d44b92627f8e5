// Package ja4 computes the JA4 fingerprint of a TLS client from its hello.
//
// Programs that speak TLS with the same library and settings have the same
// fingerprint, wherever they come from and whatever User-Agent they claim, so
// that it tells a browser from a tool that poses as one. It proves nothing: a
// tool may copy a browser's hello.
//
// This is JA4 for TLS over TCP alone, which FoxIO published under the BSD
// 3-clause licence. The other methods of JA4+ have another licence and must
// not come here.
//
// See https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md.
package ja4

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"slices"
)

// Length is how many bytes every fingerprint has, such as
// "t13d1516h2_8daaf6152771_e5627efa2ab1".
const Length = 36

// usual is up to how many values of a list nothing is allocated. Browsers send
// about twenty; a hello has room for thousands.
const usual = 128

// The extensions that count but are not hashed: the same program sends them or
// not, depending on where it goes.
const (
	serverName = 0x0000 // RFC 6066, 3
	alpn       = 0x0010 // RFC 7301, 3.1
)

// Append appends the fingerprint of the client, Length bytes of ASCII, to dst.
// It only reads the hello. Where dst has room it allocates nothing, except for
// a hello with unusually many values.
//
// All but two of the bytes are lower case letters, digits and "_"; the two
// before the first "_" come from the client's ALPN and may be upper case.
func Append(dst []byte, hello *tls.ClientHelloInfo) []byte {
	var space [2][usual]uint16
	ciphers := appendReal(space[0][:0], hello.CipherSuites)
	extensions := appendReal(space[1][:0], hello.Extensions)
	slices.Sort(ciphers)
	slices.Sort(extensions)

	dst = append(dst, 't')
	dst = append(dst, version(hello.SupportedVersions)...)
	dst = append(dst, destination(extensions))
	dst = appendCount(dst, len(ciphers))
	dst = appendCount(dst, len(extensions))
	dst = appendProtocol(dst, hello.SupportedProtos)

	// At most two lists at once, each value with the byte beside it.
	var textSpace [2 * usual * len("0000,")]byte
	text := appendList(textSpace[:0], ciphers)
	dst = appendHash(append(dst, '_'), text)

	extensions = slices.DeleteFunc(extensions, func(e uint16) bool { return e == serverName || e == alpn })
	text = appendList(text[:0], extensions)
	if len(extensions) > 0 { // else it is zeros, whatever the algorithms
		text = appendAlgorithms(text, hello.SignatureSchemes)
	}
	return appendHash(append(dst, '_'), text)
}

// appendReal appends the values that are not GREASE.
func appendReal(dst, values []uint16) []uint16 {
	for _, v := range values {
		if !grease(v) {
			dst = append(dst, v)
		}
	}
	return dst
}

// grease reports whether the value is one of those that clients throw in at
// random so that servers learn to ignore what they do not know (RFC 8701).
func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// version names the highest version.
func version(versions []uint16) string {
	var highest uint16
	for _, v := range versions {
		if !grease(v) {
			highest = max(highest, v)
		}
	}
	switch highest {
	case tls.VersionTLS13:
		return "13"
	case tls.VersionTLS12:
		return "12"
	case tls.VersionTLS11:
		return "11"
	case tls.VersionTLS10:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

// destination tells whether the client goes to a domain or to an address. The
// extension decides: a name that crypto/tls does not take was sent all the
// same.
func destination(extensions []uint16) byte {
	if slices.Contains(extensions, serverName) {
		return 'd'
	}
	return 'i'
}

// appendCount appends two digits.
func appendCount(dst []byte, n int) []byte {
	n = min(n, 99)
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

// appendProtocol appends the first and the last character of the protocol that
// the client likes best, or of its hexadecimal form where one of the two could
// not be read.
func appendProtocol(dst []byte, protocols []string) []byte {
	if len(protocols) == 0 || protocols[0] == "" {
		return append(dst, "00"...)
	}
	p := protocols[0]
	first, last := p[0], p[len(p)-1]
	if alphanumeric(first) && alphanumeric(last) {
		return append(dst, first, last)
	}
	const digits = "0123456789abcdef"
	return append(dst, digits[first>>4], digits[last&0xf])
}

func alphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

// appendList appends the values with commas between them.
func appendList(dst []byte, values []uint16) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendHex(dst, v)
	}
	return dst
}

// appendAlgorithms appends "_" and the algorithms in the client's order, or
// nothing where there are none. Chrome sends GREASE among them since 152.
func appendAlgorithms(dst []byte, algorithms []tls.SignatureScheme) []byte {
	before := byte('_')
	for _, a := range algorithms {
		if !grease(uint16(a)) {
			dst = appendHex(append(dst, before), uint16(a))
			before = ','
		}
	}
	return dst
}

func appendHex(dst []byte, v uint16) []byte {
	return hex.AppendEncode(dst, []byte{byte(v >> 8), byte(v)})
}

// appendHash appends the first 12 digits of the text's SHA-256, or zeros so
// that a reader sees that there was nothing to hash.
func appendHash(dst, text []byte) []byte {
	if len(text) == 0 {
		return append(dst, "000000000000"...)
	}
	sum := sha256.Sum256(text)
	return hex.AppendEncode(dst, sum[:6])
}
