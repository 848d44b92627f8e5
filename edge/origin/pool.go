// Package origin asks the server behind the edge.
//
// A Pool keeps connections to one origin. A RoundTrip sends one request and
// returns its answer, whose body the caller pulls; both directions stream in
// bounded memory. What an origin does wrong ends in one Reason, and a
// connection that is not in a known, quiet state is never used again.
package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/sock"
)

// Config describes one origin. Zero durations mean the default in brackets.
type Config struct {
	URL              string        // http or https, host and port
	ConnectTimeout   time.Duration // for the name, the connection and TLS (5 s)
	FirstByteTimeout time.Duration // from the request's end to the answer's head (60 s)
	IdleTimeout      time.Duration // without a byte of a body in either direction (60 s)
	KeepIdle         time.Duration // how long an unused connection is kept (30 s)
	MaxIdle          int           // how many unused connections are kept (256)
}

func (c *Config) setDefaults() {
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{
		{&c.ConnectTimeout, 5 * time.Second}, {&c.FirstByteTimeout, 60 * time.Second},
		{&c.IdleTimeout, 60 * time.Second}, {&c.KeepIdle, 30 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.otherwise
		}
	}
	if c.MaxIdle <= 0 {
		c.MaxIdle = 256
	}
}

// Error is why an origin gave no usable answer.
type Error struct {
	reason seawall.Reason
	cause  error
}

func (e *Error) Error() string          { return fmt.Sprintf("ask origin: %s: %v", e.reason, e.cause) }
func (e *Error) Unwrap() error          { return e.cause }
func (e *Error) Reason() seawall.Reason { return e.reason }

func fail(reason seawall.Reason, cause error) *Error { return &Error{reason, cause} }

// Stats counts what a pool did since it was made.
type Stats struct {
	Opened, Reused, Failed int64 // connections
	Idle                   int   // now
}

// Pool keeps connections to one origin.
type Pool struct {
	config Config
	host   string // as in the URL, for HTTP/1.0 requests that name none
	dial   string // host:port
	tls    *tls.Config

	opened, reused, failed atomic.Int64

	mu     sync.Mutex // guards what follows
	idle   []parked   // the latest used is last
	reaper *time.Timer
	closed bool
}

// parked is a connection that waits for its next request.
type parked struct {
	conn  transport
	since time.Time
}

// New makes a Pool; it connects to nothing yet.
func New(config Config) (*Pool, error) {
	config.setDefaults()
	u, err := url.Parse(config.URL)
	if err != nil {
		return nil, fmt.Errorf("read origin URL: %w", err)
	}
	p := &Pool{config: config, host: u.Host}
	port := u.Port()
	switch u.Scheme {
	case "http":
		if port == "" {
			port = "80"
		}
	case "https":
		if port == "" {
			port = "443"
		}
		p.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	default:
		return nil, fmt.Errorf("read origin URL %q: scheme must be http or https", config.URL)
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("read origin URL %q: host is missing", config.URL)
	}
	p.dial = net.JoinHostPort(u.Hostname(), port)
	return p, nil
}

// Stats returns the counters.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{p.opened.Load(), p.reused.Load(), p.failed.Load(), len(p.idle)}
}

// Close closes idle connections; those in use are closed when they are done.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		_ = c.conn.Close()
	}
	p.idle = nil
	if p.reaper != nil {
		p.reaper.Stop()
	}
}

// take returns an idle connection that is still good, or a new one.
func (p *Pool) take(fresh bool) (conn transport, reused bool, err error) {
	for !fresh {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			break
		}
		conn := p.idle[last].conn
		p.idle = p.idle[:last]
		p.mu.Unlock()
		// Closed meanwhile, or it spoke without being asked.
		if !conn.Quiet() {
			_ = conn.Close()
			continue
		}
		p.reused.Add(1)
		return conn, true, nil
	}
	conn, err = p.open()
	if err != nil {
		p.failed.Add(1)
		return nil, false, err
	}
	p.opened.Add(1)
	return conn, false, nil
}

// put keeps a connection for later.
func (p *Pool) put(conn transport, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.config.MaxIdle {
		_ = conn.Close()
		return
	}
	p.idle = append(p.idle, parked{conn, now})
	if p.reaper == nil {
		p.reaper = time.AfterFunc(p.config.KeepIdle, p.reap)
	}
}

// reap closes connections that nobody used for KeepIdle, and runs again while
// there are any.
func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && time.Since(p.idle[old].since) >= p.config.KeepIdle {
		_ = p.idle[old].conn.Close()
		old++
	}
	p.idle = append(p.idle[:0], p.idle[old:]...)
	if len(p.idle) == 0 || p.closed {
		p.reaper = nil
		return
	}
	p.reaper.Reset(p.config.KeepIdle / 2)
}

// open connects.
func (p *Pool) open() (transport, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.config.ConnectTimeout)
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", p.dial)
	if err != nil {
		var name *net.DNSError
		var none *net.AddrError // the name is known, or not to be asked for, and has no address
		switch {
		case errors.As(err, &name), errors.As(err, &none):
			return nil, fail(seawall.ReasonOriginName, err)
		case sock.ErrTimeout(err):
			return nil, fail(seawall.ReasonOriginConnectTimeout, err)
		}
		return nil, fail(seawall.ReasonOriginUnreachable, err)
	}
	socket, err := sock.New(raw.(*net.TCPConn), p.config.IdleTimeout)
	if err != nil {
		_ = raw.Close()
		return nil, fail(seawall.ReasonOriginUnreachable, err)
	}
	if p.tls == nil {
		return plain{socket}, nil
	}
	secure := tls.Client(raw, p.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fail(seawall.ReasonOriginTLS, err)
	}
	return &encrypted{Conn: secure, socket: socket, patience: p.config.IdleTimeout}, nil
}
