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
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

// An Authority certifies names that no public authority does: those of a
// private network, for visitors who were given its root, or those of a zone
// and its servers, for one another. Its fields are never written after
// OpenAuthority; it is safe for any number of goroutines.
type Authority struct {
	config  AuthorityConfig
	root    *x509.Certificate
	rootPEM []byte
	key     *ecdsa.PrivateKey
}

// AuthorityConfig says whose an authority is.
type AuthorityConfig struct {
	Dir    string // has root.pem and root.key.sealed
	Zone   string // whose servers it is for; empty: it is for visitors
	Sealer *Sealer
	Now    func() time.Time // nil: time.Now
}

// OpenAuthority reads an authority, and makes it on first use.
func OpenAuthority(config AuthorityConfig) (*Authority, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	a := &Authority{config: config}
	err := a.read()
	if errors.Is(err, os.ErrNotExist) {
		err = errors.Join(a.make(), a.read())
	}
	if err != nil {
		return nil, fmt.Errorf("open authority in %s: %w", config.Dir, err)
	}
	return a, nil
}

// sealedAs is what the key is sealed as: nobody who can write files can put one
// zone's authority in another's place.
func (a *Authority) sealedAs() string {
	if a.config.Zone == "" {
		return keyOf(rootKeyFile)
	}
	return keyOf(rootKeyFile) + " of " + a.config.Zone
}

// RootPEM returns the certificate that visitors have to trust.
func (a *Authority) RootPEM() []byte { return append([]byte(nil), a.rootPEM...) }

// Issue makes a certificate for a DNS name, a wildcard such as "*.example.com"
// or an IP address. Its key is in no file and ends with the program. The root
// is not in the chain: who does not have it has no reason to believe it.
func (a *Authority) Issue(name string) (*tls.Certificate, error) {
	leaf := a.leaf(LeafLifetime)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	err := addName(leaf, name)
	var certificate *tls.Certificate
	if err == nil {
		certificate, err = a.sign(leaf)
	}
	if err != nil {
		return nil, fmt.Errorf("issue certificate for %.64q: %w", name, err)
	}
	return certificate, nil
}

// leaf begins a certificate.
func (a *Authority) leaf(lifetime time.Duration) *x509.Certificate {
	begin := a.config.Now().Add(-early)
	return &x509.Certificate{
		SerialNumber:          serial(),
		NotBefore:             begin,
		NotAfter:              begin.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
}

func addName(leaf *x509.Certificate, name string) error {
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	if address, err := netip.ParseAddr(name); err == nil && address.Zone() == "" {
		leaf.IPAddresses = append(leaf.IPAddresses, address.Unmap().AsSlice())
	} else if isHost(strings.TrimPrefix(host, "*.")) && len(host) <= maxName {
		leaf.DNSNames = append(leaf.DNSNames, host)
	} else {
		return errors.New("it is neither a DNS name, *. before one, nor an IP address")
	}
	return nil
}

// sign makes the key, too.
func (a *Authority) sign(leaf *x509.Certificate) (*tls.Certificate, error) {
	if end := a.root.NotAfter; a.config.Now().After(end) {
		return nil, fmt.Errorf("the root expired on %s; delete %s and %s to have a new one made", end.UTC().Format(time.DateOnly), rootFile, rootKeyFile)
	} else if leaf.NotAfter.After(end) {
		leaf.NotAfter = end
	}
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
func (a *Authority) read() (err error) {
	dir := a.config.Dir
	if a.rootPEM, err = readSmall(filepath.Join(dir, rootFile)); err != nil {
		return err
	}
	sealed, err := readSmall(filepath.Join(dir, rootKeyFile))
	if err != nil {
		return fmt.Errorf("%s is there, its key is not: %v", rootFile, err) // which is not as if neither were
	}
	plain, err := a.config.Sealer.Unseal(a.sealedAs(), sealed)
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

// make writes the key first. A crash before the root is there leaves a key
// that certified nothing, and the next start replaces it. Programs take turns,
// and who comes second makes nothing.
func (a *Authority) make() error {
	dir := a.config.Dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close() // and with it the lock
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, rootFile)); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	name := "Seawall local authority"
	if a.config.Zone != "" {
		name = "Seawall authority of " + a.config.Zone
	}
	begin := a.config.Now().Add(-early)
	root := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: name},
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
	if err := durable.WriteFile(filepath.Join(dir, rootKeyFile), a.config.Sealer.Seal(a.sealedAs(), keyPEM), 0o600); err != nil {
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
