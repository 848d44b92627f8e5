// Package exchange is one request and its answer as every protocol, rung and
// origin sees them.
//
// A request is parsed once, at the door; here are offsets into the received
// bytes instead of strings and lists of fields instead of maps, bodies that
// stream, and the verdicts so far. An Exchange is reused for the next request
// of its connection: whoever wants to keep a byte of it copies it.
package exchange

import (
	"net/netip"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Method is a request method the program treats in a way of its own.
type Method uint8

// The methods.
const (
	MethodOther Method = iota
	MethodGet
	MethodHead
	MethodPost
	MethodPut
	MethodDelete
	MethodOptions
	MethodTrace
	MethodConnect
	MethodPatch
)

var methods = [...]string{"", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"}

// ParseMethod recognises a method; methods are case-sensitive (RFC 9110, 9.1).
func ParseMethod(name []byte) Method {
	for m := MethodGet; int(m) < len(methods); m++ {
		if string(name) == methods[m] {
			return m
		}
	}
	return MethodOther
}

// Safe reports whether the method is known to change nothing (RFC 9110, 9.2.1).
func (m Method) Safe() bool {
	return m == MethodGet || m == MethodHead || m == MethodOptions || m == MethodTrace
}

// Idempotent reports whether the method may be sent twice (RFC 9110, 9.2.2).
func (m Method) Idempotent() bool { return m.Safe() || m == MethodPut || m == MethodDelete }

// Exchange is one request and its answer. It belongs to the goroutine that
// serves the request.
type Exchange struct {
	// What the door knows about the visitor.
	Client netip.AddrPort // who asks; a trusted proxy in front may have named it
	Peer   netip.AddrPort // who connected: the visitor, or the last proxy in front
	Ring   int            // which ring of Events this connection uses
	TLS    *TLS           // nil: the connection is not secure

	// Misplaced says that a plain request has come in where TLS is spoken.
	Misplaced bool

	// ForwardedByTrusted says that Peer is a proxy whose word counts.
	ForwardedByTrusted bool
	// Bare asks for the origin's answer as it is: the operator has switched
	// off what the edge would do to it.
	Bare bool

	// The request, as slices of the buffer it was received in.
	Method     Method
	MethodName []byte
	Minor      int // minor version of HTTP/1; 1 for every later protocol
	Fields     *wire.Fields
	Nominates  bool // Connection names fields that must not be passed on
	Upgrade    bool // the visitor offers to upgrade the connection

	// Canonical forms, made once (see Target and Host).
	Host     []byte // lower case, without port; empty when an HTTP/1.0 request named none
	Hostport []byte // Host with a port that is not the scheme's own
	Target   []byte // path and query as sent to the origin and as the cache keys them
	Path     []byte // path for matching: dot segments and doubled slashes resolved, everything decoded
	Decoded  []byte // path decoded but for "%2F", with nothing resolved; another than Path where two readers could disagree

	// The body; nil when there is none. Length is -1 when it is chunked.
	Body           Body
	Length         int64
	ExpectContinue bool // the visitor waits for a 100 before it sends the body

	// Ask is what the origin is asked in place of some of Fields.
	Ask Asking

	// The answer goes out through here.
	Out Stream

	// Event collects the verdicts; the ladder hands it on at the end.
	Event seawall.Event

	// Own is the ladder's memory for this Exchange, kept between requests.
	Own any

	hostMemory, pathMemory, targetMemory, decodedMemory []byte
}

// Body is a stream of bytes that its reader pulls.
type Body interface {
	// Next returns the next bytes, which stay valid until the following call,
	// or io.EOF after the last. Any other error means that the body is
	// incomplete and must not be passed off as whole.
	Next() ([]byte, error)
	// Ready returns the rest of the body without waiting, if all of it is
	// there; the body is then read to its end.
	Ready() (rest []byte, ok bool)
	// Trailers returns the trailer section after io.EOF; nil when there is none.
	Trailers() *wire.Fields
	// Take says that the body is about to be read, perhaps by another
	// goroutine; from here on nobody else reads it.
	Take()
	// Interrupt makes a Next that waits in another goroutine return, and every
	// later one that would have to wait.
	Interrupt()
}

// Answer is the head of an answer.
type Answer struct {
	Status int
	// Fields is a built list without framing or hop-by-hop fields. It is
	// shared and never changed once an answer refers to it.
	Fields *wire.Fields
	// More are fields added for this answer alone.
	More wire.Fields
	// Length is the body's length in bytes; -1 when it is not known.
	Length int64
	// Close asks for the visitor's connection to be closed afterwards.
	Close bool
}

// Stream is how the ladder answers; each protocol has its own.
type Stream interface {
	// Interim sends a 1xx answer now; an HTTP/1.0 visitor gets none.
	Interim(status int, fields *wire.Fields) error
	// Begin sends the head. It may be held back until Write, Flush or End.
	Begin(a *Answer) error
	// Write sends bytes of the body; small ones may be held back.
	Write(p []byte) error
	// Flush sends what was held back, before a wait.
	Flush() error
	// End completes the answer. It fails when fewer bytes than Length came.
	End(trailers *wire.Fields) error
	// Abort cuts the answer so that the visitor cannot take it for complete.
	Abort()
	// Tunnel sends a 101 answer and joins the visitor's connection with peer
	// until both are done. Peer's first bytes may be given in early.
	Tunnel(a *Answer, peer Peer, early []byte) (in, out int64, err error)
	// Sent returns the bytes of head and body sent (or held back) so far.
	Sent() int64
	// Begun reports whether Begin or Tunnel was called.
	Begun() bool
	// Gone reports whether the visitor has cut the connection, so that nobody
	// waits for the answer any more.
	Gone() bool
	// Ended reports whether the visitor has ended its side of the connection.
	// It may still wait for the answer.
	Ended() bool
	// Local returns the address that the visitor connected to.
	Local() netip.AddrPort
	// Received returns how many bytes of the request's body were read.
	Received() int64
}

// Peer is the far side of a tunnel.
type Peer interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	// CloseWrite ends this direction; the other stays open.
	CloseWrite() error
	// Expire sets the read deadline; it may be called from any goroutine.
	Expire(at time.Time) error
	Close() error
}
