package https_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issuer certifies visitors.
type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newIssuer makes an authority; its certificate is NAME.pem in the folder.
func newIssuer(t *testing.T, dir, name string) *issuer {
	t.Helper()
	i := &issuer{}
	i.certificate, i.key = i.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Raw})
	if err := os.WriteFile(filepath.Join(dir, name+".pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return i
}

func (i *issuer) issue(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	template.NotBefore = time.Now().Add(-2 * time.Hour)
	parent, signer := i.certificate, i.key
	if parent == nil {
		parent, signer = template, key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// holder returns how a visitor enters who has a certificate, good until then;
// the zero time is in an hour.
func (i *issuer) holder(t *testing.T, name string, until time.Time, usage ...x509.ExtKeyUsage) (func(*tls.Config), *x509.Certificate) {
	t.Helper()
	if len(usage) == 0 {
		usage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	certificate, key := i.issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: []string{"Club"}}, EmailAddresses: []string{name + "@club.test"}, NotAfter: until, ExtKeyUsage: usage,
	})
	return func(c *tls.Config) {
		// Whatever authorities the door names, as openssl s_client does.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}, nil
		}
	}, certificate
}

// club begins a stage with zones that ask for certificates, and their authority.
func club(t *testing.T) (s *stage, members, strangers *issuer) {
	t.Helper()
	s = begin(t, func(dir string) string {
		members, strangers = newIssuer(t, dir, "members"), newIssuer(t, dir, "strangers")
		return `
  - {name: club.test, origin: {url: '%[1]s'}, tls: {client_certificates: {mode: required, authorities: members.pem, forward: true}}}
  - {name: desk.test, origin: {url: '%[1]s'}, tls: {client_certificates: {mode: optional, authorities: members.pem}},
     access: {block: [{name: staff, when: {path: [/staff/*], not: [{tls: {name: [alice@club.test]}}]}}]},
     rewrite: {requests: [{fields: {set: ["Subject: ${client_subject} ${client_fingerprint}"]}}]}}
  - {name: other.test, origin: {url: '%[1]s'}, tls: {client_certificates: {mode: required, authorities: strangers.pem}}, redirects: {https: true}}
`
	})
	return s, members, strangers
}

func TestVisitors_areLetInByTheirCertificate(t *testing.T) {
	t.Parallel()
	s, members, strangers := club(t)
	alice, certificate := members.holder(t, "alice", time.Time{})
	bob, _ := members.holder(t, "bob", time.Time{})
	mallory, _ := strangers.holder(t, "alice", time.Time{})
	late, _ := members.holder(t, "alice", time.Now().Add(-time.Minute))
	server, _ := members.holder(t, "alice", time.Time{}, x509.ExtKeyUsageServerAuth)
	digest := sha256.Sum256(certificate.Raw)
	subject := "CN=alice,O=Club " + hex.EncodeToString(digest[:])
	whole := ":" + base64.StdEncoding.EncodeToString(certificate.Raw) + ":"
	for _, c := range []struct {
		who, host, path    string
		enter              func(*tls.Config)
		status             int
		certified, subject string
	}{
		{"alice", "club.test", "/", alice, 200, whole, ""},
		{"nobody", "club.test", "/", nil, 403, "", ""},
		{"mallory", "club.test", "/", mallory, 403, "", ""},
		{"late alice", "club.test", "/", late, 403, "", ""},
		{"a server", "club.test", "/", server, 403, "", ""},
		{"mallory", "other.test", "/", mallory, 200, "", ""},
		{"alice", "other.test", "/", alice, 403, "", ""},
		{"nobody", "desk.test", "/", nil, 200, "", ""},
		{"mallory", "desk.test", "/", mallory, 200, "", ""},
		{"alice", "desk.test", "/", alice, 200, "", subject},
		{"alice", "desk.test", "/staff/1", alice, 200, "", subject},
		{"bob", "desk.test", "/staff/1", bob, 403, "", ""},
		{"mallory", "desk.test", "/staff/1", mallory, 403, "", ""},
		{"nobody", "desk.test", "/staff/1", nil, 403, "", ""},
		{"alice", "a.test", "/", alice, 200, "", ""},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			v := s.mustEnter(t, c.host, func(config *tls.Config) {
				config.MaxVersion = version
				if c.enter != nil {
					c.enter(config)
				}
			})
			response, body := v.ask(t, "GET", c.host, c.path, "")
			certified, subject := response.Header.Get("Certificate-Seen"), response.Header.Get("Subject-Seen")
			if response.StatusCode != c.status || certified != c.certified || c.subject != "" && subject != c.subject {
				t.Errorf("%s at %s%s, %s: %d, the origin saw %.40q and %q\n%s", c.who, c.host, c.path, tls.VersionName(version), response.StatusCode, certified, subject, body)
			}
		}
	}
	v := s.mustEnter(t, "club.test", mallory)
	response, _ := v.ask(t, "GET", "club.test", "/", "")
	if record := s.why(t, response.Header.Get("Seawall-Request-Id")); record["reason"] != "client-certificate" || !strings.Contains(fmt.Sprint(record["cause"]), "unknown authority") {
		t.Errorf("the Event says %v", record)
	}
}

// What a visitor says of itself in a field reaches no origin.
func TestVisitors_cannotForgeACertificate(t *testing.T) {
	t.Parallel()
	s, members, _ := club(t)
	alice, _ := members.holder(t, "alice", time.Time{})
	for host, enter := range map[string]func(*tls.Config){"club.test": alice, "desk.test": nil, "a.test": nil} {
		v := s.mustEnter(t, host, enter)
		if _, err := fmt.Fprintf(v, "GET /forged HTTP/1.1\r\nHost: %s\r\nClient-Cert: :forged:\r\nclient-cert-chain: :forged:\r\nConnection: close\r\n\r\n", host); err != nil {
			t.Fatal(err)
		}
		response, body := v.read(t)
		if seen := response.Header.Get("Certificate-Seen"); response.StatusCode != 200 || strings.Contains(seen, "forged") || (seen != "") != (host == "club.test") {
			t.Errorf("%s: %d, the origin saw %.40q\n%s", host, response.StatusCode, seen, body)
		}
	}
}

// A site that demands certificates is not there without TLS.
func TestVisitors_haveNoOtherDoor(t *testing.T) {
	t.Parallel()
	s, _, _ := club(t)
	for host, want := range map[string]string{"club.test": "HTTP/1.1 403 ", "other.test": "HTTP/1.1 308 ", "desk.test": "HTTP/1.1 200 "} {
		for _, target := range []string{"/", "http://" + host + "/x", "//x/../y"} {
			got := s.sendTo(t, s.plain, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n")
			if !strings.HasPrefix(got, want) {
				t.Errorf("%s of %s gets %.60q, want %q", target, host, got, want)
			}
		}
	}
}

// Tickets let nobody in who would not be let in without: not with one of
// another site (golang.org/issue/77217), not with one from before a
// certificate was shown, not after the settings have changed.
func TestVisitors_areNotLetInByTickets(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			s, members, strangers := club(t)
			alice, _ := members.holder(t, "alice", time.Time{})
			mallory, _ := strangers.holder(t, "mallory", time.Time{})
			tickets := tls.NewLRUClientSessionCache(1)
			visit := func(host string, enter func(*tls.Config)) (status int, resumed bool) {
				v := s.mustEnter(t, host, func(c *tls.Config) {
					c.ClientSessionCache, c.MinVersion, c.MaxVersion = oneKey{tickets}, version, version
					c.InsecureSkipVerify = true
					if enter != nil {
						enter(c)
					}
				})
				response, _ := v.ask(t, "GET", host, "/", "")
				return response.StatusCode, v.ConnectionState().DidResume
			}
			for i, step := range []struct {
				host    string
				enter   func(*tls.Config)
				status  int
				resumed bool
			}{
				{"a.test", nil, 200, false},
				{"club.test", nil, 403, false}, // with a ticket of a.test
				{"club.test", nil, 403, false}, // who has shown nothing is asked again
				{"club.test", alice, 200, false},
				{"club.test", nil, 200, true}, // by the ticket alone
				{"other.test", nil, 403, false},
				{"other.test", mallory, 200, false},
				{"club.test", nil, 403, false}, // with a certificate that other.test believes
				{"club.test", alice, 200, false},
				{"desk.test", nil, 200, false},
				{"club.test", alice, 200, false},
			} {
				if status, resumed := visit(step.host, step.enter); status != step.status || resumed != step.resumed {
					t.Errorf("step %d, %s: %d, resumed %v", i, step.host, status, resumed)
				}
			}
			open := s.mustEnter(t, "club.test", func(c *tls.Config) { alice(c); c.MaxVersion = version })
			open.ask(t, "GET", "club.test", "/", "")
			s.reload(t, "mode: required, authorities: members.pem", "mode: required, authorities: strangers.pem")
			if status, resumed := visit("club.test", nil); status != 403 || resumed {
				t.Errorf("by a ticket from before: %d, resumed %v", status, resumed)
			}
			response, _ := open.ask(t, "GET", "club.test", "/", "")
			if response.StatusCode != 403 || !response.Close {
				t.Errorf("on a connection from before: %d, closed %v", response.StatusCode, response.Close)
			}
			if status, _ := visit("club.test", mallory); status != 200 {
				t.Errorf("with a new certificate: %d", status)
			}
		})
	}
}

// What the origin tells one holder is told to nobody else, unless it says that
// anybody may have it.
func TestVisitors_shareOnlyWhatIsPublic(t *testing.T) {
	t.Parallel()
	s, members, _ := club(t)
	alice, _ := members.holder(t, "alice", time.Time{})
	bob, _ := members.holder(t, "bob", time.Time{})
	for path, shared := range map[string]bool{"/?kept=max-age%3D60": false, "/?kept=public,max-age%3D60": true} {
		var seen []string
		for _, enter := range []func(*tls.Config){alice, bob} {
			response, _ := s.mustEnter(t, "club.test", enter).ask(t, "GET", "club.test", path, "")
			if response.StatusCode != 200 {
				t.Fatalf("%s: %d", path, response.StatusCode)
			}
			seen = append(seen, response.Header.Get("Certificate-Seen"))
		}
		if (seen[0] == seen[1]) != shared {
			t.Errorf("%s: shared is %v", path, !shared)
		}
	}
	if response, _ := s.mustEnter(t, "club.test", nil).ask(t, "GET", "club.test", "/?kept=public,max-age%3D60", ""); response.StatusCode != 403 {
		t.Errorf("who has no certificate gets what is kept: %d", response.StatusCode)
	}
}
