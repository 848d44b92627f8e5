package http1

import (
	"bytes"
	"math/rand/v2"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/wire"
)

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
	n, err := c.link().Read(b.in[b.n:])
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
	x.Client, x.Peer, x.Ring = c.client, c.client, int(c.ring)
	x.ForwardedByTrusted, x.Bare = false, false
	x.TLS, x.Misplaced = nil, c.misplaced
	if c.tls != nil {
		x.TLS = c.tls.info
	}
	x.Out = &b.answer
	x.Body, x.Length, x.ExpectContinue = nil, 0, false
	x.Method, x.MethodName, x.Minor = exchange.MethodOther, nil, 1
	x.Host, x.Hostport, x.Target, x.Path = nil, nil, nil, nil
	x.Ask.Instead = false
	x.Fields, x.Upgrade, x.Nominates = &b.request.Fields, false, false
	e := &x.Event
	e.Reset()
	e.Time = now.UnixNano()
	e.ID = seawall.MakeRequestID(now.Unix(), rand.Uint64())
	e.Client = c.client.Addr()
	e.Secure = c.tls != nil
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
	x, r, secure := &c.b.x, &c.b.request, c.tls != nil
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
		authority, target, reason := splitAbsolute(r.Target, secure)
		if reason != seawall.ReasonNone {
			if r.Host != nil {
				_ = x.SetHost(r.Host, secure) // for the page and the log; it is refused anyway
			}
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
		if reason := x.SetHost(r.Host, secure); reason != seawall.ReasonNone {
			return reason
		}
	}
	return x.SetHost(host, secure)
}

var (
	slash   = []byte("/")
	schemes = [2][]byte{[]byte("http://"), []byte("https://")}
)

// splitAbsolute takes an absolute-form target apart (RFC 9112, 3.2.2). An
// empty path becomes "/", or "*" which only OPTIONS may mean (3.2.4).
func splitAbsolute(target []byte, secure bool) (authority, rest []byte, reason seawall.Reason) {
	ours, other := schemes[0], schemes[1]
	if secure {
		ours, other = other, ours
	}
	switch {
	case len(target) > len(ours) && wire.EqualFold(target[:len(ours)], ours):
		target = target[len(ours):]
	case len(target) > len(other) && wire.EqualFold(target[:len(other)], other):
		// To answer for the other scheme would mix the two up (RFC 9110, 7.4).
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
