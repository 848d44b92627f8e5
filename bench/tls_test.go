package main

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// secureSite is a server of Go's, with a certificate of the bench.
func secureSite(t *testing.T, change func(*tls.Config), serve func(net.Conn)) (site, *identity) {
	t.Helper()
	maker, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := maker.write(t.TempDir(), benchName)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(shown.Chain, shown.Key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	if change != nil {
		change(config)
	}
	address := listen(t, func(conn net.Conn) {
		secure := tls.Server(conn, config)
		defer secure.Close()
		if secure.Handshake() == nil {
			serve(secure)
		}
	})
	return site{Host: benchName, Address: address, TLS: shown.visitor(benchName)}, shown
}

func readOnce(conn net.Conn) { conn.Read(make([]byte, 1)) }

func TestShaker_countsHandshakesOfTheKindItWants(t *testing.T) {
	for _, resume := range []bool{false, true} {
		s, _ := secureSite(t, nil, readOnce)
		all, err := newShakers(t.Context(), s, 2, resume)
		if err != nil {
			t.Fatal(err)
		}
		l, err := keepBusy(t.Context(), len(all), 50*time.Millisecond, func(w int) error { return all[w].visit(t.Context()) })
		if err != nil || l.Requests == 0 {
			t.Errorf("resumed: %v: %d handshakes, %v", resume, l.Requests, err)
		}
	}
}

func TestShaker_refusesWhatIsNotMeasured(t *testing.T) {
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.2":     func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
		"a new round": func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} },
		"no tickets":  func(c *tls.Config) { c.SessionTicketsDisabled = true },
	} {
		s, _ := secureSite(t, change, readOnce)
		all, err := newShakers(t.Context(), s, 1, true)
		if err == nil {
			err = all[0].visit(t.Context())
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	talkative, _ := secureSite(t, nil, func(conn net.Conn) { readOnce(conn); conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) })
	if _, err := newShakers(t.Context(), talkative, 1, true); err == nil {
		t.Error("an answer to no request is not noticed")
	}
	s, _ := secureSite(t, nil, readOnce)
	_, other := secureSite(t, nil, readOnce)
	s.TLS = other.visitor(benchName)
	if conn, err := s.dial(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "another certificate") {
		t.Errorf("another certificate is taken: %v, %v", conn, err)
	}
}

func TestOpenMany_shakesHands(t *testing.T) {
	o := newOrigin()
	s, _ := secureSite(t, nil, func(conn net.Conn) { o.answerAll(conn) })
	conns, err := openMany(t.Context(), s, 70, func(conns []net.Conn) error { return askAll(conns, s.Host, path1K) })
	for _, conn := range conns {
		conn.Close()
	}
	if err != nil || len(conns) != 70 || o.served.Load() != 70 {
		t.Errorf("%d connections, %d answers, %v", len(conns), o.served.Load(), err)
	}
	if err := checkAnswer(t.Context(), s, path16K); err != nil {
		t.Errorf("a request of its own: %v", err)
	}
}

const agreementReport = `CONNECTED(00000003)
---
No client certificate CA names sent
Peer signing digest: SHA256
Peer signature type: ECDSA
Server Temp Key: X25519, 253 bits
---
New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256
Server public key is 256 bit
---
`

func TestReadAgreement_namesWhatIsMissing(t *testing.T) {
	if err := readAgreement(agreementReport); err != nil {
		t.Error(err)
	}
	for old, change := range map[string]struct{ to, says string }{
		"TLSv1.3, Cipher":                 {"TLSv1.2, Cipher", "TLS 1.3"},
		"TLS_AES_128_GCM_SHA256":          {"TLS_AES_256_GCM_SHA384", "AES-128-GCM"},
		"Server Temp Key: X25519":         {"Server Temp Key: ECDH, prime256v1", "X25519"},
		"Peer signature type: ECDSA":      {"Peer signature type: RSA-PSS", "ECDSA"},
		"Server public key is 256 bit":    {"Server public key is 2048 bit", "P-256"},
		"CONNECTED(00000003)\n---\nNo cl": {"CONNECTED", ""},
	} {
		err := readAgreement(strings.Replace(agreementReport, old, change.to, 1))
		if (err == nil) != (change.says == "") || err != nil && !strings.Contains(err.Error(), change.says) {
			t.Errorf("%s in place of %s: %v", change.to, old, err)
		}
	}
}

func TestHosts_areMadeOnce(t *testing.T) {
	b := &bench{}
	if err := b.makeIdentity(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	first, err := b.hosts(3)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.hosts(2)
	if err != nil || len(again) != 2 || again[0] != first[0] || b.authority.issued != 4 {
		t.Errorf("%v of %v, %d issued, %v", again, first, b.authority.issued, err)
	}
	for _, name := range first {
		path := b.hostFolder + "/" + name + ".pem"
		pair, err := tls.LoadX509KeyPair(path, b.hostFolder+"/key")
		if err != nil || pair.Leaf.VerifyHostname(name) != nil {
			text, _ := os.ReadFile(path)
			t.Errorf("%s: %v, %s", name, err, text)
		}
	}
}

func TestMark_saysWhatItIsOf(t *testing.T) {
	start := scenario{Hosts: true}
	for _, c := range []struct {
		sc     scenario
		m      mark
		text   string
		holds  float64
		breaks float64
	}{
		{scenario{Handshakes: true}, mark{Against: "nginx", AtLeast: 0.95}, "handshakes per CPU second at least 0.95 of nginx", 0.95, 0.94},
		{start, mark{AtMost: 3, Of: startTime}, "time until the first handshake at most 3 s", 3, 3.1},
		{start, mark{AtMost: 150, Of: wholeMemory}, "memory at most 150 MB", 150, 151},
		{scenario{Idle: true}, mark{AtMost: 4096}, "memory of a connection at most 4096 bytes in user space", 4096, 4097},
		{scenario{}, mark{Against: "nginx", AtMost: 0.65}, "CPU per request at most 0.65 of nginx", 0.65, 0.66},
	} {
		if got := c.m.text(c.sc); got != c.text {
			t.Errorf("got %q, want %q", got, c.text)
		}
		if !c.m.holds(c.holds) || c.m.holds(c.breaks) {
			t.Errorf("%s: wrong at %g or %g", c.text, c.holds, c.breaks)
		}
	}
}

func TestJudge_comparesHandshakesByWhatASecondIsWorth(t *testing.T) {
	sc := scenario{Name: "x", Handshakes: true, Marks: []mark{{Against: "nginx", AtLeast: 0.95}}}
	r := judge(sc, conditions{}, []outcome{{Server: "nginx", Rounds: rounds(100)}, {Server: "seawall", Rounds: rounds(200)}})
	if got := r.Verdicts[0]; got.Outcome != "not reached" || got.Figure.Median != 0.5 {
		t.Errorf("got %+v", got)
	}
}

func TestJudge_judgesAStartByTimeAndMemory(t *testing.T) {
	sc := scenario{Name: "x", Hosts: true, Marks: []mark{{AtMost: 3, Of: startTime}, {AtMost: 150, Of: wholeMemory}}}
	r := judge(sc, conditions{}, []outcome{
		{Server: "nginx-tenth", Rounds: []round{{StartSeconds: 1, Certificates: 10}}},
		{Server: "seawall", Rounds: []round{{StartSeconds: 2, Certificates: 100, MemoryKiB: 200_000}}},
	})
	if got := r.Ratios["nginx-tenth"].Median; got != 0.2 {
		t.Errorf("a certificate takes %g of another server's time, want 0.2", got)
	}
	if r.Verdicts[0].Outcome != "reached" || r.Verdicts[1].Outcome != "not reached" || r.Verdicts[1].Figure.Median != 204.8 {
		t.Errorf("got %+v", r.Verdicts)
	}
}
