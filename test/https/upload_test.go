package https_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// upload makes a certificate for a name in a folder, as somebody else's
// authority would, and returns that authority's root.
func upload(t *testing.T, dir, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Somebody's"}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for end, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: raw}, ".key": {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(filepath.Join(dir, name+end), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// Certificates from elsewhere are shown, with a key that lies open or sealed;
// where a key has disappeared the visitor gets what names nothing, and the log
// says which file is missing and nothing of any key.
func TestUpload_isShown(t *testing.T) {
	t.Parallel()
	var roots []*x509.Certificate
	s := begin(t, func(dir string) string {
		zones := ""
		for _, name := range []string{"open.example.com", "sealed.example.com", "lost.example.com"} {
			roots = append(roots, upload(t, dir, name))
			zones += fmt.Sprintf("  - {name: %[1]s, origin: {url: '%%[1]s'}, tls: {certificates: [{chain: %[1]s.pem, key: %[1]s.key}]}}\n", name)
		}
		plain := filepath.Join(dir, "sealed.example.com.key")
		if err := os.Rename(plain, plain+".plain"); err != nil {
			t.Fatal(err)
		}
		said, err := exec.Command(binary, "seal", "--state", filepath.Join(dir, "state"), plain+".plain", plain).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		if again, err := exec.Command(binary, "seal", "--state", filepath.Join(dir, "state"), plain+".plain", plain).CombinedOutput(); err == nil {
			t.Errorf("a sealed key is overwritten: %s", again)
		}
		if err := os.Remove(filepath.Join(dir, "lost.example.com.key")); err != nil {
			t.Fatal(err)
		}
		return zones
	})
	for _, root := range roots {
		s.roots.AddCert(root)
	}
	for _, name := range []string{"open.example.com", "sealed.example.com", "a.test"} {
		v := s.mustEnter(t, name, nil)
		if response, body := v.ask(t, "GET", name, "/", ""); response.StatusCode != 200 {
			t.Errorf("%s: %d, %s", name, response.StatusCode, body)
		}
	}
	if _, err := s.enter(t, "lost.example.com", nil); err == nil {
		t.Error("lost.example.com has a certificate without a key")
	}
	if said := s.Said(); !strings.Contains(said, "lost.example.com.key") || strings.Contains(said, "PRIVATE") {
		t.Errorf("the log says\n%s", said)
	}
}
