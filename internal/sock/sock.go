// Package sock reads and writes a TCP connection with few instructions.
//
// The standard library's Read and Write cost a few hundred nanoseconds each
// beyond the system call; an edge's hit costs a few microseconds in all. Here
// the system calls are made directly on the non-blocking descriptor, inside
// syscall.RawConn's callbacks, so that waiting, deadlines and Close stay the
// runtime's. A Conn also knows how to wait without holding a buffer.
package sock

import (
	"errors"
	"io"
	"net"
	"syscall"
	"time"
	"unsafe"
)

// rawLimit is the largest transfer made without telling the scheduler: a
// longer one could hold the processor for more than some ten microseconds.
const rawLimit = 64 << 10

// minProgress is how many bytes a peer must take before a Write that waits
// for it is given its whole patience again; a reader of single bytes is not
// a slow reader but one that wants to hold the connection.
const minProgress = 4 << 10

// Conn is one TCP connection. One goroutine may read while another writes.
type Conn struct {
	tcp *net.TCPConn
	raw syscall.RawConn

	// Owned by the reader.
	in      []byte
	got     int32
	from    int32 // the writer's: first unsent entry of vector
	readErr error
	idler   Idler // set while ReadIdle waits
	reader  func(fd uintptr) bool
	trier   func(fd uintptr) bool // made when first needed
	readBy  int64                 // Unix nanoseconds the read deadline stands at; 0: none

	// Owned by the writer.
	vector   [2]syscall.Iovec
	writeErr error
	writer   func(fd uintptr) bool
	patience time.Duration // how long one Write may go without progress
	written  int64
	armed    bool // a write deadline stands

	// Owned by whoever calls Quiet or Gone.
	peeked  [1]byte
	peeker  func(fd uintptr) // made when first needed
	peekErr syscall.Errno
	peekLen uintptr
}

// New wraps a connection. A write that makes no progress for as long as
// patience fails with os.ErrDeadlineExceeded; zero waits for ever.
func New(tcp *net.TCPConn, patience time.Duration) (*Conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &Conn{tcp: tcp, raw: raw, patience: patience}
	c.reader, c.writer = c.tryRead, c.tryWrite
	return c, nil
}

// Patience changes how long a write may make no progress. Only the writer may
// call it.
func (c *Conn) Patience(patience time.Duration) { c.patience = patience }

// TCP returns the wrapped connection.
func (c *Conn) TCP() *net.TCPConn { return c.tcp }

// LocalAddr returns our end's address.
func (c *Conn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// Close closes the connection, CloseWrite our direction of it.
func (c *Conn) Close() error      { return c.tcp.Close() }
func (c *Conn) CloseWrite() error { return c.tcp.CloseWrite() }

// Expire sets the read deadline of a reader that does not use ReadBefore; any
// goroutine may.
func (c *Conn) Expire(at time.Time) error { return c.tcp.SetReadDeadline(at) }

// Try is Read without waiting: ErrNothing says that nothing has come yet.
func (c *Conn) Try(p []byte) (int, error) {
	if c.trier == nil {
		c.trier = c.tryOnce
	}
	c.in, c.idler = p, nil
	c.got, c.readErr = 0, nil
	err := c.raw.Read(c.trier)
	c.in = nil
	if err != nil {
		return 0, err
	}
	return int(c.got), c.readErr
}

func (c *Conn) tryOnce(fd uintptr) bool {
	if !c.tryRead(fd) {
		c.readErr = ErrNothing
	}
	return true
}

// ErrNothing is Try's error where Read would wait. It is temporary in the
// sense of net.Error, so that crypto/tls goes on after it.
var ErrNothing error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing has come yet" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// Read reads into p like an io.Reader.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.in, c.idler = p, nil
	n, err := c.read()
	c.in = nil
	return n, err
}

// Idler lends ReadIdle a buffer only while there is something to read.
type Idler interface {
	Fill() []byte // room for bytes that may have come
	Release()     // nothing has come yet; the room is not used while waiting
}

// ReadIdle waits for bytes without holding a buffer.
func (c *Conn) ReadIdle(idler Idler) (int, error) {
	c.in, c.idler = nil, idler
	n, err := c.read()
	c.in, c.idler = nil, nil
	return n, err
}

func (c *Conn) read() (int, error) {
	c.got, c.readErr = 0, nil
	if err := c.raw.Read(c.reader); err != nil {
		return 0, err
	}
	return int(c.got), c.readErr
}

// tryRead makes one read; false asks the runtime to wait for readiness.
func (c *Conn) tryRead(fd uintptr) bool {
	if c.in == nil {
		c.in = c.idler.Fill()
	}
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(c.in))), uintptr(min(len(c.in), rawLimit)))
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			if c.idler != nil {
				c.in = nil
				c.idler.Release()
			}
			return false
		case errno != 0:
			c.readErr = errno
		case n == 0:
			c.readErr = io.EOF
		default:
			c.got = int32(n)
		}
		return true
	}
}

// ReadBefore sets the read deadline, unless it already stands within slack of
// the wanted moment: moving a deadline costs more than a hit should pay.
func (c *Conn) ReadBefore(at time.Time, slack time.Duration) error {
	wanted := at.UnixNano()
	if difference := wanted - c.readBy; difference <= int64(slack) && difference >= -int64(slack) {
		return nil
	}
	c.readBy = wanted
	return c.tcp.SetReadDeadline(at)
}

// Interrupt makes a Read of another goroutine return at once with
// os.ErrDeadlineExceeded, and every later one until ReadBefore is called.
func (c *Conn) Interrupt() error {
	return c.tcp.SetReadDeadline(time.Unix(1, 0))
}

// Resume ends an Interrupt. Only the reader may call it.
func (c *Conn) Resume() error {
	c.readBy = 0
	return c.tcp.SetReadDeadline(time.Time{})
}

// Write writes p whole.
func (c *Conn) Write(p []byte) (int, error) { return c.WriteBoth(p, nil) }

// WriteBoth writes a and then b with as few system calls as the socket allows.
func (c *Conn) WriteBoth(a, b []byte) (int, error) {
	if len(a) == 0 {
		a, b = b, nil
	}
	if len(a) == 0 {
		return 0, nil
	}
	c.vector[1] = syscall.Iovec{Base: unsafe.SliceData(a), Len: uint64(len(a))}
	c.from = 1
	if len(b) > 0 {
		c.vector[0] = c.vector[1]
		c.vector[1] = syscall.Iovec{Base: unsafe.SliceData(b), Len: uint64(len(b))}
		c.from = 0
	}
	before := c.written
	c.writeErr = nil
	err := c.raw.Write(c.writer)
	if c.armed {
		c.armed = false
		_ = c.tcp.SetWriteDeadline(time.Time{})
	}
	if err == nil {
		err = c.writeErr
	}
	c.vector = [2]syscall.Iovec{}
	return int(c.written - before), err
}

// tryWrite sends what it can; false asks the runtime to wait for room.
func (c *Conn) tryWrite(fd uintptr) bool {
	progress := int64(0)
	for int(c.from) < len(c.vector) {
		n, errno := c.send(fd)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			if c.patience > 0 && (progress >= minProgress || !c.armed) {
				c.armed = true
				_ = c.tcp.SetWriteDeadline(time.Now().Add(c.patience))
			}
			return false
		case errno != 0:
			c.writeErr = errno
			return true
		}
		progress += int64(n)
		c.written += int64(n)
		c.advance(uint64(n))
	}
	return true
}

func (c *Conn) send(fd uintptr) (int, syscall.Errno) {
	first := &c.vector[c.from]
	if int(c.from) == len(c.vector)-1 && first.Len <= rawLimit {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(first.Base)), uintptr(first.Len))
		return int(n), errno
	}
	count := uintptr(len(c.vector) - int(c.from))
	if first.Len+c.vector[len(c.vector)-1].Len <= rawLimit {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(first)), count)
		return int(n), errno
	}
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(first)), count)
	return int(n), errno
}

func (c *Conn) advance(sent uint64) {
	for int(c.from) < len(c.vector) {
		v := &c.vector[c.from]
		if sent < v.Len {
			v.Base = (*byte)(unsafe.Add(unsafe.Pointer(v.Base), sent))
			v.Len -= sent
			return
		}
		sent -= v.Len
		c.from++
	}
}

// Quiet reports whether the connection is open with nothing to read: what a
// pooled connection must be before it is used again.
func (c *Conn) Quiet() bool {
	return c.look() == nil && c.peekErr == syscall.EAGAIN
}

func (c *Conn) look() error {
	if c.peeker == nil {
		c.peeker = c.peek
	}
	return c.raw.Control(c.peeker)
}

func (c *Conn) peek(fd uintptr) {
	c.peekLen, _, c.peekErr = syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&c.peeked[0])), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0)
}

// Gone reports whether the peer has reset the connection, or it was closed on
// our side. A peer that only ended its own direction still listens.
func (c *Conn) Gone() bool {
	return c.look() != nil || c.peekErr != 0 && c.peekErr != syscall.EAGAIN
}

// Ended reports whether the peer has ended its direction and nothing it sent
// before is left to read.
func (c *Conn) Ended() bool { return c.look() == nil && c.peekErr == 0 && c.peekLen == 0 }

// EndedBut is Ended where a few bytes may be left, such as the alert with which
// a TLS connection ends.
func (c *Conn) EndedBut(most int) bool {
	var left int32
	var errno syscall.Errno
	err := c.raw.Control(func(fd uintptr) {
		_, _, errno = syscall.RawSyscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&left)))
	})
	state, known := c.state()
	return known && state == closeWait && err == nil && errno == 0 && int(left) <= most
}

// WasReset reports whether the peer has reset the connection, although a read
// says only that it ended: the kernel tells of a reset once, and the writer
// may have been the one to hear it.
func (c *Conn) WasReset() bool {
	state, known := c.state()
	return !known || state == closed
}

// States of a connection in the kernel (include/net/tcp_states.h).
const (
	closed    = 7 // TCP_CLOSE: it was reset
	closeWait = 8 // TCP_CLOSE_WAIT: the peer has ended its side
)

// state returns the kernel's; it is not known of what we have closed.
func (c *Conn) state() (state byte, known bool) {
	var info [1]byte // struct tcp_info begins with the state (tcp(7), TCP_INFO)
	size := uint32(len(info))
	var errno syscall.Errno
	err := c.raw.Control(func(fd uintptr) {
		_, _, errno = syscall.RawSyscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
	})
	return info[0], err == nil && errno == 0
}

// Abort closes the connection with a reset, so that the other side cannot
// take what it got for complete.
func (c *Conn) Abort() {
	_ = c.tcp.SetLinger(0)
	_ = c.tcp.Close()
}

// ErrTimeout reports whether err is a passed deadline.
func ErrTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
