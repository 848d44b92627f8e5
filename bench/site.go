package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// site is where a server answers, as a visitor sees it.
type site struct {
	Host    string      // what is asked for, without port
	Address string      // what is connected to
	TLS     *tls.Config // nil for plain connections
}

func plainSite(address string) site { return site{Host: "127.0.0.1", Address: address} }

// site is that of the server itself, which is asked for by a name over TLS:
// an address is not sent in a handshake (RFC 6066, 3).
func (s setup) site() site {
	if s.TLS == nil {
		return plainSite(s.address())
	}
	return site{Host: benchName, Address: s.address(), TLS: s.TLS.visitor(benchName)}
}

func (s site) url(path string) string {
	_, port, _ := net.SplitHostPort(s.Address)
	if s.TLS == nil {
		return "http://" + s.Host + ":" + port + path
	}
	return "https://" + s.Host + ":" + port + path
}

// dial opens a connection from one of a hundred loopback addresses, since a
// server may limit what one address gets, and shakes hands where there is TLS.
func (s site) dial(ctx context.Context, number int) (net.Conn, error) {
	source := net.IPv4(127, 0, 1, byte(1+number%100))
	dialer := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: source}}
	conn, err := dialer.DialContext(ctx, "tcp4", s.Address)
	if err != nil || s.TLS == nil {
		return conn, err
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	secure := tls.Client(conn, s.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// What every server of a TLS page has to agree on: the same work for all.
const (
	benchName   = "localhost"
	benchCipher = tls.TLS_AES_128_GCM_SHA256
	benchCurve  = tls.X25519
)

// visitor is a client of a site that shows exactly this certificate. A chain
// is not followed: the load would be the client's.
func (i *identity) visitor(name string) *tls.Config {
	return &tls.Config{
		ServerName: name, InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{benchCurve},
		VerifyConnection: func(state tls.ConnectionState) error { return agreed(state, i.leaf) },
	}
}

// agreed refuses a handshake that was not the one that is measured.
func agreed(state tls.ConnectionState, leaf *x509.Certificate) error {
	switch {
	case state.Version != tls.VersionTLS13 || state.CipherSuite != benchCipher || state.CurveID != benchCurve:
		return fmt.Errorf("the handshake agreed on %s, %s and %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.CurveID)
	case state.HelloRetryRequest:
		return errors.New("the handshake took a round more")
	case len(state.PeerCertificates) != 1 || !state.PeerCertificates[0].Equal(leaf):
		return errors.New("the server shows another certificate")
	}
	return nil
}

// opensslAgrees asks what OpenSSL's client, which wrk has inside, agrees on
// with a server: wrk itself does not say.
func opensslAgrees(ctx context.Context, s site) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "openssl", "s_client", "-connect", s.Address, "-servername", s.Host)
	out, err := command.CombinedOutput() // its standard input ends at once, and so does it
	if err != nil {
		return fmt.Errorf("run openssl s_client: %w: %s", err, firstLine(string(out)))
	}
	return readAgreement(string(out))
}

var agreement = map[string]*regexp.Regexp{
	"TLS 1.3 with AES-128-GCM": regexp.MustCompile(`(?m)^New, TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256$`),
	"X25519":                   regexp.MustCompile(`(?m)^Server Temp Key: X25519,`),
	"an ECDSA key on P-256":    regexp.MustCompile(`(?m)^Server public key is 256 bit$`),
	"a signature by ECDSA":     regexp.MustCompile(`(?m)^Peer signature type: ECDSA$`),
}

// readAgreement refuses a report of openssl s_client that lacks something.
func readAgreement(report string) error {
	var missing []string
	for what, pattern := range agreement {
		if !pattern.MatchString(report) {
			missing = append(missing, what)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("wrk's handshake would not have %s", strings.Join(missing, ", "))
	}
	return nil
}
