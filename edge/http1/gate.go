package http1

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/seawall-edge/seawall/internal/sock"
	"github.com/seawall-edge/seawall/internal/turns"
)

// gate bounds how many handshakes are worked on at once: one costs as much as
// thirty hits, and whoever has a connection already must not wait for those
// who want one. Who waits does so in the line of its neighbourhood, and the
// lines take turns; where all room is taken, the longest line is cut.
type gate struct {
	room  int // handshakes at once
	queue int // that may wait

	mu      sync.Mutex // guards what follows
	worked  int        // on now
	waiting turns.Queue[netip.Prefix, *pass]
}

// pass is one handshake's way through the gate. It belongs to the goroutine
// that shakes hands.
type pass struct {
	gate  *gate
	from  netip.Prefix
	until time.Time
	holds bool
	turn  chan bool // true: come in; false: there is no room
}

// errShed ends a handshake for which there is no room.
var errShed = errors.New("more handshakes than can be worked on")

// neighbourhood is what shares a line: a /24, or a /56 as one customer has it.
func neighbourhood(address netip.Addr) netip.Prefix {
	bits := 56
	if address.Is4() {
		bits = 24
	}
	p, _ := address.Prefix(bits) // the zero Addr has the zero Prefix
	return p
}

// enter waits until the handshake may be worked on.
func (p *pass) enter() error {
	g := p.gate
	g.mu.Lock()
	if g.worked < g.room && g.waiting.Len() == 0 {
		g.worked++
		p.holds = true
		g.mu.Unlock()
		return nil
	}
	if g.waiting.Len() >= g.queue {
		shed, ok := g.waiting.Shed(p.from)
		if !ok {
			g.mu.Unlock()
			return errShed
		}
		shed.turn <- false
	}
	if p.turn == nil {
		p.turn = make(chan bool, 1)
	}
	place := g.waiting.Push(p.from, p)
	g.mu.Unlock()
	timer := time.NewTimer(time.Until(p.until))
	defer timer.Stop()
	select {
	case p.holds = <-p.turn:
	case <-timer.C:
		g.mu.Lock()
		g.waiting.Remove(place)
		g.mu.Unlock()
		select {
		case p.holds = <-p.turn: // in that moment
		default:
		}
	}
	if !p.holds {
		return errShed
	}
	return nil
}

// leave lets the next one in.
func (p *pass) leave() {
	if !p.holds {
		return
	}
	p.holds = false
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	g.worked--
	g.waiting.Serve(func() bool { return g.worked < g.room }, func(next *pass) bool {
		g.worked++
		next.turn <- true
		return true
	})
}

// read reads a part of the handshake. Whoever waits for the visitor leaves the
// gate meanwhile: slow ones hold nobody up.
func (p *pass) read(from *sock.Conn, b []byte) (int, error) {
	n, err := from.Try(b)
	if err == sock.ErrNothing {
		p.leave()
		n, err = from.Read(b)
	}
	if err == nil && !p.holds {
		err = p.enter()
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}
