package origin

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/seawall-edge/seawall/spec"
)

// tlsConfig is what all handshakes with the group's servers have in common.
func (g *Group) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(64)}
	roots := []byte(g.origin.Roots)
	identities, t := g.config.Shared.Identities, &g.origin.TLS
	if identities == nil && (t.ShowOwn || t.TrustOwn || t.Show.Chain != "") {
		return nil, errors.New("read origin.tls: there is nobody who has certificates for servers")
	}
	if t.TrustOwn {
		own, err := identities.Root(g.config.Zone)
		if err != nil {
			return nil, fmt.Errorf("read the zone's own authority: %w", err)
		}
		roots = append(append(roots, '\n'), own...)
	}
	if len(roots) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(roots) {
			return nil, errors.New("read roots of the origin: there is no certificate in them")
		}
	}
	if t.ShowOwn || t.Show.Chain != "" {
		zone := g.config.Zone
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return identities.Show(zone) }
	}
	g.pins = nil
	for _, text := range t.Pins {
		pin, wrong := spec.ParsePin(text)
		if wrong != "" {
			return nil, errors.New("read origin.tls.pins: " + wrong)
		}
		g.pins = append(g.pins, pin)
	}
	return config, nil
}

// tlsFor returns the settings for a handshake on behalf of a visitor's host.
func (s *server) tlsFor(host []byte) *tls.Config {
	name, ownToo := s.serverName(host)
	config := s.tls.Clone()
	config.ServerName = name
	if ownToo && name != s.dial {
		// Two names are good, which crypto/tls cannot be told: the check is
		// made here instead, as it would have made it.
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(state tls.ConnectionState) error { return s.verify(&state, config.RootCAs, name, s.dial) }
	} else if len(s.group.pins) > 0 {
		config.VerifyConnection = func(state tls.ConnectionState) error { return s.group.checkPins(state.VerifiedChains) }
	}
	return config
}

// verify checks a certificate that may be for either of two names.
func (s *server) verify(state *tls.ConnectionState, roots *x509.CertPool, first, second string) error {
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	leaf := state.PeerCertificates[0]
	chains, err := leaf.Verify(options)
	if err == nil {
		if err = leaf.VerifyHostname(first); err != nil && leaf.VerifyHostname(second) == nil {
			err = nil
		}
	}
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return s.group.checkPins(chains)
}

// checkPins wants one of the pinned keys in a chain that was verified.
func (g *Group) checkPins(chains [][]*x509.Certificate) error {
	if len(g.pins) == 0 {
		return nil
	}
	var leaf string
	for _, chain := range chains {
		for i, c := range chain {
			hash := sha256.Sum256(c.RawSubjectPublicKeyInfo)
			for _, pin := range g.pins {
				if pin == hash {
					return nil
				}
			}
			if i == 0 {
				leaf = base64.StdEncoding.EncodeToString(hash[:])
			}
		}
	}
	return fmt.Errorf("none of the keys in its chain is pinned; that of the server is sha256//%s", leaf)
}
