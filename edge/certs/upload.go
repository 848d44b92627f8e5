package certs

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of what is uploaded. An RSA key beyond 8192 bits is refused by
// crypto/tls and others, and costs more than a handshake may.
const (
	maxUpload       = 64 << 10 // bytes, of the chain and of the key
	maxCertificates = 10
	minRSA, maxRSA  = 2048, 8192
)

// Check reads an uploaded chain and its key, both PEM (RFC 7468), and looks for
// everything that would keep visitors from the names at the time now. Each
// problem is a sentence without an end that says what to do. With a problem
// the certificate is empty; without one its Leaf is set.
//
// A chain of the leaf alone is fine: the authority may be one that visitors
// trust directly. A name is "example.com", which a wildcard may cover, or
// "*.example.com", which needs that wildcard, or an IP address.
func Check(chainPEM, keyPEM []byte, names []string, now time.Time) (tls.Certificate, []string) {
	return check(chainPEM, keyPEM, names, now, forServers)
}

// use is what a certificate may be used for (RFC 5280, 4.2.1.12).
type use struct {
	usage      x509.ExtKeyUsage
	whom, name string
}

var (
	forServers = use{x509.ExtKeyUsageServerAuth, "servers", "serverAuth"}
	forClients = use{x509.ExtKeyUsageClientAuth, "clients", "clientAuth"}
)

func check(chainPEM, keyPEM []byte, names []string, now time.Time, use use) (tls.Certificate, []string) {
	chain, problems := readChain(chainPEM)
	key, problem := readKey(keyPEM)
	if problem != "" {
		problems = append(problems, problem)
	}
	if len(chain) > 0 {
		problems = slices.Concat(problems, checkKey(chain[0], key), checkOrder(chain), checkTimes(chain, now),
			checkUse(chain[0], use), checkNames(chain[0], names))
	}
	if len(problems) > 0 {
		return tls.Certificate{}, problems
	}
	certificate := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, c := range chain {
		certificate.Certificate = append(certificate.Certificate, c.Raw)
	}
	return certificate, nil
}

// checkKey judges the key of the first certificate, and whether it is the one
// that was uploaded; key is nil where that could not be read.
func checkKey(leaf *x509.Certificate, key crypto.Signer) (problems []string) {
	switch public := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
			problems = append(problems, fmt.Sprintf("the RSA key of the certificate has %d bits; it takes %d to %d", bits, minRSA, maxRSA))
		}
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() && public.Curve != elliptic.P384() {
			problems = append(problems, fmt.Sprintf("the ECDSA key of the certificate is on the curve %s, which browsers do not take; use P-256 or P-384", public.Params().Name))
		}
	case ed25519.PublicKey:
	default:
		problems = append(problems, fmt.Sprintf("the certificate has a key of a kind that is not known here (%s); use ECDSA, RSA or Ed25519", leaf.PublicKeyAlgorithm))
	}
	if key == nil {
		return problems
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(leaf.PublicKey) {
		problems = append(problems, "the key does not belong to the first certificate; upload the key it was requested with, and the chain leaf first")
	}
	return problems
}

// checkOrder wants each certificate signed by the next (RFC 5246, 7.4.2;
// RFC 8446, 4.4.2 lets clients be more patient, and not all are).
func checkOrder(chain []*x509.Certificate) (problems []string) {
	for i := range len(chain) - 1 {
		child, parent, n := chain[i], chain[i+1], i+1
		if public, ok := parent.PublicKey.(*rsa.PublicKey); ok && public.N.BitLen() > maxRSA {
			problems = append(problems, fmt.Sprintf("the RSA key of certificate %d has %d bits; at most %d are taken", n+1, public.N.BitLen(), maxRSA))
			continue
		}
		err := child.CheckSignatureFrom(parent)
		var insecure x509.InsecureAlgorithmError
		switch {
		case errors.As(err, &insecure):
			problems = append(problems, fmt.Sprintf("certificate %d is signed with %s, which nobody trusts any more; have it issued again", n, child.SignatureAlgorithm))
		case err != nil:
			problems = append(problems, fmt.Sprintf("certificate %d did not sign certificate %d; order them leaf first, each followed by the one that signed it", n+1, n))
		}
	}
	return problems
}

func checkTimes(chain []*x509.Certificate, now time.Time) (problems []string) {
	const layout = "2 January 2006 15:04 MST"
	for i, c := range chain {
		switch {
		case now.After(c.NotAfter):
			problems = append(problems, fmt.Sprintf("certificate %d expired on %s; renew it", i+1, c.NotAfter.UTC().Format(layout)))
		case now.Before(c.NotBefore):
			problems = append(problems, fmt.Sprintf("certificate %d is not valid before %s; wait, or look at the clock", i+1, c.NotBefore.UTC().Format(layout)))
		}
	}
	return problems
}

// checkUse wants a certificate of a server, or of whoever use says.
func checkUse(leaf *x509.Certificate, use use) (problems []string) {
	if leaf.IsCA && !selfSigned(leaf) {
		problems = append(problems, "certificate 1 is that of an authority; begin the chain with the certificate that it has issued")
	}
	limited := len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) > 0
	if limited && !slices.Contains(leaf.ExtKeyUsage, use.usage) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		problems = append(problems, fmt.Sprintf("certificate 1 is not for %s; have one issued with the extended key usage %s", use.whom, use.name))
	}
	return problems
}

func selfSigned(c *x509.Certificate) bool {
	if public, ok := c.PublicKey.(*rsa.PublicKey); ok && public.N.BitLen() > maxRSA {
		return false // and not worth the time
	}
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

func checkNames(leaf *x509.Certificate, names []string) (problems []string) {
	for _, name := range names {
		if !covers(leaf, strings.TrimSuffix(name, ".")) {
			problems = append(problems, fmt.Sprintf("the certificate does not cover %.253q; %s", name, coverage(leaf)))
		}
	}
	return problems
}

func covers(leaf *x509.Certificate, name string) bool {
	if !strings.HasPrefix(name, "*") {
		return name != "" && leaf.VerifyHostname(name) == nil
	}
	return slices.ContainsFunc(leaf.DNSNames, func(has string) bool { return strings.EqualFold(has, name) })
}

// coverage lists the first names of a certificate.
func coverage(leaf *x509.Certificate) string {
	var all []string
	for _, name := range leaf.DNSNames {
		all = append(all, fmt.Sprintf("%.253q", name))
	}
	for _, address := range leaf.IPAddresses {
		all = append(all, address.String())
	}
	const few = 5
	switch {
	case len(all) == 0:
		return "it has no names at all (a common name does not count since RFC 6125)"
	case len(all) > few:
		return fmt.Sprintf("it covers %s and %d more", strings.Join(all[:few], ", "), len(all)-few)
	}
	return "it covers " + strings.Join(all, ", ")
}
