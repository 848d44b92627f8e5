package origin

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall/internal/breaker"
	"github.com/seawall-edge/seawall/spec"
)

// server is one server of a Group.
type server struct {
	group *Group
	label []byte // name, for Events
	door
	identity
	name   string
	backup bool
	weight int64
	limit  int64 // requests at the same time; 0: as many as come
	pool   pool

	active   atomic.Int64        // requests now
	era      atomic.Pointer[era] // those since the last rest
	failures atomic.Int64        // requests that it failed
	troubled atomic.Bool         // health has something to say

	// Guarded by the group's mu.
	health
	turn int64 // for taking turns by weight
	load int64 // requests at the last choosing
}

// door is where a server is.
type door struct {
	url       string
	secure    bool
	own       string // host as in the URL, without port; IPv6 in brackets
	dial      string // host without brackets
	port      uint16
	authority []byte       // own, with the port unless it is the scheme's own
	literal   bool         // the URL has an address in place of a name
	followed  atomic.Int64 // Unix seconds: when it was last seen where the name leads
}

// identity is the names that a server is asked by.
type identity struct {
	host string // what to send as Host; "" is what the visitor asked for
	sent []byte // the same; nil is what the visitor asked for
	sni  string // the name to ask for in TLS; "" follows the Host
	tls  *tls.Config
}

// health is what is known of how a server is.
type health struct {
	breaker breaker.Breaker
	awake   *time.Timer // wakes those who wait when a rest is over
	rested  bool        // since it was last said that it is well
	victim  victim
	check   checkState
}

func newServer(g *Group, s spec.ServerSpec) (*server, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, fmt.Errorf("read origin URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("read origin URL %q: scheme http or https and a host are needed", s.URL)
	}
	one := &server{
		group: g, name: s.Name, label: []byte(s.Name),
		backup: s.Backup, weight: int64(max(1, s.Weight)), limit: int64(s.MaxRequests),
	}
	one.url, one.secure, one.dial, one.own, one.sni = s.URL, u.Scheme == "https", u.Hostname(), u.Hostname(), s.ServerName
	if strings.Contains(one.own, ":") {
		one.own = "[" + one.own + "]"
	}
	one.port = usualPort(one.secure)
	if text := u.Port(); text != "" {
		number, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("read origin URL %q: %w", s.URL, err)
		}
		one.port = uint16(number)
	}
	switch s.Host {
	case spec.HostVisitor, "":
	case spec.HostServer:
		one.host = u.Host // as the owner wrote it
	default:
		one.host = s.Host
	}
	one.authority = []byte(one.own)
	if one.port != usualPort(one.secure) {
		one.authority = strconv.AppendUint(append(one.authority, ':'), uint64(one.port), 10)
	}
	if one.host != "" {
		one.sent = []byte(one.host)
	}
	if one.secure {
		if one.tls, err = g.tlsConfig(); err != nil {
			return nil, err
		}
	}
	one.pool = pool{keep: g.origin.KeepIdle.Duration(), most: g.origin.MaxIdle, now: time.Now}
	one.era.Store(&era{})
	one.literal = isAddress(one.dial)
	b := g.origin.Breaker
	one.breaker = breaker.New(breaker.Config{
		Off: b.Off, Failures: b.Failures, Rest: b.Rest.Duration(), Longest: b.LongestRest.Duration(), Return: b.Return.Duration(),
	})
	return one, nil
}

// serverName returns the name that TLS asks for when the visitor asked for
// host, and whether a certificate for the URL's own name is good as well.
func (s *server) serverName(host []byte) (name string, ownToo bool) {
	switch {
	case !s.secure:
		return "", false
	case s.sni != "":
		return s.sni, false
	case s.host != "":
		name = hostOf(s.host)
	case len(host) > 0:
		name = string(host)
	}
	if name == "" || isAddress(name) {
		return s.dial, true
	}
	return name, true
}

func usualPort(secure bool) uint16 {
	if secure {
		return 443
	}
	return 80
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// describe says how the server is; the group's mu is held.
func (s *server) describe(now time.Time) (state, why string, since time.Time) {
	if s.check.down {
		return "down", s.check.why, s.check.since
	}
	how, why, since := s.breaker.Describe(now)
	return how.String(), why, since
}
