package origin

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// Here an origin and the edge must not come to disagree about where one
// request or answer ends: the next visitor would pay for it.

// upload is a body that its test hands out piece by piece.
type upload struct {
	pieces chan []byte
	once   sync.Once
	stop   chan struct{}
}

func newUpload() *upload { return &upload{pieces: make(chan []byte), stop: make(chan struct{})} }

func (u *upload) Next() ([]byte, error) {
	select {
	case p, open := <-u.pieces:
		if !open {
			return nil, io.EOF
		}
		return p, nil
	case <-u.stop:
		return nil, io.ErrClosedPipe
	}
}

func (u *upload) Take()                  {}
func (u *upload) Ready() ([]byte, bool)  { return nil, false }
func (u *upload) Trailers() *wire.Fields { return nil }
func (u *upload) Interrupt()             { u.once.Do(func() { close(u.stop) }) }

func post(length int64) (*exchange.Exchange, *upload) {
	x, _ := request("POST")
	body := newUpload()
	x.Body, x.Length = body, length
	return x, body
}

// drain reads an answer to its end.
func drain(t *testing.T, r *Response) string {
	t.Helper()
	var body []byte
	for {
		data, err := r.Next()
		if err == io.EOF {
			return string(body)
		}
		if err != nil {
			t.Fatal(err)
		}
		body = append(body, data...)
	}
}

func TestPool_neverReusesAConnectionThatOwesABody(t *testing.T) {
	heads := func(from *bufio.Reader) {
		for line := ""; line != "\r\n"; {
			var err error
			if line, err = from.ReadString('\n'); err != nil {
				return
			}
		}
	}
	t.Run("answered early", func(t *testing.T) {
		url, _ := script(t, func(conn net.Conn, from *bufio.Reader) {
			heads(from)
			_, _ = io.WriteString(conn, ok)
			_, _ = io.Copy(io.Discard, from)
		})
		p := newGroup(t, spec.OriginSpec{URL: url})
		x, body := post(10)
		go func() { body.pieces <- []byte("hello") }()
		r, err := p.RoundTrip(x)
		if err != nil {
			t.Fatal(err)
		}
		drain(t, r)
		r.Close()
		if p.Stats().Idle != 0 {
			t.Error("kept")
		}
	})
	t.Run("took the body too slowly", func(t *testing.T) {
		const idle = time.Second
		sent := make(chan struct{})
		url, _ := script(t, func(conn net.Conn, from *bufio.Reader) {
			<-sent // everything the edge would write is written, or it has given up
			_, _ = io.WriteString(conn, ok)
			_, _ = io.Copy(io.Discard, from)
		})
		p := newGroup(t, spec.OriginSpec{URL: url, IdleTimeout: spec.Duration(idle), FirstByteTimeout: spec.Duration(10 * time.Second)})
		x, body := post(64 << 20)
		go func() {
			// The write of this piece meets a full socket and gives up after idle;
			// only then would another one be asked for, and it is not.
			body.pieces <- make([]byte, 64<<20)
			select {
			case body.pieces <- nil:
			case <-time.After(idle + idle/2):
			}
			close(sent)
		}()
		r, err := p.RoundTrip(x)
		if err != nil {
			t.Fatal(err)
		}
		drain(t, r)
		r.Close()
		if p.Stats().Idle != 0 {
			t.Error("kept")
		}
	})
}

// secureOrigin is script behind TLS, with writes that leave in one segment.
func secureOrigin(t *testing.T, version uint16, handle func(*tls.Conn, *bufio.Reader, func())) *Group {
	t.Helper()
	donor := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(donor.Close)
	url, _ := script(t, func(conn net.Conn, _ *bufio.Reader) {
		gathered := &gather{Conn: conn}
		server := tls.Server(gathered, &tls.Config{Certificates: donor.TLS.Certificates, MaxVersion: version})
		if server.Handshake() == nil {
			gathered.hold = true
			handle(server, bufio.NewReader(server), gathered.flush)
		}
	})
	p := newGroup(t, spec.OriginSpec{
		URL:   strings.Replace(url, "http://", "https://", 1),
		Roots: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: donor.Certificate().Raw})),
	})
	return p
}

type gather struct {
	net.Conn
	hold bool
	held bytes.Buffer
}

func (g *gather) Write(b []byte) (int, error) {
	if g.hold {
		return g.held.Write(b)
	}
	return g.Conn.Write(b)
}

// flush sends what is held; closing a tls.Conn for writing has ended its deadline.
func (g *gather) flush() {
	_ = g.SetWriteDeadline(time.Time{})
	_, _ = g.held.WriteTo(g.Conn)
}

func TestRoundTrip_takesTheLastBytesThatComeWithTheEnd(t *testing.T) {
	for _, head := range []string{"Content-Length: 5\r\nConnection: close\r\n", "Connection: close\r\n"} {
		p := secureOrigin(t, tls.VersionTLS12, func(conn *tls.Conn, from *bufio.Reader, flush func()) {
			take(from)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+head+"\r\n")
			_, _ = io.WriteString(conn, "whole")
			_ = conn.CloseWrite()
			flush()
			_, _ = io.Copy(io.Discard, conn)
		})
		x, _ := request("GET")
		if status, body := read(t, p, x); status != 200 || body != "whole" {
			t.Errorf("%q: %d %q", head, status, body)
		}
		p.Close()
	}
}

func TestPool_seesWhatTLSHasReadAhead(t *testing.T) {
	connections := 0
	p := secureOrigin(t, tls.VersionTLS13, func(conn *tls.Conn, from *bufio.Reader, flush func()) {
		connections++
		take(from)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison") // a body where none may be
		flush()
		_, _ = from.Peek(1)
	})
	x, _ := request("HEAD")
	read(t, p, x)
	if conn := p.servers[0].pool.take("a.test"); conn != nil {
		t.Error("a connection with a forged answer in it is used again")
		_ = conn.Close()
	}
}
