package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/seawall-edge/seawall/edge/certs"
	"github.com/seawall-edge/seawall/spec"
)

// identities is who the edge is to the servers of each zone. It implements
// origin.Identities.
type identities struct {
	state  string
	sealer func() (*certs.Sealer, error) // opens it once
	book   *certs.Book                   // by name of zone
}

func newIdentities(state string, sealer func() (*certs.Sealer, error)) *identities {
	return &identities{state, sealer, certs.NewBook(keptCertificates, time.Now)}
}

// Show implements origin.Identities.
func (i *identities) Show(zone string) (*tls.Certificate, error) {
	certificate, err := i.book.Find(zone)
	if certificate == nil && err == nil {
		err = errors.New("there is no certificate for the servers of " + zone)
	}
	return certificate, err
}

// Root implements origin.Identities.
func (i *identities) Root(zone string) ([]byte, error) {
	authority, err := i.authority(zone)
	if err != nil {
		return nil, err
	}
	return authority.RootPEM(), nil
}

func (i *identities) authority(zone string) (*certs.Authority, error) {
	sealer, err := i.sealer()
	if err != nil {
		return nil, err
	}
	return openZoneAuthority(i.state, zone, sealer)
}

// openZoneAuthority opens the authority of a zone and its servers. Each zone
// has its own: with one for all, whoever has a zone on this edge could lead it
// to another's server and be let in.
func openZoneAuthority(state, zone string, sealer *certs.Sealer) (*certs.Authority, error) {
	dir := filepath.Join(certificateDir(state), "origins", url.PathEscape(zone))
	return certs.OpenAuthority(certs.AuthorityConfig{Dir: dir, Zone: zone, Sealer: sealer})
}

// replace takes the zones of a new configuration over.
func (i *identities) replace(zones []spec.ZoneSpec) error {
	index := certs.NewIndex()
	for _, z := range zones {
		switch t := z.Origin.TLS; {
		case t.ShowOwn:
			index.Add(z.Name, certs.Shown{Open: func() (*certs.Authority, error) { return i.authority(z.Name) }})
		case t.Show.Chain != "":
			sealer, err := i.sealer()
			if err != nil {
				return fmt.Errorf("zone %s: %w", z.Name, err)
			}
			index.Add(z.Name, &certs.Files{Chain: t.Show.Chain, Key: t.Show.Key, Sealer: sealer, Client: true})
		}
	}
	i.book.Replace(index)
	return nil
}
