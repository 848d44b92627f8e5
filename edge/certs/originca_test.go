package certs

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func zoneAuthority(t *testing.T, dir, zone string, s *Sealer, c *clock) (*Authority, *x509.CertPool) {
	t.Helper()
	a, err := OpenAuthority(AuthorityConfig{Dir: dir, Zone: zone, Sealer: s, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.RootPEM())
	return a, roots
}

func TestAuthority_knowsAZonesServersAndTheEdgeApart(t *testing.T) {
	s, c := newSealer(t), newClock()
	a, roots := zoneAuthority(t, t.TempDir(), "a.test", s, c)
	_, others := zoneAuthority(t, t.TempDir(), "b.test", s, c)
	client, err := (Shown{func() (*Authority, error) { return a, nil }}).Certificate()
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := a.IssueServer([]string{"db.internal", "192.0.2.1"}, 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	server, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []struct {
		who   string
		leaf  *x509.Certificate
		roots *x509.CertPool
		usage x509.ExtKeyUsage
		name  string
		good  bool
	}{
		{"the edge", client.Leaf, roots, x509.ExtKeyUsageClientAuth, "", true},
		{"the edge as a server", client.Leaf, roots, x509.ExtKeyUsageServerAuth, "", false},
		{"the edge at another zone's server", client.Leaf, others, x509.ExtKeyUsageClientAuth, "", false},
		{"the server", server, roots, x509.ExtKeyUsageServerAuth, "db.internal", true},
		{"the server by its address", server, roots, x509.ExtKeyUsageServerAuth, "192.0.2.1", true},
		{"the server by another name", server, roots, x509.ExtKeyUsageServerAuth, "a.test", false},
		{"the server as the edge", server, roots, x509.ExtKeyUsageClientAuth, "", false},
	} {
		_, err := check.leaf.Verify(x509.VerifyOptions{Roots: check.roots, DNSName: check.name, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{check.usage}})
		if (err == nil) != check.good {
			t.Errorf("%s: %v", check.who, err)
		}
	}
	if life := client.Leaf.NotAfter.Sub(client.Leaf.NotBefore); life != LeafLifetime {
		t.Errorf("the edge's certificate lasts %v", life)
	}
	for _, names := range [][]string{nil, {"a b"}, {"ok.test", ""}} {
		if _, _, err := a.IssueServer(names, time.Hour); err == nil {
			t.Errorf("%q got a certificate", names)
		}
	}
}

// Who can write files cannot put the authority of one zone in another's place.
func TestOpenAuthority_isOfOneZone(t *testing.T) {
	s, c := newSealer(t), newClock()
	own, other := t.TempDir(), t.TempDir()
	zoneAuthority(t, own, "a.test", s, c)
	for _, name := range []string{rootFile, rootKeyFile} {
		text, err := os.ReadFile(filepath.Join(own, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(other, name), text, 0o600)
	}
	for _, zone := range []string{"b.test", ""} {
		if _, err := OpenAuthority(AuthorityConfig{Dir: other, Zone: zone, Sealer: s, Now: c.now}); err == nil || !strings.Contains(err.Error(), "sealed as something else") {
			t.Errorf("as that of %q: %v", zone, err)
		}
	}
}
