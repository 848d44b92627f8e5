package origin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/spec"
)

// authority vouches for servers.
type authority struct {
	pem  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-48 * time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), cert, key}
}

// vouch makes a certificate for names and addresses that ends at a time.
func (a *authority) vouch(t *testing.T, until time.Time, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// vault is a server behind TLS.
type vault struct {
	url      string
	accepted atomic.Int64
	resumed  atomic.Int64
	sni      atomic.Value // what was asked for last
}

func newVault(t *testing.T, cert tls.Certificate, version uint16) *vault {
	t.Helper()
	v := &vault{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			v.resumed.Add(1)
		}
		if r.URL.Path == "/close" {
			w.Header().Set("Connection", "close")
		}
		says("ok")(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: version, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		v.accepted.Add(1)
		v.sni.Store(hello.ServerName)
		return nil, nil
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	v.url = server.URL
	return v
}

func TestTLS_asksForTheRightNameAndBelievesNoOther(t *testing.T) {
	noLeak(t)
	trusted, stranger := newAuthority(t), newAuthority(t)
	later, earlier := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	for _, c := range []struct {
		name     string
		cert     tls.Certificate
		server   spec.ServerSpec
		host     string // that the visitor asked for
		sni      string
		accepted bool
	}{
		{"the visitor's name", trusted.vouch(t, later, "a.test"), spec.ServerSpec{}, "a.test", "a.test", true},
		{"any name below it", trusted.vouch(t, later, "*.a.test"), spec.ServerSpec{}, "x.a.test", "x.a.test", true},
		{"the server's own name", trusted.vouch(t, later, "127.0.0.1"), spec.ServerSpec{}, "a.test", "a.test", true},
		{"both", trusted.vouch(t, later, "127.0.0.1", "a.test"), spec.ServerSpec{}, "a.test", "a.test", true},
		{"neither", trusted.vouch(t, later, "b.test", "127.0.0.2"), spec.ServerSpec{}, "a.test", "a.test", false},
		{"expired", trusted.vouch(t, earlier, "a.test", "127.0.0.1"), spec.ServerSpec{}, "a.test", "a.test", false},
		{"another authority", stranger.vouch(t, later, "a.test", "127.0.0.1"), spec.ServerSpec{}, "a.test", "a.test", false},
		{"no name asked for", trusted.vouch(t, later, "127.0.0.1"), spec.ServerSpec{}, "", "", true},
		{"an address asked for", trusted.vouch(t, later, "127.0.0.1"), spec.ServerSpec{}, "192.0.2.1", "", true},
		{"an address asked for that the certificate is for", trusted.vouch(t, later, "192.0.2.1"), spec.ServerSpec{}, "192.0.2.1", "", false},
		{"the host that is sent", trusted.vouch(t, later, "shop.test"), spec.ServerSpec{Host: "shop.test:99"}, "a.test", "shop.test", true},
		{"the host that is not sent", trusted.vouch(t, later, "a.test"), spec.ServerSpec{Host: "shop.test"}, "a.test", "shop.test", false},
		{"the server's host", trusted.vouch(t, later, "127.0.0.1"), spec.ServerSpec{Host: spec.HostServer}, "a.test", "", true},
		{"a fixed name", trusted.vouch(t, later, "strict.test"), spec.ServerSpec{ServerName: "strict.test"}, "a.test", "strict.test", true},
		{"a fixed name and the visitor's", trusted.vouch(t, later, "a.test"), spec.ServerSpec{ServerName: "strict.test"}, "a.test", "strict.test", false},
		{"a fixed name and the server's", trusted.vouch(t, later, "127.0.0.1"), spec.ServerSpec{ServerName: "strict.test"}, "a.test", "strict.test", false},
		{"a fixed name, expired", trusted.vouch(t, earlier, "strict.test"), spec.ServerSpec{ServerName: "strict.test"}, "a.test", "strict.test", false},
	} {
		v := newVault(t, c.cert, tls.VersionTLS13)
		c.server.URL = v.url
		g := newGroup(t, spec.OriginSpec{Roots: trusted.pem, Servers: []spec.ServerSpec{c.server}})
		x, _ := request("GET")
		x.Host, x.Hostport = []byte(c.host), []byte(c.host)
		body, why := ask(g, x)
		if c.accepted && body != "ok" || !c.accepted && why != seawall.ReasonOriginTLS {
			t.Errorf("%s: %q, %s", c.name, body, why)
		}
		if got := v.sni.Load(); got != c.sni {
			t.Errorf("%s: asked for %q", c.name, got)
		}
		g.Close()
	}
}

func TestTLS_keepsConnectionsForTheNameTheyWereMadeFor(t *testing.T) {
	noLeak(t)
	trusted := newAuthority(t)
	cert := trusted.vouch(t, time.Now().Add(time.Hour), "a.test", "b.test")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		v := newVault(t, cert, version)
		g := newGroup(t, spec.OriginSpec{URL: v.url, Roots: trusted.pem})
		for i := range 20 {
			x, _ := request("GET")
			x.Host = []byte([]string{"a.test", "b.test"}[i%2])
			if body, why := ask(g, x); body != "ok" {
				t.Fatalf("%q, %s", body, why)
			}
		}
		if s := g.Stats(); s.Opened != 2 || s.Reused != 18 || s.Idle != 2 || v.accepted.Load() != 2 {
			t.Errorf("%s: %+v", tls.VersionName(version), s)
		}
		g.Close()
	}
}

func TestTLS_looksAtTheCertificateOfAResumedSession(t *testing.T) {
	noLeak(t)
	trusted := newAuthority(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		v := newVault(t, trusted.vouch(t, time.Now().Add(time.Hour), "127.0.0.1"), version)
		g := newGroup(t, spec.OriginSpec{URL: v.url, Roots: trusted.pem})
		for range 4 {
			x, _ := request("GET")
			x.Target = []byte("/close")
			if body, why := ask(g, x); body != "ok" {
				t.Fatalf("%q, %s", body, why)
			}
		}
		if v.accepted.Load() != 4 || v.resumed.Load() != 3 {
			t.Errorf("%s: %d connections, %d resumed", tls.VersionName(version), v.accepted.Load(), v.resumed.Load())
		}
		// The roots are no longer those that vouched for it.
		g.servers[0].tls.RootCAs = x509.NewCertPool()
		x, _ := request("GET")
		if why := reasonFor(t, g, x); why != seawall.ReasonOriginTLS {
			t.Errorf("%s: a session of before is enough: %s", tls.VersionName(version), why)
		}
		g.Close()
	}
}
