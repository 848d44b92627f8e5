package spec

import (
	"fmt"
	"time"
)

// TLSSpec says how visitors speak TLS with a zone. Settings for connections
// to the origin are under origin.
type TLSSpec struct {
	// MinVersion is the oldest version of TLS that is spoken: "1.2" or "1.3".
	// Default: 1.2.
	MinVersion string `yaml:"min_version,omitempty" json:"min_version,omitempty"`

	// Certificates are files with certificates for the zone's hosts. A host
	// that is not public needs none: it gets one of the machine's own
	// authority. Default: none.
	Certificates []CertificateSpec `yaml:"certificates,omitempty" json:"certificates,omitempty"`

	// HSTS tells browsers to come by https alone (RFC 6797).
	HSTS HSTSSpec `yaml:"hsts,omitempty" json:"hsts,omitzero"`
}

// CertificateSpec names a certificate and its key. Paths begin at the
// configuration's folder.
type CertificateSpec struct {
	// Chain is a file in PEM: the certificate, then those that lead to the root.
	Chain string `yaml:"chain" json:"chain"`

	// Key is a file with the certificate's key, in PEM or sealed by
	// `seawall seal`.
	Key string `yaml:"key" json:"key"`
}

// HSTSSpec is a promise that cannot be taken back before its end: browsers
// that have seen it do not come by http, nor past a certificate that is wrong.
type HSTSSpec struct {
	// For is how long the promise lasts. Default: none is made.
	For Duration `yaml:"for,omitempty" json:"for,omitempty"`

	// Subdomains makes it for every name below the host, too. Default: false.
	Subdomains bool `yaml:"subdomains,omitempty" json:"subdomains,omitempty"`

	// Preload asks browsers' makers to build it in; it wants Subdomains and a
	// year at least. Default: false.
	Preload bool `yaml:"preload,omitempty" json:"preload,omitempty"`
}

// What TLSSpec.MinVersion may say.
const (
	TLS12 = "1.2"
	TLS13 = "1.3"
)

// tls checks how visitors speak TLS.
func (l *mistakes) tls(t TLSSpec) {
	switch t.MinVersion {
	case "", TLS12, TLS13:
	default:
		l.add("tls.min_version", "%q is not spoken; write %q or %q", t.MinVersion, TLS12, TLS13)
	}
	for i, c := range t.Certificates {
		if c.Chain == "" {
			l.add(fmt.Sprintf("tls.certificates[%d].chain", i), "the file with the certificate is missing")
		}
		if c.Key == "" {
			l.add(fmt.Sprintf("tls.certificates[%d].key", i), "the file with its key is missing")
		}
	}
	const year = 365 * 24 * time.Hour
	h := t.HSTS
	switch {
	case h.For < 0:
		l.add("tls.hsts.for", "%s is less than nothing", h.For)
	case h.For.Duration() > 2*year:
		l.add("tls.hsts.for", "%s is more than two years, which no browser's maker asks for", h.For)
	case h.Preload && (h.For.Duration() < year || !h.Subdomains):
		l.add("tls.hsts.preload", "lists of browsers want a year at least, and subdomains")
	case h.Subdomains && h.For == 0:
		l.add("tls.hsts.subdomains", "there is no promise; set tls.hsts.for")
	}
}
