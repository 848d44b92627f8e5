package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	stagger      = 250 * time.Millisecond // RFC 8305, 5
	mostAttempts = 8                      // addresses tried by one Dial
)

var errNoAddrs = errors.New("no address to connect to")

// Dial connects to the first of several addresses that answers (RFC 8305):
// the families take turns from IPv6 on, and the next attempt starts 250
// milliseconds after the last or as soon as one failed. No more than the
// first eight addresses are tried. The others are cancelled, and closed
// should they succeed all the same. It returns the address that won, or one
// error for each address, joined.
//
// The context given to dial ends with Dial: connections must not depend on it.
func Dial(ctx context.Context, addrs []netip.Addr, port uint16, dial func(context.Context, netip.AddrPort) (net.Conn, error)) (net.Conn, netip.AddrPort, error) {
	addrs = interleave(addrs)
	if len(addrs) == 0 {
		return nil, netip.AddrPort{}, errNoAddrs
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &race{ctx: ctx, dial: dial, finish: make(chan attempt), running: map[netip.AddrPort]bool{}}
	for _, addr := range addrs[:min(len(addrs), mostAttempts)] {
		r.waiting = append(r.waiting, netip.AddrPortFrom(addr, port))
	}
	return r.run()
}

// race is one Dial; everything but the attempts runs in the caller's goroutine.
type race struct {
	ctx     context.Context
	dial    func(context.Context, netip.AddrPort) (net.Conn, error)
	finish  chan attempt // without room: an attempt that nobody waits for must notice
	waiting []netip.AddrPort
	running map[netip.AddrPort]bool
	errs    []error
}

type attempt struct {
	to   netip.AddrPort
	conn net.Conn
	err  error
}

func (r *race) run() (net.Conn, netip.AddrPort, error) {
	next := time.NewTimer(stagger)
	defer next.Stop()
	r.start()
	for len(r.waiting)+len(r.running) > 0 {
		select {
		case <-r.ctx.Done():
			return nil, netip.AddrPort{}, r.abandon()
		case a := <-r.finish:
			delete(r.running, a.to)
			if a.err == nil {
				return a.conn, a.to, nil
			}
			r.errs = append(r.errs, fmt.Errorf("%s: %w", a.to, a.err))
		case <-next.C:
		}
		r.start()
		next.Reset(stagger)
	}
	return nil, netip.AddrPort{}, errors.Join(r.errs...)
}

// start begins the next attempt, if there is one and the caller still waits.
func (r *race) start() {
	if len(r.waiting) == 0 || r.ctx.Err() != nil {
		return
	}
	to := r.waiting[0]
	r.waiting = r.waiting[1:]
	r.running[to] = true
	go func() {
		conn, err := r.dial(r.ctx, to)
		select {
		case r.finish <- attempt{to, conn, err}:
		case <-r.ctx.Done():
			// Another one won, or the caller left: nobody knows of this connection.
			if conn != nil {
				conn.Close()
			}
		}
	}()
}

// abandon returns the error of a caller who left.
func (r *race) abandon() error {
	for to := range r.running {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", to, context.Cause(r.ctx)))
	}
	if len(r.running) == 0 {
		r.errs = append(r.errs, context.Cause(r.ctx))
	}
	return errors.Join(r.errs...)
}

// interleave returns the addresses unmapped, each once, the families taking
// turns from IPv6 on (RFC 8305, 4), otherwise in the order they came.
func interleave(addrs []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr // IPv6, IPv4
	seen := make(map[netip.Addr]bool, len(addrs))
	for _, addr := range addrs {
		addr = addr.Unmap()
		if !addr.IsValid() || seen[addr] {
			continue
		}
		seen[addr] = true
		family := 0
		if addr.Is4() {
			family = 1
		}
		families[family] = append(families[family], addr)
	}
	all := make([]netip.Addr, 0, len(seen))
	for i := range max(len(families[0]), len(families[1])) {
		for _, family := range families {
			if i < len(family) {
				all = append(all, family[i])
			}
		}
	}
	return slices.Clip(all)
}
