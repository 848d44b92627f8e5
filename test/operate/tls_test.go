package operate_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOrigin_secure: the system's certificate authorities decide whom the
// edge believes to be the origin.
func TestOrigin_secure(t *testing.T) {
	t.Parallel()
	s := prepareSite("secure")
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are meant to fail
	s.server.StartTLS()
	t.Cleanup(s.close)
	dir := shortDir(t)
	authority := filepath.Join(dir, "authority.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.server.Certificate().Raw})
	if err := os.WriteFile(authority, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	// Names below .onion are never asked of the DNS (RFC 7686, 2), so this
	// one is unknown without leaving the machine.
	config := "zones:\n" + zoneLine("secure.test", s.url()) + zoneLine("other.test", strings.Replace(s.url(), "127.0.0.1", "localhost", 1)) +
		zoneLine("unknown.test", "http://nowhere.onion:80")
	for _, c := range []struct {
		name, file, host, reason string
		status                   int
	}{
		{"known authority", authority, "secure.test", "", http.StatusOK},
		{"certificate for another name", authority, "other.test", "origin-tls", http.StatusBadGateway},
		{"unknown authority", filepath.Join(dir, "none.pem"), "secure.test", "origin-tls", http.StatusBadGateway},
		{"unknown name", authority, "unknown.test", "origin-name", http.StatusBadGateway},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, setup{config: config, env: []string{"SSL_CERT_FILE=" + c.file, "SSL_CERT_DIR=" + dir + "/none", "GODEBUG=netdns=go"}}, s)
			v := p.enter(t)
			for range 3 {
				a := v.mustGet(t, c.host, "/page", c.status)
				if c.reason == "" && a.body != pageOf("secure", "/page") {
					t.Errorf("%.40q", a.body)
				}
			}
			if c.reason != "" {
				p.await(t, "the reason", p.metricIs(`seawall_refusals_total{action="failed",reason="`+c.reason+`"}`, 3))
			} else if n := s.accepted.Load(); n != 1 {
				t.Errorf("%d connections for three requests in a row", n)
			}
			p.checkWorld(t)
		})
	}
}
