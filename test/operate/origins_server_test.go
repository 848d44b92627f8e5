package operate_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	outside "github.com/seawall-edge/seawall/internal/program"
)

// origin is a server behind the edge that dies, hangs and returns when it is
// told to, always at the same address. It keeps count of every request that
// it has read the head of; the stories give each a target of its own.
type origin struct {
	name, address string
	// answer makes a whole answer; nil: 200 with the server's name.
	answer func(*http.Request) string
	// greet reads what comes before the first request of a connection; nil:
	// nothing does.
	greet func(*bufio.Reader) error
	// work is how long a request takes.
	takes time.Duration

	running sync.WaitGroup

	mu       sync.Mutex // guards what follows
	listener net.Listener
	conns    map[*net.TCPConn]bool
	accepted int
	seen     map[string]int // requests by method and target
	order    []string       // the same, as they came
	now      int            // requests at this moment
	most     int            // of them at the same time
	gone     int            // connections that the edge ended while a request waited
	hold     chan struct{}  // requests wait until it is closed; nil: they do not
}

// newOrigin starts a server on a port of 127.0.0.40, where nobody else is and
// from where nobody connects, so that the port stays its own while it is dead.
func newOrigin(t *testing.T, name string) *origin {
	t.Helper()
	o := originAt(t, name, "127.0.0.40:0") // a port that nobody can take in between
	o.rise(t)
	return o
}

// prepareOrigin makes a server that is dead.
func prepareOrigin(t *testing.T, name string) *origin {
	t.Helper()
	address, err := outside.FreeAddress("127.0.0.40")
	if err != nil {
		t.Fatal(err)
	}
	return originAt(t, name, address)
}

func originAt(t *testing.T, name, address string) *origin {
	t.Helper()
	o := &origin{name: name, address: address, conns: map[*net.TCPConn]bool{}, seen: map[string]int{}}
	t.Cleanup(func() {
		o.die()
		o.running.Wait()
	})
	return o
}

func (o *origin) url() string { return "http://" + o.address }

// rise has the server accept connections.
func (o *origin) rise(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", o.address)
	if err != nil {
		t.Fatalf("start %s: %v", o.name, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listener, o.address = l, l.Addr().String()
	o.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // dead
			}
			o.serve(l, c.(*net.TCPConn))
		}
	})
}

func (o *origin) serve(l net.Listener, c *net.TCPConn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.listener != l {
		reset(c)
		return
	}
	o.accepted++
	o.conns[c] = true
	o.running.Go(func() {
		o.talk(c)
		o.mu.Lock()
		delete(o.conns, c)
		o.mu.Unlock()
		_ = c.Close()
	})
}

// reset ends a connection as a machine does that knows nothing of it.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// die accepts nothing any more and resets every connection.
func (o *origin) die() {
	o.stopListening()
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.conns {
		reset(c)
	}
	if o.hold != nil {
		close(o.hold)
		o.hold = nil
	}
}

// stopListening leaves the connections that are there alone.
func (o *origin) stopListening() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.listener != nil {
		_ = o.listener.Close()
		o.listener = nil
	}
}

// hang lets every request from now on wait for release.
func (o *origin) hang() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold = make(chan struct{})
}

func (o *origin) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.hold)
	o.hold = nil
}

func (o *origin) talk(c *net.TCPConn) {
	reader := bufio.NewReader(c)
	if o.greet != nil && o.greet(reader) != nil {
		return
	}
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		hold := o.note(r)
		_, err = io.Copy(io.Discard, r.Body)
		more := err == nil
		if hold != nil {
			more = o.wait(reader, hold) && more
		} else if more && o.takes > 0 {
			<-time.After(o.takes)
		}
		// Whoever counts on the edge's side has the answer only after this.
		o.mu.Lock()
		o.now--
		o.mu.Unlock()
		if !more {
			return
		}
		text := page(o.name + " " + r.RequestURI)
		if o.answer != nil {
			text = o.answer(r)
		}
		if _, err := io.WriteString(c, text); err != nil || hold != nil || text == "" {
			return
		}
	}
}

// page is an answer that no cache may keep.
func page(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// note counts a request and returns what it has to wait for.
func (o *origin) note(r *http.Request) chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := r.Method + " " + r.RequestURI
	o.seen[key]++
	o.order = append(o.order, key)
	o.now++
	o.most = max(o.most, o.now)
	return o.hold
}

// wait returns false when the connection ends first.
func (o *origin) wait(reader *bufio.Reader, hold chan struct{}) bool {
	ended := make(chan struct{})
	o.running.Go(func() {
		_, _ = reader.Peek(1) // only its end counts
		close(ended)
	})
	select {
	case <-hold:
		return true
	case <-ended:
		o.mu.Lock()
		o.gone++
		o.mu.Unlock()
		return false
	}
}

// count returns how often a request was seen, by method and target.
func (o *origin) count(key string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[key]
}

func (o *origin) total() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.order)
}

// connections is how many it accepted so far.
func (o *origin) connections() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.accepted
}

// has makes a condition for poll: n requests are there at this moment.
func (o *origin) has(n int) func() error {
	return func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.now != n {
			return fmt.Errorf("%d requests are at %s, not %d", o.now, o.name, n)
		}
		return nil
	}
}

// wasLeft makes a condition for poll: the edge ended n waiting requests.
func (o *origin) wasLeft(n int) func() error {
	return func() error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.gone < n {
			return fmt.Errorf("the edge ended %d requests at %s, not %d", o.gone, o.name, n)
		}
		return nil
	}
}
