package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Issued is the source of a certificate of our own authority.
type Issued struct {
	Authority *Authority
	Name      string // as Authority.Issue takes it
}

// Certificate makes a new one each time.
func (i Issued) Certificate() (*tls.Certificate, error) { return i.Authority.Issue(i.Name) }

// Files is the source of a certificate that was uploaded.
type Files struct {
	Chain, Key string           // paths; the key is PEM, or PEM that is sealed
	Names      []string         // that it has to cover, as Check takes them
	Client     bool             // it is shown to servers
	Sealer     *Sealer          // nil: sealed keys cannot be read
	Now        func() time.Time // nil: time.Now
}

// Certificate reads both files. A key is sealed as "key of " and the name of
// its file without folders, so that the folder may be moved.
func (f Files) Certificate() (*tls.Certificate, error) {
	certificate, err := f.read()
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.Chain, f.Key, err)
	}
	return certificate, nil
}

func (f Files) read() (*tls.Certificate, error) {
	chain, err := readSmall(f.Chain)
	if err != nil {
		return nil, err
	}
	key, err := readSmall(f.Key)
	if err != nil {
		return nil, err
	}
	if len(key) > 0 && key[0] == sealedVersion { // no text begins so
		if f.Sealer == nil {
			return nil, errors.New("the key is sealed, and there is no key file to unseal it with")
		}
		if key, err = f.Sealer.Unseal(keyOf(f.Key), key); err != nil {
			return nil, err
		}
	}
	now := time.Now
	if f.Now != nil {
		now = f.Now
	}
	use := forServers
	if f.Client {
		use = forClients
	}
	certificate, problems := check(chain, key, f.Names, now(), use)
	if len(problems) > 0 {
		return nil, errors.New(problems[0])
	}
	return &certificate, nil
}

// keyOf is as what the key in a file is sealed.
func keyOf(path string) string { return "key of " + filepath.Base(path) }

// readSmall reads a file, but not much more of it than Check takes.
func readSmall(path string) (_ []byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, maxUpload+1<<10)) // a sealed key is a little longer
}

// Choice is the source of the certificate for a host of a zone that has
// several, or may have one of our own authority. Which it is, is seen when
// somebody asks: looking through all files at a start would take minutes.
type Choice struct {
	Host  string
	Files []Files // the last that covers the host is shown; Names are not looked at
	Else  Source  // where none does; nil: that is an error
}

// Certificate reads the files from the last on.
func (c Choice) Certificate() (*tls.Certificate, error) {
	for i := len(c.Files) - 1; i >= 0; i-- {
		if one := c.Files[i]; Covers(one.Chain, c.Host) {
			if c.Host != "*" {
				one.Names = []string{c.Host}
			}
			return one.Certificate()
		}
	}
	if c.Else != nil {
		return c.Else.Certificate()
	}
	return nil, fmt.Errorf("none of %d certificates covers %s", len(c.Files), c.Host)
}

// Covers reports whether the first certificate in a file is for a host, which
// may be a wildcard. One that cannot be read is for all: whoever needs it says
// what is wrong.
func Covers(chain, host string) bool {
	text, err := readSmall(chain)
	if err != nil {
		return true
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return true
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	return err != nil || host == "*" || leaf.VerifyHostname(strings.Replace(host, "*", "any", 1)) == nil
}
