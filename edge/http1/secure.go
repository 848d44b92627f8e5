package http1

import (
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
)

// secure is a transport with TLS on it. Waiting, deadlines and resets are
// those of the connection below.
type secure struct {
	sock  *sock.Conn
	tls   *tls.Conn
	info  *exchange.TLS
	pipe  *pipe
	first [1]byte // the reader's

	broken bool // the writer's: a write has failed, and another would only wait again
}

// pipe is the connection as crypto/tls sees it.
type pipe struct {
	net.Conn // for addresses and deadlines
	sock     *sock.Conn
	early    []byte // read before TLS began
	hasty    bool   // Read does not wait
	pass     *pass  // while hands are shaken; nil afterwards
	writing  sync.Mutex
}

func (p *pipe) Read(b []byte) (int, error) {
	switch {
	case len(p.early) > 0:
		n := copy(b, p.early)
		p.early = p.early[n:]
		return n, nil
	case p.hasty:
		return p.sock.Try(b)
	case p.pass != nil:
		return p.pass.read(p.sock, b)
	}
	return p.sock.Read(b)
}

// Write may be called by the reader as well, with an alert: crypto/tls does not
// keep it from the writer in every case.
func (p *pipe) Write(b []byte) (int, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.sock.Write(b)
}

// SetWriteDeadline does nothing: how long a write may take is sock's to know.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// ReadIdle waits for bytes without holding a buffer but one byte: what came
// with the first is there at once.
func (s *secure) ReadIdle(idler sock.Idler) (int, error) {
	idler.Release() // what was lent for the request before
	if n, err := s.tls.Read(s.first[:]); n == 0 {
		return 0, err
	}
	room := idler.Fill()
	room[0] = s.first[0]
	s.pipe.hasty = true
	n, _ := s.tls.Read(room[1:]) // an error that lasts comes again
	s.pipe.hasty = false
	return 1 + n, nil
}

// Read reads into p. crypto/tls looks for an alert behind what it returns; an
// error that it meets there comes again.
func (s *secure) Read(p []byte) (int, error) {
	n, err := s.tls.Read(p)
	if n > 0 {
		return n, nil
	}
	return 0, err
}

func (s *secure) Write(p []byte) (int, error) {
	n, err := s.tls.Write(p)
	s.broken = s.broken || err != nil
	return n, err
}

// WriteBoth writes a and then b.
func (s *secure) WriteBoth(a, b []byte) (int, error) {
	n := 0
	for _, p := range [...][]byte{a, b} {
		if len(p) == 0 {
			continue
		}
		m, err := s.Write(p)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// CloseWrite says that nothing more comes, so that what came is whole (RFC
// 8446, 6.1), and ends our direction.
func (s *secure) CloseWrite() error {
	if err := s.tls.CloseWrite(); err != nil {
		return err
	}
	return s.sock.CloseWrite()
}

// Close says so, too, without waiting for who does not read.
func (s *secure) Close() error {
	if !s.broken {
		s.sock.Patience(farewell)
		_ = s.tls.CloseWrite()
	}
	return s.sock.Close()
}

// farewell is how long the last record may take.
const farewell = time.Second
