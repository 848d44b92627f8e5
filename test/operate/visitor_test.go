package operate_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// visitor is one connection to the edge.
type visitor struct {
	conn   *net.TCPConn
	reader *bufio.Reader
}

// answer is what a visitor got.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool // it is the last one on this connection
}

func visit(address string) (*visitor, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return &visitor{conn.(*net.TCPConn), bufio.NewReader(conn)}, nil
}

// enter is visit for a story that cannot go on without it.
func (p *program) enter(t *testing.T) *visitor {
	t.Helper()
	v, err := visit(p.http)
	if err != nil {
		t.Fatalf("visit: %v\n%s", err, p.said)
	}
	p.visitors = append(p.visitors, v)
	t.Cleanup(func() { v.conn.Close() })
	return v
}

func (v *visitor) send(text string) error {
	_, err := io.WriteString(v.conn, text)
	return err
}

// receive reads one answer whole.
func (v *visitor) receive() (answer, error) {
	if err := v.conn.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		return answer{}, err
	}
	response, err := http.ReadResponse(v.reader, nil)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body), response.Close}, err
}

func request(host, target string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
}

func (v *visitor) get(host, target string) (answer, error) {
	if err := v.send(request(host, target)); err != nil {
		return answer{}, err
	}
	return v.receive()
}

// mustGet is get for a story that cannot go on without an answer.
func (v *visitor) mustGet(t *testing.T, host, target string, status int) answer {
	t.Helper()
	a, err := v.get(host, target)
	if err != nil || a.status != status {
		t.Fatalf("GET %s of %s: status %d, want %d: %v", target, host, a.status, status, err)
	}
	return a
}

// ended fails unless the edge closes the connection without another byte.
func (v *visitor) ended(within time.Duration) error {
	if err := v.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	b, err := v.reader.ReadByte()
	var timeout net.Error
	switch {
	case err == nil:
		return fmt.Errorf("a byte %q came", b)
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("the connection is still open")
	}
	return nil
}

// crowd is visitors that ask for pages without a pause until they are told
// to stop, each over one connection as long as the edge keeps it.
type crowd struct {
	address string
	host    string
	site    string // whose pages they expect
	answers atomic.Int64
	again   atomic.Int64 // connections after the first
	stop    chan struct{}
	done    sync.WaitGroup
	leaving bool // they leave with the first answer that says close

	mu     sync.Mutex // guards what follows
	wrong  []string
	closes int // answers that said close
}

func newCrowd(address, host, site string) *crowd {
	return &crowd{address: address, host: host, site: site, stop: make(chan struct{})}
}

// come starts n visitors.
func (c *crowd) come(n int) {
	for i := range n {
		c.done.Add(1)
		go func() {
			defer c.done.Done()
			c.stay(i)
		}()
	}
}

// leave ends the visits and reports what went wrong in them.
func (c *crowd) leave(t *testing.T) {
	t.Helper()
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.check(t)
}

func (c *crowd) check(t *testing.T) {
	t.Helper()
	c.done.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) > 0 {
		t.Errorf("%d of %d requests of %s went wrong, the first ones: %q", len(c.wrong), c.answers.Load(), c.host, c.wrong[:min(5, len(c.wrong))])
	}
	if c.answers.Load() == 0 {
		t.Errorf("nobody asked for %s", c.host)
	}
}

func (c *crowd) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *crowd) stay(number int) {
	var v *visitor
	defer func() {
		if v != nil {
			v.conn.Close()
		}
	}()
	for i := 0; ; i++ {
		select {
		case <-c.stop:
			return
		default:
		}
		if v == nil {
			var err error
			if v, err = visit(c.address); err != nil {
				c.complain("visit: %v", err)
				return
			}
		}
		target := fmt.Sprintf("/page/%d?%d", number, i)
		if i%3 == 0 {
			target = fmt.Sprintf("/kept?%d", i%30) // mostly from the cache
		}
		a, err := v.get(c.host, target)
		c.answers.Add(1)
		if err != nil || a.status != http.StatusOK || a.body != pageOf(c.site, target) {
			c.complain("%s: status %d, %d bytes (%.40q), %v", target, a.status, len(a.body), a.body, err)
			return
		}
		if a.closes {
			c.mu.Lock()
			c.closes++
			c.mu.Unlock()
			if c.leaving {
				return
			}
			c.again.Add(1)
			v.conn.Close()
			v = nil
		}
	}
}

// asked makes a condition for poll: n more answers than before.
func (c *crowd) asked(n int64) func() error {
	want := c.answers.Load() + n
	return func() error {
		if got := c.answers.Load(); got < want {
			return fmt.Errorf("%d answers, not %d", got, want)
		}
		return nil
	}
}

// switchTo asks for an upgrade and returns when both sides speak lines.
func (v *visitor) switchTo(host string) error {
	err := v.send("GET /talk HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(v.reader, nil)
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(response.Status)
	}
	return err
}

// say sends a line through the tunnel and waits for its echo.
func (v *visitor) say(text string) error {
	if err := v.send(text + "\n"); err != nil {
		return err
	}
	if err := v.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	line, err := v.reader.ReadString('\n')
	if err == nil && line != "echo "+text+"\n" {
		err = fmt.Errorf("the echo of %q is %q", text, line)
	}
	return err
}

// listen asks for the site's events and returns when they flow.
func (v *visitor) listen(host string) (*bufio.Reader, error) {
	if err := v.send(request(host, "/events")); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(v.reader, nil)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")) {
		err = fmt.Errorf("events: %s", response.Status)
	}
	if err != nil {
		return nil, err
	}
	return bufio.NewReader(response.Body), nil
}

// hears has the site send one event and waits for it.
func (v *visitor) hears(s *site, events *bufio.Reader, text string) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case s.ticks <- text:
	case <-timer.C:
		return errors.New("nobody listens to the site's events any more")
	}
	if err := v.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		line, err := events.ReadString('\n')
		if err != nil {
			return err
		}
		if line = strings.TrimSpace(line); line != "" {
			if line != "data: "+text {
				return fmt.Errorf("the event %q came, not %q", line, text)
			}
			return nil
		}
	}
}
