package http1

import (
	"net"
	"net/netip"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/proxyproto"
	"github.com/seawall-edge/seawall/internal/sock"
)

// ServeProxied is Serve for a listener behind balancers. A connection whose
// peer is trusted must begin with a PROXY protocol header, version 1 or 2, and
// belongs to the address that the header names, in every respect: limits,
// Events, what the origin hears. A header without addresses (health checks)
// leaves it with the peer's own. Any other peer is an ordinary visitor, whose
// header would be a malformed request. A nil trusted trusts nobody.
//
// The header has HeadTimeout from accept on, the first request as long again.
// A peer that sends nothing is let go without an Event: balancers probe so.
func (s *Server) ServeProxied(listener net.Listener, trusted func(netip.Addr) bool) error {
	return s.accept(listener, door{trusted: trusted})
}

// startProxied is start for a connection that has to begin with a header.
// What reading that takes of the stack is left behind with this goroutine.
func (c *conn) startProxied() {
	c.lastUsed = time.Now().UnixNano()
	if c.introduce() {
		c.open()
	}
}

// introduce reads the header. It returns false when the connection is over,
// and has closed it then.
func (c *conn) introduce() bool {
	limit := time.Unix(0, c.lastUsed).Add(c.server.config.HeadTimeout)
	if c.await(limit, 0) != awaitReady {
		c.end(false)
		return false
	}
	b := c.b
	for {
		header, n, err := proxyproto.Parse(b.in[:b.n])
		switch {
		case err != nil:
			c.server.config.Logger.Debug("PROXY header refused", "peer", c.client, "error", err)
			return c.dismiss(seawall.ReasonProxyHeader)
		case n > 0:
			b.p = n
			return c.named(header)
		}
		// There is room: a header ends within proxyproto.Longest bytes.
		_ = c.sock.ReadBefore(limit, 0)
		read, err := c.link().Read(b.in[b.n:])
		b.n += read
		switch {
		case err == nil:
		case sock.ErrTimeout(err):
			return c.dismiss(seawall.ReasonProxyHeader)
		default:
			return c.dismiss(seawall.ReasonVisitorGone)
		}
	}
}

// The first read has room for every header.
var _ [firstRead - proxyproto.Longest]struct{}

// named makes the connection that of the header's source and counts it there.
func (c *conn) named(header proxyproto.Header) bool {
	if !header.Local {
		c.client = header.Source
	}
	s := c.server
	s.mu.Lock()
	crowded := s.crowded(c.client.Addr())
	if !crowded {
		s.count(c)
	}
	s.mu.Unlock()
	if crowded {
		return c.dismiss(seawall.ReasonConnectionsPerAddress)
	}
	return true
}

// dismiss refuses a connection before its first request; it returns false.
func (c *conn) dismiss(reason seawall.Reason) bool {
	c.begin(time.Now())
	c.b.request.Reset()
	if c.atTLS {
		c.b.answer.keep = false
		c.server.config.Handler.Refuse(&c.b.x, reason)
		c.end(true) // it could not read the answer
		return false
	}
	c.refuse(reason)
	return false
}
