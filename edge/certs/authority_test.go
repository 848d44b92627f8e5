package certs

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func openAuthority(t *testing.T, dir string, s *Sealer, c *clock) *Authority {
	t.Helper()
	a, err := OpenAuthority(AuthorityConfig{Dir: dir, Sealer: s, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthority_issuesWhatItsRootVerifies(t *testing.T) {
	dir, s, c := filepath.Join(t.TempDir(), "authority"), newSealer(t), newClock()
	openAuthority(t, dir, s, c)
	a := openAuthority(t, dir, s, c) // read, not made
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.RootPEM()) {
		t.Fatalf("root:\n%s", a.RootPEM())
	}
	for name, visited := range map[string]string{
		"Example.internal.": "example.internal", "*.example.internal": "a.example.internal", "my_host": "my_host",
		"192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1",
	} {
		got, err := a.Issue(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = got.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: visited, CurrentTime: noon})
		if err != nil || len(got.Certificate) != 1 || got.Leaf.Subject.CommonName != "" {
			t.Errorf("%s: %v", name, err)
		}
		if begin, end := got.Leaf.NotBefore, got.Leaf.NotAfter; !begin.Equal(noon.Add(-time.Hour)) || end.Sub(begin) != LeafLifetime {
			t.Errorf("%s: from %v to %v", name, begin, end)
		}
	}
	for _, name := range []string{"", ".", "*", "*.", "*.*.a", "a..b", "-a", "a-", "a b", "a/b", "ä", "fe80::1%eth0", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a"} {
		if _, err := a.Issue(name); err == nil {
			t.Errorf("%q got a certificate", name)
		}
	}
	if r := a.root; r.Subject.CommonName != "Seawall local authority" || r.MaxPathLen != 0 || !r.MaxPathLenZero {
		t.Errorf("root %v", r.Subject)
	}
}

func TestAuthority_outlivesNoRoot(t *testing.T) {
	c := newClock()
	a := openAuthority(t, t.TempDir(), newSealer(t), c)
	c.pass(a.root.NotAfter.Sub(noon) - time.Hour)
	if got, err := a.Issue("a"); err != nil || !got.Leaf.NotAfter.Equal(a.root.NotAfter) {
		t.Errorf("in its last hour: %v", err)
	}
	c.pass(2 * time.Hour)
	if _, err := a.Issue("a"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after its end: %v", err)
	}
}

func TestOpenAuthority_replacesOnlyAKeyThatCertifiedNothing(t *testing.T) {
	dir, s, c := t.TempDir(), newSealer(t), newClock()
	rootPath, keyPath := filepath.Join(dir, rootFile), filepath.Join(dir, rootKeyFile)
	write(t, keyPath, []byte("half"), 0o600) // as after a crash
	first := openAuthority(t, dir, s, c)
	for path, mode := range map[string]os.FileMode{rootPath: 0o644, keyPath: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	if _, err := OpenAuthority(AuthorityConfig{Dir: dir, Sealer: newSealer(t), Now: c.now}); err == nil || !strings.Contains(err.Error(), "not in the key file") {
		t.Errorf("another sealer: %v", err)
	}
	// The root of one and the key of another belong to nobody.
	other := t.TempDir()
	openAuthority(t, other, s, c)
	stolen, err := os.ReadFile(filepath.Join(other, rootKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	write(t, keyPath, stolen, 0o600)
	if _, err := OpenAuthority(AuthorityConfig{Dir: dir, Sealer: s, Now: c.now}); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("another key: %v", err)
	}
	if err := os.Remove(keyPath); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(AuthorityConfig{Dir: dir, Sealer: s, Now: c.now}); err == nil {
		t.Error("a root without a key was opened")
	}
	if now, err := os.ReadFile(rootPath); err != nil || string(now) != string(first.RootPEM()) {
		t.Errorf("the root was replaced (%v)", err)
	}
}
