package main

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall/edge"
	"github.com/seawall-edge/seawall/edge/certs"
	"github.com/seawall-edge/seawall/spec"
)

// keptCertificates is how many parsed certificates are held: some 10 KiB each.
const keptCertificates = 5000

// certificateDir is where a machine's own authority is.
func certificateDir(state string) string { return filepath.Join(state, "certs") }

// certificates are what the TLS door shows.
type certificates struct {
	state     string
	sealer    *certs.Sealer
	authority *certs.Authority
	book      *certs.Book
	ech       atomic.Pointer[[]tls.EncryptedClientHelloKey] // never nil
}

// openCertificates opens the authority and makes what edge.Edge.TLS wants.
func (d *dataPlane) openCertificates(cfg Config) (*tls.Config, error) {
	sealer, err := d.identities.sealer()
	if err != nil {
		return nil, err
	}
	authority, err := certs.OpenAuthority(certs.AuthorityConfig{Dir: certificateDir(cfg.State), Sealer: sealer})
	if err != nil {
		return nil, fmt.Errorf("open the machine's own authority: %w", err)
	}
	neutral, err := certs.Neutral(time.Now())
	if err != nil {
		return nil, fmt.Errorf("make the certificate that names nothing: %w", err)
	}
	d.certificates = &certificates{state: cfg.State, sealer: sealer, authority: authority, book: certs.NewBook(keptCertificates, time.Now)}
	if err := d.certificates.replaceECH(); err != nil {
		return nil, err
	}
	return d.edge.TLS(edge.TLSConfig{
		Certificates: d.certificates.book, Neutral: neutral, Tickets: certs.NewRotatingKeys(time.Now),
		ECH: func() []tls.EncryptedClientHelloKey { return *d.certificates.ech.Load() },
	}), nil
}

// replaceECH reads the keys anew; with an error those before stay.
func (c *certificates) replaceECH() error {
	if c == nil {
		return nil
	}
	keys, err := openECH(c.state, c.sealer)
	if err == nil {
		c.ech.Store(&keys)
	}
	return err
}

// replace takes the names of a new configuration over.
func (c *certificates) replace(zones []spec.ZoneSpec) {
	if c == nil {
		return
	}
	index := certs.NewIndex()
	for _, z := range zones {
		var files []certs.Files
		for _, one := range z.TLS.Certificates {
			files = append(files, certs.Files{Chain: one.Chain, Key: one.Key, Sealer: c.sealer})
		}
		for _, host := range z.AllHosts() {
			var issued certs.Source
			if isPrivateName(host) {
				issued = &certs.Issued{Authority: c.authority, Name: host}
			}
			switch {
			case len(files) == 0 && issued != nil:
				index.Add(host, issued)
			case len(files) == 1 && issued == nil:
				one := files[0]
				one.Names = namesOf(host)
				index.Add(host, &one)
			case len(files) > 0:
				index.Add(host, &certs.Choice{Host: host, Files: files, Else: issued})
			}
		}
	}
	c.book.Replace(index)
}

// namesOf returns what a certificate has to cover for a host; nothing for the
// zone of all others.
func namesOf(host string) []string {
	if host == spec.AnyHost {
		return nil
	}
	return []string{host}
}

// privateSuffixes end names that no public authority certifies (RFC 6761, RFC
// 6762, RFC 8375, and .internal by ICANN's resolution of 2024).
var privateSuffixes = []string{".test", ".localhost", ".internal", ".local", ".home.arpa", ".example", ".invalid"}

// isPrivateName reports whether a host is not for everybody.
func isPrivateName(host string) bool {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return false // visitors do not say an address in their handshake (RFC 6066, 3)
	}
	for _, suffix := range privateSuffixes {
		if strings.HasSuffix("."+host, suffix) {
			return true
		}
	}
	return host != spec.AnyHost && !strings.Contains(host, ".")
}

// explainOriginTLS says what edge and servers demand of each other.
func explainOriginTLS(line func(string, ...any), z spec.ZoneSpec, c Config) {
	t := z.Origin.TLS
	switch {
	case t.ShowOwn:
		line("  It is shown a certificate of the zone's own authority; `seawall origin-ca snippet nginx %s` says how it demands it.", z.Name)
	case t.Show.Chain != "":
		sealer, _ := certs.OpenSealer(c.SealKey, false)
		certificate, err := certs.Files{Chain: t.Show.Chain, Key: t.Show.Key, Sealer: sealer, Client: true}.Certificate()
		if err != nil {
			line("  MISTAKE: %v.", err)
			break
		}
		line("  It is shown the certificate %s, good until %s.", t.Show.Chain, certificate.Leaf.NotAfter.UTC().Format("2006-01-02 15:04 MST"))
	}
	if t.TrustOwn {
		others := ""
		if z.Origin.Roots != "" {
			others = ", or of the roots that are given"
		}
		line("  Its certificate has to be one of the zone's own authority (`seawall origin-ca issue %s`)%s.", z.Name, others)
	}
	if len(t.Pins) > 0 {
		line("  A key in the chain of its certificate has to be one of %d.", len(t.Pins))
	}
}

// explainTLS says how visitors come by https, and reads the certificates: what
// is wrong with one would else be seen by the first visitor.
func explainTLS(line func(string, ...any), z spec.ZoneSpec, c Config) {
	if c.HTTPS == "" {
		return
	}
	line("TLS %s and later.", z.TLS.MinVersion)
	sealer, _ := certs.OpenSealer(c.SealKey, false) // where it is missing, sealed keys say so
	for _, one := range z.TLS.Certificates {
		var names []string
		for _, host := range z.Hosts {
			if len(z.TLS.Certificates) == 1 && !isPrivateName(host) || certs.Covers(one.Chain, host) {
				names = append(names, namesOf(host)...)
			}
		}
		certificate, err := certs.Files{Chain: one.Chain, Key: one.Key, Names: names, Sealer: sealer, Now: time.Now}.Certificate()
		if err != nil {
			line("  MISTAKE: %v.", err)
			continue
		}
		line("  Certificate %s, good until %s.", one.Chain, certificate.Leaf.NotAfter.UTC().Format("2006-01-02 15:04 MST"))
	}
	for _, host := range z.Hosts {
		if len(z.TLS.Certificates) == 0 && isPrivateName(host) {
			line("  %s: by this machine's own authority.", host)
		} else if len(z.TLS.Certificates) == 0 {
			line("  %s: no certificate; visitors see one that names nothing.", host)
		}
	}
	if h := z.TLS.HSTS; h.For > 0 {
		line("  Browsers are told to come by https alone for %s.", h.For)
	}
}
