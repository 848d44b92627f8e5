package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	serverTime = time.Second           // one server's time for one question
	rounds     = 2                     // times that a silent server is asked: datagrams get lost
	wholeTime  = 5 * time.Second       // for all servers and search domains; again for the system
	lateIPv6   = 50 * time.Millisecond // RFC 8305, 3
	lateIPv4   = 300 * time.Millisecond
	mostForged = 16 // datagrams that are no answer before we ask over TCP
	systemTTL  = 30 * time.Second
)

// outcome is what is known of a name after asking: IPv6 and IPv4.
type outcome struct {
	families [2]reply
	source   string
}

func (o outcome) has(k kind) bool { return o.families[0].kind == k || o.families[1].kind == k }

// ask asks for both families and calls publish with the outcome: twice when
// one family is late, first without it. The servers are those configured, or
// resolv.conf's with its search domains and, where none of them answers and
// system is true, the system's own look-up.
func (r *Resolver) ask(key string, system bool, publish func(outcome)) {
	servers, names := r.servers, []string{dns.Fqdn(key)}
	if r.conf != nil {
		list := r.conf.get(r.now())
		servers, names = list.servers, candidates(key, list.search)
	}
	ctx, cancel := context.WithTimeout(r.ctx, wholeTime)
	defer cancel()
	var worst outcome
	for i, name := range names {
		o := r.askBoth(ctx, servers, name, publish)
		if o.has(found) {
			publish(o)
			return
		}
		// A failure outweighs "no such name": perhaps it was there.
		if i == 0 || o.failure() != nil {
			worst = o
		}
	}
	if worst.failure() != nil && r.conf != nil && system {
		worst = r.askSystem(key, worst)
	}
	publish(worst)
}

// candidates returns the full names to ask for. Only a name without any dot
// is looked for in the search domains, before it is taken as it is.
func candidates(key string, search []string) (names []string) {
	if !strings.Contains(key, ".") {
		for _, domain := range search {
			if full := key + "." + domain; len(full) <= 253 {
				names = append(names, full+".")
			}
		}
	}
	return append(names, dns.Fqdn(key))
}

// failure returns why nothing can be said of the name, or nil if it is known.
// One server's word that the name does not exist is enough for both families.
func (o outcome) failure() error {
	if o.has(found) || o.has(missing) || !o.has(failed) {
		return nil
	}
	return errors.Join(o.families[0].err, o.families[1].err)
}

// askBoth asks for both families at the same time. When one has addresses
// and the other is late, it calls publish and goes on waiting. IPv4 may be
// later than IPv6: many machines reach nothing without it.
func (r *Resolver) askBoth(ctx context.Context, servers []string, name string, publish func(outcome)) outcome {
	o := outcome{source: "dns"}
	type numbered struct {
		family int
		reply  reply
	}
	replies := make(chan numbered, len(o.families))
	for family, kind := range []uint16{dns.TypeAAAA, dns.TypeA} {
		go func() { replies <- numbered{family, r.askServers(ctx, servers, name, kind)} }()
	}
	var late <-chan time.Time
	for o.has(pending) {
		select {
		case n := <-replies:
			o.families[n.family] = n.reply
			if n.reply.kind == found {
				timer := time.NewTimer([]time.Duration{lateIPv4, lateIPv6}[n.family])
				defer timer.Stop()
				late = timer.C
			}
		case <-late:
			publish(o)
		}
	}
	return o
}

// askServers asks one server after the other until one knows.
func (r *Resolver) askServers(ctx context.Context, servers []string, name string, kind uint16) reply {
	spoke := make([]bool, len(servers))
	var errs []error
	for range rounds {
		for i, server := range servers {
			if spoke[i] || ctx.Err() != nil {
				continue
			}
			said := r.askServer(ctx, server, name, kind)
			if said.kind != failed {
				return said
			}
			spoke[i] = said.spoke
			errs = append(errs, fmt.Errorf("%s %s from %s: %w", dns.TypeToString[kind], name, server, said.err))
		}
	}
	if len(errs) == 0 {
		errs = append(errs, ctx.Err())
	}
	return reply{kind: failed, err: errors.Join(errs...)}
}

// askServer asks one server: over UDP, over TCP when the answer does not fit,
// without EDNS0 when it does not know that (RFC 6891, 7).
func (r *Resolver) askServer(ctx context.Context, server, name string, kind uint16) reply {
	network, extended := "udp", true
	for {
		said := r.exchange(ctx, network, server, newQuestion(name, kind), extended)
		switch {
		case said.kind == truncated && network == "udp":
			network = "tcp"
		case said.kind == bare && extended:
			extended = false
		case said.kind == truncated || said.kind == bare:
			said.kind, said.spoke = failed, true
			if said.err == nil {
				said.err = errors.New("the answer is truncated even over TCP")
			}
			return said
		default:
			return said
		}
	}
}

// exchange sends one question, from a port of its own, and waits for its answer.
func (r *Resolver) exchange(ctx context.Context, network, server string, q question, extended bool) reply {
	raw, err := q.pack(extended)
	if err != nil {
		return reply{kind: failed, spoke: true, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	conn, err := r.dial(ctx, network, server)
	if err != nil {
		return reply{kind: failed, err: err}
	}
	defer conn.Close()
	// A blocked read returns when time is up or the resolver is closed.
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	said, err := q.over(conn, network, raw)
	if err != nil {
		return reply{kind: failed, err: err}
	}
	return said
}

func (q question) over(conn net.Conn, network string, raw []byte) (reply, error) {
	if network == "tcp" {
		return q.overTCP(conn, raw)
	}
	if _, err := conn.Write(raw); err != nil {
		return reply{}, err
	}
	buffer := make([]byte, 4096)
	for range mostForged {
		n, err := conn.Read(buffer)
		if err != nil {
			return reply{}, err
		}
		// What is not ours may come from anybody; the answer may still follow.
		if said, err := q.read(buffer[:n]); err == nil {
			return said, nil
		}
	}
	return reply{kind: truncated}, nil
}

// overTCP frames messages by their length (RFC 1035, 4.2.2).
func (q question) overTCP(conn net.Conn, raw []byte) (reply, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(raw))), raw...)); err != nil {
		return reply{}, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return reply{}, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return reply{}, err
	}
	return q.read(answer)
}

// askSystem asks the way that the rest of the system does: nsswitch.conf and
// what stands in it. It returns what is known so far when that fails.
func (r *Resolver) askSystem(key string, sofar outcome) outcome {
	ctx, cancel := context.WithTimeout(r.ctx, wholeTime)
	defer cancel()
	addrs, err := r.system(ctx, key)
	if err != nil || len(addrs) == 0 {
		return sofar
	}
	o := outcome{source: "system"}
	for family := range o.families {
		o.families[family] = reply{kind: empty, ttl: leastGone}
	}
	for _, addr := range addrs {
		said := &o.families[family(addr)]
		said.kind, said.ttl = found, systemTTL
		said.addrs = append(said.addrs, addr)
	}
	return o
}

// family is the place of an address in an outcome.
func family(addr netip.Addr) int {
	if addr.Unmap().Is4() {
		return 1
	}
	return 0
}
