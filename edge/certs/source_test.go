package certs

import (
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
