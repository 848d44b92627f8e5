package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/seawall-edge/seawall/exchange"
)

// ServeTLS is ServeProxied for a listener whose visitors speak TLS; the
// Config's TLS says with which certificates. A plain request is answered by a
// Handler that finds Exchange.Misplaced set; what is neither is dropped.
func (s *Server) ServeTLS(listener net.Listener, trusted func(netip.Addr) bool) error {
	return s.accept(listener, door{trusted: trusted, secure: true})
}

// shake is start for a connection that has to begin with a handshake (RFC
// 8446, 2). What that takes of the stack is left behind with this goroutine.
func (c *conn) shake() {
	c.lastUsed = time.Now().UnixNano()
	limit := time.Unix(0, c.lastUsed).Add(c.server.config.HandshakeTimeout)
	_ = c.sock.ReadBefore(limit, 0)
	c.waiting.Store(idle) // so that a drain does not wait for it
	if c.server.graceOver.Load() {
		c.endIdle() // the drain has already asked everybody
	}
	first, err := c.firstBytes()
	switch {
	case err != nil:
	case first[0] == recordHandshake:
		err = c.secure(first, limit)
	case 'A' <= first[0] && first[0] <= 'Z':
		c.misplaced = true
		c.Fill()
		c.b.n = copy(c.b.in, first)
	default:
		err = errNotTLS
	}
	if !c.waiting.CompareAndSwap(idle, busy) {
		for c.waiting.Load() != woken {
			runtime.Gosched()
		}
		err = errEnded
	}
	if err != nil {
		c.server.failed.Add(1)
		c.end(err == errShed || err == errNotTLS) // they get no more of our time
		return
	}
	go c.start()
}

// firstBytes returns what has come: behind a PROXY header, or from the visitor.
func (c *conn) firstBytes() ([]byte, error) {
	if c.b != nil && c.b.p < c.b.n {
		first := bytes.Clone(c.b.in[c.b.p:c.b.n])
		c.b.p, c.b.n = 0, 0
		c.Release()
		return first, nil
	}
	c.Release()
	room := make([]byte, 1024)
	n, err := c.sock.Read(room)
	return room[:n], err
}

// recordHandshake begins the first record of every connection (RFC 8446, 5.1).
const recordHandshake = 22

var (
	errNotTLS = errors.New("neither TLS nor HTTP")
	errEnded  = errors.New("the edge is about to stop")
)

// secure shakes hands; first is what has come.
func (c *conn) secure(first []byte, limit time.Time) error {
	s := c.server
	p := &pass{gate: &s.gate, from: neighbourhood(c.client.Addr()), until: limit}
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	pipe := &pipe{Conn: c.sock.TCP(), sock: c.sock, early: first, pass: p}
	conn := tls.Server(pipe, s.config.TLS)
	c.sock.Patience(s.config.HandshakeTimeout)
	defer c.sock.Patience(s.config.WriteTimeout)
	info := &exchange.TLS{}
	if err := conn.HandshakeContext(exchange.WithTLS(context.Background(), info)); err != nil {
		return err
	}
	pipe.early, pipe.pass = nil, nil
	state := conn.ConnectionState()
	info.ServerName, info.Version, info.Resumed = state.ServerName, state.Version, state.DidResume
	c.tls = &secure{sock: c.sock, tls: conn, info: info, pipe: pipe}
	s.shaken.Add(1)
	return nil
}
