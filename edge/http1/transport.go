package http1

import (
	"github.com/seawall-edge/seawall/internal/sock"
)

// transport is how a connection's bytes go: over a *sock.Conn, or with TLS on
// it. One goroutine may read while another writes. Deadlines, interrupts and
// resets are the *sock.Conn's in either case.
type transport interface {
	ReadIdle(sock.Idler) (int, error)
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	WriteBoth(a, b []byte) (int, error)
	CloseWrite() error
	Close() error
}

var (
	_ transport = (*sock.Conn)(nil)
	_ transport = (*secure)(nil)
)
