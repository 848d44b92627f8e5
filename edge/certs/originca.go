package certs

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// Shown is the source of what a zone's servers are shown, so that they can
// turn everybody else away: who has the zone's root demands a certificate of
// it, and another zone's is as good as none.
type Shown struct{ Open func() (*Authority, error) }

// Certificate makes a new one each time.
func (s Shown) Certificate() (*tls.Certificate, error) {
	a, err := s.Open()
	if err != nil {
		return nil, err
	}
	return a.IssueClient()
}

// IssueClient makes the certificate with which the edge speaks for the zone.
func (a *Authority) IssueClient() (*tls.Certificate, error) {
	leaf := a.leaf(LeafLifetime)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	leaf.Subject = pkix.Name{CommonName: "seawall for " + a.config.Zone}
	certificate, err := a.sign(leaf)
	if err != nil {
		return nil, fmt.Errorf("issue what the servers of %s are shown: %w", a.config.Zone, err)
	}
	return certificate, nil
}

// IssueServer makes a certificate for a server of the zone, by any of some
// names and addresses, and its key, both in PEM.
func (a *Authority) IssueServer(names []string, lifetime time.Duration) (chain, key []byte, err error) {
	if len(names) == 0 {
		return nil, nil, errors.New("issue certificate for a server: it has no name")
	}
	leaf := a.leaf(lifetime)
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range names {
		if err := addName(leaf, name); err != nil {
			return nil, nil, fmt.Errorf("issue certificate for %.64q: %w", name, err)
		}
	}
	certificate, err := a.sign(leaf)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate for %s: %w", names[0], err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("issue certificate for %s: %w", names[0], err)
	}
	chain = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})
	return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
