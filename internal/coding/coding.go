// Package coding is the content codings of HTTP (RFC 9110, 8.4): which of them
// a client takes, which bodies are worth the work, and the work itself.
//
// Whoever answers has three questions, and each has one wrong answer that
// breaks a page for somebody: a coding that the client has refused, bytes held
// back that an event stream is waiting for, a window larger than the client
// will allocate. They are answered here once, without HTTP and without
// storage. This is the one room of github.com/klauspost/compress and
// github.com/andybalholm/brotli.
package coding

// A Coding is one way to encode a body, or none.
type Coding uint8

// The codings, each with the source of its format.
const (
	Identity Coding = iota // the body as it is
	Gzip                   // RFC 1952
	Brotli                 // RFC 7932
	Zstd                   // RFC 8878, with the window of RFC 9659
	count
)

var tokens = [count]string{"identity", "gzip", "br", "zstd"}

// String returns the token of Content-Encoding. That of Identity is never
// sent there (RFC 9110, 8.4).
func (c Coding) String() string {
	if c >= count {
		return "unknown"
	}
	return tokens[c]
}

// Parse reads one token, in any case, without white space around it. "x-gzip"
// is gzip (RFC 9110, 8.4.1.3).
func Parse(token []byte) (Coding, bool) {
	for c, text := range tokens {
		if equalFold(token, text) {
			return Coding(c), true
		}
	}
	if equalFold(token, "x-gzip") {
		return Gzip, true
	}
	return Identity, false
}

// equalFold compares with a text in lower case, by ASCII alone: a token that
// only Unicode takes for another is another.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		if lowered(b[i]) != lower[i] {
			return false
		}
	}
	return true
}

func lowered(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		b += 'a' - 'A'
	}
	return b
}
