package https_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// notary is somebody else's authority, in the form that public ones have: a
// root that visitors trust, and below it what certifies servers.
type notary struct {
	root, middle *x509.Certificate
	key          *ecdsa.PrivateKey // of middle
}

func newNotary(t *testing.T) *notary {
	t.Helper()
	authority := func(name string, path int) *x509.Certificate {
		return &x509.Certificate{
			Subject: pkix.Name{Organization: []string{"Notary"}, CommonName: name}, NotAfter: time.Now().AddDate(5, 0, 0),
			IsCA: true, BasicConstraintsValid: true, MaxPathLen: path, MaxPathLenZero: path == 0, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
	}
	rootKey, key := newKey(t, "P-256"), newKey(t, "P-256")
	root := authority("Notary Root", 1)
	root = sign(t, root, root, rootKey.Public(), rootKey)
	middle := sign(t, authority("Notary Y1", 0), root, key.Public(), rootKey)
	return &notary{root, middle, key.(*ecdsa.PrivateKey)}
}

// sign makes a certificate that began an hour ago.
func sign(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore = serial, time.Now().Add(-time.Hour)
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// newKey makes a key of a kind.
func newKey(t *testing.T, kind string) (key crypto.Signer) {
	t.Helper()
	var err error
	switch kind {
	case "P-256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "RSA":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "Ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("no kind of key: %s", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certify writes FILE.pem, a chain for the names that ends then, and FILE.key.
func (n *notary) certify(t *testing.T, dir, file string, key crypto.Signer, end time.Time, names ...string) {
	t.Helper()
	leaf := sign(t, &x509.Certificate{
		DNSNames: names, NotAfter: end, KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, CRLDistributionPoints: []string{"http://crl.notary.example/y1.crl"},
	}, n.middle, key.Public(), n.key)
	chain := append(certificatePEM(leaf), certificatePEM(n.middle)...)
	replaceFile(t, filepath.Join(dir, file+".pem"), chain)
	replaceFile(t, filepath.Join(dir, file+".key"), keyPEM(t, key))
}

func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func keyPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// replaceFile writes a file so that nobody reads half of it.
func replaceFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// sealFile seals a key where it lies, for the program whose folder it is in.
func sealFile(t *testing.T, dir, path string) {
	t.Helper()
	if err := os.Rename(path, path+".plain"); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(binary, "seal", "--state", filepath.Join(dir, "state"), path+".plain", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if err := os.Remove(path + ".plain"); err != nil {
		t.Fatal(err)
	}
}

// uploaded is a zone whose certificate is FILE.pem with FILE.key.
func uploaded(zone, hosts, file string) string {
	return fmt.Sprintf("  - {name: %s, hosts: [%s], origin: {url: '%%[1]s'}, tls: {certificates: [{chain: %[3]s.pem, key: %[3]s.key}]}}\n", zone, hosts, file)
}

const quarter = 90 * 24 * time.Hour
