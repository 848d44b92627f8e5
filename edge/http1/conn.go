package http1

import (
	"bytes"
	"math/rand/v2"
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
// Everything but idle belongs to the goroutine that serves it.
type conn struct {
	server *Server
	sock   *sock.Conn
	client netip.AddrPort
	ring   int

	b        *buffers // nil while idle
	served   bool     // at least one request was read
	lastUsed time.Time

	waiting atomic.Uint32 // see endIdle

	// Made once, so that waiting allocates nothing.
	fillFunc    func() []byte
	releaseFunc func()
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

// fill returns room for received bytes.
func (c *conn) fill() []byte {
	if c.b == nil {
		c.b = c.server.pool.Get().(*buffers)
		c.b.p, c.b.n = 0, 0
	}
	return c.b.in[c.b.n:]
}

// release gives the buffers back; nothing unread or unsent is in them.
func (c *conn) release() {
	if c.b == nil {
		return
	}
	b := c.b
	c.b = nil
	if cap(b.in) > keepBuffer || cap(b.out) > 2*keepBuffer {
		b.in, b.out = make([]byte, firstRead), nil
	}
	b.out = b.out[:0]
	c.server.pool.Put(b)
}

// Idle connections are served by a goroutine with a fresh, small stack: one
// that has climbed the ladder keeps a stack several times as large. The move
// is made only after settleAfter, so that a busy connection never pays for it.
const settleAfter = 2 * time.Second

func (c *conn) start() {
	c.lastUsed = time.Now()
	c.serve(c.server.config.HeadTimeout)
}

func (c *conn) settled() { c.serve(c.server.config.IdleTimeout) }

// serve runs the connection until it ends or settles down.
func (c *conn) serve(wait time.Duration) {
	first := true
	for {
		if c.b == nil || c.b.p == c.b.n {
			limit, slack := c.lastUsed.Add(wait), time.Duration(0)
			settle := c.server.settle
			settling := c.served && !first && wait > settle
			if settling {
				limit, slack = c.lastUsed.Add(settle), settle/2
			}
			switch c.await(limit, slack) {
			case awaitReady:
			case awaitTimeout:
				if settling && !c.server.draining.Load() {
					c.release()
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

// States of conn.waiting.
const (
	busy        = iota
	idle        // waiting for a request's first byte
	interrupted // endIdle is about to end the wait
	woken       // endIdle has done so
)

// await waits for the first byte of a request.
func (c *conn) await(until time.Time, slack time.Duration) awaited {
	if c.b != nil {
		c.b.p, c.b.n = 0, 0
	}
	if c.sock.ReadBefore(until, slack) != nil {
		return awaitEnded
	}
	c.waiting.Store(idle)
	n, err := c.sock.ReadIdle(c.fillFunc, c.releaseFunc)
	if !c.waiting.CompareAndSwap(idle, busy) {
		// A request came in the moment in which a drain gave up waiting for
		// one: it is served, so the interrupt has to be undone.
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
	case sock.ErrTimeout(err):
		return awaitTimeout
	default:
		return awaitEnded
	}
}

// endIdle ends the connection if it waits for a request.
func (c *conn) endIdle() {
	if c.waiting.CompareAndSwap(idle, interrupted) {
		_ = c.sock.Interrupt()
		c.waiting.Store(woken)
	}
}

// next reads one request and has it answered. It returns false when the
// connection is over, and has closed it then.
func (c *conn) next() bool {
	b := c.b
	now := time.Now()
	deadline := now.Add(c.server.config.HeadTimeout)
	for {
		n, problem := b.request.Parse(b.in[b.p:b.n], c.server.limits)
		switch {
		case problem != wire.NoProblem:
			c.begin(now)
			c.refuse(reasons[problem])
			return false
		case n > 0:
			c.begin(now)
			return c.one(n)
		}
		if !c.more(deadline, now) {
			return false
		}
		now = time.Now()
	}
}

// more reads further bytes of a head that is not complete.
func (c *conn) more(deadline, began time.Time) bool {
	b := c.b
	if !c.flush() {
		c.end(false)
		return false
	}
	if b.p > 0 {
		copy(b.in, b.in[b.p:b.n])
		b.n -= b.p
		b.p = 0
	}
	if b.n == len(b.in) {
		b.in = append(b.in, make([]byte, len(b.in))...)
	}
	_ = c.sock.ReadBefore(deadline, 0)
	n, err := c.sock.Read(b.in[b.n:])
	b.n += n
	switch {
	case err == nil:
		return true
	case onlyLineEnds(b.in[:b.n]):
		c.end(false)
		return false
	case sock.ErrTimeout(err):
		b.request.Parse(b.in[b.p:b.n], c.server.limits) // its slices are from before the move
		c.begin(began)
		c.refuse(seawall.ReasonHeadTimeout)
	default:
		b.request.Parse(b.in[b.p:b.n], c.server.limits)
		c.begin(began)
		c.refuse(seawall.ReasonVisitorGone)
	}
	return false
}

func onlyLineEnds(b []byte) bool { return len(bytes.Trim(b, "\r\n")) == 0 }

// begin prepares the Exchange for the request that is about to be read.
func (c *conn) begin(now time.Time) {
	b := c.b
	x := &b.x
	x.Client, x.Ring = c.client, c.ring
	x.Out = &b.answer
	x.Body, x.Length, x.ExpectContinue = nil, 0, false
	x.Method, x.MethodName, x.Minor = exchange.MethodOther, nil, 1
	x.Host, x.Hostport, x.Target, x.Path = nil, nil, nil, nil
	x.Fields, x.Upgrade, x.Nominates = &b.request.Fields, false, false
	e := &x.Event
	e.Reset()
	e.Time = now.UnixNano()
	e.ID = seawall.MakeRequestID(now.Unix(), rand.Uint64())
	e.Client = c.client.Addr()
	b.answer.begin(c)
	b.body.reset(c, now)
	c.served = true
}

// one answers the request whose head is b.in[b.p:b.p+n].
func (c *conn) one(n int) bool {
	b, x := c.b, &c.b.x
	r := &b.request
	b.p += n
	x.MethodName, x.Method = r.Method, exchange.ParseMethod(r.Method)
	x.Minor, x.Nominates, x.Upgrade = r.Minor, r.Nominates, r.Upgrade && r.Minor == 1
	x.Event.Protocol = seawall.ProtocolHTTP11
	if r.Minor == 0 {
		x.Event.Protocol = seawall.ProtocolHTTP10
	}
	b.answer.head, b.answer.keep = x.Method == exchange.MethodHead, r.KeepAlive
	if reason := c.understand(); reason != seawall.ReasonNone {
		c.refuse(reason)
		return false
	}
	if r.Chunked || r.ContentLength > 0 {
		b.body.begin(r)
		x.Body, x.Length, x.ExpectContinue = &b.body, r.ContentLength, r.ExpectContinue
	}
	c.server.config.Handler.Serve(x)
	return c.finish()
}

// understand makes host and target of the request (RFC 9112, 3.2 and 3.3).
func (c *conn) understand() seawall.Reason {
	x, r := &c.b.x, &c.b.request
	x.Target = r.Target
	host := r.Host
	switch {
	case x.Method == exchange.MethodConnect:
		return seawall.ReasonMethod
	case r.Target[0] == '/':
	case len(r.Target) == 1 && r.Target[0] == '*':
		if x.Method != exchange.MethodOptions {
			return seawall.ReasonTarget
		}
	default:
		authority, target, reason := splitAbsolute(r.Target)
		if reason != seawall.ReasonNone {
			return reason
		}
		// The target's authority wins over the Host field (RFC 9112, 3.2.2).
		host, x.Target = authority, target
		if len(target) == 1 && target[0] == '*' && x.Method != exchange.MethodOptions {
			x.Target = slash
		}
	}
	if r.ExpectUnknown {
		return seawall.ReasonExpectation
	}
	if host == nil {
		return seawall.ReasonNone
	}
	if r.Host != nil && &host[0] != &r.Host[0] {
		// A malformed Host is refused even where it does not count.
		if reason := x.SetHost(r.Host, false); reason != seawall.ReasonNone {
			return reason
		}
	}
	return x.SetHost(host, false)
}

var slash = []byte("/")

// splitAbsolute takes an absolute-form target apart (RFC 9112, 3.2.2). An
// empty path becomes "/", or "*" which only OPTIONS may mean (3.2.4).
func splitAbsolute(target []byte) (authority, rest []byte, reason seawall.Reason) {
	const plain, secure = "http://", "https://"
	switch {
	case len(target) > len(plain) && wire.EqualFold(target[:len(plain)], []byte(plain)):
		target = target[len(plain):]
	case len(target) > len(secure) && wire.EqualFold(target[:len(secure)], []byte(secure)):
		// This connection is not secure; to answer for the other scheme would
		// mix the two up (RFC 9110, 7.4).
		return nil, nil, seawall.ReasonWrongScheme
	default:
		return nil, nil, seawall.ReasonTarget
	}
	end := bytes.IndexAny(target, "/?")
	switch {
	case end == 0:
		return nil, nil, seawall.ReasonTarget
	case end < 0:
		return target, []byte("*"), seawall.ReasonNone
	case target[end] == '?':
		// "http://host?query": the path is empty and means "/".
		return target[:end], append([]byte("/"), target[end:]...), seawall.ReasonNone
	}
	return target[:end], target[end:], seawall.ReasonNone
}

// refuse has a request refused and ends the connection.
func (c *conn) refuse(reason seawall.Reason) {
	x := &c.b.x
	c.b.answer.keep = false
	x.MethodName, x.Target = c.b.request.Method, c.b.request.Target
	c.server.config.Handler.Refuse(x, reason)
	c.finish()
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
	c.lastUsed = time.Unix(0, b.x.Event.Time+b.x.Event.Duration)
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
	_, err := c.sock.Write(b.out)
	b.out = b.out[:0]
	return err == nil
}

const (
	lingerTime  = 2 * time.Second
	lingerBytes = 256 << 10
)

// linger ends our side and reads on for a moment: closing with unread bytes
// would reset the connection and could take the answer with it (RFC 9112, 9.6).
func (c *conn) linger() {
	if c.sock.TCP().CloseWrite() != nil {
		return
	}
	_ = c.sock.ReadBefore(time.Now().Add(lingerTime), 0)
	for total := 0; total < lingerBytes; {
		n, err := c.sock.Read(c.b.in)
		if err != nil {
			return
		}
		total += n
	}
}

// end closes the connection and forgets it.
func (c *conn) end(reset bool) {
	if reset {
		c.sock.Abort()
	} else {
		_ = c.sock.Close()
	}
	c.release()
	c.server.unregister(c)
}

// turnAway answers a connection that a limit forbids, without waiting for
// its request: the answer fits every empty send buffer.
func (c *conn) turnAway(reason seawall.Reason) {
	c.fill()
	c.begin(time.Now())
	c.b.request.Reset()
	c.b.answer.keep = false
	c.server.config.Handler.Refuse(&c.b.x, reason)
	c.flush()
	_ = c.sock.TCP().CloseWrite()
	_ = c.sock.Close()
	c.release()
}

// reasons translates what the parser found.
var reasons = map[wire.Problem]seawall.Reason{
	wire.BadRequestLine:        seawall.ReasonRequestLine,
	wire.BadTarget:             seawall.ReasonTarget,
	wire.TargetTooLong:         seawall.ReasonTargetTooLong,
	wire.BadVersion:            seawall.ReasonVersion,
	wire.BadField:              seawall.ReasonField,
	wire.FieldsTooLarge:        seawall.ReasonFieldsTooLarge,
	wire.BadLength:             seawall.ReasonLength,
	wire.LengthConflict:        seawall.ReasonLengthConflict,
	wire.BadTransferCoding:     seawall.ReasonTransferCoding,
	wire.UnknownTransferCoding: seawall.ReasonTransferCodingUnknown,
	wire.HostMissing:           seawall.ReasonHostMissing,
	wire.HostRepeated:          seawall.ReasonHostRepeated,
}
