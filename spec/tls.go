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

	// ClientCertificates asks visitors for a certificate of their own.
	ClientCertificates ClientCertificatesSpec `yaml:"client_certificates,omitempty" json:"client_certificates,omitzero"`

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

// ClientCertificatesSpec asks visitors for a certificate. Conditions know what
// it says as client_certificate.
type ClientCertificatesSpec struct {
	// Mode is required (who shows none that is believed gets a page with 403,
	// and nothing of the site) or optional. Default: none is asked for.
	Mode string `yaml:"mode,omitempty" json:"mode,omitempty"`

	// Authorities is a file in PEM with the certificates of those who issue
	// visitors' certificates. Its path begins at the configuration's folder.
	// Required with Mode.
	Authorities string `yaml:"authorities,omitempty" json:"authorities,omitempty"`

	// Forward sends the certificate to the origin as Client-Cert (RFC 9440).
	// Answers to such requests are kept as those to requests with
	// Authorization are: where the origin allows it. Default: false.
	Forward bool `yaml:"forward,omitempty" json:"forward,omitempty"`

	// Text is what is in Authorities. Whoever reads the configuration fills it in.
	Text string `yaml:"-" json:"text,omitempty"`
}

// What ClientCertificatesSpec.Mode may say.
const (
	CertificateRequired = "required"
	CertificateOptional = "optional"
)

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
	l.clientCertificates(t.ClientCertificates)
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

// clientCertificates checks what visitors are asked for.
func (l *mistakes) clientCertificates(c ClientCertificatesSpec) {
	const path = "tls.client_certificates."
	switch {
	case c.Mode == "" && (c.Authorities != "" || c.Forward):
		l.add(path+"mode", "visitors are not asked; write %q or %q", CertificateRequired, CertificateOptional)
	case c.Mode == "":
	case c.Mode != CertificateRequired && c.Mode != CertificateOptional:
		l.add(path+"mode", "%q is not a way to ask; write %q or %q", c.Mode, CertificateRequired, CertificateOptional)
	case c.Text == "" && c.Authorities == "":
		l.add(path+"authorities", "the file with the certificates of those who issue visitors' certificates is missing")
	default:
		l.pemCertificates(path+"authorities", c.Text)
	}
}
