package sock

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// lender is an Idler made of functions.
type lender struct {
	fill    func() []byte
	release func()
}

func (l *lender) Fill() []byte { return l.fill() }
func (l *lender) Release()     { l.release() }

// pair returns the two ends of a loopback connection, the first wrapped.
func pair(t *testing.T, patience time.Duration) (*Conn, *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	far, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := New(near.(*net.TCPConn), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = far.Close(), conn.Close() })
	return conn, far.(*net.TCPConn)
}

func TestConn_readsAndWritesWhatASocketDoes(t *testing.T) {
	near, far := pair(t, time.Minute)
	if _, err := far.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 3)
	if n, err := near.Read(buffer); n != 3 || err != nil || string(buffer) != "hel" {
		t.Fatalf("%q, %v", buffer[:n], err)
	}
	if n, err := near.Read(buffer); n != 2 || err != nil || string(buffer[:n]) != "lo" {
		t.Fatalf("%q, %v", buffer[:n], err)
	}
	if n, err := near.Read(nil); n != 0 || err != nil {
		t.Errorf("no room: %d, %v", n, err)
	}
	// More than any socket buffer holds, so that the writer has to wait.
	head, body := bytes.Repeat([]byte("h"), 1000), bytes.Repeat([]byte("b"), 16<<20)
	received := make(chan []byte, 1)
	go func() {
		all, _ := io.ReadAll(far)
		received <- all
	}()
	for _, parts := range [][2][]byte{{head, body}, {nil, head}, {head, nil}, {nil, nil}} {
		if n, err := near.WriteBoth(parts[0], parts[1]); n != len(parts[0])+len(parts[1]) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	_ = near.TCP().CloseWrite()
	if want := append(append(bytes.Clone(head), body...), bytes.Repeat(head, 2)...); !bytes.Equal(<-received, want) {
		t.Error("other bytes arrived")
	}
	_ = far.CloseWrite()
	if n, err := near.Read(buffer); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

func TestConn_waitsWithoutABuffer(t *testing.T) {
	near, far := pair(t, 0)
	buffer := make([]byte, 16)
	filled, released := 0, make(chan struct{}, 8)
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := near.ReadIdle(&lender{func() []byte { filled++; return buffer }, func() { released <- struct{}{} }})
		done <- result{n, err}
	}()
	<-released // it waits now
	if _, err := far.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.n != 1 || r.err != nil || buffer[0] != 'x' || filled < 2 {
		t.Errorf("%+v, %q, %d buffers", r, buffer[:1], filled)
	}
}

func TestConn_givesUpOnAPeerThatTakesNothing(t *testing.T) {
	near, _ := pair(t, 50*time.Millisecond)
	_, err := near.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || !ErrTimeout(err) {
		t.Fatalf("writing to nobody: %v", err)
	}
}

func TestConn_isInterruptedAndResumed(t *testing.T) {
	near, far := pair(t, 0)
	waiting, done := make(chan struct{}), make(chan error, 1)
	go func() {
		buffer := make([]byte, 1)
		_, err := near.ReadIdle(&lender{func() []byte { return buffer }, func() { close(waiting) }})
		done <- err
	}()
	<-waiting
	if err := near.Interrupt(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !ErrTimeout(err) {
		t.Fatalf("interrupted: %v", err)
	}
	if err := near.Resume(); err != nil {
		t.Fatal(err)
	}
	_, _ = far.Write([]byte("x"))
	if n, err := near.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("resumed: %d, %v", n, err)
	}
}

func TestConn_movesItsDeadlineOnlyWhenItMatters(t *testing.T) {
	near, _ := pair(t, 0)
	at := time.Now().Add(time.Hour)
	if err := near.ReadBefore(at, time.Second); err != nil {
		t.Fatal(err)
	}
	stands := near.readBy
	_ = near.ReadBefore(at.Add(900*time.Millisecond), time.Second)
	if near.readBy != stands {
		t.Error("a deadline within the slack was moved")
	}
	_ = near.ReadBefore(at.Add(2*time.Second), time.Second)
	if near.readBy == stands {
		t.Error("a deadline beyond the slack was not moved")
	}
	_ = near.ReadBefore(time.Now().Add(-time.Second), time.Second)
	if _, err := near.Read(make([]byte, 1)); !ErrTimeout(err) {
		t.Errorf("after the deadline: %v", err)
	}
}

func TestConn_isQuietOnlyWhenOpenWithNothingToRead(t *testing.T) {
	near, far := pair(t, 0)
	if !near.Quiet() {
		t.Error("an idle connection is not quiet")
	}
	// A byte that nobody asked for. It is on its way for a moment, so wait for
	// it the way a reader does, without taking it.
	_, _ = far.Write([]byte("xy"))
	if _, err := near.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if near.Quiet() {
		t.Error("a connection with unread bytes is quiet")
	}
	other, gone := pair(t, 0)
	_ = gone.Close()
	if _, err := other.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if other.Quiet() {
		t.Error("a closed connection is quiet")
	}
}

func TestConn_tellsAResetFromAnEnd(t *testing.T) {
	near, far := pair(t, 0)
	if near.Gone() {
		t.Error("an open connection is gone")
	}
	_ = far.CloseWrite()
	if _, err := near.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if near.Gone() {
		t.Error("a peer that still listens is gone")
	}
	other, gone := pair(t, 0)
	_ = gone.SetLinger(0)
	_ = gone.Close()
	for deadline := time.Now().Add(10 * time.Second); !other.Gone(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("a reset is not seen")
		}
	}
	third, _ := pair(t, 0)
	_ = third.Close()
	if !third.Gone() {
		t.Error("a connection closed by ourselves is not gone")
	}
}

func TestConn_abortsWithAReset(t *testing.T) {
	near, far := pair(t, 0)
	near.Abort()
	if _, err := far.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the peer saw a clean end: %v", err)
	}
}

func TestConn_allocatesNothing(t *testing.T) {
	near, far := pair(t, time.Minute)
	message, buffer := []byte("ping"), make([]byte, 16)
	idler := &lender{func() []byte { return buffer }, func() {}}
	once := func() {
		_, _ = far.Write(message)
		if n, err := near.ReadIdle(idler); n == 0 || err != nil || near.Quiet() != true {
			t.Fatal(n, err)
		}
		_, _ = near.WriteBoth(message, message)
		_, _ = far.Read(buffer)
	}
	if n := testing.AllocsPerRun(200, once); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
