package story

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// patience is how long a condition may take to come true before a case
// fails; the binary is built with the race detector and shares the machine.
const patience = 5 * time.Second

// origin is a raw TCP server that keeps every byte it was sent and answers
// only with what a script tells it to.
type origin struct {
	listener net.Listener

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever something below changes
	all     []*originConn
}

// originConn is one connection of the edge. Everything is guarded by origin.mu.
type originConn struct {
	origin  *origin
	conn    net.Conn
	number  int
	got     []byte     // every byte, in order
	claimed int        // how many of them belong to requests a script has seen
	ended   bool       // the edge closed it or broke it off
	hungUp  bool       // the script closed it
	tunnel  bool       // bytes are no longer HTTP
	marker  bool       // ours, see barrier
	last    *forwarded // the request claimed last
}

// forwarded is one whole request as two parsers agree on it.
type forwarded struct {
	method, target, version, host string
	fields, trailers              http.Header
	body                          []byte
}

func startOrigin(t *testing.T) *origin {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen as origin: %v", err)
	}
	o := &origin{listener: l, changed: make(chan struct{})}
	go o.accept()
	t.Cleanup(func() { l.Close(); o.closeAll() })
	return o
}

func (o *origin) address() string { return o.listener.Addr().String() }

func (o *origin) accept() {
	for {
		conn, err := o.listener.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		c := &originConn{origin: o, conn: conn, number: len(o.all) + 1}
		o.all = append(o.all, c)
		o.change()
		o.mu.Unlock()
		go c.read()
	}
}

// change wakes everybody who waits; o.mu is held.
func (o *origin) change() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// read takes bytes from the kernel and notes them in one step under the lock,
// so that nobody finds them in neither place.
func (c *originConn) read() {
	raw, err := c.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, 64<<10)
	for ended := false; !ended; {
		err := raw.Read(func(fd uintptr) bool {
			c.origin.mu.Lock()
			defer c.origin.mu.Unlock()
			n, err := syscall.Read(int(fd), buffer)
			if err == syscall.EAGAIN || err == syscall.EINTR {
				return false
			}
			c.got = append(c.got, buffer[:max(n, 0)]...)
			ended = n <= 0
			c.ended = ended
			c.origin.change()
			return true
		})
		if err != nil && !ended { // closed on our side
			ended = true
			c.origin.mu.Lock()
			c.ended = true
			c.origin.change()
			c.origin.mu.Unlock()
		}
	}
}

// wait returns when condition (called with o.mu held) is true or an error,
// and otherwise complains after patience.
func (o *origin) wait(what string, condition func() (bool, error)) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		o.mu.Lock()
		changed := o.changed
		done, err := condition()
		state := ""
		if !done && err == nil {
			state = o.unclaimed()
		}
		o.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-deadline.C:
			return fmt.Errorf("origin: waited in vain for %s%s", what, state)
		}
	}
}

// unclaimed shows what no step has accounted for; o.mu is held.
func (o *origin) unclaimed() string {
	var b strings.Builder
	for _, c := range o.all {
		if rest := c.got[c.claimed:]; len(rest) > 0 {
			fmt.Fprintf(&b, "\n    connection %d (ended: %v) has %s", c.number, c.ended, short(rest))
		}
	}
	return b.String()
}

func short(b []byte) string {
	if len(b) > 600 {
		return fmt.Sprintf("%q... (%d bytes)", b[:600], len(b))
	}
	return fmt.Sprintf("%q", b)
}

// request waits for the next whole request and claims it.
func (o *origin) request() (c *originConn, f *forwarded, err error) {
	err = o.wait("a whole request", func() (bool, error) {
		for _, c = range o.all {
			if c.tunnel || c.claimed == len(c.got) {
				continue
			}
			request, size, err := readOne(c.got[c.claimed:])
			if err != nil {
				return false, fmt.Errorf("the origin cannot read what it got: %w\n    %s", err, short(c.got[c.claimed:]))
			}
			if request != nil {
				c.claimed += size
				c.last, f = request, request
				return true, nil
			}
		}
		return false, nil
	})
	return c, f, err
}

// whole reports whether a request could be claimed; o.mu is held.
func (o *origin) whole() bool {
	for _, c := range o.all {
		if rest := c.got[c.claimed:]; len(rest) > 0 && !c.tunnel {
			request, _, err := readOne(rest)
			return request != nil || err != nil
		}
	}
	return false
}

// head waits for the head of a request and claims nothing.
func (o *origin) head() (c *originConn, f *forwarded, err error) {
	err = o.wait("the head of a request", func() (bool, error) {
		for _, c = range o.all {
			rest := c.got[c.claimed:]
			end := bytes.Index(rest, []byte("\r\n\r\n"))
			if c.tunnel || end < 0 {
				continue
			}
			f, err = strictHead(rest[:end+4])
			return true, err
		}
		return false, nil
	})
	return c, f, err
}

// barrier returns when every connection made before it has been accepted and
// every byte that had come on them has been read.
func (o *origin) barrier() error {
	own, err := net.Dial("tcp", o.address())
	if err != nil {
		return err
	}
	defer own.Close()
	err = o.wait("its own connection", func() (bool, error) {
		for _, c := range o.all {
			if c.conn.RemoteAddr().String() == own.LocalAddr().String() {
				c.marker = true
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return o.wait("its bytes to be read", func() (bool, error) {
		for _, c := range o.all {
			if !c.ended && !c.hungUp && waiting(c.conn) > 0 {
				return false, nil // the reader is awake and will say when it is done
			}
		}
		return true, nil
	})
}

// waiting is the number of bytes the kernel still holds for a connection.
func waiting(conn net.Conn) (n int32) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // a closed one holds nothing
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&n)))
	})
	return n
}

// nothing fails when bytes arrived that no step has seen.
func (o *origin) nothing() error {
	if err := o.barrier(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if state := o.unclaimed(); state != "" {
		return errors.New("the origin got more than the script says:" + state)
	}
	return nil
}

// incomplete waits until no unaccounted part of a request could still be
// taken for, or become, a whole one.
func (o *origin) incomplete() error {
	if err := o.barrier(); err != nil {
		return err
	}
	return o.wait("the edge to break off its connection", func() (bool, error) {
		for _, c := range o.all {
			rest := c.got[c.claimed:]
			if len(rest) == 0 || c.tunnel {
				continue
			}
			request, _, err := readOne(rest)
			if err != nil {
				return false, fmt.Errorf("the origin got something malformed: %w\n    %s", err, short(rest))
			}
			if request != nil {
				return false, fmt.Errorf("the origin took the request for complete: %s", short(rest))
			}
			if !c.ended {
				return false, nil
			}
			c.claimed = len(c.got)
		}
		return true, nil
	})
}

// raw waits until exactly these bytes followed on a connection.
func (o *origin) raw(c *originConn, want string) error {
	return o.wait(fmt.Sprintf("%q", want), func() (bool, error) {
		rest := string(c.got[c.claimed:])
		if !strings.HasPrefix(want, rest) && !strings.HasPrefix(rest, want) {
			return false, fmt.Errorf("the origin got %q, not %q", rest, want)
		}
		if len(rest) < len(want) {
			return false, nil
		}
		c.claimed += len(want)
		return true, nil
	})
}

func (o *origin) closed(c *originConn) error {
	return o.wait("the edge to close its connection", func() (bool, error) { return c.ended, nil })
}

// open counts the connections the edge still has.
func (o *origin) open() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, c := range o.all {
		if !c.ended && !c.hungUp && !c.marker {
			n++
		}
	}
	return n
}

// send writes without waiting for a reader that may never come when the
// answer is larger than the kernel's buffers.
func (c *originConn) send(bytes string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.WriteString(c.conn, bytes) // an edge that is gone is what some scripts want
	}()
	if len(bytes) < 32<<10 {
		<-done
	}
}

func (c *originConn) hangUp(how string) error {
	tcp := c.conn.(*net.TCPConn)
	c.origin.mu.Lock()
	c.hungUp = how != "half-close"
	c.origin.mu.Unlock()
	switch how {
	case "close":
		return tcp.Close()
	case "half-close":
		_ = tcp.CloseWrite() // the edge may have closed first
		return nil
	case "reset":
		return errors.Join(tcp.SetLinger(0), tcp.Close())
	}
	return fmt.Errorf("the origin does not know how to %q", how)
}

func (o *origin) closeAll() {
	o.mu.Lock()
	all := o.all
	for _, c := range all {
		c.hungUp = true
	}
	o.mu.Unlock()
	for _, c := range all {
		c.conn.Close() // waits for a reader, which may want the lock
	}
}

// readOne reads one whole request with net/http and with a stricter parser
// of our own and insists that both saw the same. No request and no error
// means that it is not whole yet.
func readOne(raw []byte) (*forwarded, int, error) {
	source := bytes.NewReader(raw)
	buffered := bufio.NewReader(source)
	r, err := http.ReadRequest(buffered)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, fmt.Errorf("net/http: %w", err)
	}
	body, err := io.ReadAll(r.Body)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, nil
	} else if err != nil {
		return nil, 0, fmt.Errorf("net/http, body: %w", err)
	}
	size := len(raw) - source.Len() - buffered.Buffered()
	f, err := strictRequest(raw[:size])
	if err != nil {
		return nil, 0, fmt.Errorf("strict: %w", err)
	}
	if f.method != r.Method || f.target != r.RequestURI || !strings.EqualFold(f.host, r.Host) || !bytes.Equal(f.body, body) {
		return nil, 0, fmt.Errorf("parsers disagree: %s %s host %q body %s, net/http: %s %s host %q body %s",
			f.method, f.target, f.host, short(f.body), r.Method, r.RequestURI, r.Host, short(body))
	}
	return f, size, nil
}
