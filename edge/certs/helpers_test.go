package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: noon} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// made is a certificate with its key.
type made struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (m *made) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.certificate.Raw}))
}

func (m *made) keyPEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(m.key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// makeCertificate makes one for example.com and *.example.com, valid for
// ninety days around noon; change may turn it into something else. Without a
// parent it is self-signed.
func makeCertificate(t testing.TB, parent *made, key crypto.Signer, change func(*x509.Certificate)) *made {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "test"},
		NotBefore:             noon.Add(-30 * 24 * time.Hour),
		NotAfter:              noon.Add(60 * 24 * time.Hour),
		DNSNames:              []string{"example.com", "*.example.com"},
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	signer, by := key, template
	if parent != nil {
		signer, by = parent.key, parent.certificate
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &made{certificate, key}
}

// makeParent makes an authority.
func makeParent(t testing.TB, parent *made, name string) *made {
	t.Helper()
	return makeCertificate(t, parent, newKey(t), func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.DNSNames, c.ExtKeyUsage = name, true, x509.KeyUsageCertSign, nil, nil
	})
}

func newSealer(t testing.TB) *Sealer {
	t.Helper()
	sealer, err := OpenSealer(filepath.Join(t.TempDir(), "seal.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func write(t testing.TB, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

// sourceFunc is a Source made of a function.
type sourceFunc func() (*tls.Certificate, error)

func (f sourceFunc) Certificate() (*tls.Certificate, error) { return f() }
