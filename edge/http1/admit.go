package http1

import (
	"net"
	"net/netip"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/sock"
)

// admit starts a connection, or refuses it for a limit.
func (s *Server) admit(tcp *net.TCPConn, at door) {
	number := s.accepted.Add(1)
	socket, err := sock.New(tcp, s.config.WriteTimeout)
	if err != nil {
		_ = tcp.Close()
		return
	}
	c := &conn{server: s, sock: socket, atTLS: at.secure, ring: uint16(number % int64(s.config.Rings))}
	if remote, ok := tcp.RemoteAddr().(*net.TCPAddr); ok {
		remote := remote.AddrPort()
		c.client = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	}
	proxied := at.trusted != nil && at.trusted(c.client.Addr())
	if reason := s.register(c, proxied); reason != seawall.ReasonNone {
		c.turnAway(reason)
		return
	}
	if proxied {
		go c.startProxied()
		return
	}
	c.open()
}

// open begins what visitors do here.
func (c *conn) open() {
	if c.atTLS {
		go c.shake()
		return
	}
	go c.start()
}

// register counts a connection in unless a limit or a shortage forbids it.
// Whose address a proxied one counts for is not known yet.
func (s *Server) register(c *conn, proxied bool) seawall.Reason {
	shed := seawall.ReasonNone
	if s.config.Shed != nil {
		shed = s.config.Shed()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.draining.Load():
		return seawall.ReasonDraining
	case s.config.Connections > 0 && len(s.conns) >= s.config.Connections:
		return seawall.ReasonConnections
	case !proxied && s.crowded(c.client.Addr()):
		return seawall.ReasonConnectionsPerAddress
	case shed != seawall.ReasonNone:
		return shed
	}
	s.conns[c] = struct{}{}
	if !proxied {
		s.count(c)
	}
	return seawall.ReasonNone
}

// crowded reports whether an address has all the connections it may have;
// s.mu is held.
func (s *Server) crowded(address netip.Addr) bool {
	return s.config.ConnectionsPerAddress > 0 && s.addresses[address] >= s.config.ConnectionsPerAddress
}

// count counts a connection for its address; s.mu is held.
func (s *Server) count(c *conn) {
	s.addresses[c.client.Addr()]++
	c.counted = true
}

func (s *Server) unregister(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if c.counted {
		address := c.client.Addr()
		if s.addresses[address]--; s.addresses[address] <= 0 {
			delete(s.addresses, address)
		}
	}
	s.checkEmpty()
}
