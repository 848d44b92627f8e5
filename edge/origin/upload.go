package origin

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// pump sends the body from a goroutine of its own, so that an early answer is seen.
func (r *Response) pump(x *exchange.Exchange) {
	_ = r.conn.Resume()
	r.pumped, r.answered = make(chan struct{}), false
	conn, body, length := r.conn, x.Body, x.Length
	body.Take()
	go func() {
		defer close(r.pumped)
		err := send(conn, body, length)
		switch {
		case err == nil:
			r.expire(r.group.origin.FirstByteTimeout.Duration())
		case hasReason(err):
			// The visitor's part is broken or missing: the origin must not
			// take what it got for a whole request.
			r.bodyErr.Store(&err)
			r.cut.Store(true)
			conn.Abort()
		default:
			// The origin takes no more; it may have answered already. What
			// was promised to it is not there, so nothing may follow it.
			r.cut.Store(true)
			r.writeErr.Store(&err)
			r.expire(r.group.origin.IdleTimeout.Duration())
		}
	}()
}

// expire bounds the wait for the answer's head once the body is sent. When
// the head is there already, the deadlines are the reader's.
func (r *Response) expire(after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.answered {
		_ = r.conn.Expire(time.Now().Add(after))
	}
}

// takeDeadlines ends what expire did and will do.
func (r *Response) takeDeadlines() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = true
	_ = r.conn.Resume()
}

func hasReason(err error) bool {
	var reasoned interface{ Reason() seawall.Reason }
	return errors.As(err, &reasoned)
}

// send copies the body to the origin. A chunked body is framed anew.
func send(conn transport, body exchange.Body, length int64) error {
	var frame [24]byte
	left := length
	for first := true; ; first = false {
		data, err := body.Next()
		switch {
		case err == io.EOF && length >= 0:
			return nil
		case err == io.EOF:
			return sendEnd(conn, body.Trailers(), first)
		case err != nil:
			return err
		case length >= 0:
			if _, err = conn.Write(data); err == nil {
				if left -= int64(len(data)); left == 0 {
					return nil
				}
			}
		default:
			head := frame[:0]
			if !first {
				head = append(head, '\r', '\n')
			}
			head = strconv.AppendInt(head, int64(len(data)), 16)
			_, err = conn.WriteBoth(append(head, '\r', '\n'), data)
		}
		if err != nil {
			return err
		}
	}
}

func sendEnd(conn transport, trailers *wire.Fields, first bool) error {
	var end []byte
	if !first {
		end = append(end, '\r', '\n')
	}
	end = append(end, '0', '\r', '\n')
	if trailers != nil {
		for i := range trailers.Len() {
			if trailers.Known(i).InTrailer() {
				end = appendField(end, trailers, i)
			}
		}
	}
	_, err := conn.Write(append(end, '\r', '\n'))
	return err
}

// lastPiece is how long the goroutine that sends the body may take to end
// once the answer is complete.
const lastPiece = 5 * time.Millisecond

// stopBody ends the goroutine that sends the body.
func (r *Response) stopBody(x *exchange.Exchange) {
	if r.pumped == nil {
		return
	}
	// When the origin has answered whole, the last piece of the body is sent or
	// about to be: a sound connection is worth a moment's wait.
	wait := time.Duration(0)
	if r.ended {
		wait = lastPiece
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-r.pumped:
	case <-timer.C:
		r.unfinished = true
		x.Body.Interrupt()
		r.conn.Abort()
		<-r.pumped
	}
	r.pumped = nil
}
