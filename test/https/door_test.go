package https_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestDoor_showsEachNameItsCertificate(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for _, name := range []string{"a.test", "b.test", "www.b.test", "modern.test"} {
		v := s.mustEnter(t, name, nil) // crypto/tls checks chain, name and dates
		if left := time.Until(v.ConnectionState().PeerCertificates[0].NotAfter); left > 8*24*time.Hour {
			t.Errorf("%s: a leaf lasts %v", name, left)
		}
		response, body := v.ask(t, "GET", name, "/page", "")
		if ja4 := s.why(t, response.Header.Get("Seawall-Request-Id"))["ja4"]; !fingerprint.MatchString(fmt.Sprint(ja4)) {
			t.Errorf("%s: the Event says JA4 %v", name, ja4)
		}
		if response.StatusCode != 200 || body != "/page of "+name+", 0 bytes" || response.Header.Get("Proto-Seen") != "https" {
			t.Errorf("%s: %d, %q, the origin saw %q", name, response.StatusCode, body, response.Header.Get("Proto-Seen"))
		}
		want := ""
		if strings.HasSuffix(name, "b.test") {
			want = "max-age=31536000; includeSubDomains"
		}
		if got := response.Header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: HSTS %q, want %q", name, got, want)
		}
	}
}

// fingerprint is the form of a JA4 of this test's program.
var fingerprint = regexp.MustCompile(`^t13d[0-9]{4}00_[0-9a-f]{12}_[0-9a-f]{12}$`)

// Who looks through addresses, or guesses names, learns nothing.
func TestDoor_namesNothingToWhoAsksForNothing(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for _, name := range []string{"", "c.test", "x.y.b.test", "example.com", strings.Repeat("a.", 120) + "test"} {
		v := s.mustEnter(t, name, func(c *tls.Config) { c.InsecureSkipVerify = true })
		leaf := v.ConnectionState().PeerCertificates[0]
		if name == "x.y.b.test" {
			continue // the zone's, whose wildcard covers one label: the visitor's browser complains
		}
		if len(leaf.DNSNames)+len(leaf.IPAddresses) > 0 || leaf.Subject.String() != "" || leaf.Issuer.String() != "" {
			t.Errorf("%q: %s, %q, by %s", name, leaf.Subject, leaf.DNSNames, leaf.Issuer)
		}
		if response, _ := v.ask(t, "GET", "a.test", "/", ""); response.StatusCode != 421 {
			t.Errorf("%q lets a.test be asked: %d", name, response.StatusCode)
		}
	}
}

func TestDoor_keepsSitesApart(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	v := s.mustEnter(t, "a.test", nil)
	if response, _ := v.ask(t, "GET", "b.test", "/", ""); response.StatusCode != 421 {
		t.Errorf("another site over the connection: %d", response.StatusCode)
	}
	v = s.mustEnter(t, "b.test", nil)
	if response, _ := v.ask(t, "GET", "b.test", "/%zz", ""); response.StatusCode != 400 || response.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("a page of the edge's own: %d, %v", response.StatusCode, response.Header)
	}
	v = s.mustEnter(t, "b.test", nil)
	if response, body := v.ask(t, "GET", "www.b.test", "/", ""); response.StatusCode != 200 {
		t.Errorf("the same site by another name: %d, %s", response.StatusCode, body)
	}
}

// A ticket opens no other site than the one it was given by (CVE-2025-23419).
func TestTickets_openTheirOwnSiteAlone(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		tickets := tls.NewLRUClientSessionCache(1)
		change := func(c *tls.Config) {
			c.ClientSessionCache, c.MinVersion, c.MaxVersion = oneKey{tickets}, version, version
			c.InsecureSkipVerify = true // or crypto/tls would not offer it for another name
		}
		resumed := func(name string) bool {
			v := s.mustEnter(t, name, change)
			v.ask(t, "GET", name, "/", "") // after the tickets, which come behind the handshake
			return v.ConnectionState().DidResume
		}
		if resumed("a.test") {
			t.Error("the first visit resumes something")
		}
		if !resumed("a.test") {
			t.Errorf("%s: the same site is not resumed", tls.VersionName(version))
		}
		if resumed("b.test") {
			t.Errorf("%s: the ticket of a.test opens b.test", tls.VersionName(version))
		}
	}
}

// oneKey offers the last ticket to whatever name.
type oneKey struct{ cache tls.ClientSessionCache }

func (o oneKey) Get(string) (*tls.ClientSessionState, bool)  { return o.cache.Get("") }
func (o oneKey) Put(_ string, state *tls.ClientSessionState) { o.cache.Put("", state) }

func TestDoor_holdsASiteToItsOldestVersion(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	old := func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }
	if _, err := s.enter(t, "modern.test", old); err == nil {
		t.Error("TLS 1.2 is spoken where 1.3 is the oldest")
	}
	s.mustEnter(t, "a.test", old)
	if _, err := s.enter(t, "a.test", func(c *tls.Config) { c.MaxVersion, c.MinVersion = tls.VersionTLS11, tls.VersionTLS10 }); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	v := s.mustEnter(t, "a.test", func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768} })
	if got := v.ConnectionState().CurveID; got != tls.X25519MLKEM768 {
		t.Errorf("the keys are agreed by %v", got)
	}
}

// send says something without TLS and returns what comes back.
func (s *stage) send(t *testing.T, text string) string {
	t.Helper()
	return s.sendTo(t, s.https, text)
}

func (s *stage) sendTo(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(conn) // a reset is an end as well
	return string(got)
}

func TestDoor_sendsPlainRequestsToTLS(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	_, port, _ := net.SplitHostPort(s.https)
	got := s.send(t, "GET /x?y HTTP/1.1\r\nHost: a.test:"+port+"\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 308 ") || !strings.Contains(got, "\r\nLocation: https://a.test:"+port+"/x?y\r\n") {
		t.Errorf("a plain request gets %q", got)
	}
	if got := s.send(t, "GET / HTTP/1.1\r\nHost: c.test\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 421 ") {
		t.Errorf("a plain request for nobody's name gets %q", got)
	}
	for _, garbage := range []string{"\x00", "\x80\x2e\x01\x00\x02", "get / http", "\xff" + strings.Repeat("x", 2000)} {
		if got := s.send(t, garbage); got != "" {
			t.Errorf("%.20q gets %q", garbage, got)
		}
	}
	s.mustEnter(t, "a.test", nil)
}

// A ClientHello that is too large, in pieces, or none at all ends with the
// connection, and with no other.
func TestDoor_survivesWrongHandshakes(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for name, text := range map[string]string{
		"an oversize record":       "\x16\x03\x01\xff\xff" + strings.Repeat("\x01", 70000),
		"an oversize message":      strings.Repeat("\x16\x03\x01\x40\x00\x01\xff\xff\xff"+strings.Repeat("x", 1<<14-4), 6),
		"an alert":                 "\x16\x03\x01\x00\x00\x15\x03\x01\x00\x02\x02\x28",
		"a message that is none":   "\x16\x03\x01\x00\x04\x63\x00\x00\x00",
		"records without anything": strings.Repeat("\x16\x03\x01\x00\x00", 1000),
	} {
		got := s.send(t, text)
		if len(got) > 7 { // at most an alert
			t.Errorf("%s gets %d bytes", name, len(got))
		}
	}
	v := s.mustEnter(t, "a.test", nil)
	if response, _ := v.ask(t, "GET", "a.test", "/", ""); response.StatusCode != 200 {
		t.Errorf("afterwards: %d", response.StatusCode)
	}
}

// Those who never get on with their handshake hold nobody up.
func TestDoor_isNotHeldByTheSlow(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for i := range 300 {
		conn, err := net.DialTimeout("tcp", s.https, patience)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%3 > 0 {
			_, _ = io.WriteString(conn, "\x16\x03\x01\x02\x00\x01\x00"[:2+i%5]) // part of a record
		}
	}
	for range 20 {
		v := s.mustEnter(t, "a.test", nil)
		if response, _ := v.ask(t, "GET", "a.test", "/", ""); response.StatusCode != 200 {
			t.Fatalf("status %d", response.StatusCode)
		}
	}
}

// One connection carries what comes: small and large, up and down.
func TestDoor_carriesWhatPlainConnectionsCarry(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		v := s.mustEnter(t, "a.test", func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version })
		for _, size := range []int{1, 100, 16 << 10, 1 << 20, 5_000_001} {
			if _, body := v.ask(t, "GET", "a.test", fmt.Sprintf("/big?size=%d", size), ""); len(body) != size || strings.Trim(body, "s") != "" {
				t.Fatalf("%d bytes of %d came down", len(body), size)
			}
			if _, body := v.ask(t, "POST", "a.test", "/up", strings.Repeat("u", size)); body != fmt.Sprintf("/up of a.test, %d bytes", size) {
				t.Fatalf("%d bytes up: %q", size, body)
			}
		}
		// Requests in one record, and one in many.
		one := "GET /p HTTP/1.1\r\nHost: a.test\r\n\r\n"
		if _, err := io.WriteString(v, one+one); err != nil {
			t.Fatal(err)
		}
		for i := range one {
			if _, err := io.WriteString(v, one[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if n, err := readAnswer(v); err != nil || n != "/p of a.test, 0 bytes" {
				t.Fatalf("%q, %v", n, err)
			}
		}
	}
}

// Nothing of a key stands outside the sealed store.
func TestKeys_stayInTheSealedStore(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	s.mustEnter(t, "a.test", nil)
	found := 0
	err := filepath.Walk(s.state, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found++
		if bytes.Contains(text, []byte("PRIVATE KEY")) {
			t.Errorf("%s has a key in it", path)
		}
		if strings.Contains(path, "key") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || found < 3 {
		t.Fatalf("%d files, %v", found, err)
	}
}

// A visitor who leaves while the origin thinks frees it: who ends in order after
// a while, in which an answer could still come, who breaks off at once.
func TestDoor_noticesWhoLeaves(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	ways := map[string]func(*visitor) error{
		"/hang/in-order": func(v *visitor) error { return v.Close() },
		"/hang/broken": func(v *visitor) error {
			tcp := v.NetConn().(*net.TCPConn)
			return errors.Join(v.CloseWrite(), tcp.SetLinger(0), tcp.Close())
		},
	}
	waiting := map[string]int{}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for path, leave := range ways {
			path = fmt.Sprintf("%s/%x", path, version)
			v := s.mustEnter(t, "a.test", func(c *tls.Config) { c.MaxVersion = version })
			if _, err := io.WriteString(v, "GET "+path+" HTTP/1.1\r\nHost: a.test\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			<-s.asked
			if err := leave(v); err != nil {
				t.Fatal(err)
			}
			waiting[path]++
		}
	}
	late := time.After(patience)
	for len(waiting) > 0 {
		select {
		case path := <-s.left:
			if waiting[path] == 0 {
				t.Errorf("the origin is freed of %s, which nobody waits for", path)
			}
			delete(waiting, path)
		case <-late:
			t.Fatalf("the origin is not freed of %v", waiting)
		}
	}
}
