package collapse_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// visitor is one connection to the edge with one request at a time.
type visitor struct {
	world  *world
	conn   *net.TCPConn
	reader *bufio.Reader

	asks request // what it asked last
	got  *answer // as far as it has been read
	body io.Reader
	left bool
}

// request is what a visitor asks for.
type request struct {
	method, zone, target string
	fields               http.Header
}

// answer is what a visitor has got.
type answer struct {
	request request
	status  int
	header  http.Header
	body    []byte
	read    bool  // to its end, or to where it was cut
	err     error // why it is not whole
	checked bool
}

func (w *world) enter(t *testing.T) *visitor {
	t.Helper()
	v, err := w.connect()
	if err != nil {
		t.Fatalf("visit: %v\n%s", err, w.process.Said())
	}
	w.visitors = append(w.visitors, v)
	return v
}

func (w *world) connect() (*visitor, error) {
	conn, err := net.DialTimeout("tcp", w.http, patience)
	if err != nil {
		return nil, err
	}
	return &visitor{world: w, conn: conn.(*net.TCPConn), reader: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// ask sends a request. Each field is "Name: value".
func (v *visitor) ask(t *testing.T, method, zone, target string, fields ...string) *visitor {
	t.Helper()
	v.asks = request{method, zone, target, http.Header{}}
	text := method + " " + target + " HTTP/1.1\r\nHost: " + zone + "\r\n"
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ":")
		v.asks.fields.Add(name, strings.TrimSpace(value))
		text += field + "\r\n"
	}
	if _, err := io.WriteString(v.conn, text+"\r\n"); err != nil {
		t.Fatalf("ask: %v", err)
	}
	v.world.know(zone, target)
	v.got, v.body = nil, nil
	return v
}

// head reads the head of the answer; interim ones are left out.
func (v *visitor) head() error {
	if err := v.conn.SetReadDeadline(time.Now().Add(2 * patience)); err != nil {
		return err
	}
	for {
		r, err := http.ReadResponse(v.reader, &http.Request{Method: v.asks.method})
		if err != nil {
			return fmt.Errorf("no answer to %s %s%s: %w", v.asks.method, v.asks.zone, v.asks.target, err)
		}
		if r.StatusCode >= 200 {
			v.got, v.body = &answer{request: v.asks, status: r.StatusCode, header: r.Header}, r.Body
			v.world.note(v.got)
			return nil
		}
	}
}

// rest reads the body to its end. It is no error that it is cut; see answer.err.
func (v *visitor) rest() {
	data, err := io.ReadAll(v.body)
	v.got.body = append(v.got.body, data...)
	v.got.read, v.got.err = true, err
}

// some reads so many bytes of the body.
func (v *visitor) some(n int) error {
	piece := make([]byte, n)
	read, err := io.ReadFull(v.body, piece)
	v.got.body = append(v.got.body, piece[:read]...)
	return err
}

// receive reads one answer.
func (v *visitor) receive() (*answer, error) {
	if v.got == nil {
		if err := v.head(); err != nil {
			return nil, err
		}
	}
	v.rest()
	return v.got, nil
}

// get asks and receives.
func (v *visitor) get(t *testing.T, zone, target string, fields ...string) *answer {
	t.Helper()
	a, err := v.ask(t, http.MethodGet, zone, target, fields...).receive()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// leave cuts the connection.
func (v *visitor) leave(t *testing.T) {
	t.Helper()
	v.left = true
	if err := errors.Join(v.conn.SetLinger(0), v.conn.Close()); err != nil {
		t.Fatalf("leave: %v", err)
	}
}

// everybodyLeaves ends all connections, so that a long story keeps few.
func (w *world) everybodyLeaves() {
	for _, v := range w.visitors {
		_ = v.conn.Close() // some have left before
	}
	w.visitors = nil
}

// crowd is visitors who come at the same time.
type crowd []*visitor

// crowd has n visitors ask for the same.
func (w *world) crowd(t *testing.T, n int, method, zone, target string, fields ...string) (c crowd) {
	t.Helper()
	for range n {
		c = append(c, w.enter(t).ask(t, method, zone, target, fields...))
	}
	return c
}

// receive reads everybody's answers, all at the same time.
func (c crowd) receive(t *testing.T) (all []*answer) {
	t.Helper()
	all = make([]*answer, len(c))
	c.each(t, func(i int, v *visitor) (err error) {
		all[i], err = v.receive()
		return err
	})
	return all
}

// each has all do something at the same time.
func (c crowd) each(t *testing.T, do func(i int, v *visitor) error) {
	t.Helper()
	errs := make([]error, len(c))
	var group sync.WaitGroup
	for i, v := range c {
		group.Go(func() { errs[i] = do(i, v) })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("of %d visitors: %s", len(c), short(err.Error()))
	}
}

func short(text string) string {
	if len(text) > 1000 {
		return fmt.Sprintf("%s... (%d bytes)", text[:1000], len(text))
	}
	return text
}
