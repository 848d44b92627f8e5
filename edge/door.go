package edge

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall/edge/certs"
	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/ja4"
	"github.com/seawall-edge/seawall/spec"
)

// Certificates finds what is shown to visitors.
type Certificates interface {
	// Find returns the certificate for a name; nil where nobody has the name.
	Find(name string) (*tls.Certificate, error)
}

// TLSConfig is what the door for TLS needs.
type TLSConfig struct {
	Certificates Certificates
	Neutral      *tls.Certificate // for who asks for no name, or for one that nobody has; it names nothing
	Tickets      certs.TicketKeys
	// ECH returns the keys of Encrypted Client Hello, newest first, never nil;
	// a nil function: there are none.
	ECH func() []tls.EncryptedClientHelloKey
}

// TLSPolicy holds for every zone.
type TLSPolicy struct {
	// Classic agrees on keys without X25519MLKEM768, which costs more work and
	// more bytes.
	Classic bool
	// Alert ends a handshake for a name that nobody has, in place of a
	// certificate that names nothing.
	Alert bool
}

// SetTLS makes this the policy for handshakes that begin from now on.
func (e *Edge) SetTLS(p TLSPolicy) { e.tlsPolicy.Store(&p) }

// classicCurves are those before post-quantum cryptography, fastest first.
var classicCurves = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}

// tlsDoor decides about handshakes. Which zone a visitor means is known by
// the name that crypto/tls gives, and by nothing else.
type tlsDoor struct {
	edge    *Edge
	config  TLSConfig
	configs [2][2]*tls.Config // by whether TLS 1.3 is the oldest version, and whether keys are agreed on classically
	renewed atomic.Int64      // when ticket keys were asked for, Unix seconds
}

// TLS returns what http1.Config.TLS wants.
func (e *Edge) TLS(config TLSConfig) *tls.Config {
	d := &tlsDoor{edge: e, config: config}
	var ech func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error)
	if config.ECH != nil {
		ech = func(*tls.ClientHelloInfo) ([]tls.EncryptedClientHelloKey, error) { return config.ECH(), nil }
	}
	for i, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for j, curves := range [][]tls.CurveID{nil, classicCurves} {
			one := &tls.Config{
				MinVersion: version, NextProtos: []string{"http/1.1"}, GetCertificate: d.certificate, CurvePreferences: curves,
				GetEncryptedClientHelloKeys: ech,
				DynamicRecordSizingDisabled: true, // small records cost more than they spare on today's ways
			}
			certs.Bind(one, d.context)
			d.configs[i][j] = one
		}
	}
	d.renewTickets(time.Now())
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: d.configFor, GetCertificate: d.certificate, GetEncryptedClientHelloKeys: ech}
}

// configFor is asked with every ClientHello.
func (d *tlsDoor) configFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	place := exchange.TLSFrom(hello.Context())
	if place != nil {
		ja4.Append(place.JA4[:0], hello)
	}
	d.renewTickets(time.Now())
	z, modern, classic := d.zone(hello.ServerName), 0, 0
	if z != nil && z.tls13 {
		modern = 1
	}
	if d.policy().Classic {
		classic = 1
	}
	config := d.configs[modern][classic]
	if z != nil && z.visitors != nil {
		config = z.visitors.config(config, place)
	}
	return config, nil
}

func (d *tlsDoor) policy() TLSPolicy {
	if p := d.edge.tlsPolicy.Load(); p != nil {
		return *p
	}
	return TLSPolicy{}
}

func (d *tlsDoor) zone(name string) *zone {
	return d.edge.zones.Load().find([]byte(strings.ToLower(strings.TrimSuffix(name, "."))))
}

// certificate gives the neutral one to who asks for what is not here: an error
// would tell the curious which names are.
func (d *tlsDoor) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	z := d.zone(hello.ServerName)
	if z == nil {
		return d.neutral(), nil
	}
	certificate, err := d.config.Certificates.Find(hello.ServerName)
	if certificate != nil {
		return certificate, nil
	}
	d.complain(z, hello.ServerName, err)
	return d.neutral(), nil
}

// neutral is what a visitor sees who sees no certificate; nil is an alert,
// unrecognized_name (RFC 6066, 3).
func (d *tlsDoor) neutral() *tls.Certificate {
	if d.policy().Alert {
		return nil
	}
	return d.config.Neutral
}

// complain says that a zone has no certificate for a name, once a minute: every
// visitor would have it said again.
func (d *tlsDoor) complain(z *zone, name string, err error) {
	now, told := time.Now().Unix(), z.state.told.Load()
	if now-told < 60 || !z.state.told.CompareAndSwap(told, now) {
		return
	}
	if err == nil {
		err = errors.New("none is configured, and the name is not one that this machine's own authority is for")
	}
	d.edge.config.Logger.Error("visitors see no certificate", "zone", z.name, "name", name, "error", err)
}

// context says to what a ticket is bound: a visitor of one zone must not come
// into another with it, nor past what the zone asks for since. Who has shown no
// certificate where one is asked for is asked again.
func (d *tlsDoor) context(name string, shown bool) []byte {
	z := d.zone(name)
	switch {
	case z == nil:
		return nil
	case z.visitors == nil:
		return fmt.Appendf(nil, "%s\x00%s", z.name, z.spec.TLS.MinVersion)
	}
	return fmt.Appendf(nil, "%s\x00%s\x00%s\x00%t", z.name, z.spec.TLS.MinVersion, z.visitors.revision, shown)
}

// renewTickets takes over keys that were changed since it last looked.
func (d *tlsDoor) renewTickets(now time.Time) {
	const every = 60
	last := d.renewed.Load()
	if now.Unix()-last < every || !d.renewed.CompareAndSwap(last, now.Unix()) {
		return
	}
	keys := d.config.Tickets.Keys()
	for _, some := range d.configs {
		for _, config := range some {
			config.SetSessionTicketKeys(keys)
		}
	}
}

// sameSite reports whether the name that the handshake was about belongs to
// the zone that the request is for (RFC 9110, 7.4).
func (e *Edge) sameSite(x *exchange.Exchange, z *zone) bool {
	name := x.TLS.ServerName
	return name == string(x.Host) || e.zones.Load().find([]byte(strings.ToLower(strings.TrimSuffix(name, ".")))) == z
}

// hstsValue is the field that a zone's answers have (RFC 6797, 6.1); nil: none.
func hstsValue(s spec.HSTSSpec) []byte {
	if s.For <= 0 {
		return nil
	}
	value := strconv.AppendInt([]byte("max-age="), int64(s.For.Duration()/time.Second), 10)
	if s.Subdomains {
		value = append(value, "; includeSubDomains"...)
	}
	if s.Preload {
		value = append(value, "; preload"...)
	}
	return value
}
