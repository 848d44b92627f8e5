package hostile_test

import (
	"bufio"
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

	"github.com/seawall-edge/seawall/internal/program"
)

// origin is the server behind one row's zone. It answers what is asked for
// under /good/ as it should, with a token nobody else has, and plays the row
// for the rest as long as it is hostile.
type origin struct {
	listener net.Listener
	greeting string                        // said to every connection before it is asked, while hostile
	script   func(l *link, body io.Reader) // nil: it answers well

	mu      sync.Mutex // guards what follows and the fields of links
	changed chan struct{}
	hostile bool
	seen    chan struct{} // closed when the visitor sees a final answer begin
	links   []*link
}

// link is one connection that the edge has opened, from its origin's side.
type link struct {
	origin *origin
	conn   *net.TCPConn

	greeted bool
	asked   []string // targets, in order
	played  int      // how many of them when the row was last played over it; 0: never
	said    int      // bytes of the row's answer
	broken  bool     // the edge takes no more
	ended   bool     // the edge has closed it or broken it off, or we have
	faults  []string // what the edge may not have done
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen as origin: %v", err)
	}
	o := &origin{listener: l, changed: make(chan struct{}), seen: make(chan struct{})}
	t.Cleanup(o.close)
	go o.accept()
	return o
}

func (o *origin) close() {
	_ = o.listener.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range o.links {
		_ = l.conn.Close()
	}
}

func (o *origin) accept() {
	for {
		conn, err := o.listener.Accept()
		if err != nil {
			return
		}
		l := &link{origin: o, conn: conn.(*net.TCPConn)}
		o.note(func() {
			o.links = append(o.links, l)
			l.greeted = o.hostile && o.greeting != ""
		})
		go l.serve()
	}
}

// note changes what o.mu guards and wakes everybody who waits.
func (o *origin) note(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
	close(o.changed)
	o.changed = make(chan struct{})
}

// await waits until a condition holds, which is called under the lock.
func (o *origin) await(what string, holds func() bool) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		o.mu.Lock()
		ok, changed := holds(), o.changed
		o.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return fmt.Errorf("waited in vain for %s", what)
		}
	}
}

// turn makes the origin hostile or good.
func (o *origin) turn(hostile bool) {
	o.note(func() {
		o.hostile = hostile
		o.seen = make(chan struct{})
	})
}

// serve reads requests until the edge closes the connection.
func (l *link) serve() {
	if l.greeted {
		l.say(l.origin.greeting)
	}
	reader := bufio.NewReader(l.conn)
	for l.next(reader) {
	}
	l.origin.note(func() { l.ended = true })
}

// next serves one request and reports whether another may come.
func (l *link) next(reader *bufio.Reader) bool {
	request, err := http.ReadRequest(reader)
	if err != nil {
		if err != io.EOF && strings.Contains(err.Error(), "malformed") {
			l.fault("sent what is no request: %v", err)
		}
		return false
	}
	o := l.origin
	play := false
	o.note(func() {
		l.asked = append(l.asked, request.RequestURI)
		play = o.hostile && o.script != nil && strings.HasPrefix(request.RequestURI, "/case/")
	})
	if play {
		o.script(l, request.Body)
		l.delivered()
		o.note(func() { l.played = len(l.asked) })
		_, err := io.Copy(io.Discard, request.Body) // what the row left of it
		return err == nil
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return false
	}
	token := goodBody(request.Method, request.RequestURI, string(body))
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nToken: %s\r\nContent-Length: %d\r\n\r\n%s", request.RequestURI, len(token), token)
	if request.RequestURI == farewell {
		answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	}
	_, err = io.WriteString(l.conn, answer)
	return err == nil
}

// farewell is a target whose answer ends the connection.
const farewell = "/good/bye"

// goodBody is what the origin answers well: it has no other request's.
func goodBody(method, target, body string) string {
	return fmt.Sprintf("good: %s %s\n%sthe end of %s\n", method, target, body, target)
}

// pause stands in what an origin says where it waits until the visitor sees
// the answer begin.
const pause = "\uE000"

// say sends text and reports whether the edge may take more.
func (l *link) say(text string) bool {
	for i, piece := range strings.Split(text, pause) {
		if i > 0 {
			l.pause()
		}
		n, err := io.WriteString(l.conn, piece)
		l.origin.note(func() {
			l.said += n
			l.broken = l.broken || err != nil
		})
		if err != nil {
			return false
		}
	}
	return true
}

func (l *link) pause() {
	o := l.origin
	o.mu.Lock()
	seen := o.seen
	o.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-seen:
	case <-timer.C:
		l.fault("has not begun to pass on an answer that has begun")
	}
}

func (l *link) fault(format string, args ...any) {
	l.origin.note(func() { l.faults = append(l.faults, fmt.Sprintf(format, args...)) })
}

// endless says something again and again until the edge has enough of it.
func (l *link) endless(text string) {
	const enough = 16 << 20
	for said := 0; l.say(text); said += len(text) {
		if said > enough {
			l.fault("took %d bytes that should be too much", said)
			l.reset()
			return
		}
	}
}

// ending is what an origin does with its connection when it has spoken.
type ending int

const (
	stay  ending = iota // goes on reading
	shut                // ends its own direction, as close does, and goes on reading to see the other end
	leave               // closes both
	reset               // breaks it off
)

func (l *link) end(e ending) {
	switch e {
	case shut:
		_ = l.conn.CloseWrite() // the edge may have been quicker
	case leave:
		l.delivered()
		_ = l.conn.Close()
	case reset:
		l.reset()
	}
}

func (l *link) reset() {
	_ = l.conn.SetLinger(0)
	_ = l.conn.Close()
}

// States of a connection in the kernel (include/net/tcp_states.h).
const (
	established = 1
	gone        = 7
)

// kernel returns what the kernel knows: how many bytes, the end counted as
// one, have not arrived at the other side, and the connection's state.
func (l *link) kernel() (left int32, state int) {
	state = gone
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return 0, gone
	}
	_ = raw.Control(func(fd uintptr) { // it fails for what we have closed
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&left)))
		number, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
		if errno == 0 && err == nil {
			state = number & 0xff
		}
	})
	return left, state
}

// delivered waits until the edge's kernel has everything that was sent, the
// end included. A connection that is gone has nothing on its way.
func (l *link) delivered() {
	err := eventually("what was sent to arrive", func() error {
		if left, state := l.kernel(); left > 0 && state != gone {
			return fmt.Errorf("%d bytes are on their way", left)
		}
		return nil
	})
	if err != nil {
		l.fault("%v", err)
	}
}

// waiting waits until something has come that nobody has read.
func (l *link) waiting() {
	raw, err := l.conn.SyscallConn()
	if err != nil {
		return
	}
	err = eventually("the edge to send on", func() error {
		unread := int32(0)
		err := raw.Control(func(fd uintptr) {
			_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&unread)))
		})
		if err == nil && unread == 0 {
			return errors.New("nothing has come")
		}
		return nil
	})
	if err != nil {
		l.fault("%v", err)
	}
}

// hold reads nothing until the edge has closed the connection.
func (l *link) hold() {
	err := eventually("the edge to close a connection that takes nothing", func() error {
		if _, state := l.kernel(); state == established {
			return fmt.Errorf("it is open")
		}
		return nil
	})
	if err != nil {
		l.fault("%v", err)
	}
}

// eventually waits for what the condition says that is missing.
func eventually(what string, condition func() error) error {
	if err := program.Eventually(patience, nil, condition); err != nil {
		return fmt.Errorf("waited in vain for %s: %w", what, err)
	}
	return nil
}
