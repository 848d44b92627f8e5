package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/internal/durable"
)

// LeafLifetime is how long a certificate of our own authority holds.
const LeafLifetime = 7 * 24 * time.Hour

const (
	rootFile     = "root.pem"
	rootKeyFile  = "root.key.sealed"
	rootLifetime = 10        // years
	early        = time.Hour // certificates begin so long ago, for clocks that are behind
)

// An Authority certifies names that no public authority does, such as those of
// a private network, for visitors who were given its root. Its fields are
// never written after OpenAuthority; it is safe for any number of goroutines.
type Authority struct {
	root    *x509.Certificate
	rootPEM []byte
	key     *ecdsa.PrivateKey
	now     func() time.Time
}

// OpenAuthority reads the authority in a folder, and makes both on first use.
// The root is root.pem, its key root.key.sealed. One program at a time may
// make an authority.
func OpenAuthority(dir string, sealer *Sealer, now func() time.Time) (*Authority, error) {
	a := &Authority{now: now}
	_, err := os.Stat(filepath.Join(dir, rootFile))
	if errors.Is(err, os.ErrNotExist) {
		err = makeAuthority(dir, sealer, now())
	}
	if err == nil {
		err = a.read(dir, sealer)
	}
	if err != nil {
		return nil, fmt.Errorf("open authority in %s: %w", dir, err)
	}
	return a, nil
}

// RootPEM returns the certificate that visitors have to trust.
func (a *Authority) RootPEM() []byte { return append([]byte(nil), a.rootPEM...) }

// Issue makes a certificate for a DNS name, a wildcard such as "*.example.com"
// or an IP address. Its key is in no file and ends with the program. The root
// is not in the chain: who does not have it has no reason to believe it.
func (a *Authority) Issue(name string) (*tls.Certificate, error) {
	begin := a.now().Add(-early)
	leaf := &x509.Certificate{
		SerialNumber:          serial(),
		NotBefore:             begin,
		NotAfter:              begin.Add(LeafLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	if address, err := netip.ParseAddr(name); err == nil && address.Zone() == "" {
		leaf.IPAddresses = []net.IP{address.Unmap().AsSlice()}
	} else if isHost(strings.TrimPrefix(host, "*.")) && len(host) <= maxName {
		leaf.DNSNames = []string{host}
	} else {
		return nil, fmt.Errorf("issue certificate: %.64q is neither a DNS name, *. before one, nor an IP address", name)
	}
	if end := a.root.NotAfter; a.now().After(end) {
		return nil, fmt.Errorf("issue certificate for %s: the root expired on %s; delete %s and %s to have a new one made",
			name, end.UTC().Format(time.DateOnly), rootFile, rootKeyFile)
	} else if leaf.NotAfter.After(end) {
		leaf.NotAfter = end
	}
	certificate, err := a.sign(leaf)
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %s: %w", name, err)
	}
	return certificate, nil
}

func (a *Authority) sign(leaf *x509.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.root, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed}, nil
}

// read reads both files, and never trusts one without the other.
func (a *Authority) read(dir string, sealer *Sealer) (err error) {
	if a.rootPEM, err = readSmall(filepath.Join(dir, rootFile)); err != nil {
		return err
	}
	sealed, err := readSmall(filepath.Join(dir, rootKeyFile))
	if err != nil {
		return err
	}
	plain, err := sealer.Unseal(keyOf(rootKeyFile), sealed)
	if err != nil {
		return err
	}
	chain, problems := readChain(a.rootPEM)
	if len(problems) > 0 {
		return fmt.Errorf("%s: %s", rootFile, problems[0])
	}
	signer, problem := readKey(plain)
	if problem != "" {
		return fmt.Errorf("%s: %s", rootKeyFile, problem)
	}
	key, ok := signer.(*ecdsa.PrivateKey)
	if !ok || len(chain) != 1 || !chain[0].IsCA || !key.PublicKey.Equal(chain[0].PublicKey) {
		return fmt.Errorf("%s does not belong to %s; put back the two that do", rootKeyFile, rootFile)
	}
	a.root, a.key = chain[0], key
	return nil
}

// makeAuthority writes the key first. A crash before the root is there leaves
// a key that certified nothing, and the next start replaces it.
func makeAuthority(dir string, sealer *Sealer, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	begin := now.Add(-early)
	root := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "Seawall local authority"},
		NotBefore:             begin,
		NotAfter:              begin.AddDate(rootLifetime, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // MaxPathLen 0: no authorities below it
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	if err := durable.WriteFile(filepath.Join(dir, rootKeyFile), sealer.Seal(keyOf(rootKeyFile), keyPEM), 0o600); err != nil {
		return err
	}
	rootPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return durable.WriteFile(filepath.Join(dir, rootFile), rootPEM, 0o644)
}

// serial returns 128 random bits (CA/Browser Forum, 7.1, wants 64 at least).
func serial() *big.Int {
	var bytes [16]byte
	rand.Read(bytes[:])
	return new(big.Int).SetBytes(bytes[:])
}

// isHost reports whether a lower-case name has the form of RFC 1123, 2.1, with
// the underscores that people use.
func isHost(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !nameByte(label[i]) {
				return false
			}
		}
	}
	return true
}
