// Package http1 is the edge's own HTTP/1.1 request loop.
//
// One goroutine serves one connection. A request is parsed once, in place;
// on a hit there is one read, one write and no allocation. Answers to
// pipelined requests are gathered into few writes, bounded; while a
// connection is idle it holds no buffer and only a small stack. What is read
// and written, and when to give up, is decided here; what to answer is the
// Handler's.
package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
)

// Handler decides about requests; the ladder is one. Both methods answer
// through the Exchange before they return.
type Handler interface {
	// Serve answers a request whose framing is sound and whose host, where it
	// has one, is canonical.
	Serve(x *exchange.Exchange)
	// Refuse answers a request that was not understood, or counts one that
	// nobody waits for any more; the connection is closed afterwards.
	Refuse(x *exchange.Exchange, reason seawall.Reason)
}

// Config is what a Server needs. Zero durations and sizes mean the default
// in brackets.
type Config struct {
	Handler Handler
	Logger  *slog.Logger
	Rings   int // number of Event rings to spread connections over (GOMAXPROCS)

	Connections           int // at most this many at once (unlimited)
	ConnectionsPerAddress int // from one address (unlimited)

	// Shed is asked for each new connection; unless a limit refuses that
	// connection anyway, a reason other than ReasonNone turns it away (nil:
	// never). It must not block.
	Shed func() seawall.Reason

	TLS        *tls.Config // for ServeTLS
	Handshakes int         // worked on at once (4 for each processor)

	HandshakeTimeout time.Duration // from accept to its end (10 s)

	HeadTimeout  time.Duration // from a request's first byte to the end of its head (10 s)
	BodyTimeout  time.Duration // without a byte of the body; also the grace of its minimum rate (30 s)
	WriteTimeout time.Duration // without the visitor taking a few KiB of the answer (30 s)
	IdleTimeout  time.Duration // between two requests (75 s)
	MaxHead      int           // bytes of a request's head (32 KiB)
	MaxTarget    int           // bytes of a request target (16 KiB)
}

func (c *Config) setDefaults() {
	defaultTo(&c.Rings, runtime.GOMAXPROCS(0))
	defaultTo(&c.Handshakes, 4*runtime.GOMAXPROCS(0))
	defaultTo(&c.HandshakeTimeout, 10*time.Second)
	defaultTo(&c.HeadTimeout, 10*time.Second)
	defaultTo(&c.BodyTimeout, 30*time.Second)
	defaultTo(&c.WriteTimeout, 30*time.Second)
	defaultTo(&c.IdleTimeout, 75*time.Second)
	defaultTo(&c.MaxHead, 32<<10)
	defaultTo(&c.MaxTarget, 16<<10)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

func defaultTo[T int | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// Server serves HTTP/1.1 on any number of listeners.
type Server struct {
	config Config
	limits wire.Limits
	pool   sync.Pool // of *buffers
	calm   calm
	settle time.Duration // settleAfter; shorter in tests

	draining  atomic.Bool
	graceOver atomic.Bool // drainGrace has passed
	accepted  atomic.Int64
	gate      gate
	shaken    atomic.Int64 // handshakes that were completed
	failed    atomic.Int64 // and those that were not

	mu        sync.Mutex // guards what follows
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	addresses map[netip.Addr]int
	relieved  time.Time     // when relieve last dropped connections
	empty     chan struct{} // closed when a drain finds no connection left
	drained   bool
}

// New makes a Server.
func New(config Config) *Server {
	config.setDefaults()
	s := &Server{
		config:    config,
		limits:    wire.Limits{Target: config.MaxTarget, Head: config.MaxHead},
		listeners: map[net.Listener]struct{}{},
		conns:     map[*conn]struct{}{},
		addresses: map[netip.Addr]int{},
		empty:     make(chan struct{}),
		settle:    settleAfter,
		gate:      gate{room: config.Handshakes, queue: waitingHandshakes},
	}
	s.pool.New = func() any { return newBuffers() }
	return s
}

// waitingHandshakes is how many may wait until they are worked on: what a
// core does in about a second.
const waitingHandshakes = 2048

// Handshakes returns how many were completed since the start, and how many
// were not.
func (s *Server) Handshakes() (done, failed int64) { return s.shaken.Load(), s.failed.Load() }

// Connections returns how many connections are open and how many were
// accepted since the start.
func (s *Server) Connections() (open int, accepted int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns), s.accepted.Load()
}

// Serve accepts connections until the listener is closed, which Drain does.
func (s *Server) Serve(listener net.Listener) error { return s.accept(listener, door{}) }

// door is how connections begin that come in at a listener.
type door struct {
	trusted func(netip.Addr) bool // see ServeProxied
	secure  bool                  // with a TLS handshake
}

func (s *Server) accept(listener net.Listener, at door) error {
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		return listener.Close()
	}
	s.listeners[listener] = struct{}{}
	s.mu.Unlock()
	var short shortage
	for {
		accepted, err := listener.Accept()
		switch {
		case err == nil:
			short.over(s)
			s.admit(accepted.(*net.TCPConn), at)
		case errors.Is(err, net.ErrClosed):
			return nil
		case isShortage(err):
			short.note(s, err)
			time.Sleep(10 * time.Millisecond)
		case errors.Is(err, syscall.ECONNABORTED):
		default:
			return err
		}
	}
}

// checkEmpty wakes a drain that waits for the last connection; s.mu is held.
func (s *Server) checkEmpty() {
	if s.draining.Load() && len(s.conns) == 0 && !s.drained {
		s.drained = true
		close(s.empty)
	}
}

// drainGrace is how long idle connections stay open once draining began. A
// visitor that has just sent a request on one is answered, with
// "Connection: close", instead of meeting a closed door.
const drainGrace = time.Second

// Drain closes the listeners, lets running requests finish and closes every
// connection; those that are left when ctx ends are cut. It returns how many
// were cut, at most cutGrace after ctx ended.
func (s *Server) Drain(ctx context.Context) (cut int) {
	s.mu.Lock()
	s.draining.Store(true)
	for listener := range s.listeners {
		_ = listener.Close()
	}
	s.checkEmpty()
	s.mu.Unlock()

	grace := time.NewTimer(drainGrace)
	defer grace.Stop()
	for {
		select {
		case <-s.empty:
			return cut
		case <-grace.C:
			s.graceOver.Store(true)
			s.eachConn((*conn).endIdle)
		case <-ctx.Done():
			s.eachConn(func(c *conn) { cut++; c.sock.Abort() })
			select {
			case <-s.empty:
			case <-time.After(cutGrace):
			}
			return cut
		}
	}
}

// cutGrace is how long connections that were cut may take to end. One whose
// request waits for an origin does not notice that its visitor is gone, and
// is left behind: whoever drains is about to exit.
const cutGrace = time.Second

func (s *Server) eachConn(do func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		do(c)
	}
}
