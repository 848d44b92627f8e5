package resolve

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

const bothFamilies = "www.example.test. 60 AAAA 2001:db8::1"

func dualServer(t testing.TB) *fakeServer {
	return newServer(t, "www.example.test. 60 A 192.0.2.1", "www.example.test. 60 A 192.0.2.2", bothFamilies)
}

// refuse bends the answers to one name into REFUSED.
func refuse(name string) func(string, *dns.Msg, *dns.Msg) []*dns.Msg {
	return func(_ string, q, a *dns.Msg) []*dns.Msg {
		if q.Question[0].Name == name {
			a.Rcode, a.Answer, a.Ns = dns.RcodeRefused, nil, nil
		}
		return []*dns.Msg{a}
	}
}

// story runs a test in a bubble of time with a server and a resolver that asks it.
func story(t *testing.T, s *fakeServer, cfg Config, tell func(t *testing.T, r *Resolver)) {
	synctest.Test(t, func(t *testing.T) {
		cfg.Servers = []string{firstServer}
		tell(t, newResolver(t, cfg, network{firstServer: s}))
	})
}

func TestQuery_doesNotWaitForLateIPv6AndRemembersIt(t *testing.T) {
	s := dualServer(t)
	s.late[dns.TypeAAAA] = 400 * time.Millisecond
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		began := time.Now()
		want(t, lookup(t, r, "www.example.test"), "192.0.2.1 192.0.2.2")
		if waited := time.Since(began); waited != 50*time.Millisecond {
			t.Errorf("waited for %s", waited)
		}
		<-time.After(time.Second)
		answer, err := r.Lookup(t.Context(), "www.example.test")
		want(t, show(answer), "2001:db8::1 192.0.2.1 192.0.2.2")
		if end := began.Add(time.Minute + 50*time.Millisecond); err != nil || !answer.Expires.Equal(end) {
			t.Errorf("ends %s, want %s", answer.Expires, end)
		}
		wantCount(t, s, "", 2)
	})
}

func TestQuery_waitsLongerForIPv4(t *testing.T) {
	s := dualServer(t)
	s.late[dns.TypeA] = 200 * time.Millisecond
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.1 192.0.2.2")
	})
	s.late[dns.TypeA] = 400 * time.Millisecond
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		began := time.Now()
		want(t, lookup(t, r, "www.example.test"), "2001:db8::1")
		if waited := time.Since(began); waited != 300*time.Millisecond {
			t.Errorf("waited for %s", waited)
		}
	})
}

func TestQuery_usesOneFamilyWhenTheOtherFails(t *testing.T) {
	s := dualServer(t)
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		s.rcodes[dns.TypeAAAA] = dns.RcodeServerFailure
		s.put(t, "www.example.test. 600 A 192.0.2.1")
		answer, err := r.Lookup(t.Context(), "www.example.test")
		want(t, show(answer), "192.0.2.1")
		if err != nil || !answer.Expires.Equal(time.Now().Add(partialTTL)) {
			t.Errorf("half an answer ends in %s (%v)", time.Until(answer.Expires), err)
		}
		s.change(func() { delete(s.rcodes, dns.TypeAAAA) })
		<-time.After(time.Minute)
		want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.1")

		// Afterwards the family that fails keeps what it had; one that is
		// said to be empty does not.
		s.change(func() { s.rcodes[dns.TypeAAAA] = dns.RcodeServerFailure })
		s.put(t, "www.example.test. 60 A 192.0.2.9")
		<-time.After(2 * time.Minute)
		want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.9")
		s.change(func() { delete(s.rcodes, dns.TypeAAAA) })
		s.drop("www.example.test. AAAA")
		<-time.After(2 * time.Minute)
		want(t, lookup(t, r, "www.example.test"), "192.0.2.9")
	})
}

func TestQuery_isNotSureWhenOneFamilyFails(t *testing.T) {
	s := newServer(t, "empty.example.test. 60 TXT x")
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		s.rcodes[dns.TypeA] = dns.RcodeServerFailure
		wantError(t, r, "empty.example.test", false) // the other says: no address
		wantError(t, r, "gone.example.test", true)   // the other says: no such name, for both
	})
}

func TestQuery_asksTheNextServer(t *testing.T) {
	rcode := func(rcode int) func(*fakeServer) {
		return func(s *fakeServer) { s.rcodes[dns.TypeA], s.rcodes[dns.TypeAAAA] = rcode, rcode }
	}
	bend := func(how func(q, a *dns.Msg)) func(*fakeServer) {
		return func(s *fakeServer) {
			s.bend = func(_ string, q, a *dns.Msg) []*dns.Msg {
				how(q, a)
				return []*dns.Msg{a}
			}
		}
	}
	for _, c := range []struct {
		name  string
		wrong func(first *fakeServer)
		after time.Duration
		asked int // questions to the first server
	}{
		{"silent", func(s *fakeServer) { s.silent = true }, time.Second, 2},
		{"SERVFAIL", rcode(dns.RcodeServerFailure), 0, 2},
		{"REFUSED", rcode(dns.RcodeRefused), 0, 2},
		{"NOTAUTH", rcode(dns.RcodeNotAuth), 0, 2},
		{"FORMERR with and without EDNS0", rcode(dns.RcodeFormatError), 0, 4},
		{"wrong identifier", bend(func(_, a *dns.Msg) { a.Id++ }), time.Second, 2},
		{"wrong name", bend(func(_, a *dns.Msg) { a.Question[0].Name = "evil.example.test." }), time.Second, 2},
		{"wrong type", bend(func(_, a *dns.Msg) { a.Question[0].Qtype = dns.TypeTXT }), time.Second, 2},
		{"wrong class", bend(func(_, a *dns.Msg) { a.Question[0].Qclass = dns.ClassCHAOS }), time.Second, 2},
		{"no question", bend(func(_, a *dns.Msg) { a.Question = nil }), time.Second, 2},
		{"a question back", bend(func(_, a *dns.Msg) { a.Response = false }), time.Second, 2},
		{"another kind of message", bend(func(_, a *dns.Msg) { a.Opcode = dns.OpcodeStatus }), time.Second, 2},
		{"a referral", bend(func(_, a *dns.Msg) { a.Answer, a.RecursionAvailable = nil, false }), 0, 2},
		{"truncated over TCP as well", bend(func(_, a *dns.Msg) { a.Truncated = true }), 0, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, second := dualServer(t), dualServer(t)
			for _, key := range []string{"www.example.test. A", "www.example.test. AAAA"} {
				for _, record := range first.records[key] { // what the first one says is not to be believed
					switch record := record.(type) {
					case *dns.A:
						record.A[3]++
					case *dns.AAAA:
						record.AAAA[15]++
					}
				}
			}
			c.wrong(first)
			synctest.Test(t, func(t *testing.T) {
				r := newResolver(t, Config{Servers: []string{firstServer, secondServer}}, network{firstServer: first, secondServer: second})
				began := time.Now()
				want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.1 192.0.2.2")
				if waited := time.Since(began); waited != c.after {
					t.Errorf("waited for %s, want %s", waited, c.after)
				}
				wantCount(t, first, "", c.asked)
			})
		})
	}
}

func TestQuery_saysWhatEachServerSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent, broken := newServer(t), newServer(t)
		silent.silent = true
		broken.rcodes = map[uint16]int{dns.TypeA: dns.RcodeServerFailure, dns.TypeAAAA: dns.RcodeRefused}
		r := newResolver(t, Config{Servers: []string{firstServer, secondServer, "192.0.2.55:53"}}, network{firstServer: silent, secondServer: broken})
		began := time.Now()
		err := wantError(t, r, "www.example.test", false)
		for _, part := range []string{firstServer, secondServer, "192.0.2.55:53", "SERVFAIL", "REFUSED", "connection refused", `"www.example.test"`} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is missing in: %v", part, err)
			}
		}
		if waited := time.Since(began); waited != 2*time.Second {
			t.Errorf("waited for %s, want two rounds of a second", waited)
		}
		wantCount(t, silent, "", 4)
		wantCount(t, broken, "", 2) // it spoke: asked once for each family

		// Nobody is asked again at once (RFC 9520).
		wantError(t, r, "www.example.test", false)
		wantCount(t, silent, "", 4)
		time.Sleep(failure)
		wantError(t, r, "www.example.test", false)
		wantCount(t, silent, "", 8)
	})
}

func TestQuery_asksWithoutEDNSWhereItIsUnknown(t *testing.T) {
	for _, question := range []bool{true, false} {
		s := dualServer(t)
		s.bend = func(_ string, q, a *dns.Msg) []*dns.Msg {
			if q.IsEdns0() != nil {
				a.Rcode, a.Answer = dns.RcodeFormatError, nil
				if !question {
					a.Question = nil
				}
			}
			return []*dns.Msg{a}
		}
		story(t, s, Config{}, func(t *testing.T, r *Resolver) {
			want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.1 192.0.2.2")
			wantCount(t, s, "udp", 4)
		})
	}
}

func TestQuery_ignoresForgeriesAndAsksOverTCPWhenThereAreMany(t *testing.T) {
	for _, c := range []struct{ forged, tcp int }{{3, 0}, {mostForged, 2}} {
		s := dualServer(t)
		s.bend = func(network string, q, a *dns.Msg) (all []*dns.Msg) {
			for i := range c.forged {
				if network == "udp" {
					lie := a.Copy()
					lie.Id += uint16(i + 1)
					lie.Answer = nil
					all = append(all, lie)
				}
			}
			return append(all, a)
		}
		story(t, s, Config{}, func(t *testing.T, r *Resolver) {
			want(t, lookup(t, r, "www.example.test"), "2001:db8::1 192.0.2.1 192.0.2.2")
			wantCount(t, s, "tcp", c.tcp)
		})
	}
}

func TestQuery_endsWhereAliasesDoNot(t *testing.T) {
	s := newServer(t, "a.example.test. 60 CNAME b.example.test.", "b.example.test. 60 CNAME a.example.test.", "self.example.test. 60 CNAME self.example.test.")
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		for _, name := range []string{"a.example.test", "self.example.test"} {
			if err := wantError(t, r, name, false); !strings.Contains(err.Error(), errLoop.Error()) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestQuery_takesNoAddressOfAnotherName(t *testing.T) {
	s := dualServer(t)
	s.bend = func(_ string, q, a *dns.Msg) []*dns.Msg {
		for _, text := range []string{"evil.example.test. 60 A 192.0.2.66", "www.example.test. 60 CH A 192.0.2.67"} {
			evil, err := dns.NewRR(text)
			if err != nil {
				panic(err)
			}
			a.Answer = append([]dns.RR{evil}, a.Answer...)
		}
		return []*dns.Msg{a}
	}
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		want(t, lookup(t, r, "WWW.Example.Test"), "2001:db8::1 192.0.2.1 192.0.2.2")
	})
}

func TestQuery_keepsNoMoreAddressesThanItNeeds(t *testing.T) {
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf("www.example.test. 60 A 198.51.100.%d", i), fmt.Sprintf("www.example.test. 60 AAAA ::ffff:198.51.100.%d", i))
	}
	s := newServer(t, lines...)
	story(t, s, Config{}, func(t *testing.T, r *Resolver) {
		answer, err := r.Lookup(t.Context(), "www.example.test")
		if err != nil || len(answer.Addrs) != mostAddrs { // the mapped ones are the same
			t.Errorf("got %d addresses, %v", len(answer.Addrs), err)
		}
		if !slices.ContainsFunc(s.asked, func(line string) bool { return strings.HasPrefix(line, "tcp") }) {
			t.Error("they fit into a datagram")
		}
	})
}
