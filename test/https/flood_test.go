package https_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A certificate that ends while it is shown is shown to nobody who comes
// afterwards; who is there stays, and a new file needs no reload.
func TestUpload_endsAndIsReplacedWhileServing(t *testing.T) {
	t.Parallel()
	n, folder := newNotary(t), ""
	end := time.Now().Add(8 * time.Second).Truncate(time.Second) // as certificates have it
	s := begin(t, func(dir string) string {
		folder = dir
		n.certify(t, dir, "brief", newKey(t, "P-256"), end, "brief.example.com")
		return "  - {name: brief.example.com, origin: {url: '%[1]s'}, tls: {certificates: [{chain: brief.pem, key: brief.key}]}}\n"
	})
	s.roots.AddCert(n.root)
	there := s.mustEnter(t, "brief.example.com", nil)
	shown := func() error {
		_, err := s.enter(t, "brief.example.com", nil)
		return err
	}
	// Who has been read once is not missed.
	key := filepath.Join(folder, "brief.key")
	text, err := os.ReadFile(key)
	if err := errors.Join(err, os.Remove(key), shown()); err != nil {
		t.Errorf("with its key file gone: %v", err)
	}
	if err := os.WriteFile(key, text, 0o600); err != nil {
		t.Fatal(err)
	}
	err = s.Await(patience, func() error {
		v, err := s.enter(t, "brief.example.com", func(c *tls.Config) { c.InsecureSkipVerify = true })
		if err == nil && len(v.ConnectionState().PeerCertificates[0].DNSNames) > 0 {
			return errors.New("it is still shown")
		}
		return err
	})
	if err != nil || time.Now().Before(end) {
		t.Fatalf("%v, at %v of %v", err, time.Now(), end)
	}
	if response, _ := there.ask(t, "GET", "brief.example.com", "/", ""); response.StatusCode != 200 {
		t.Errorf("who was there before gets %d", response.StatusCode)
	}
	if said := s.Said(); !strings.Contains(said, "brief.pem") || !strings.Contains(said, "expired") {
		t.Errorf("the log says\n%s", said)
	}
	n.certify(t, folder, "brief", newKey(t, "P-384"), time.Now().Add(time.Hour), "brief.example.com")
	if err := s.Await(patience, shown); err != nil {
		t.Errorf("the new one is not shown: %v", err)
	}
}

// from returns a dialer with an address of its own.
func from(address string) net.Dialer {
	return net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
}

// floods are what attackers do again and again; each may be refused at any point.
var floods = map[string]func(dialer net.Dialer, to string, i int){
	"handshakes": func(dialer net.Dialer, to string, _ int) { flood(dialer, to, "a.test") },
	"unknown names": func(dialer net.Dialer, to string, i int) {
		flood(dialer, to, fmt.Sprintf("n%d.nowhere.test", i))
	},
	"slow handshakes": func(dialer net.Dialer, to string, i int) {
		send(dialer, to, "\x16\x03\x01\x02\x00\x01\x00"[:1+i%7])
	},
	"large ClientHellos": func(dialer net.Dialer, to string, _ int) {
		send(dialer, to, strings.Repeat("\x16\x03\x01\x40\x00\x01\xff\xff\xff"+strings.Repeat("x", 1<<14-4), 4))
	},
	"ClientHellos in pieces": func(dialer net.Dialer, to string, _ int) {
		send(dialer, to, "\x16\x03\x01\x00\x04\x01\x00\x40\x00"+strings.Repeat("\x16\x03\x01\x00\x01\x03", 2000))
	},
}

func flood(dialer net.Dialer, to, name string) {
	conn, err := dialer.Dial("tcp", to)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_ = tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake()
}

func send(dialer net.Dialer, to, text string) {
	conn, err := dialer.Dial("tcp", to)
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = io.WriteString(conn, text)
	_, _ = io.Copy(io.Discard, conn)
}

// Whoever behaves well is served while others flood the door: on connections
// that are there, and on new ones. In the long form it also takes no more than
// twice as long, while the flood leaves a core free.
func TestDoor_servesDuringFloods(t *testing.T) {
	s := begin(t, nil)
	full := os.Getenv("SEAWALL_PROOF") == "full"
	requests := 200
	if full {
		requests = 3000
	}
	polite := func(t *testing.T) time.Duration {
		v := s.mustEnter(t, "a.test", nil)
		took := make([]time.Duration, requests)
		for i := range took {
			if i%50 == 0 {
				v = s.mustEnter(t, "a.test", nil)
			}
			began := time.Now()
			if response, _ := v.ask(t, "GET", "a.test", "/polite", ""); response.StatusCode != 200 {
				t.Fatalf("request %d gets %d", i, response.StatusCode)
			}
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		return took[len(took)*99/100]
	}
	for name, attack := range floods {
		t.Run(name, func(t *testing.T) {
			quiet := polite(t)
			var done atomic.Int64
			var attackers sync.WaitGroup
			stop := make(chan struct{})
			var pace <-chan time.Time // nil: as fast as they can
			if full {
				pace = time.Tick(5 * time.Millisecond) // so that a core stays free
			}
			for i := range 8 {
				attackers.Go(func() {
					dialer := from(fmt.Sprintf("127.0.7.%d", i+1))
					for n := i; ; n += 8 {
						select {
						case <-stop:
							return
						default:
						}
						attack(dialer, s.https, n)
						done.Add(1)
						if pace != nil {
							<-pace
						}
					}
				})
			}
			busy := polite(t)
			for done.Load() < 100 { // it was a flood
				busy = max(busy, polite(t))
			}
			close(stop)
			attackers.Wait()
			t.Logf("p99 %v, without a flood %v; %d attacks", busy, quiet, done.Load())
			if full && busy > 2*quiet {
				t.Errorf("p99 rises from %v to %v", quiet, busy)
			}
		})
	}
}

// TLS 1.2 lets a client ask for another handshake on a connection, as often as
// it likes (CVE-2011-1473). Here the connection ends.
func TestDoor_shakesHandsOnce(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	client := exec.Command("openssl", "s_client", "-connect", s.https, "-servername", "a.test", "-tls1_2", "-legacy_renegotiation")
	in, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	client.Stdout, client.Stderr = &said, &said
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "R\n"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- client.Wait() }()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(said.String(), "RENEGOTIATING") {
			t.Errorf("it ends with %v and says\n%s", err, said.String())
		}
	case <-time.After(patience):
		_ = client.Process.Kill()
		t.Error("the connection goes on")
	}
	s.mustEnter(t, "a.test", nil)
}
