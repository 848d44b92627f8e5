package origin

import (
	"bytes"
	"math"
	"time"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// stickyServer returns the server that the visitor is to stay with, or nil;
// the group's mu is held.
func (g *Group) stickyServer(x *exchange.Exchange, now time.Time) *server {
	if g.origin.Sticky == spec.StickyCookie {
		name := cookie(x.Fields, g.origin.StickyCookie)
		for _, s := range g.servers {
			if len(name) > 0 && s.name == string(name) {
				if s.backup && g.primaryIsWell(now) {
					return nil // it was needed for a while
				}
				return s
			}
		}
		return nil
	}
	// Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): when a
	// server goes, only its visitors move.
	var best *server
	highest := 0.0
	visitor := visitorOf(x.Client.Addr()).Addr().As16()
	for _, s := range g.servers {
		if s.backup || !s.well(now) {
			continue
		}
		if score := float64(s.weight) / -math.Log(stickyChance(visitor, s.name)); best == nil || score > highest {
			best, highest = s, score
		}
	}
	return best
}

// stickyChance is a number between 0 and 1 that visitor and server have
// together: the same on every edge and after every restart.
func stickyChance(visitor [16]byte, server string) float64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	x := uint64(offset)
	for _, b := range visitor {
		x = (x ^ uint64(b)) * prime
	}
	for i := range len(server) {
		x = (x ^ uint64(server[i])) * prime
	}
	// FNV mixes its last bytes badly; this is the finisher of MurmurHash3.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return (float64(x>>11) + 0.5) / (1 << 53)
}

func (g *Group) primaryIsWell(now time.Time) bool {
	for _, s := range g.servers {
		if !s.backup && s.well(now) {
			return true
		}
	}
	return false
}

// well reports whether visitors may stay with the server.
func (s *server) well(now time.Time) bool { return !s.check.down && s.breaker.Capacity(now) > 0 }

// cookie returns the value of the first cookie with a name (RFC 6265, 4.2.1).
func cookie(fields *wire.Fields, name string) []byte {
	for i := fields.Next(wire.Cookie, -1); i >= 0; i = fields.Next(wire.Cookie, i) {
		for rest := fields.Value(i); len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte(";"))
			key, value, found := bytes.Cut(bytes.TrimSpace(pair), []byte("="))
			if found && string(key) == name {
				return value
			}
		}
	}
	return nil
}

// AppendStickyCookie appends the Set-Cookie value that keeps the visitor with
// the server that gave this answer. It appends nothing where none is needed.
func (r *Response) AppendStickyCookie(dst []byte) []byte {
	g := r.group
	if g.origin.Sticky != spec.StickyCookie || string(cookie(r.x.Fields, g.origin.StickyCookie)) == r.server.name {
		return dst
	}
	dst = append(dst, g.origin.StickyCookie...)
	dst = append(dst, '=')
	dst = append(dst, r.server.name...)
	dst = append(dst, "; Path=/; HttpOnly; SameSite=Lax"...)
	if r.x.Event.Secure {
		dst = append(dst, "; Secure"...)
	}
	return dst
}
