package resolve

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Whatever stands in a hosts file, names in the table are canonical and have
// addresses, and what the table says reads back as itself.
func FuzzHosts(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 localhost ip6-localhost # x\nfe80::1%lo0 a.b.\r\n\x00 b\n300.1.1.1 c\n192.0.2.1 UPPER bad..name")
	f.Fuzz(func(t *testing.T, text string) {
		table := parseHosts(text)
		var again strings.Builder
		for name, addrs := range table {
			if key, err := canonical(name); err != nil || key != name || len(addrs) == 0 {
				t.Fatalf("%q has %v", name, addrs)
			}
			for _, addr := range addrs {
				again.WriteString(addr.String() + " " + name + "\n")
			}
		}
		for name, addrs := range parseHosts(again.String()) {
			if !slices.Equal(addrs, table[name]) {
				t.Errorf("%s: %v became %v", name, table[name], addrs)
			}
		}
	})
}

// Whatever stands in resolv.conf, there are one to three servers with
// addresses, and search domains that can be asked for.
func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver ::1\nnameserver 192.0.2.2\nsearch a.test b.test.\ndomain c.test\noptions ndots:5\n; x")
	f.Fuzz(func(t *testing.T, text string) {
		list := parseResolvConf(text)
		if n := len(list.servers); n < 1 || n > mostServers || len(list.search) > mostSearch {
			t.Fatalf("got %+v", list)
		}
		for _, server := range list.servers {
			if _, err := netip.ParseAddrPort(server); err != nil {
				t.Error(err)
			}
		}
		for _, name := range candidates("db", list.search) {
			if _, err := newQuestion(name, dns.TypeA).pack(true); err != nil {
				t.Errorf("%q cannot be asked for: %v", name, err)
			}
		}
	})
}

// Whatever a server sends, an answer is one of a few kinds within its bounds.
func FuzzReply(f *testing.F) {
	q := question{id: 4711, name: "www.example.test.", kind: dns.TypeAAAA}
	s := newServer(f, "www.example.test. 60 CNAME a.example.test.", "a.example.test. 4000000000 AAAA 2001:db8::1")
	for _, bend := range []func(*dns.Msg){
		func(*dns.Msg) {},
		func(m *dns.Msg) { m.Truncated = true },
		func(m *dns.Msg) { m.Rcode, m.Question = dns.RcodeFormatError, nil },
		func(m *dns.Msg) { m.Rcode, m.Answer, m.Ns = dns.RcodeNameError, nil, s.records["example.test. SOA"] },
	} {
		m := new(dns.Msg)
		m.Id = q.id
		m.Question = []dns.Question{{Name: q.name, Qtype: q.kind, Qclass: dns.ClassINET}}
		m = s.zone(m)
		bend(m)
		raw, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		if said, err := q.read(raw); err != nil || said.kind == pending {
			f.Fatalf("the seed reads as %+v, %v", said, err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		said, err := q.read(raw)
		if err != nil {
			return
		}
		switch said.kind {
		case found:
			if len(said.addrs) == 0 || len(said.addrs) > mostAddrs || said.ttl < 0 || slices.ContainsFunc(said.addrs, func(a netip.Addr) bool { return !a.IsValid() || a.Is4In6() }) {
				t.Errorf("found %+v", said)
			}
		case missing, empty:
			if said.ttl < leastGone || said.ttl > mostGone {
				t.Errorf("%+v", said)
			}
		case failed, bare:
			if said.err == nil || !said.spoke {
				t.Errorf("%+v", said)
			}
		case truncated:
		default:
			t.Errorf("%+v", said)
		}
	})
}
