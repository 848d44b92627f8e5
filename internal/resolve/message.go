package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	payload     = 1232            // bytes of UDP that we take (EDNS0); fits every path without fragments
	mostAddrs   = 32              // addresses of one family that are kept
	mostAliases = 16              // CNAMEs on the way; more is a loop
	leastGone   = 5 * time.Second // bounds of how long "no such name" is remembered
	mostGone    = 60 * time.Second
)

// kind is what a reply amounts to.
type kind int

const (
	pending   kind = iota // not there yet
	failed                // nobody could say
	missing               // the name does not exist (NXDOMAIN)
	empty                 // the name exists and has no address of this family
	found                 // addresses
	truncated             // to be asked again over TCP
	bare                  // to be asked again without EDNS0
)

// reply is what a server, or several one after another, said to one question.
type reply struct {
	kind  kind
	addrs []netip.Addr
	ttl   time.Duration // as said; of missing and empty: how long to remember, bounded
	spoke bool          // a failure in the server's own words: asking it again is no use
	err   error         // of failed
}

// question is one question to one server, with an identifier of its own.
type question struct {
	id   uint16
	name string // with the final dot
	kind uint16 // dns.TypeA or dns.TypeAAAA
}

func newQuestion(name string, kind uint16) question {
	return question{id: dns.Id(), name: name, kind: kind}
}

// pack returns the question as it is sent (RFC 1035, 4; RFC 6891).
func (q question) pack(extended bool) ([]byte, error) {
	m := dns.Msg{MsgHdr: dns.MsgHdr{Id: q.id, RecursionDesired: true}}
	m.Question = []dns.Question{{Name: q.name, Qtype: q.kind, Qclass: dns.ClassINET}}
	if extended {
		m.SetEdns0(payload, false)
	}
	return m.Pack()
}

var (
	errNotOurs  = errors.New("the answer is to another question")
	errLoop     = errors.New("the aliases of the name do not end")
	errReferral = errors.New("the server knows nothing and does not ask others")
)

// read returns what a message says to the question. An error means that it
// is no answer to it: of a datagram, that it may come from somebody else.
func (q question) read(raw []byte) (reply, error) {
	var m dns.Msg
	if err := m.Unpack(raw); err != nil && !m.Truncated {
		return reply{}, err
	}
	if !m.Response || m.Opcode != dns.OpcodeQuery || m.Id != q.id {
		return reply{}, errNotOurs
	}
	if m.Rcode == dns.RcodeFormatError && len(m.Question) == 0 {
		return q.refused(&m, bare), nil // some servers do not even repeat the question
	}
	if len(m.Question) != 1 || !same(m.Question[0].Name, q.name) || m.Question[0].Qtype != q.kind || m.Question[0].Qclass != dns.ClassINET {
		return reply{}, errNotOurs
	}
	switch {
	case m.Truncated:
		return reply{kind: truncated}, nil
	case m.Rcode == dns.RcodeFormatError, m.Rcode == dns.RcodeNotImplemented, m.Rcode == dns.RcodeBadVers:
		return q.refused(&m, bare), nil
	case m.Rcode == dns.RcodeNameError:
		return reply{kind: missing, ttl: remember(&m)}, nil
	case m.Rcode != dns.RcodeSuccess:
		return q.refused(&m, failed), nil
	}
	return q.follow(&m), nil
}

func (q question) refused(m *dns.Msg, kind kind) reply {
	return reply{kind: kind, spoke: true, err: fmt.Errorf("the server says %s (%d)", dns.RcodeToString[m.Rcode], m.Rcode)}
}

// follow walks the aliases in an answer to the addresses. The lifetime is
// the smallest on the way.
func (q question) follow(m *dns.Msg) reply {
	name, ttl := q.name, ^uint32(0)
	for range mostAliases {
		var addrs []netip.Addr
		alias := ""
		for _, record := range m.Answer {
			head := record.Header()
			if head.Class != dns.ClassINET || !same(head.Name, name) {
				continue
			}
			if addr, ok := address(record); ok && head.Rrtype == q.kind {
				addrs = append(addrs, addr)
				ttl = min(ttl, head.Ttl)
			} else if cname, ok := record.(*dns.CNAME); ok && alias == "" {
				alias = cname.Target
				ttl = min(ttl, head.Ttl)
			}
		}
		switch {
		case len(addrs) > 0:
			// A TTL above 2^31 counts as a large one (RFC 8767, 4).
			return reply{kind: found, addrs: addrs[:min(len(addrs), mostAddrs)], ttl: time.Duration(ttl) * time.Second}
		case alias == "":
			return nothing(m)
		}
		name = alias
	}
	return reply{kind: failed, spoke: true, err: errLoop}
}

func address(record dns.RR) (netip.Addr, bool) {
	switch record := record.(type) {
	case *dns.A:
		addr, ok := netip.AddrFromSlice(record.A)
		return addr.Unmap(), ok
	case *dns.AAAA:
		addr, ok := netip.AddrFromSlice(record.AAAA)
		return addr.Unmap(), ok
	}
	return netip.Addr{}, false
}

// nothing is an answer without an address of the family. A server that
// points at others instead of asking them has not answered.
func nothing(m *dns.Msg) reply {
	if len(m.Answer) == 0 && !m.Authoritative && !m.RecursionAvailable && authority(m) == nil {
		return reply{kind: failed, spoke: true, err: errReferral}
	}
	return reply{kind: empty, ttl: remember(m)}
}

// remember returns how long it holds that something does not exist: the
// smaller of the SOA's TTL and its last field (RFC 2308, 5), within our bounds.
func remember(m *dns.Msg) time.Duration {
	soa := authority(m)
	if soa == nil {
		return leastGone
	}
	ttl := time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second
	return min(max(ttl, leastGone), mostGone)
}

func authority(m *dns.Msg) *dns.SOA {
	for _, record := range m.Ns {
		if soa, ok := record.(*dns.SOA); ok {
			return soa
		}
	}
	return nil
}

// same compares names as DNS does (RFC 4343).
func same(a, b string) bool { return strings.EqualFold(a, b) }
