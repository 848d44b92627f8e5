package origin

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// pool keeps the unused connections to one server.
type pool struct {
	keep time.Duration // how long each
	most int
	now  func() time.Time

	opened, reused, failed atomic.Int64

	mu     sync.Mutex // guards what follows
	idle   []parked   // the latest used is last
	reaper *time.Timer
	closed bool
}

// parked is a connection that waits for its next request.
type parked struct {
	conn  transport
	name  string // the server name that TLS was made for
	since time.Time
}

func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

func (p *pool) close() {
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

// take returns an idle connection that is still good, or nil.
func (p *pool) take(name string) transport {
	for {
		conn := p.last(name)
		if conn == nil {
			return nil
		}
		// Closed meanwhile, or it spoke without being asked.
		if conn.Quiet() {
			p.reused.Add(1)
			return conn
		}
		_ = conn.Close()
	}
}

func (p *pool) last(name string) transport {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.idle) - 1; i >= 0; i-- {
		if p.idle[i].name == name {
			conn := p.idle[i].conn
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			return conn
		}
	}
	return nil
}

// put keeps a connection for later.
func (p *pool) put(conn transport, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.most {
		_ = conn.Close()
		return
	}
	p.idle = append(p.idle, parked{conn, name, p.now()})
	if p.reaper == nil {
		p.reaper = time.AfterFunc(p.keep, p.reap)
	}
}

// reap closes connections that nobody used for long, and runs again while
// there are any.
func (p *pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && p.now().Sub(p.idle[old].since) >= p.keep {
		_ = p.idle[old].conn.Close()
		old++
	}
	p.idle = append(p.idle[:0], p.idle[old:]...)
	if len(p.idle) == 0 || p.closed {
		p.reaper = nil
		return
	}
	p.reaper.Reset(p.keep / 2)
}

// keepOnly closes unused connections to other addresses.
func (p *pool) keepOnly(known func(netip.Addr) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = slices.DeleteFunc(p.idle, func(c parked) bool {
		if known(c.conn.Remote()) {
			return false
		}
		_ = c.conn.Close()
		return true
	})
}

// drop closes every unused connection: a server that failed may have been
// replaced behind its address.
func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		_ = c.conn.Close()
	}
	p.idle = p.idle[:0]
}
