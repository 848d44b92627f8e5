package certs

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestOpenSealer_makesAKeyThatOnlyTheOwnerReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.key")
	if _, err := OpenSealer(path, false); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("without create: %v", err)
	}
	var sealers [4]*Sealer
	var wait sync.WaitGroup
	for i := range sealers { // one makes it; the others read it, or come while it is empty
		wait.Go(func() { sealers[i], _ = OpenSealer(path, true) })
	}
	wait.Wait()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v (%v)", info.Mode(), err)
	}
	again, err := OpenSealer(path, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sealers {
		if s == nil {
			continue
		}
		if plain, err := again.Unseal("it", s.Seal("it", []byte("secret"))); err != nil || string(plain) != "secret" {
			t.Errorf("%q, %v", plain, err)
		}
	}
}

func TestOpenSealer_readsRemarksAndRotatedKeys(t *testing.T) {
	dir := t.TempDir()
	old, fresh := bytes.Repeat([]byte{1}, keySize), bytes.Repeat([]byte{2}, keySize)
	open := func(name string, lines ...string) *Sealer {
		path := filepath.Join(dir, name)
		write(t, path, []byte(strings.Join(lines, "\r\n")), 0o600)
		s, err := OpenSealer(path, true)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	text := base64.StdEncoding.EncodeToString
	before := open("before", text(old))
	both := open("both", "# since March", "", text(fresh)+" # new", text(old))
	after := open("after", text(fresh))
	sealed := before.Seal("it", []byte("secret"))
	if plain, err := both.Unseal("it", sealed); err != nil || string(plain) != "secret" {
		t.Errorf("with both: %q, %v", plain, err)
	}
	if plain, err := after.Unseal("it", both.Seal("it", []byte("secret"))); err != nil || string(plain) != "secret" {
		t.Errorf("the first did not seal: %q, %v", plain, err)
	}
	if _, err := after.Unseal("it", sealed); err == nil || !strings.Contains(err.Error(), "not in the key file") {
		t.Errorf("without the key: %v", err)
	}
}

func TestSealer_unsealsNothingThatWasChanged(t *testing.T) {
	s := newSealer(t)
	sealed := s.Seal("key of a", []byte("secret"))
	if bytes.Contains(sealed, []byte("secret")) || bytes.Equal(sealed, s.Seal("key of a", []byte("secret"))) {
		t.Error("not sealed, or twice the same")
	}
	if _, err := s.Unseal("key of b", sealed); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("as another: %v", err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Unseal("key of a", changed); err == nil {
			t.Errorf("byte %d changed and nobody noticed", i)
		}
		if _, err := s.Unseal("key of a", sealed[:i]); err == nil {
			t.Errorf("cut to %d bytes and nobody noticed", i)
		}
	}
}

func TestOpenSealer_refusesBadFilesWithoutShowingThem(t *testing.T) {
	planted := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("K"), 33))
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by others": {planted, 0o644, "chmod 600"},
		"writable by group":  {planted, 0o620, "chmod 600"},
		"too long a key":     {"# key\n" + planted, 0o600, "line 2 is not 32 bytes"},
		"not base64":         {planted[:20] + "!" + planted[20:], 0o600, "line 1 is not 32 bytes"},
		"empty":              {"", 0o600, "no key in it"},
		"remarks only":       {"# " + planted, 0o600, "no key in it"},
		"huge":               {strings.Repeat(planted+"\n", 3000), 0o600, "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "seal.key")
			write(t, path, []byte(c.text), 0o600)
			if err := os.Chmod(path, c.mode); err != nil { // past the umask
				t.Fatal(err)
			}
			_, err := OpenSealer(path, true)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), planted[:8]) || strings.Contains(err.Error(), "KKKK") {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}
