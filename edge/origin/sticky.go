package origin

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
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
				return s
			}
		}
		return nil
	}
	// Rendezvous hashing: when a server goes, only its visitors move.
	var best *server
	highest := uint64(0)
	visitor := visitorOf(x.Client.Addr())
	for _, s := range g.servers {
		if s.backup || !s.well(now) {
			continue
		}
		// The highest of as many draws as the server has weight.
		for draw := range s.weight {
			score := stickyScore(visitor.Addr().As16(), s.name, draw)
			if best == nil || score > highest {
				best, highest = s, score
			}
		}
	}
	return best
}

// stickyScore is the same on every edge and after every restart.
func stickyScore(visitor [16]byte, server string, draw int64) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write(visitor[:])
	_, _ = hash.Write([]byte(server))
	_, _ = hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(draw)))
	// FNV leaves the last bytes badly mixed; this is the finisher of MurmurHash3.
	x := hash.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

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
