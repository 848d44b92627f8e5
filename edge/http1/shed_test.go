package http1

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/sock"
)

// Below 97 bytes a connection comes from the allocator's class of 96; the
// next one is 112, times ten thousand connections that do nothing.
func TestConn_staysSmall(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); size > 96 {
		t.Errorf("a connection takes %d bytes", size)
	}
}

// waiting counts the connections in a state.
func waiting(s *Server, state uint32) (n int) {
	s.eachConn(func(c *conn) {
		if c.waiting.Load() == state {
			n++
		}
	})
	return n
}

func TestServer_shedsNewConnectionsOnly(t *testing.T) {
	var short atomic.Bool
	address, handler, server := start(t, Config{Connections: 2, Shed: func() seawall.Reason {
		if short.Load() {
			return seawall.ReasonShortage
		}
		return seawall.ReasonNone
	}}, nil)
	old, fromOld := dial(t, address)
	_, _ = io.WriteString(old, get)
	answered(t, fromOld)

	short.Store(true)
	_, from := dial(t, address)
	if response, _ := answered(t, from); response.StatusCode != 503 || !response.Close || seawall.Reason(handler.last.Load()) != seawall.ReasonShortage {
		t.Errorf("a new connection: %d, %s", response.StatusCode, seawall.Reason(handler.last.Load()))
	}
	if open, _ := server.Connections(); open != 1 {
		t.Errorf("%d connections are open", open)
	}
	_, _ = io.WriteString(old, get)
	if response, _ := answered(t, fromOld); response.StatusCode != 200 || response.Close {
		t.Errorf("an old connection: %d, close %v", response.StatusCode, response.Close)
	}

	short.Store(false)
	conn, from := dial(t, address)
	_, _ = io.WriteString(conn, get)
	if response, _ := answered(t, from); response.StatusCode != 200 {
		t.Errorf("afterwards: %d", response.StatusCode)
	}
	// A limit that is reached is the truer reason.
	short.Store(true)
	_, from = dial(t, address)
	if answered(t, from); seawall.Reason(handler.last.Load()) != seawall.ReasonConnections {
		t.Errorf("at the limit: %s", seawall.Reason(handler.last.Load()))
	}
}

func TestServer_dropsTheLongestIdleFirst(t *testing.T) {
	hold, held := make(chan struct{}), make(chan struct{})
	address, handler, server := start(t, Config{}, func(s *Server) {
		s.settle = 10 * time.Millisecond
		s.config.Handler.(*stub).seen = func(x *exchange.Exchange) {
			if string(x.Target) == "/held" {
				close(held)
				<-hold
			}
		}
	})
	// In the middle of a request; silent since it settled; silent since it
	// was opened.
	working, fromWorking := dial(t, address)
	_, _ = io.WriteString(working, "GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
	<-held
	const each = 5
	type end struct {
		conn net.Conn
		from *bufio.Reader
	}
	var old, young []end
	for range each {
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, get)
		answered(t, from)
		old = append(old, end{conn, from})
	}
	for range each {
		conn, from := dial(t, address)
		young = append(young, end{conn, from})
	}
	until(t, "all to be idle", func() bool { return waiting(server, idleLong) == each && waiting(server, idle) == each })

	if n := server.DropIdle(0); n != 0 {
		t.Errorf("%d dropped for nothing", n)
	}
	if n := server.DropIdle(each); n != each {
		t.Errorf("%d dropped, want %d", n, each)
	}
	for _, c := range old {
		if _, err := c.from.ReadByte(); err != io.EOF {
			t.Errorf("an old one: %v", err)
		}
	}
	until(t, "the dropped ones to be forgotten", func() bool { open, _ := server.Connections(); return open == each+1 })
	for _, c := range young {
		_, _ = io.WriteString(c.conn, get)
		if response, _ := answered(t, c.from); response.StatusCode != 200 || response.Close {
			t.Errorf("a young one: %d, close %v", response.StatusCode, response.Close)
		}
	}
	until(t, "the young ones to be idle", func() bool { return waiting(server, idleLong) == each })
	if n := server.DropIdle(1000); n != each {
		t.Errorf("%d dropped of %d", n, each)
	}
	close(hold)
	if response, _ := answered(t, fromWorking); response.StatusCode != 200 || response.Close {
		t.Errorf("the one in a request: %d, close %v", response.StatusCode, response.Close)
	}
	if handler.refused.Load() != 0 {
		t.Errorf("%d dropped connections count as refused requests", handler.refused.Load())
	}
}

func TestConn_isLongIdleOnlyUntilItIsAsked(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	outside, _ := dial(t, listener.Addr().String())
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = accepted.Close() }()
	socket, err := sock.New(accepted.(*net.TCPConn), 0)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{server: New(Config{}), sock: socket, rested: true}
	_, _ = io.WriteString(outside, get)
	if got := c.await(time.Now().Add(10*time.Second), 0); got != awaitReady || c.rested {
		t.Errorf("%d, rested %v", got, c.rested)
	}
}

// Whoever has not settled yet ends as well, instead of settling.
func TestServer_dropsWhatWasJustServed(t *testing.T) {
	address, _, server := start(t, Config{}, func(s *Server) { s.settle = time.Minute })
	conn, from := dial(t, address)
	_, _ = io.WriteString(conn, get)
	answered(t, from)
	until(t, "the connection to be idle", func() bool { return waiting(server, idle) == 1 })
	if n := server.DropIdle(1); n != 1 {
		t.Errorf("%d dropped", n)
	}
	if _, err := from.ReadByte(); err != io.EOF {
		t.Error(err)
	}
	if server.calm.settled.Load() != 0 {
		t.Error("it settled")
	}
}

// A connection that is told to end in the moment in which a request came goes
// on as if nothing had happened. The moment is drawn out here.
func TestServer_dropsNoRequestThatCame(t *testing.T) {
	address, _, server := start(t, Config{}, func(s *Server) { s.settle = time.Minute })
	outside, inside := dialWaiting(t, address, server)
	from := bufio.NewReader(outside)
	for range 3 {
		until(t, "the connection to be idle", func() bool { return waiting(server, idle) == 1 })
		if !inside.waiting.CompareAndSwap(idle, interrupted) {
			t.Fatal("it does not wait")
		}
		_, _ = io.WriteString(outside, get)
		until(t, "the request to be read", func() bool { return unsent(t, outside) == 0 && inside.sock.Quiet() })
		_ = inside.sock.Interrupt()
		inside.waiting.Store(woken)
		if response, body := answered(t, from); body != "hello" || response.Close {
			t.Fatalf("%q, close %v", body, response.Close)
		}
		_, _ = io.WriteString(outside, get)
		if response, body := answered(t, from); body != "hello" || response.Close {
			t.Fatalf("the next request: %q, close %v", body, response.Close)
		}
	}
	if server.calm.settled.Load() != 0 {
		t.Error("the interrupt was left standing: it settled before its time")
	}
}

// unsent returns how many bytes the other side's kernel has not taken yet.
func unsent(t *testing.T, conn net.Conn) (bytes int32) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&bytes)))
	})
	if err != nil || errno != 0 {
		t.Fatal(err, errno)
	}
	return bytes
}

// However drops and requests meet, a visitor gets an answer or an end.
func TestServer_answersOrEndsWhileItDrops(t *testing.T) {
	address, handler, server := start(t, Config{}, func(s *Server) { s.settle = time.Millisecond })
	stop, dropped := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				dropped <- n
				return
			default:
				n += server.DropIdle(1)
			}
		}
	}()
	asked, lost := 0, 0
	for ; asked < 300 || asked < 20000 && (lost == 0 || lost == asked); asked++ {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		from := bufio.NewReader(conn)
		for range 5 {
			_, _ = io.WriteString(conn, get)
			reply := make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
			n, err := io.ReadFull(from, reply)
			if err == nil {
				continue
			}
			lost++
			if n != 0 {
				t.Fatalf("cut in the middle: %q, %v", reply[:n], err)
			}
			if errors.Is(err, syscall.ETIMEDOUT) || isTimeout(err) {
				t.Fatal("neither an answer nor an end")
			}
			break
		}
		_ = conn.Close()
	}
	close(stop)
	if n := <-dropped; n == 0 || lost == 0 || lost == asked {
		t.Errorf("%d told to end, %d of %d ended: nothing was tried", n, lost, asked)
	}
	if handler.refused.Load() != 0 {
		t.Errorf("%d refused", handler.refused.Load())
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestServer_relievesItselfInMeasure(t *testing.T) {
	address, _, server := start(t, Config{}, func(s *Server) { s.settle = 10 * time.Millisecond })
	const all = 120
	for range all {
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, get)
		answered(t, from)
	}
	dial(t, address) // has just come, and may stay
	until(t, "all to be idle", func() bool { return waiting(server, idleLong) == all && waiting(server, idle) == 1 })
	now := time.Now()
	const most = (all+1)/100 + 16
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, most}, {99 * time.Millisecond, 0}, {100 * time.Millisecond, (all+1-most)/100 + 16}, {150 * time.Millisecond, 0}} {
		open, _ := server.Connections()
		if n := server.relieve(now.Add(step.after)); n != step.want {
			t.Errorf("after %v: %d dropped, want %d", step.after, n, step.want)
		}
		until(t, "the dropped ones to be forgotten", func() bool { left, _ := server.Connections(); return left == open-step.want })
	}
}

// full is a listener of a process that has no descriptor left as long as more
// than a number of connections are open.
type full struct {
	net.Listener
	server *Server
	most   int
	failed atomic.Int64
	once   sync.Once
	short  chan struct{}
}

func (f *full) Accept() (net.Conn, error) {
	if open, _ := f.server.Connections(); open >= f.most {
		f.once.Do(func() { close(f.short) })
		f.failed.Add(1)
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

func TestServer_recoversByItselfWhenDescriptorsRunOut(t *testing.T) {
	const most = 30
	listener := &full{most: most, short: make(chan struct{})}
	address, handler, server := startOn(t, Config{}, nil, func(s *Server, l net.Listener) error {
		listener.Listener, listener.server = l, s
		s.mu.Lock() // Drain closes what it finds here
		s.listeners[l] = struct{}{}
		s.mu.Unlock()
		return s.Serve(listener)
	})
	for range most {
		conn, from := dial(t, address)
		_, _ = io.WriteString(conn, get)
		answered(t, from)
	}
	<-listener.short
	conn, from := dial(t, address)
	_, _ = io.WriteString(conn, get)
	if response, _ := answered(t, from); response.StatusCode != 200 {
		t.Errorf("the one too many: %d", response.StatusCode)
	}
	if open, _ := server.Connections(); open >= most || handler.refused.Load() != 0 {
		t.Errorf("%d open, %d refused", open, handler.refused.Load())
	}
}
