package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"
)

// shaker is a visitor who comes, shakes hands and leaves, again and again.
type shaker struct {
	site    site
	resume  bool
	visited int
}

// newShakers returns visitors that each have a session to resume, or want none.
func newShakers(ctx context.Context, s site, count int, resume bool) ([]*shaker, error) {
	var all []*shaker
	for i := range count {
		own := s
		own.TLS = s.TLS.Clone()
		one := &shaker{site: own, visited: i}
		if resume {
			own.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			if err := one.visit(ctx); err != nil {
				return nil, fmt.Errorf("get a session: %w", err)
			}
		}
		one.resume = resume
		all = append(all, one)
	}
	return all, nil
}

// visit shakes hands and waits for the server to end the connection, so that
// all it does for a handshake, tickets included, is done.
func (s *shaker) visit(ctx context.Context) error {
	s.visited++
	conn, err := s.site.dial(ctx, s.visited)
	if err != nil {
		return err
	}
	defer conn.Close()
	secure := conn.(*tls.Conn)
	if resumed := secure.ConnectionState().DidResume; resumed != s.resume {
		return fmt.Errorf("a handshake that resumed a session: %v, want %v", resumed, s.resume)
	}
	if err := secure.CloseWrite(); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	// Tickets are read meanwhile.
	if n, err := io.Copy(io.Discard, secure); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("%d bytes after the handshake, want the end", n))
	}
	return nil
}

// handshakes measures what a handshake takes of a running server. How the
// visitors got their first sessions is not part of it.
func (b *bench) handshakes(ctx context.Context, in *instance, sc scenario, length time.Duration) (round, error) {
	all, err := newShakers(ctx, in.setup.site(), sc.Connections, sc.Resume)
	if err != nil {
		return round{}, err
	}
	return b.observe(in, sc, func() (load, error) {
		return keepBusy(ctx, len(all), length, func(w int) error { return all[w].visit(ctx) })
	})
}

// perCPUSecond is how many handshakes a second of the server's time is worth.
func perCPUSecond(r round) float64 {
	if r.CPUMicros == 0 {
		return 0
	}
	return 1e6 / r.CPUMicros
}
