package origin

import (
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"github.com/seawall-edge/seawall/internal/sock"
)

// transport is a connection to an origin, plain or encrypted.
type transport interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	WriteBoth(a, b []byte) (int, error)
	// ReadBefore sets the read deadline, roughly (see sock.Conn).
	ReadBefore(at time.Time, slack time.Duration) error
	// Expire sets the read deadline from another goroutine than the reader's;
	// the reader has called Resume before.
	Expire(at time.Time) error
	Resume() error
	Quiet() bool
	WasReset() bool
	Remote() netip.Addr
	Ended() bool
	CloseWrite() error
	Close() error
	Abort()
}

// plain is a transport without TLS.
type plain struct{ *sock.Conn }

// Ended implements transport: the server has closed or reset the connection.
func (p plain) Ended() bool               { return p.Conn.Ended() || p.Gone() }
func (p plain) CloseWrite() error         { return p.TCP().CloseWrite() }
func (p plain) Expire(at time.Time) error { return p.TCP().SetReadDeadline(at) }

// Remote implements transport.
func (p plain) Remote() netip.Addr { return addressOf(p.TCP().RemoteAddr()) }

func addressOf(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// encrypted is a transport with TLS.
type encrypted struct {
	*tls.Conn
	socket   *sock.Conn // the same connection, to look at it and to abort it
	patience time.Duration
	readBy   time.Time
}

func (e *encrypted) Write(p []byte) (int, error) {
	_ = e.SetWriteDeadline(time.Now().Add(e.patience))
	return e.Conn.Write(p)
}

func (e *encrypted) WriteBoth(a, b []byte) (int, error) {
	n, err := e.Write(a)
	if err != nil || len(b) == 0 {
		return n, err
	}
	m, err := e.Write(b)
	return n + m, err
}

func (e *encrypted) ReadBefore(at time.Time, slack time.Duration) error {
	if d := at.Sub(e.readBy).Abs(); d <= slack {
		return nil
	}
	e.readBy = at
	return e.SetReadDeadline(at)
}

func (e *encrypted) Expire(at time.Time) error { return e.SetReadDeadline(at) }

func (e *encrypted) Resume() error {
	e.readBy = time.Time{}
	return e.SetReadDeadline(time.Time{})
}

// Quiet looks below TLS: an alert or a new ticket counts as unrest, which
// costs at most one connection.
func (e *encrypted) Quiet() bool {
	// What tls.Conn has read ahead is not in the socket any more.
	var one [1]byte
	if e.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	n, err := e.Conn.Read(one[:])
	return n == 0 && sock.ErrTimeout(err) && e.socket.Quiet() && e.Resume() == nil
}

// Remote implements transport.
func (e *encrypted) Remote() netip.Addr { return addressOf(e.RemoteAddr()) }

// Ended implements transport; it looks below TLS.
func (e *encrypted) Ended() bool { return e.socket.Ended() }

// WasReset implements transport.
func (e *encrypted) WasReset() bool { return e.socket.WasReset() }

func (e *encrypted) Abort() { e.socket.Abort() }
