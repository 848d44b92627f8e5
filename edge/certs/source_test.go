package certs

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFiles_readsPlainAndSealedKeys(t *testing.T) {
	dir, s, c := t.TempDir(), newSealer(t), newClock()
	m := makeCertificate(t, nil, newKey(t), nil)
	path := func(name string) string { return filepath.Join(dir, name) }
	sealed := s.Seal("key of sealed.key", []byte(m.keyPEM()))
	write(t, path("chain.pem"), []byte(m.pem()), 0o644)
	write(t, path("plain.key"), []byte(m.keyPEM()), 0o600)
	write(t, path("sealed.key"), sealed, 0o600)
	write(t, path("renamed.key"), sealed, 0o600)
	write(t, path("huge.key"), []byte(strings.Repeat("K", maxUpload*2)), 0o600)
	write(t, path("bad.key"), []byte("PLANTED"), 0o600)
	for _, test := range []struct {
		key    string
		name   string
		sealer *Sealer
		want   string // "": no error
	}{
		{"plain.key", "example.com", nil, ""},
		{"sealed.key", "example.com", s, ""},
		{"sealed.key", "example.com", nil, "no key file to unseal it"},
		{"sealed.key", "example.com", newSealer(t), "not in the key file"},
		{"renamed.key", "example.com", s, "something else"},
		{"plain.key", "example.org", nil, "does not cover"},
		{"bad.key", "example.com", nil, "is not PEM"},
		{"huge.key", "example.com", nil, "at most 65536"},
		{"none.key", "example.com", nil, "no such file"},
	} {
		got, err := Files{Chain: path("chain.pem"), Key: path(test.key), Names: []string{test.name}, Sealer: test.sealer, Now: c.now}.Certificate()
		if test.want == "" {
			if err != nil || got.Leaf == nil || got.PrivateKey == nil {
				t.Errorf("%s: %v", test.key, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path("chain.pem")) || !strings.Contains(err.Error(), test.key) {
			t.Errorf("%s: %v, want %q", test.key, err, test.want)
		} else if strings.Contains(err.Error(), "PLANTED") || strings.Contains(err.Error(), "KKKK") {
			t.Errorf("%s: the error shows the key: %v", test.key, err)
		}
	}
}

func TestChoice_showsTheLastThatCoversTheHost(t *testing.T) {
	c, dir := newClock(), t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var files []Files
	for _, name := range []string{"a.example", "b.example", "a.example"} {
		made := makeCertificate(t, nil, newKey(t), func(c *x509.Certificate) { c.DNSNames = []string{name} })
		place := fmt.Sprint(len(files))
		write(t, path(place+".pem"), []byte(made.pem()), 0o600)
		write(t, path(place+".key"), []byte(made.keyPEM()), 0o600)
		files = append(files, Files{Chain: path(place + ".pem"), Key: path(place + ".key"), Now: c.now})
	}
	own := Issued{openAuthority(t, path("authority"), newSealer(t), c), "c.test"}
	for host, want := range map[string]string{"a.example": "2.pem", "b.example": "1.pem"} {
		got, err := Choice{host, files, own}.Certificate()
		text, readErr := os.ReadFile(path(want))
		if err != nil || readErr != nil {
			t.Fatal(err, readErr)
		}
		if block, _ := pem.Decode(text); string(block.Bytes) != string(got.Certificate[0]) {
			t.Errorf("%s is shown another than %s", host, want)
		}
	}
	if got, err := (Choice{"c.test", files, own}).Certificate(); err != nil || got.Leaf.DNSNames[0] != "c.test" {
		t.Errorf("where none covers it: %v", err)
	}
	if _, err := (Choice{"c.test", files, nil}).Certificate(); err == nil || !strings.Contains(err.Error(), "none of 3") {
		t.Errorf("where nobody has one: %v", err)
	}
	write(t, path("2.pem"), []byte("damaged"), 0o600)
	if _, err := (Choice{"a.example", files, own}).Certificate(); err == nil {
		t.Error("the one that is damaged is passed over in silence")
	}
}
