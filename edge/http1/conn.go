package http1

import (
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/wire"
)

// conn is one visitor's connection. While it is idle it holds no buffers.
// Everything but waiting belongs to the goroutine that serves it. There may be
// very many: TestConn_staysSmall knows how large one may be.
type conn struct {
	server *Server
	sock   *sock.Conn
	tls    *secure // on sock; nil: there is none
	client netip.AddrPort

	b        *buffers // nil while idle
	served   bool     // at least one request was read
	counted  bool     // for client's address, in server.addresses
	rested   bool     // settled down, and not asked for anything since
	lastUsed int64    // Unix nanoseconds

	ring      uint16
	atTLS     bool // the door is for TLS
	misplaced bool // a plain request came in at it

	waiting atomic.Uint32 // see await and endWait
}

// buffers is all the memory a request needs. It goes from connection to
// connection through a pool.
type buffers struct {
	in   []byte // received bytes: in[p:n] is not consumed yet
	p, n int
	out  []byte // gathered answers

	request wire.Request
	x       exchange.Exchange
	body    body
	answer  answer
}

const (
	firstRead  = 8 << 10  // a head this long is read in one go
	keepBuffer = 64 << 10 // larger buffers are not given back to the pool
)

func newBuffers() *buffers {
	return &buffers{in: make([]byte, firstRead), out: make([]byte, 0, 4<<10)}
}

// link returns what the connection's bytes go over.
func (c *conn) link() transport {
	if c.tls != nil {
		return c.tls
	}
	return c.sock
}

// Fill implements sock.Idler: it returns room for received bytes.
func (c *conn) Fill() []byte {
	if c.b == nil {
		c.b = c.server.pool.Get().(*buffers)
		c.b.p, c.b.n = 0, 0
	}
	return c.b.in[c.b.n:]
}

// Release implements sock.Idler: it gives the buffers back; nothing unread or unsent is in them.
func (c *conn) Release() {
	if c.b == nil {
		return
	}
	b := c.b
	c.b = nil
	if cap(b.in) > keepBuffer || cap(b.out) > 2*keepBuffer || b.in == nil {
		b.in, b.out = make([]byte, firstRead), nil
	}
	b.out = b.out[:0]
	c.server.pool.Put(b)
}

// Idle connections are served by a goroutine with a fresh, small stack: one
// that has climbed the ladder keeps a stack several times as large. The move
// is made only after settleAfter, so that a busy connection never pays for it.
const settleAfter = time.Second

func (c *conn) start() {
	c.lastUsed = time.Now().UnixNano()
	c.serve(c.server.config.HeadTimeout)
}

func (c *conn) settled() {
	c.rested = true
	c.serve(c.server.config.IdleTimeout)
}

// serve runs the connection until it ends or settles down.
func (c *conn) serve(wait time.Duration) {
	first := true
	for {
		if c.b == nil || c.b.p == c.b.n {
			used := time.Unix(0, c.lastUsed)
			limit, slack := used.Add(wait), time.Duration(0)
			settle := c.server.settle
			settling := c.served && !first && wait > settle
			if settling {
				limit, slack = used.Add(settle), settle/2
			}
			switch c.await(limit, slack) {
			case awaitReady:
			case awaitTimeout:
				if settling && !c.server.graceOver.Load() {
					c.Release()
					c.server.calm.note()
					go c.settled()
					return
				}
				c.end(false)
				return
			default:
				c.end(false)
				return
			}
		}
		first = false
		keep := c.next()
		if !keep {
			return
		}
		wait = c.server.config.IdleTimeout
	}
}

type awaited uint8

const (
	awaitReady awaited = iota
	awaitTimeout
	awaitEnded
)

// States of conn.waiting; only endWait enters the last two.
const (
	busy        = iota
	idle        // waiting for a request's first byte
	idleLong    // the same, since it settled
	interrupted // endWait is about to end the wait
	woken       // endWait has done so
)

// await waits for the first byte of a request. Each byte of this function's
// frame is one that thousands of waiting stacks hold.
func (c *conn) await(until time.Time, slack time.Duration) awaited {
	if c.b != nil {
		c.b.p, c.b.n = 0, 0
	}
	if c.sock.ReadBefore(until, slack) != nil {
		return awaitEnded
	}
	if c.rested {
		c.waiting.Store(idleLong)
	} else {
		c.waiting.Store(idle)
	}
	if c.server.graceOver.Load() {
		c.endIdle() // the drain has already asked everybody
	}
	n, err := c.link().ReadIdle(c)
	c.rested = false
	asked := !c.waiting.CompareAndSwap(idle, busy) && !c.waiting.CompareAndSwap(idleLong, busy) // to give up
	if asked {
		// A request may have come in that moment: it is served, so the
		// interrupt has to be undone.
		for c.waiting.Load() != woken {
			runtime.Gosched()
		}
		c.waiting.Store(busy)
		_ = c.sock.Resume()
	}
	switch {
	case err == nil:
		c.b.n = n
		return awaitReady
	case sock.ErrTimeout(err) && !asked:
		return awaitTimeout
	default:
		return awaitEnded
	}
}

// endIdle ends the connection if it waits for a request.
func (c *conn) endIdle() { _ = c.endWait(idle) || c.endWait(idleLong) }

// endWait ends the connection if it waits in the given state.
func (c *conn) endWait(state uint32) bool {
	if !c.waiting.CompareAndSwap(state, interrupted) {
		return false
	}
	_ = c.sock.Interrupt()
	c.waiting.Store(woken)
	return true
}

// finish completes what the Handler left and says whether the connection goes on.
func (c *conn) finish() bool {
	b := c.b
	whole := b.body.finish()
	switch {
	case b.answer.tunnelled, b.answer.aborted, b.answer.broken:
		c.end(b.answer.reset)
		return false
	case !b.answer.keep || !whole:
		if c.flush() {
			c.linger()
		}
		c.end(false)
		return false
	}
	c.lastUsed = b.x.Event.Time + b.x.Event.Duration
	if b.p == b.n && !c.flush() {
		c.end(false)
		return false
	}
	return true
}

// flush sends the gathered answers.
func (c *conn) flush() bool {
	b := c.b
	if b == nil || len(b.out) == 0 {
		return true
	}
	_, err := c.link().Write(b.out)
	b.out = b.out[:0]
	return err == nil
}

const (
	lingerSilence = 2 * time.Second  // without a byte
	lingerTime    = 30 * time.Second // in all; while draining, lingerSilence
)

// linger ends our side and reads on for a while: closing with unread bytes
// would reset the connection, and could take the answer with it, from a
// visitor that is in the middle of a long upload (RFC 9112, 9.6).
func (c *conn) linger() {
	if c.link().CloseWrite() != nil {
		return
	}
	last := time.Now().Add(lingerTime)
	for {
		now := time.Now()
		if c.server.draining.Load() {
			last = minTime(last, now.Add(lingerSilence))
		}
		if !now.Before(last) {
			return
		}
		_ = c.sock.ReadBefore(minTime(last, now.Add(lingerSilence)), lingerSilence/8)
		if _, err := c.link().Read(c.b.in); err != nil {
			return
		}
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// end closes the connection and forgets it.
func (c *conn) end(reset bool) {
	if reset {
		c.sock.Abort()
	} else {
		_ = c.link().Close()
	}
	c.Release()
	c.server.unregister(c)
}

// turnAway answers a connection that a limit forbids, without waiting for
// its request: the answer fits every empty send buffer.
func (c *conn) turnAway(reason seawall.Reason) {
	c.Fill()
	c.begin(time.Now())
	c.b.request.Reset()
	c.b.answer.keep = false
	c.server.config.Handler.Refuse(&c.b.x, reason)
	if c.atTLS {
		c.sock.Abort() // it could not read the answer
	} else {
		c.flush()
		_ = c.link().CloseWrite()
		_ = c.link().Close()
	}
	c.Release()
}
