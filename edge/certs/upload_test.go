package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"strings"
	"testing"
	"time"
)

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestCheck_takesWhatVisitorsTake(t *testing.T) {
	root := makeParent(t, nil, "root")
	middle := makeParent(t, root, "middle")
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsa2048, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for name, key := range map[string]crypto.Signer{"P-256": newKey(t), "P-384": p384, "RSA": rsa2048, "Ed25519": ed} {
		leaf := makeCertificate(t, middle, key, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} })
		for _, chain := range []string{leaf.pem(), leaf.pem() + middle.pem(), "Bag Attributes\n" + leaf.pem() + middle.pem() + root.pem()} {
			names := []string{"example.com", "WWW.Example.com.", "*.example.com", "192.0.2.1"}
			got, problems := Check([]byte(chain), []byte(leaf.keyPEM()), names, noon)
			if len(problems) > 0 || got.Leaf == nil || !got.Leaf.Equal(leaf.certificate) || got.PrivateKey == nil {
				t.Fatalf("%s: %q", name, problems)
			}
			if _, err := tls.X509KeyPair([]byte(chain), []byte(leaf.keyPEM())); err != nil {
				t.Errorf("%s: crypto/tls disagrees: %v", name, err)
			}
		}
	}
	alone := makeCertificate(t, nil, p384, func(c *x509.Certificate) { c.IsCA = true })
	ec, _ := x509.MarshalECPrivateKey(p384)
	if _, problems := Check([]byte(alone.pem()), []byte(alone.pem()+block("EC PRIVATE KEY", ec)), nil, noon); len(problems) > 0 {
		t.Errorf("self-signed authority, key with its certificate: %q", problems)
	}
}

func TestCheck_saysWhatIsWrong(t *testing.T) {
	root := makeParent(t, nil, "root")
	middle := makeParent(t, root, "middle")
	leaf := makeCertificate(t, middle, newKey(t), nil)
	with := func(key crypto.Signer, change func(*x509.Certificate)) *made {
		return makeCertificate(t, middle, key, change)
	}
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	rsa1024, _ := rsa.GenerateKey(rand.Reader, 1024)
	csr, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, leaf.key)
	good, key := leaf.pem(), leaf.keyPEM()
	client := with(leaf.key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	nameless := with(leaf.key, func(c *x509.Certificate) { c.DNSNames = nil })
	many := with(leaf.key, func(c *x509.Certificate) { c.DNSNames = strings.Fields("a.b c.b d.b e.b f.b g.b h.b") })
	old := with(leaf.key, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) })
	soon := with(leaf.key, func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Hour) })
	small, odd := with(rsa1024, nil), with(p521, nil)

	for name, c := range map[string]struct {
		chain, key string
		names      string
		want       []string
	}{
		"nothing at all":          {"", " \n", "", []string{"certificate file is empty", "key file is empty"}},
		"too long":                {good + strings.Repeat(" ", maxUpload), key, "", []string{"at most 65536"}},
		"eleven certificates":     {strings.Repeat(good, 11), key, "", []string{"11 parts; at most 10"}},
		"prose":                   {"hello", "world", "", []string{"certificate file is not PEM", "key file is not PEM"}},
		"DER":                     {string(leaf.certificate.Raw), key, "", []string{"binary (DER"}},
		"key in the chain":        {good + key, key, "", []string{"part 2 is a private key"}},
		"files exchanged":         {key, good, "", []string{"part 1 is a private key", "it is a certificate"}},
		"a request":               {block("CERTIFICATE REQUEST", csr), key, "", []string{"signing request (CSR)"}},
		"encrypted key":           {good, block("ENCRYPTED PRIVATE KEY", []byte{1}), "", []string{"an encrypted key"}},
		"key encrypted as of old": {good, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "", []string{"an encrypted key"}},
		"two keys":                {good, key + key, "", []string{"more than one key"}},
		"damaged key":             {good, block("PRIVATE KEY", []byte("no")), "", []string{"key that is damaged"}},
		"damaged certificate":     {block("CERTIFICATE", []byte("no")), key, "", []string{"certificate 1 in the file is damaged"}},
		"damaged PEM":             {good + strings.Replace(middle.pem(), "END", "EMD", 1), key, "", []string{"2 lines with BEGIN, but 1 whole"}},
		"another key":             {good, middle.keyPEM(), "", []string{"does not belong to the first"}},
		"wrong order":             {good + root.pem() + middle.pem(), key, "", []string{"certificate 2 did not sign certificate 1", "certificate 3 did not sign certificate 2"}},
		"authority first":         {middle.pem() + root.pem(), middle.keyPEM(), "", []string{"that of an authority"}},
		"expired":                 {old.pem(), key, "", []string{"certificate 1 expired on 1 March 2026 11:59 UTC"}},
		"not yet valid":           {soon.pem(), key, "", []string{"not valid before 1 March 2026 13:00 UTC"}},
		"for clients":             {client.pem(), key, "", []string{"serverAuth"}},
		"small RSA":               {small.pem(), small.keyPEM(), "", []string{"1024 bits"}},
		"another curve":           {odd.pem(), odd.keyPEM(), "", []string{"P-521"}},
		"name not covered":        {good, key, "example.com a.b.example.com example.org", []string{`"a.b.example.com"; it covers "example.com", "*.example.com"`, `"example.org"`}},
		"wildcard not covered":    {many.pem(), key, "*.b", []string{`"*.b"; it covers "a.b", "c.b", "d.b", "e.b", "f.b" and 2 more`}},
		"every name":              {good, key, "*", []string{`"*"`}},
		"no names":                {nameless.pem(), key, "test", []string{"no names at all"}},
		"several":                 {client.pem(), middle.keyPEM(), "x", []string{"does not belong", "serverAuth", `"x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := Check([]byte(c.chain), []byte(c.key), strings.Fields(c.names), noon)
			if len(problems) != len(c.want) || got.Leaf != nil || got.PrivateKey != nil {
				t.Fatalf("%q, want %q", problems, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(problems[i], want) {
					t.Errorf("%q, want %q", problems[i], want)
				}
			}
		})
	}
}

// A key that is mangled in any way appears in no problem.
func TestCheck_neverShowsTheKey(t *testing.T) {
	const planted = "PLANTEDKEYBYTES0"
	leaf := makeCertificate(t, nil, newKey(t), nil)
	for _, key := range []string{
		planted, "0" + planted, "\x01" + planted,
		"-----BEGIN " + planted + "-----\n" + planted + "\n-----END " + planted + "-----\n",
		"-----BEGIN PRIVATE KEY-----\n" + planted + "\n-----END PRIVATE KEY-----\n",
		"-----BEGIN CERTIFICATE-----\n" + planted + "\n-----END CERTIFICATE-----\n",
		block("EC PRIVATE KEY", []byte(planted)), block("CERTIFICATE", []byte(planted)),
		leaf.keyPEM()[:100] + planted, "-----BEGIN PRIVATE KEY-----\n" + planted,
	} {
		_, one := Check([]byte(leaf.pem()), []byte(key), nil, noon)
		_, two := Check([]byte(key), []byte(key), nil, noon)
		if len(one) == 0 || len(two) == 0 {
			t.Errorf("%q is taken for a key", key)
		}
		if all := strings.Join(append(one, two...), "\n"); strings.Contains(all, planted[:6]) {
			t.Errorf("%q shows:\n%s", key, all)
		}
	}
}

// Whatever Check takes, crypto/tls takes as well.
func FuzzCheck(f *testing.F) {
	root := makeParent(f, nil, "root")
	leaf := makeCertificate(f, root, newKey(f), nil)
	f.Add([]byte(leaf.pem()+root.pem()), []byte(leaf.keyPEM()), "example.com")
	f.Add([]byte(leaf.keyPEM()), []byte(leaf.pem()), "*.example.com")
	f.Add(leaf.certificate.Raw, []byte("-----BEGIN"), "*")
	f.Fuzz(func(t *testing.T, chain, key []byte, name string) {
		got, problems := Check(chain, key, []string{name}, noon)
		if len(problems) > 0 {
			if got.PrivateKey != nil || got.Leaf != nil || got.Certificate != nil {
				t.Error("problems and a certificate")
			}
			return
		}
		if _, err := tls.X509KeyPair(chain, key); err != nil {
			t.Errorf("crypto/tls refuses what was taken: %v", err)
		}
		if !strings.HasPrefix(name, "*") && got.Leaf.VerifyHostname(strings.TrimSuffix(name, ".")) != nil {
			t.Errorf("%q is not covered", name)
		}
	})
}
