package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// found names what people upload by mistake. Only these types are repeated:
// of a mangled key file the type might be anything, the key included.
var found = map[string]string{
	"CERTIFICATE":             "a certificate",
	"TRUSTED CERTIFICATE":     "a certificate in the form of OpenSSL's own (run openssl x509 to have the usual one)",
	"CERTIFICATE REQUEST":     "a signing request (CSR), which is what an authority turns into a certificate",
	"NEW CERTIFICATE REQUEST": "a signing request (CSR), which is what an authority turns into a certificate",
	"PKCS7":                   "a PKCS #7 bundle (run openssl pkcs7 -print_certs to have the certificates)",
	"PRIVATE KEY":             "a private key",
	"RSA PRIVATE KEY":         "a private key",
	"EC PRIVATE KEY":          "a private key",
	"ENCRYPTED PRIVATE KEY":   "an encrypted key (run openssl pkey to have it without its password)",
	"OPENSSH PRIVATE KEY":     "a key of SSH",
	"PUBLIC KEY":              "a public key",
}

func foundIn(block *pem.Block) string {
	if what := found[block.Type]; what != "" {
		return what
	}
	return "something else than that"
}

// readChain reads the certificates; those it could, if there are problems.
func readChain(text []byte) (chain []*x509.Certificate, problems []string) {
	const file = "the certificate file"
	blocks, problem := readBlocks(file, text)
	if problem != "" {
		return nil, []string{problem}
	}
	if len(blocks) > maxCertificates {
		return nil, []string{fmt.Sprintf("%s has %d parts; at most %d certificates are taken", file, len(blocks), maxCertificates)}
	}
	for i, block := range blocks {
		if block.Type != "CERTIFICATE" {
			problems = append(problems, fmt.Sprintf("%s should hold certificates only, but part %d is %s", file, i+1, foundIn(block)))
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil { // which may repeat what it could not read
			problems = append(problems, fmt.Sprintf("certificate %d in the file is damaged; copy it again", i+1))
			continue
		}
		chain = append(chain, c)
	}
	if len(problems) > 0 {
		return nil, problems // the numbers of what is left would mislead
	}
	return chain, nil
}

// readKey reads the one key; certificates beside it do no harm, as some
// programs keep both in one file.
func readKey(text []byte) (key crypto.Signer, problem string) {
	const file = "the key file"
	blocks, problem := readBlocks(file, text)
	if problem != "" {
		return nil, problem
	}
	for _, block := range blocks {
		switch {
		case strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return nil, file + " holds " + found["ENCRYPTED PRIVATE KEY"]
		case block.Type != "PRIVATE KEY" && block.Type != "RSA PRIVATE KEY" && block.Type != "EC PRIVATE KEY":
			continue
		case key != nil:
			return nil, file + " holds more than one key; leave the one of the certificate"
		}
		if key = parseKey(block.Bytes); key == nil {
			return nil, file + " holds a key that is damaged, or of a kind that is not known here; use ECDSA, RSA or Ed25519"
		}
	}
	if key == nil {
		return nil, fmt.Sprintf("%s should hold a private key, but it is %s", file, foundIn(blocks[len(blocks)-1]))
	}
	return key, ""
}

// parseKey reads a key in any of its three forms, whatever it is called; nil
// if it is none. The errors of parsing are dropped: this is a secret.
func parseKey(der []byte) crypto.Signer {
	if any, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		key, _ := any.(crypto.Signer)
		return key
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key
	}
	return nil
}

// readBlocks reads at least one block of PEM.
func readBlocks(file string, text []byte) (blocks []*pem.Block, problem string) {
	if len(text) > maxUpload {
		return nil, fmt.Sprintf("%s has %d bytes; at most %d are taken", file, len(text), maxUpload)
	}
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return nil, file + " is empty"
	}
	for block, rest := pem.Decode(trimmed); block != nil; block, rest = pem.Decode(rest) {
		blocks = append(blocks, block)
	}
	// Decode passes over what it cannot read; half a chain is not what was meant.
	begun := bytes.Count(text, []byte("-----BEGIN "))
	switch {
	case begun > len(blocks):
		return nil, fmt.Sprintf("%s is damaged: it has %d lines with BEGIN, but %d whole parts; copy it again", file, begun, len(blocks))
	case len(blocks) > 0:
		return blocks, ""
	case trimmed[0] == 0x30: // a SEQUENCE of ASN.1, as all of them begin
		return nil, file + " is binary (DER or PKCS #12); convert it to PEM, with openssl x509 or pkey -inform der, or with openssl pkcs12"
	}
	return nil, file + " is not PEM, which begins with a line -----BEGIN"
}
