// Package origin asks the servers behind the edge.
//
// A Group is the servers of one zone. RoundTrip chooses one that is well and
// has time, sends it the request and returns its answer, whose body the
// caller pulls; both directions stream in bounded memory. What a server does
// wrong ends in one Reason; a connection that is not in a known, quiet state
// is never used again, and a server that fails visitors is let to rest and
// comes back gradually.
package origin

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/resolve"
	"github.com/seawall-edge/seawall/internal/turns"
	"github.com/seawall-edge/seawall/spec"
)

// Shared is what the groups of all zones have in common.
type Shared struct {
	Resolver *resolve.Resolver
	// Own reports whether an address is one of this edge's listeners, so that
	// asking it would lead in a circle. May be nil.
	Own func(netip.AddrPort) bool
	// LoopID is this edge's name in CDN-Loop (RFC 8586): a token that no
	// other edge has.
	LoopID string
	// Identities is who the edge is to servers; nil: nobody in particular.
	Identities Identities
	Logger     *slog.Logger
}

// Identities is what a zone's own authority, and its owner, have given it.
type Identities interface {
	// Show returns the certificate for a zone's servers.
	Show(zone string) (*tls.Certificate, error)
	// Root returns the certificate of the zone's own authority, in PEM.
	Root(zone string) ([]byte, error)
}

// Config describes the servers of one zone.
type Config struct {
	Zone   string          // its name
	Host   string          // a host it answers to, for checks; "" when it has none that is exact
	Origin spec.OriginSpec // resolved
	Shared Shared
}

// Error is why an origin gave no usable answer.
type Error struct {
	reason seawall.Reason
	cause  error
}

func (e *Error) Error() string          { return fmt.Sprintf("ask origin: %s: %v", e.reason, e.cause) }
func (e *Error) Unwrap() error          { return e.cause }
func (e *Error) Reason() seawall.Reason { return e.reason }

// Cause says what went wrong, without the Reason.
func (e *Error) Cause() string { return e.cause.Error() }

func fail(reason seawall.Reason, cause error) *Error { return &Error{reason, cause} }

// Group is the servers of one zone.
type Group struct {
	config Config
	origin *spec.OriginSpec // of config
	fields fieldRules
	pins   [][sha256.Size]byte // of which a server has to have one; none: any key is good
	log    *slog.Logger

	servers []*server // in the order of the configuration
	simple  bool      // one server without a limit: no choice to make

	waiting atomic.Int64 // requests in the queue

	mu      sync.Mutex // guards what follows, and the choosing in every server
	queue   turns.Queue[netip.Prefix, *waiter]
	closed  bool
	scratch []*server // for choosing

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // what goes on besides requests; added to under mu
}

// New makes a Group; it connects to nothing but for the checks.
func New(config Config) (*Group, error) {
	if config.Shared.Logger == nil {
		config.Shared.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Shared.Resolver == nil {
		return nil, errors.New("make origin: there is no resolver")
	}
	g := &Group{config: config, log: config.Shared.Logger.With("zone", config.Zone)}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.origin = &g.config.Origin
	g.fields = compileFields(g.origin, config.Shared.LoopID, config.Zone)
	for _, s := range g.origin.All() {
		server, err := newServer(g, s)
		if err != nil {
			g.cancel()
			return nil, err
		}
		g.servers = append(g.servers, server)
	}
	g.simple = len(g.servers) == 1 && g.servers[0].limit == 0
	g.startChecks()
	return g, nil
}

// Close ends the checks and closes idle connections; those in use are closed
// when they are done. Requests that wait in the queue are told.
func (g *Group) Close() {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return
	}
	g.closed = true
	g.cancel()
	for _, s := range g.servers {
		if s.awake != nil {
			s.awake.Stop()
		}
	}
	g.queue.Clear(func(w *waiter) { w.granted <- grant{err: errChanged} })
	g.waiting.Store(0)
	g.mu.Unlock()
	for _, s := range g.servers {
		s.pool.close()
	}
	g.work.Wait()
}

// Stats counts what a group did since it was made.
type Stats struct {
	Opened, Reused, Failed int64 // connections
	Idle                   int   // connections now
	Waiting                int   // requests in the queue now
}

// Stats returns the counters of all servers together.
func (g *Group) Stats() Stats {
	total := Stats{Waiting: int(g.waiting.Load())}
	for _, s := range g.servers {
		total.Opened += s.pool.opened.Load()
		total.Reused += s.pool.reused.Load()
		total.Failed += s.pool.failed.Load()
		total.Idle += s.pool.size()
	}
	return total
}

// ServerStatus says how one server is.
type ServerStatus struct {
	Name     string
	URL      string
	Backup   bool
	State    string // well, careful (coming back), resting, trial or down
	Why      string // what went wrong last; "" when nothing did
	Since    time.Time
	Requests int64 // now
	Idle     int   // connections now
	Opened   int64 // connections
	Failures int64 // requests that the server failed
}

// Servers says how each server is.
func (g *Group) Servers() []ServerStatus {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	list := make([]ServerStatus, len(g.servers))
	for i, s := range g.servers {
		state, why, since := s.describe(now)
		list[i] = ServerStatus{
			Name: s.name, URL: s.url, Backup: s.backup, State: state, Why: why, Since: since,
			Requests: s.active.Load(), Idle: s.pool.size(), Opened: s.pool.opened.Load(), Failures: s.failures.Load(),
		}
	}
	return list
}
