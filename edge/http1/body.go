package http1

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/wire"
)

// minBodyRate is the rate, in bytes a second, below which a body is too slow
// once BodyTimeout has passed: a visitor that sends a byte now and then only
// wants to hold the connection.
const minBodyRate = 240

// bodyBuffers hold what is read beyond the head's own buffer.
var bodyBuffers = sync.Pool{New: func() any { return new([bodyBuffer]byte) }}

const bodyBuffer = 32 << 10

// bodyError is the reason a body could not be read to its end.
type bodyError struct{ reason seawall.Reason }

func (e bodyError) Error() string          { return "read request body: " + e.reason.String() }
func (e bodyError) Reason() seawall.Reason { return e.reason }

// body is the request's body (RFC 9112, 6). It implements exchange.Body and
// may be read by another goroutine than the connection's own, one at a time.
type body struct {
	c         *conn
	started   time.Time
	present   bool  // the request has a body
	remaining int64 // of a body with a length
	coded     bool  // chunked
	chunked   wire.Chunked

	rest []byte // received, not yet looked at
	big  *[bodyBuffer]byte
	over bool // rest is in big
	err  error

	received atomic.Int64
	taken    atomic.Bool // somebody reads, or is about to
	stopped  atomic.Bool // Interrupt was called
	whole    atomic.Bool // read to its end
}

// reset prepares for a request without a body.
func (b *body) reset(c *conn, now time.Time) {
	b.c, b.started, b.present, b.coded, b.remaining = c, now, false, false, 0
	b.rest, b.over, b.err = nil, false, nil
	b.received.Store(0)
	b.taken.Store(false)
	b.stopped.Store(false)
	b.whole.Store(true)
}

// Take implements exchange.Body.
func (b *body) Take() { b.taken.Store(true) }

// begin prepares for the body that r announces.
func (b *body) begin(r *wire.Request) {
	b.present, b.coded, b.remaining = true, r.Chunked, r.ContentLength
	b.chunked.Reset()
	b.rest = b.c.b.in[b.c.b.p:b.c.b.n]
	b.whole.Store(false)
}

// Next implements exchange.Body.
func (b *body) Next() ([]byte, error) {
	b.taken.Store(true)
	for b.err == nil {
		if data := b.decode(); len(data) > 0 {
			b.received.Add(int64(len(data)))
			return data, nil
		}
		if b.err == nil && len(b.rest) == 0 {
			b.read()
		}
	}
	return nil, b.err
}

// decode takes data from rest; it sets err at the end of the body and when it is malformed.
func (b *body) decode() []byte {
	if !b.coded {
		n := int(min(int64(len(b.rest)), b.remaining))
		data := b.rest[:n]
		b.rest = b.rest[n:]
		if b.remaining -= int64(n); b.remaining == 0 {
			b.end() // now and not at the next call: the origin may answer in between
		}
		return data
	}
	// Small chunks are moved together, over the framing between them: each
	// piece costs whoever sends it on a system call.
	var data []byte
	for len(b.rest) > 0 && !b.chunked.Done() {
		piece, used, problem := b.chunked.Next(b.rest)
		b.rest = b.rest[used:]
		if problem != wire.NoProblem {
			b.err = bodyError{seawall.ReasonBody}
			return data
		}
		if data == nil {
			data = piece
		} else {
			data = append(data, piece...)
		}
	}
	if b.chunked.Done() {
		b.end()
	}
	return data
}

func (b *body) end() {
	b.err = io.EOF
	b.whole.Store(true)
}

// read waits for more bytes.
func (b *body) read() {
	if b.big == nil {
		b.big = bodyBuffers.Get().(*[bodyBuffer]byte)
	}
	into := b.big[:]
	if !b.coded && b.remaining < int64(len(into)) {
		into = into[:b.remaining] // what follows is the next request's
	}
	timeout := b.c.server.config.BodyTimeout
	now := time.Now()
	until := now.Add(timeout)
	if slowest := b.started.Add(timeout + time.Duration(b.received.Load()/minBodyRate)*time.Second); slowest.Before(until) {
		until = slowest
	}
	_ = b.c.sock.ReadBefore(until, min(time.Second, timeout/8))
	if b.stopped.Load() { // after the deadline was set: an Interrupt from now on sets it again
		b.err = bodyError{seawall.ReasonBodyTimeout}
		return
	}
	n, err := b.c.link().Read(into)
	b.rest, b.over = into[:n], true
	switch {
	case err == nil:
	case sock.ErrTimeout(err):
		b.err = bodyError{seawall.ReasonBodyTimeout}
	default:
		b.err = bodyError{seawall.ReasonVisitorGone}
	}
}

// Ready implements exchange.Body: forms and small JSON come with their head.
func (b *body) Ready() ([]byte, bool) {
	if b.coded || b.err != nil || int64(len(b.rest)) < b.remaining {
		return nil, false
	}
	b.taken.Store(true)
	data := b.rest[:b.remaining]
	b.rest = b.rest[b.remaining:]
	b.remaining = 0
	b.received.Add(int64(len(data)))
	b.end()
	return data, true
}

// Trailers implements exchange.Body.
func (b *body) Trailers() *wire.Fields {
	if b.coded && b.chunked.Done() && b.chunked.Trailers.Len() > 0 {
		return &b.chunked.Trailers
	}
	return nil
}

// Interrupt implements exchange.Body.
func (b *body) Interrupt() {
	b.stopped.Store(true)
	_ = b.c.sock.Interrupt()
}

// skim reads a body that nobody wanted, as far as it has arrived already, and
// reports whether that was all of it.
func (b *body) skim() bool {
	if !b.present || b.taken.Load() {
		return b.whole.Load()
	}
	for b.err == nil && len(b.rest) > 0 {
		b.received.Add(int64(len(b.decode())))
	}
	if b.err == nil && !b.coded && b.remaining == 0 {
		b.end()
	}
	return b.whole.Load()
}

// finish gives the bytes after the body back to the connection and reports
// whether the body was read to its end. The reader has stopped by now.
func (b *body) finish() bool {
	if b.present && b.whole.Load() {
		buffers := b.c.b
		if b.over {
			// Only a chunked body can be overrun: its end is not known before.
			for len(buffers.in) < len(b.rest) {
				buffers.in = append(buffers.in, make([]byte, len(buffers.in))...)
			}
			buffers.p, buffers.n = 0, copy(buffers.in, b.rest)
		} else {
			buffers.p = buffers.n - len(b.rest)
		}
	}
	if b.big != nil {
		bodyBuffers.Put(b.big)
		b.big = nil
	}
	b.rest = nil
	if b.stopped.Load() {
		_ = b.c.sock.Resume()
	}
	return b.whole.Load()
}
