package http1

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/wire"
)

const (
	// gatherLimit bounds what is gathered before a write.
	gatherLimit = 64 << 10
	// copyLimit is the largest piece that is copied beside its head instead of
	// being handed to writev: measured, a copy of 16 KiB costs more than the
	// second entry of a vector, and one of 1 KiB less.
	copyLimit = 4 << 10
)

// framing is how the end of an answer's body is told.
type framing uint8

const (
	frameNone    framing = iota // there is no body
	frameLength                 // Content-Length
	frameChunked                // RFC 9112, 7.1
	frameClose                  // the connection's end, for HTTP/1.0
)

// answer implements exchange.Stream.
type answer struct {
	c       *conn
	head    bool // the request was HEAD
	keep    bool // the connection goes on
	begun   bool
	framing framing
	left    int64 // bytes of the body that Content-Length still promises
	sent    int64

	interims  int
	ended     bool
	broken    bool // the visitor cannot be written to
	aborted   bool
	reset     bool
	tunnelled bool
}

func (a *answer) begin(c *conn) { *a = answer{c: c, keep: true} }

// statusLines holds a line for every code; the phrase of one without a name
// is empty, as RFC 9112, 4 allows.
var statusLines [600][]byte

func init() {
	for code := 100; code < len(statusLines); code++ {
		statusLines[code] = []byte("HTTP/1.1 " + strconv.Itoa(code) + " " + http.StatusText(code) + "\r\n")
	}
}

// Interim implements exchange.Stream.
func (a *answer) Interim(status int, fields *wire.Fields) error {
	const most = 16 // an origin cannot keep the visitor waiting with 1xx for ever
	if a.c.b.x.Minor == 0 || a.begun || a.interims == most {
		return nil
	}
	a.interims++
	b := a.c.b
	start := len(b.out)
	b.out = append(b.out, statusLines[status]...)
	if fields != nil {
		b.out = append(b.out, fields.Lines()...)
	}
	b.out = append(b.out, '\r', '\n')
	a.sent += int64(len(b.out) - start)
	return a.Flush()
}

// Begin implements exchange.Stream.
func (a *answer) Begin(answer *exchange.Answer) error {
	b, x := a.c.b, &a.c.b.x
	a.begun = true
	if len(b.out) >= gatherLimit {
		if err := a.Flush(); err != nil {
			return err
		}
	}
	a.choose(answer, x)
	start := len(b.out)
	b.out = append(b.out, statusLines[answer.Status]...)
	if answer.Fields != nil {
		b.out = append(b.out, answer.Fields.Lines()...)
	}
	b.out = append(b.out, answer.More.Lines()...)
	b.out = a.appendFraming(b.out, answer, x)
	a.sent += int64(len(b.out) - start)
	return nil
}

// choose decides how the body is framed and whether the connection goes on.
func (a *answer) choose(answer *exchange.Answer, x *exchange.Exchange) {
	switch {
	case a.head || answer.Status == 204 || answer.Status == 304:
		a.framing = frameNone
	case answer.Length >= 0:
		a.framing, a.left = frameLength, answer.Length
	case x.Minor > 0:
		a.framing = frameChunked
	default:
		a.framing = frameClose
		a.keep = false
	}
	if a.keep && (answer.Close || a.c.server.draining.Load() || !a.c.b.body.skim()) {
		a.keep = false
	}
}

var (
	contentLength    = []byte("Content-Length: ")
	transferEncoding = []byte("Transfer-Encoding: chunked\r\n")
	connectionClose  = []byte("Connection: close\r\n\r\n")
	connectionKeep   = []byte("Connection: keep-alive\r\n\r\n")
)

func (a *answer) appendFraming(out []byte, answer *exchange.Answer, x *exchange.Exchange) []byte {
	switch {
	case a.framing == frameChunked:
		out = append(out, transferEncoding...)
	case a.framing == frameLength, a.head && answer.Length >= 0 && answer.Status != 204 && answer.Status != 304:
		out = append(out, contentLength...)
		out = strconv.AppendInt(out, answer.Length, 10)
		out = append(out, '\r', '\n')
	}
	switch {
	case !a.keep:
		return append(out, connectionClose...)
	case x.Minor == 0:
		return append(out, connectionKeep...)
	}
	return append(out, '\r', '\n')
}

var errTooLong = errors.New("write answer: more bytes than its length")

// Write implements exchange.Stream.
func (a *answer) Write(p []byte) error {
	if len(p) == 0 || a.framing == frameNone {
		return nil
	}
	b := a.c.b
	switch a.framing {
	case frameLength:
		if int64(len(p)) > a.left {
			return errTooLong
		}
		a.left -= int64(len(p))
	case frameChunked:
		start := len(b.out)
		b.out = strconv.AppendInt(b.out, int64(len(p)), 16)
		b.out = append(b.out, '\r', '\n')
		a.sent += int64(len(b.out)-start) + 2
	}
	a.sent += int64(len(p))
	if len(p) <= copyLimit && len(b.out)+len(p) <= gatherLimit {
		b.out = append(b.out, p...)
	} else if err := a.write(p); err != nil {
		return err
	}
	if a.framing == frameChunked {
		b.out = append(b.out, '\r', '\n')
	}
	return nil
}

// write sends what was gathered and then p.
func (a *answer) write(p []byte) error {
	b := a.c.b
	_, err := a.c.link().WriteBoth(b.out, p)
	b.out = b.out[:0]
	if err == nil {
		return nil
	}
	a.broken = true
	if sock.ErrTimeout(err) {
		return visitorError{seawall.ReasonVisitorSlow, err}
	}
	return visitorError{seawall.ReasonVisitorGone, err}
}

// visitorError says why the visitor could not be written to.
type visitorError struct {
	reason seawall.Reason
	cause  error
}

func (e visitorError) Error() string          { return "write to visitor: " + e.cause.Error() }
func (e visitorError) Unwrap() error          { return e.cause }
func (e visitorError) Reason() seawall.Reason { return e.reason }

// Flush implements exchange.Stream.
func (a *answer) Flush() error {
	if a.broken {
		return visitorError{seawall.ReasonVisitorGone, io.ErrClosedPipe}
	}
	if len(a.c.b.out) == 0 {
		return nil
	}
	return a.write(nil)
}

// End implements exchange.Stream.
func (a *answer) End(trailers *wire.Fields) error {
	a.ended = true
	switch {
	case a.framing == frameLength && a.left > 0:
		a.Abort()
		return io.ErrUnexpectedEOF
	case a.framing == frameChunked:
		b := a.c.b
		start := len(b.out)
		b.out = append(b.out, '0', '\r', '\n')
		if trailers != nil {
			b.out = append(b.out, trailers.Lines()...)
		}
		b.out = append(b.out, '\r', '\n')
		a.sent += int64(len(b.out) - start)
	}
	return nil
}

// Abort implements exchange.Stream. With a length or chunks the missing rest
// tells the visitor; where the end of the connection means the end of the
// body, only a reset does.
func (a *answer) Abort() {
	a.aborted, a.ended = true, true
	a.reset = a.framing == frameClose
	if !a.reset {
		_ = a.Flush()
	}
}

// Sent implements exchange.Stream.
func (a *answer) Sent() int64 { return a.sent }

// Gone implements exchange.Stream.
func (a *answer) Gone() bool {
	if a.c.tls != nil {
		return a.c.sock.WasReset() // an alert that nobody has read hides it from Gone
	}
	return a.c.sock.Gone()
}

// Ended implements exchange.Stream.
func (a *answer) Ended() bool {
	if a.c.tls != nil {
		return a.c.sock.EndedBut(longestAlert)
	}
	return a.c.sock.Ended()
}

// longestAlert is more than a record with an alert takes (RFC 8446, 5.2; 31
// bytes with what TLS 1.2 adds), and less than most else.
const longestAlert = 64

// Local implements exchange.Stream.
func (a *answer) Local() netip.AddrPort {
	if local, ok := a.c.sock.LocalAddr().(*net.TCPAddr); ok {
		return local.AddrPort()
	}
	return netip.AddrPort{}
}

// Begun implements exchange.Stream.
func (a *answer) Begun() bool { return a.begun }

// Received implements exchange.Stream.
func (a *answer) Received() int64 { return a.c.b.body.received.Load() }
