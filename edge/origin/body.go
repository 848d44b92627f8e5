package origin

import (
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/wire"
)

// frame decides how the body ends (RFC 9112, 6.3).
func (r *Response) frame(x *exchange.Exchange) {
	status := r.head.Status
	switch {
	case x.Method == exchange.MethodHead, status == 204, status == 304:
		r.framing, r.Answer.Length = noBody, r.head.ContentLength
	case r.head.Chunked:
		r.framing = byChunks
	case r.head.ContentLength >= 0:
		r.framing, r.remaining = byLength, r.head.ContentLength
		r.Answer.Length = r.head.ContentLength
	default:
		r.framing = byClose
	}
}

// Next returns the next bytes of the body, valid until the following call,
// or io.EOF after the last.
func (r *Response) Next() ([]byte, error) {
	for !r.ended {
		if r.framing == noBody || r.framing == byLength && r.remaining == 0 {
			break
		}
		if r.p < r.n {
			data, err := r.decode()
			if err != nil || len(data) > 0 {
				return data, err
			}
			continue
		}
		if err := r.refill(); err != nil {
			return nil, err
		}
	}
	r.ended = true
	return nil, io.EOF
}

// Certain reports whether the end of the body will be told by more than the
// end of an encrypted connection, which anybody on the way could bring about
// (RFC 9112, 8).
func (r *Response) Certain() bool { return r.framing != byClose || !r.server.secure }

func (r *Response) decode() ([]byte, error) {
	switch r.framing {
	case byLength:
		n := int(min(int64(r.n-r.p), r.remaining))
		data := r.in[r.p : r.p+n]
		r.p += n
		r.remaining -= int64(n)
		return data, nil
	case byChunks:
		data, used, problem := r.chunked.Next(r.in[r.p:r.n])
		r.p += used
		if problem != wire.NoProblem {
			return nil, fail(seawall.ReasonOriginMalformed, problem)
		}
		r.ended = r.chunked.Done()
		return data, nil
	default:
		data := r.in[r.p:r.n]
		r.p = r.n
		return data, nil
	}
}

func (r *Response) refill() error {
	// What the visitor's protocol holds back goes out before we wait.
	if err := r.x.Out.Flush(); err != nil {
		return err
	}
	n, err := r.read(r.in, time.Now().Add(r.group.origin.IdleTimeout.Duration()))
	r.p, r.n = 0, n
	switch {
	case err == nil || n > 0:
		return nil
	case err == errVisitorGone:
		return err
	case err == io.EOF && r.framing == byClose && !r.brokenOff():
		r.ended = true
		return nil
	case sock.ErrTimeout(err):
		return r.blame(fail(seawall.ReasonOriginStalled, err))
	}
	return r.blame(fail(seawall.ReasonOriginShort, err))
}

// brokenOff reports whether what looks like the end of the answer is a reset
// that the goroutine which sends the body has heard of: the kernel tells it
// once. A reset after a clean end, as an origin sends it that reads no more,
// reaches the writer as EPIPE and takes nothing back.
func (r *Response) brokenOff() bool {
	if r.pumped == nil || !r.conn.WasReset() {
		return false
	}
	timer := time.NewTimer(10 * lastPiece)
	defer timer.Stop()
	select {
	case <-r.pumped:
		err := r.writeErr.Load()
		return err != nil && !errors.Is(*err, syscall.EPIPE)
	case <-timer.C:
		return true
	}
}

// Trailers returns the trailer section after io.EOF, cleaned of fields that
// may not stand there; nil when there is none.
func (r *Response) Trailers() *wire.Fields {
	if r.framing != byChunks || r.chunked.Trailers.Len() == 0 {
		return nil
	}
	r.trailer.Clear()
	for i := range r.chunked.Trailers.Len() {
		if known := r.chunked.Trailers.Known(i); known.InTrailer() {
			r.trailer.Add(known, r.chunked.Trailers.Name(i), r.chunked.Trailers.Value(i))
		}
	}
	return &r.trailer
}
