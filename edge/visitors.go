package edge

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/spec"
)

// visitors says which certificates a zone wants of its visitors. Who shows none
// is told so by a page, for a handshake that fails gives no reasons.
type visitors struct {
	required, forward bool
	authorities       *x509.CertPool
	revision          string // of these settings, and of no other zone's
}

// largestCredential is what of a certificate goes to an origin, in bytes.
const largestCredential = 16 << 10

// compileVisitors returns nil where no certificate is wanted.
func compileVisitors(zone string, s spec.ClientCertificatesSpec) (*visitors, error) {
	if s.Mode == "" {
		return nil, nil
	}
	v := &visitors{required: s.Mode == spec.CertificateRequired, forward: s.Forward, authorities: x509.NewCertPool()}
	if !v.authorities.AppendCertsFromPEM([]byte(s.Text)) {
		return nil, errors.New("client certificates: there is no authority that could have issued one")
	}
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%t\x00%s", zone, s.Mode, s.Forward, s.Text))
	v.revision = hex.EncodeToString(digest[:])
	return v, nil
}

// config returns the settings for a handshake in which a certificate is asked
// for. What was shown is judged with each handshake, those that resume another
// included, and noted in place.
func (v *visitors) config(base *tls.Config, place *exchange.TLS) *tls.Config {
	config := base.Clone()
	config.ClientAuth, config.ClientCAs = tls.RequestClientCert, v.authorities
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if place == nil {
			return errors.New("there is no place to note what was shown")
		}
		place.Asked = v.revision
		var err error
		if place.Credential, err = v.judge(state.PeerCertificates, time.Now()); err != nil {
			place.Doubt = err.Error()
		}
		return nil
	}
	return config
}

// judge returns what a chain says when an authority vouches for it (RFC 5280, 6).
func (v *visitors) judge(chain []*x509.Certificate, now time.Time) (*seawall.Credential, error) {
	if len(chain) == 0 {
		return nil, errors.New("the visitor has shown no certificate")
	}
	leaf := chain[0]
	options := x509.VerifyOptions{
		Roots: v.authorities, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range chain[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(options); err != nil {
		return nil, fmt.Errorf("the visitor's certificate is not believed: %w", err)
	}
	if len(leaf.Raw) > largestCredential {
		return nil, fmt.Errorf("the visitor's certificate has %d bytes, more than %d", len(leaf.Raw), largestCredential)
	}
	digest := sha256.Sum256(leaf.Raw)
	return &seawall.Credential{
		Subject: []byte(leaf.Subject.String()), Issuer: []byte(leaf.Issuer.String()), Names: alternativeNames(leaf), Ends: leaf.NotAfter.Unix(),
		Fingerprint: hex.AppendEncode(nil, digest[:]),
		Field:       fmt.Appendf(nil, ":%s:", base64.StdEncoding.EncodeToString(leaf.Raw)),
	}, nil
}

func alternativeNames(c *x509.Certificate) (names [][]byte) {
	for _, name := range slices.Concat(c.DNSNames, c.EmailAddresses) {
		names = append(names, []byte(name))
	}
	for _, u := range c.URIs {
		names = append(names, []byte(u.String()))
	}
	for _, address := range c.IPAddresses {
		names = append(names, []byte(address.String()))
	}
	return names
}

// Why a visitor has no credential besides what a handshake has found.
var (
	errPlain   = errors.New("the connection is not secure, so that no certificate can be shown")
	errChanged = errors.New("the zone's settings for certificates have changed since the connection was made")
	errExpired = errors.New("the visitor's certificate has expired since the connection was made")
)

// credential finds out what the visitor has shown, and turns away who has
// shown nothing where something is required.
func (c *climb) credential() verdict {
	v, x := c.zone.visitors, c.x
	if v == nil {
		return verdict{}
	}
	why := errPlain
	switch t := x.TLS; {
	case t == nil:
	case t.Recorded:
		return verdict{}
	case t.Asked != v.revision:
		c.answer.Close = true // the next connection is asked
		why = errChanged
	case t.Credential == nil:
		why = errors.New(t.Doubt)
	case t.Credential.Ends < c.now.Unix():
		c.answer.Close = true
		why = errExpired
	default:
		c.shown = t.Credential
		return verdict{}
	}
	switch {
	case !v.required:
		return verdict{}
	case x.TLS == nil && c.zone.spec.Redirects.HTTPS && !x.Event.Secure && len(x.Target) > 0 && x.Target[0] == '/':
		c.location = append(append(append(c.location[:0], "https://"...), x.Host...), x.Target...)
		c.self.status = http.StatusPermanentRedirect
		return verdict{kind: answerRedirect}
	}
	c.cause = why
	return verdict{refuse, seawall.ReasonClientCertificate}
}

// present gives the origin the visitor's certificate (RFC 9440, 2.2), and takes
// away what the visitor says in its place.
func (c *climb) present() {
	x, v := c.x, c.zone.visitors
	forged := !x.ForwardedByTrusted && (x.Fields.Has(wire.ClientCert) || x.Fields.Has(wire.ClientCertChain))
	forwards := v != nil && v.forward
	if !forged && !forwards {
		return
	}
	fields := copyFields(&c.asks.spare, x.Fields, wire.ClientCert, wire.ClientCertChain)
	if forwards && c.shown != nil {
		fields.AddKnown(wire.ClientCert, c.shown.Field)
	}
	c.ask(fields)
}

// carriesCredentials reports whether the origin is told who asks, so that its
// answer may be for one alone (RFC 9111, 3.5; RFC 9440, 2.4).
func carriesCredentials(f *wire.Fields) bool {
	return f.Has(wire.Authorization) || f.Has(wire.ClientCert)
}
