package certs

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// ticketHouse is a server of two zones, and a client that offers whatever
// ticket it has to each of them, as an attacker would.
type ticketHouse struct {
	server, client *tls.Config
	contexts       map[string]string
}

// oneDrawer keeps the last ticket, whichever server it came from.
type oneDrawer struct{ state *tls.ClientSessionState }

func (d *oneDrawer) Get(string) (*tls.ClientSessionState, bool)  { return d.state, d.state != nil }
func (d *oneDrawer) Put(_ string, state *tls.ClientSessionState) { d.state = state }

func newTicketHouse(t *testing.T, version uint16) *ticketHouse {
	m := makeCertificate(t, nil, newKey(t), func(c *x509.Certificate) {
		c.IsCA, c.DNSNames = true, []string{"a.test", "b.test", "none.test"}
	})
	roots := x509.NewCertPool()
	roots.AddCert(m.certificate)
	now := func() time.Time { return noon }
	h := &ticketHouse{contexts: map[string]string{"a.test": "zone a, 1", "b.test": "zone b, 1"}}
	h.server = &tls.Config{Certificates: []tls.Certificate{*tlsOf(m)}, MaxVersion: version, Time: now}
	h.client = &tls.Config{RootCAs: roots, ClientSessionCache: &oneDrawer{}, Time: now}
	h.server.SetSessionTicketKeys(NewRotatingKeys(now).Keys())
	Bind(h.server, func(name string, _ bool) []byte { return []byte(h.contexts[name]) })
	return h
}

// visit does a handshake and reports whether it resumed a session.
func (h *ticketHouse) visit(t *testing.T, name string) bool {
	t.Helper()
	near, far := net.Pipe()
	config := h.client.Clone()
	config.ServerName = name
	client, server := tls.Client(near, config), tls.Server(far, h.server)
	done := make(chan error, 1)
	go func() {
		_, err := server.Write([]byte("x")) // the ticket of TLS 1.3 comes before it
		done <- err
	}()
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	near.Close() // without TLS's farewell, which nobody would read
	far.Close()
	return client.ConnectionState().DidResume
}

func TestBind_resumesInTheSameContextOnly(t *testing.T) {
	for version, name := range map[uint16]string{tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"} {
		t.Run(name, func(t *testing.T) {
			h := newTicketHouse(t, version)
			for i, step := range []struct {
				name, context string
				resumes       bool
			}{
				{"a.test", "zone a, 1", false}, // the first visit
				{"a.test", "zone a, 1", true},
				{"a.test", "zone a, 1", true}, // a ticket of a resumed session is bound too
				{"b.test", "zone b, 1", false},
				{"b.test", "zone b, 1", true},
				{"b.test", "zone b, 2", false}, // a new revision
				{"b.test", "zone b, 2", true},
				{"a.test", "zone b, 2", true}, // two names of one zone
				{"b.test", "", false},         // the zone is gone
				{"none.test", "", false},      // and no zone is no common zone
				{"a.test", "zone a, 1", false},
			} {
				h.contexts[step.name] = step.context
				if got := h.visit(t, step.name); got != step.resumes {
					t.Errorf("step %d, %s in %q: resumed %v", i, step.name, step.context, got)
				}
			}
		})
	}
}

func TestBind_takesNoTicketFromBeforeItWasBound(t *testing.T) {
	h := newTicketHouse(t, tls.VersionTLS13)
	unwrap := h.server.UnwrapSession
	h.server.WrapSession, h.server.UnwrapSession = nil, nil
	h.visit(t, "a.test")
	if !h.visit(t, "a.test") {
		t.Fatal("without Bind nothing is resumed: this test proves nothing")
	}
	h.server.UnwrapSession = unwrap
	if h.visit(t, "a.test") {
		t.Error("a ticket without a context was taken")
	}
}

func TestRotatingKeys_keepsThreeOfTwelveHours(t *testing.T) {
	c := newClock()
	var keys TicketKeys = NewRotatingKeys(c.now)
	before := keys.Keys()
	if len(before) != 1 || !slices.Equal(before, keys.Keys()) {
		t.Fatalf("%d keys at first, or others at once", len(before))
	}
	for i, step := range []struct {
		pass       time.Duration
		count, new int
	}{
		{12*time.Hour - 1, 1, 0}, {1, 2, 1}, {13 * time.Hour, 3, 1}, {11 * time.Hour, 3, 1}, {-time.Hour, 3, 0},
		{time.Hour, 3, 0}, {24 * time.Hour, 3, 2}, {1000 * time.Hour, 3, 3}, {0, 3, 0},
	} {
		c.pass(step.pass)
		after := keys.Keys()
		kept := min(len(before), step.count-step.new)
		if len(after) != step.count || !slices.Equal(after[step.new:], before[:kept]) || step.new > 0 && slices.Contains(before, after[0]) {
			t.Errorf("step %d: %d keys, %d before", i, len(after), len(before))
		}
		before = after
		after[0] = [32]byte{} // ours to write to
		before = keys.Keys()
	}
}
