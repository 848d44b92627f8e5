package origin

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/proxyproto"
	"github.com/seawall-edge/seawall/spec"
)

// placed is a visitor who came to this address.
type placed struct{ *visitor }

func (placed) Local() netip.AddrPort { return netip.MustParseAddrPort("203.0.113.1:443") }

// connKey finds a request's connection in its context.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// doorman is a server that wants a PROXY header first. It answers with what
// the header said and the visitor that the request itself names.
type doorman struct {
	url      string
	accepted atomic.Int64
}

// introduced is a connection whose header is read.
type introduced struct {
	net.Conn
	first []byte // what came with the header
	said  string
}

func (c *introduced) Read(p []byte) (int, error) {
	if c.said == "" {
		if err := c.introduce(); err != nil {
			return 0, err
		}
	}
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

func (c *introduced) introduce() error {
	buffer := make([]byte, 4096)
	for length := 0; ; {
		n, err := c.Conn.Read(buffer[length:])
		length += n
		header, used, problem := proxyproto.Parse(buffer[:length])
		switch {
		case problem != nil:
			return problem
		case used > 0 && header.Local:
			c.said = "local"
		case used > 0:
			c.said = fmt.Sprint(header.Source, " ", header.Destination)
		case err != nil:
			return err
		default:
			continue
		}
		c.first = bytes.Clone(buffer[used:length])
		return nil
	}
}

type introducing struct {
	net.Listener
	accepted *atomic.Int64
}

func (l introducing) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.accepted.Add(1)
	return &introduced{Conn: conn}, nil
}

func newDoorman(t *testing.T, cert tls.Certificate, secure bool) *doorman {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &doorman{url: "http://" + listener.Addr().String()}
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := r.Context().Value(connKey{}).(net.Conn)
		if t, ok := conn.(*tls.Conn); ok {
			conn = t.NetConn()
		}
		said := conn.(*introduced).said
		if said != "local" {
			said += " " + r.Header.Get("X-Forwarded-For")
		}
		_, _ = io.WriteString(w, said)
	})
	server.ConnContext = withConn
	var at net.Listener = introducing{listener, &d.accepted}
	if secure {
		d.url = "https://" + listener.Addr().String()
		at = tls.NewListener(at, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(at) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return d
}

func TestProxyProtocol_namesEachVisitor(t *testing.T) {
	noLeak(t)
	trusted := newAuthority(t)
	cert := trusted.vouch(t, time.Now().Add(time.Hour), "a.test")
	for _, secure := range []bool{false, true} {
		house := newDoorman(t, cert, secure)
		g := newGroup(t, spec.OriginSpec{URL: house.url, Roots: trusted.pem, ProxyProtocol: true})
		for i := range 60 {
			x := requestFrom(fmt.Sprintf("192.0.2.%d", i%3))
			if i%3 == 2 {
				x = requestFrom("2001:db8::7")
			}
			x.Out = placed{x.Out.(*visitor)}
			body, why := ask(g, x)
			if want := x.Client.String() + " 203.0.113.1:443 " + x.Client.Addr().String(); body != want {
				t.Fatalf("got %q (%s), want %q", body, why, want)
			}
		}
		if s := g.Stats(); s.Opened != 3 || s.Reused != 57 || house.accepted.Load() != 3 {
			t.Errorf("%+v, %d accepted", s, house.accepted.Load())
		}
		// The same address from another port is another connection's visitor.
		x := requestFrom("192.0.2.0")
		x.Client = netip.AddrPortFrom(x.Client.Addr(), 4321)
		x.Out = placed{x.Out.(*visitor)}
		if body, _ := ask(g, x); !strings.HasPrefix(body, "192.0.2.0:4321 ") {
			t.Error(body)
		}
		// A check comes for nobody.
		if page, err := g.Fetch(t.Context(), "/", 100); err != nil || string(page.Body) != "local" {
			t.Errorf("%q, %v", page.Body, err)
		}
		g.Close()
	}
}
