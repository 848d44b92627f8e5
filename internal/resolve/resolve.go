// Package resolve turns the names of origin servers into addresses, again
// whenever their time is up, and keeps the last good answer while nobody can
// be asked.
//
// A proxy that resolves a name once sends visitors to an address that has
// long been somebody else's; one that resolves it for every request falls
// with its resolver. Here an answer lives as long as its TTL says, is asked
// for again shortly before it ends, and outlives a resolver that is away.
// Dial then tries the addresses of both families (RFC 8305).
//
// What is asked, in this order: address literals answer themselves, the hosts
// file wins over DNS, "localhost" and what is below it is this machine
// (RFC 6761, 6.3), then the DNS servers. No names are validated by DNSSEC.
// It is the one room of github.com/miekg/dns.
package resolve

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	defaultFloor   = time.Second
	defaultCeiling = time.Hour
	mostNames      = 10_000
)

// Config says whom to ask. Its zero value asks like the rest of the system.
type Config struct {
	// Servers are the DNS servers, as "address:port" or as an address (port
	// 53), asked in this order. Empty: those of resolv.conf, with its search
	// domains, and the system's own look-up behind them.
	Servers []string
	// Hosts is the path of the hosts file, looked at for changes at most
	// every five seconds. Default: /etc/hosts.
	Hosts string
	// ResolvConf is the path of resolv.conf, looked at in the same way and
	// only when Servers is empty. Default: /etc/resolv.conf.
	ResolvConf string
	// Now is the clock that lifetimes are measured with. Default: time.Now.
	Now func() time.Time
	// Logger is told once when a name gets into trouble and once when it is
	// out of it. Default: nobody.
	Logger *slog.Logger
	// Floor and Ceiling bound a TTL as it is used: a TTL of 0 counts as Floor.
	// Defaults: one second (an origin that moves is followed at once, and a
	// server that says 0 is still asked no more than that) and one hour.
	Floor, Ceiling time.Duration
}

// Answer is what is known about a name.
type Answer struct {
	// Addrs holds at least one address: unmapped, each once, the families
	// taking turns beginning with IPv6, otherwise in the server's order. It
	// is shared with others and must not be changed.
	Addrs []netip.Addr
	// Expires is when to ask again: the end of the TTL, or of a stale answer
	// the next time that servers are tried.
	Expires time.Time
	// Stale marks an answer whose time is up and that is used for want of a
	// better one: no server answers, or they say since less than an hour
	// that the name is gone.
	Stale bool
	// Source is "literal", "hosts", "dns" or "system".
	Source string
}

// NameError is the error of every look-up that failed.
type NameError struct {
	Name     string
	NotFound bool // the name does not exist or has no address; otherwise nobody could say
	Err      error
}

func (e *NameError) Error() string { return fmt.Sprintf("look up %q: %v", e.Name, e.Err) }

// Unwrap returns why: the error of the caller's context, net.ErrClosed, or
// what the servers said.
func (e *NameError) Unwrap() error { return e.Err }

var (
	errNoName    = errors.New("the name does not exist")
	errNoAddress = errors.New("the name has no address")
	errNotAName  = errors.New("not a host name")
)

// Resolver answers from memory and asks when it must. It is safe for use by
// several goroutines.
type Resolver struct {
	// Set by New; tests change some of it before the first use.
	servers  []string // as configured; nil: conf's
	hosts    *watched[hostsTable]
	conf     *watched[serverList] // nil when servers are configured
	now      func() time.Time
	log      *slog.Logger
	floor    time.Duration
	ceiling  time.Duration
	limit    int           // names in memory
	patience time.Duration // with one server and one question
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	system   func(ctx context.Context, name string) ([]netip.Addr, error)

	ctx     context.Context // of every question; ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup // questions being asked

	mu     sync.Mutex        // guards what follows, and the entries
	names  map[string]*entry // by canonical name
	order  *list.List        // of *entry, the one asked for last in front
	closed bool
}

// New returns a resolver, to be ended by Close. It fails for a server that is
// not an address; files that cannot be read are no error.
func New(cfg Config) (*Resolver, error) {
	r := &Resolver{
		now:      cfg.Now,
		log:      cfg.Logger,
		floor:    cfg.Floor,
		ceiling:  cfg.Ceiling,
		limit:    mostNames,
		patience: serverTime,
		dial:     new(net.Dialer).DialContext,
		names:    map[string]*entry{},
		order:    list.New(),
	}
	r.system = func(ctx context.Context, name string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.floor <= 0 {
		r.floor = defaultFloor
	}
	if r.ceiling <= 0 {
		r.ceiling = defaultCeiling
	}
	r.ceiling = max(r.ceiling, r.floor)
	for _, text := range cfg.Servers {
		server, err := serverAddress(text)
		if err != nil {
			return nil, fmt.Errorf("read resolver %q: %w", text, err)
		}
		r.servers = append(r.servers, server)
	}
	r.hosts = watch(orDefault(cfg.Hosts, "/etc/hosts"), parseHosts, r.log, r.now())
	if len(r.servers) == 0 {
		r.conf = watch(orDefault(cfg.ResolvConf, "/etc/resolv.conf"), parseResolvConf, r.log, r.now())
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r, nil
}

func orDefault(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// serverAddress returns "address:port" of what may lack the port. Names are
// refused: somebody would have to resolve them.
func serverAddress(text string) (string, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(addr, 53).String(), nil
	}
	server, err := netip.ParseAddrPort(text)
	if err != nil {
		return "", err
	}
	return server.String(), nil
}

// Close ends all questions and waits for them. Look-ups fail afterwards with
// net.ErrClosed. Closing again does nothing.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	for _, e := range r.names {
		e.stopTimer()
	}
	r.mu.Unlock()
	r.stop()
	r.running.Wait()
}

// Lookup returns the addresses of a name. It waits for servers only when
// nothing usable is in memory; the end of ctx releases this caller alone.
// Every error is a *NameError.
func (r *Resolver) Lookup(ctx context.Context, name string) (Answer, error) {
	now := r.now()
	if addr, ok := literal(name); ok {
		return Answer{Addrs: []netip.Addr{addr}, Expires: now.Add(r.ceiling), Source: "literal"}, nil
	}
	key, err := canonical(name)
	if err != nil {
		return Answer{}, &NameError{Name: name, NotFound: true, Err: err}
	}
	if addrs := r.fromHosts(key, now); len(addrs) > 0 {
		return Answer{Addrs: addrs, Expires: now.Add(lookEvery), Source: "hosts"}, nil
	}
	return r.fromMemory(ctx, key, now)
}

// literal reads an address, also in the brackets that URLs put around IPv6.
func literal(name string) (netip.Addr, bool) {
	if inner, ok := strings.CutPrefix(name, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok && strings.Contains(inner, ":") {
			name = inner
		}
	}
	if !strings.Contains(name, ":") && strings.Trim(name, ".0123456789") != "" {
		return netip.Addr{}, false // spares most names the cost of an error
	}
	addr, err := netip.ParseAddr(name)
	return addr.Unmap(), err == nil
}

// canonical returns the one form of a name that memory, files and servers go
// by: lower case, the final dot only where it says that no search domain is
// to be added. What ends in a number is no name but an address written in a
// way that only some libraries read ("127.1", "0x7f.1"), and is refused.
func canonical(name string) (string, error) {
	key := strings.ToLower(strings.TrimSuffix(name, "."))
	if key == "" || len(key) > 253 {
		return "", errNotAName
	}
	var last string
	for label := range strings.SplitSeq(key, ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, unusual) {
			return "", errNotAName
		}
		last = label
	}
	if strings.Trim(last, "0123456789") == "" || hexadecimal(last) {
		return "", errNotAName
	}
	if key == last && strings.HasSuffix(name, ".") {
		key += "."
	}
	return key, nil
}

// unusual reports a character that no host name has; the underscore is in
// many names of clouds.
func unusual(c rune) bool {
	return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
}

func hexadecimal(label string) bool {
	digits, ok := strings.CutPrefix(label, "0x")
	return ok && strings.Trim(digits, "0123456789abcdef") == ""
}
