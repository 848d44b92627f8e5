package http1

import (
	"errors"
	"syscall"
	"time"
)

// DropIdle ends up to most connections that wait for a request and returns
// how many it told to end. Those that have waited long enough to settle down
// go first, then those that waited less, newly opened ones among them; within
// each of the two it takes them as they come, because an order by age would
// have to be kept by every request. A request that arrives in that very
// moment is still answered, and its connection goes on.
func (s *Server) DropIdle(most int) (dropped int) {
	return s.dropWaiting(most, idleLong, idle)
}

func (s *Server) dropWaiting(most int, states ...uint32) (dropped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, state := range states {
		for c := range s.conns {
			if dropped >= most {
				return dropped
			}
			if c.endWait(state) {
				dropped++
			}
		}
	}
	return dropped
}

const (
	reliefEvery = 100 * time.Millisecond
	reliefLeast = 16  // connections
	reliefPart  = 100 // one in so many, beyond that
)

// relieve drops some connections that are idle for long so that new ones find
// descriptors; a visitor who has just come does not make room for the next.
// The dropped ones end in their own time, so it waits before it takes more.
func (s *Server) relieve(now time.Time) (dropped int) {
	s.mu.Lock()
	due := now.Sub(s.relieved) >= reliefEvery
	if due {
		s.relieved = now
	}
	most := len(s.conns)/reliefPart + reliefLeast
	s.mu.Unlock()
	if !due {
		return 0
	}
	return s.dropWaiting(most, idleLong)
}

// shortage is a time in which a listener cannot accept connections for want
// of descriptors or memory. It belongs to the goroutine that accepts.
type shortage struct {
	last    time.Time // zero: there is none
	dropped int
}

// shortageOver is how long accepting has to go well until a shortage counts
// as over. While it lasts, each visitor who leaves lets one in and the next
// one fails: that is said once, not each time.
const shortageOver = 5 * time.Second

func isShortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// note is called when accepting failed. Connections that end free what is missing.
func (h *shortage) note(s *Server, err error) {
	if h.last.IsZero() {
		s.config.Logger.Error("cannot accept connections for now", "error", err)
	}
	h.last = time.Now()
	h.dropped += s.relieve(h.last)
}

// over is called when accepting went well.
func (h *shortage) over(s *Server) {
	if h.last.IsZero() || time.Since(h.last) <= shortageOver {
		return
	}
	s.config.Logger.Info("connections are accepted again", "dropped", h.dropped)
	*h = shortage{}
}
