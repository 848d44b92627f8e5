package seawall

// Credential is the certificate that a visitor has shown, and for which an
// authority of the zone vouches. It does not change once it is made.
type Credential struct {
	Subject, Issuer []byte   // distinguished names, as RFC 4514 writes them
	Fingerprint     []byte   // SHA-256 of the certificate, in lower-case hex
	Names           [][]byte // its alternative names: DNS, mail, URI, addresses
	Ends            int64    // the last second in which it is valid, Unix
	Field           []byte   // the value of Client-Cert (RFC 9440, 2.1)
}
