package main

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
	"path/filepath"
	"time"
)

// identity is the certificate that every server of a TLS page shows.
type identity struct {
	Chain, Key, Both string // files in PEM; Both is one behind the other, as HAProxy wants it
	leaf             *x509.Certificate
}

// makeIdentity makes the certificates' authority, and the one that all servers
// show who have no others.
func (b *bench) makeIdentity(scratch string) (err error) {
	if b.authority, err = newAuthority(); err != nil {
		return err
	}
	b.hostFolder = filepath.Join(scratch, "hosts")
	if err := os.Mkdir(b.hostFolder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.hostFolder, "key"), b.authority.keyText, 0o600); err != nil {
		return err
	}
	b.identity, err = b.authority.write(scratch, benchName)
	return err
}

// authority issues certificates for one key, and is trusted by nobody.
type authority struct {
	own     *x509.Certificate
	signer  *ecdsa.PrivateKey
	key     *ecdsa.PrivateKey // of all that it certifies
	keyText []byte            // the same in PEM
	issued  int64
}

func newAuthority() (*authority, error) {
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Bench"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
	return &authority{own: own, signer: signer, key: key, keyText: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})}, nil
}

// issue makes a certificate of 90 days for one name.
func (a *authority) issue(name string) (raw []byte, err error) {
	a.issued++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1<<40 + a.issued), DNSNames: []string{name},
		NotBefore: a.own.NotBefore, NotAfter: a.own.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	return x509.CreateCertificate(rand.Reader, template, a.own, &a.key.PublicKey, a.signer)
}

// write issues a certificate and writes its files into a folder.
func (a *authority) write(folder, name string) (*identity, error) {
	raw, err := a.issue(name)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	path := filepath.Join(folder, name)
	made := &identity{Chain: path + ".pem", Key: path + ".key", Both: path + ".both.pem", leaf: leaf}
	for file, text := range map[string][]byte{made.Chain: chain, made.Key: a.keyText, made.Both: append(chain, a.keyText...)} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return nil, err
		}
	}
	return made, nil
}
