package http1

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall/exchange"
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
	first := b.in[b.p:b.n]
	b.p = b.n
	_ = c.sock.Resume() // no deadline: a quiet WebSocket is a healthy one
	var inward atomic.Int64
	var half atomic.Bool // one direction has ended
	expireVisitor := c.sock.TCP().SetReadDeadline
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
		if join(peer, c.sock, &inward, expireVisitor, &half) != nil {
			_ = peer.Close()
			return
		}
		_ = peer.CloseWrite()
		half.Store(true)
		_ = peer.Expire(time.Now().Add(halfOpen))
	}()
	var outward atomic.Int64
	if join(c.sock, peer, &outward, peer.Expire, &half) != nil {
		c.sock.Abort()
	} else {
		_ = c.sock.TCP().CloseWrite()
		half.Store(true)
		_ = expireVisitor(time.Now().Add(halfOpen))
	}
	<-done
	a.sent += outward.Load()
	return inward.Load(), a.sent, nil
}

type writer interface{ Write(p []byte) (int, error) }
type reader interface{ Read(p []byte) (int, error) }

// join copies until the source ends; an error means that the target failed
// or the source was cut. Once the tunnel is half open, expire bounds the wait
// for each further piece.
func join(to writer, from reader, count *atomic.Int64, expire func(time.Time) error, half *atomic.Bool) error {
	buffer := bodyBuffers.Get().(*[bodyBuffer]byte)
	defer bodyBuffers.Put(buffer)
	for {
		n, err := from.Read(buffer[:])
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
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
