package http1

import (
	"bytes"
	"io"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
)

// halfOpen is how long one direction of a tunnel may be silent after the other
// has ended. Whoever closed its side wholly looks just like one that still
// listens, and would hold both connections for ever.
const halfOpen = 2 * time.Minute

// Tunnel implements exchange.Stream (RFC 9110, 7.8). Each direction ends by
// itself; the connections are closed when both have, or when one fails.
func (a *answer) Tunnel(answer *exchange.Answer, peer exchange.Peer, early []byte) (in, out int64, err error) {
	c, b := a.c, a.c.b
	a.begun, a.tunnelled, a.keep = true, true, false
	defer func() { _ = peer.Close() }()
	b.out = append(b.out, statusLines[answer.Status]...)
	b.out = append(b.out, answer.Fields.Lines()...)
	b.out = append(b.out, answer.More.Lines()...)
	b.out = append(b.out, '\r', '\n')
	a.sent += int64(len(b.out) + len(early))
	if err := a.write(early); err != nil {
		return 0, 0, err
	}
	// A quiet tunnel holds as little as can be: these are made anew, or were
	// borrowed, when there is something to pass on.
	first := bytes.Clone(b.in[b.p:b.n])
	b.in, b.out, b.p, b.n = nil, nil, 0, 0
	c.server.calm.note()
	_ = c.sock.Resume() // no deadline: a quiet WebSocket is a healthy one
	var inward atomic.Int64
	var half atomic.Bool // one direction has ended
	expireVisitor := c.sock.Expire
	done := make(chan struct{})
	go func() {
		defer close(done)
		if len(first) > 0 {
			if _, err := peer.Write(first); err != nil {
				_ = peer.Close()
				return
			}
			inward.Add(int64(len(first)))
		}
		if join(peer, c.link(), &inward, expireVisitor, &half) != nil {
			_ = peer.Close()
			return
		}
		_ = peer.CloseWrite()
		half.Store(true)
		_ = peer.Expire(time.Now().Add(halfOpen))
	}()
	var outward atomic.Int64
	if join(c.link(), peer, &outward, peer.Expire, &half) != nil {
		c.sock.Abort()
	} else {
		_ = c.link().CloseWrite()
		half.Store(true)
		_ = expireVisitor(time.Now().Add(halfOpen))
	}
	<-done
	a.sent += outward.Load()
	return inward.Load(), a.sent, nil
}

type writer interface{ Write(p []byte) (int, error) }
type reader interface{ Read(p []byte) (int, error) }

// idleReader is a reader that needs no buffer while there is nothing to read.
type idleReader interface {
	ReadIdle(sock.Idler) (int, error)
}

// loan is a buffer while it is needed. It implements sock.Idler.
type loan struct{ buffer *[bodyBuffer]byte }

func (l *loan) Fill() []byte {
	if l.buffer == nil {
		l.buffer = bodyBuffers.Get().(*[bodyBuffer]byte)
	}
	return l.buffer[:]
}

func (l *loan) Release() {
	if l.buffer != nil {
		bodyBuffers.Put(l.buffer)
		l.buffer = nil
	}
}

// join copies until the source ends; an error means that the target failed
// or the source was cut. Once the tunnel is half open, expire bounds the wait
// for each further piece.
func join(to writer, from reader, count *atomic.Int64, expire func(time.Time) error, half *atomic.Bool) error {
	var l loan
	defer l.Release()
	idle, ok := from.(idleReader)
	for {
		var n int
		var err error
		if ok {
			n, err = idle.ReadIdle(&l)
		} else {
			n, err = from.Read(l.Fill())
		}
		if n > 0 {
			if _, err := to.Write(l.buffer[:n]); err != nil {
				return err
			}
			count.Add(int64(n))
		}
		if half.Load() {
			_ = expire(time.Now().Add(halfOpen))
		}
		if err != nil {
			return endOf(err)
		}
	}
}

// endOf turns the clean end of a stream into nil.
func endOf(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
