package spec

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// pinPrefix begins a pin, as curl writes them.
const pinPrefix = "sha256//"

// ParsePin reads the hash of a public key: "sha256//" and Base64.
func ParsePin(text string) (hash [sha256.Size]byte, wrong string) {
	encoded, found := strings.CutPrefix(text, pinPrefix)
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(decoded) != len(hash) {
		return hash, fmt.Sprintf("%q is not the hash of a public key; write sha256// and 44 characters of Base64", text)
	}
	return [sha256.Size]byte(decoded), ""
}

// originTLS checks what edge and servers demand of each other.
func (l *mistakes) originTLS(o OriginSpec) {
	t := o.TLS
	const path = "origin.tls."
	switch {
	case t.ShowOwn && t.Show != CertificateSpec{}:
		l.add(path+"show", "show_own shows a certificate already; use one of the two")
	case t.Show.Chain == "" && t.Show.Key != "":
		l.add(path+"show.chain", "the file with the certificate is missing")
	case t.Show.Chain != "" && t.Show.Key == "":
		l.add(path+"show.key", "the file with its key is missing")
	}
	const most = 20
	if len(t.Pins) > most {
		l.add(path+"pins", "%d are more than %d", len(t.Pins), most)
	}
	for i, pin := range t.Pins {
		if _, wrong := ParsePin(pin); wrong != "" {
			l.add(fmt.Sprintf("%spins[%d]", path, i), "%s", wrong)
		}
	}
	if t.ShowOwn || t.TrustOwn || len(t.Pins) > 0 || t.Show.Chain != "" {
		for _, s := range o.All() {
			if strings.HasPrefix(s.URL, "http:") {
				l.add("origin.tls", "%s is asked without TLS; write https", s.URL)
			}
		}
	}
}
