package ech

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// Go's own client and server understand what is made here.
func TestNew_isUnderstood(t *testing.T) {
	first, second := newKey(t, 1, "public.test"), newKey(t, 2, "public.test")
	certificate := certify(t, "secret.test", "public.test")
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	server := &tls.Config{Certificates: []tls.Certificate{certificate}}
	for _, k := range []*Key{first, second} {
		server.EncryptedClientHelloKeys = append(server.EncryptedClientHelloKeys, tls.EncryptedClientHelloKey{Config: k.Config, PrivateKey: k.Private, SendAsRetry: true})
	}
	shake := func(list []byte) (tls.ConnectionState, error) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		defer theirs.Close()
		done := make(chan error, 1)
		served := tls.Server(ours, server)
		go func() {
			err := served.Handshake()
			done <- err
			_, _ = io.Copy(io.Discard, ours) // an alert of the visitor's
		}()
		client := tls.Client(theirs, &tls.Config{ServerName: "secret.test", RootCAs: roots, EncryptedClientHelloConfigList: list})
		err := client.Handshake()
		<-done
		return served.ConnectionState(), err
	}
	for _, list := range [][]byte{List(first), List(second), List(second, first)} {
		if state, err := shake(list); err != nil || !state.ECHAccepted || state.ServerName != "secret.test" {
			t.Errorf("%v, accepted %v, for %q", err, state.ECHAccepted, state.ServerName)
		}
	}
	// Who comes with an old key is told the new ones, which hold again.
	state, err := shake(List(newKey(t, 3, "public.test")))
	var rejected *tls.ECHRejectionError
	if !errors.As(err, &rejected) || state.ServerName != "public.test" {
		t.Fatalf("an old key: %v, for %q", err, state.ServerName)
	}
	if !bytes.Equal(rejected.RetryConfigList, List(first, second)) {
		t.Errorf("the new ones are %x", rejected.RetryConfigList)
	}
}

func TestParse_readsWhatWasKept(t *testing.T) {
	k := newKey(t, 7, "public.test")
	got, err := Parse(k.Marshal())
	if err != nil || got.ID != 7 || got.PublicName != "public.test" || !bytes.Equal(got.Config, k.Config) || !bytes.Equal(got.Private, k.Private) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, name := range []string{"", strings.Repeat("a", 254)} {
		if _, err := New(1, name); err == nil {
			t.Errorf("a public name of %d bytes is taken", len(name))
		}
	}
}

func FuzzParse(f *testing.F) {
	k := newKey(f, 7, "public.test")
	f.Add(k.Marshal())
	f.Add(k.Marshal()[:40])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := Parse(text)
		if err == nil && (!bytes.Equal(k.Marshal(), text) || k.PublicName == "") {
			t.Errorf("%x is read as %+v", text, k)
		}
	})
}

func newKey(t testing.TB, id uint8, name string) *Key {
	t.Helper()
	k, err := New(id, name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func certify(t *testing.T, names ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
