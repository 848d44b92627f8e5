package caching_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// pack makes a packed package of files and their content.
func pack(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	list := tar.NewWriter(packed)
	for _, name := range files {
		head := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(name))}
		if err := list.WriteHeader(head); err != nil {
			t.Fatal(err)
		}
		if _, err := list.Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(list.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// registry is a shelf with a stand-in for the registry, which counts.
func registry(t *testing.T, gives []byte) (s shelf, p npmPackage, asked *int) {
	t.Helper()
	asked = new(int)
	sum := sha512.Sum512([]byte("right"))
	p = npmPackage{"thing", "1.2.3", "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
	return shelf{filepath.Join(t.TempDir(), "new"), func(into string, packages []npmPackage) error {
		*asked++
		if gives == nil {
			return fmt.Errorf("it is %w", errNotHere)
		}
		return os.WriteFile(filepath.Join(into, packages[0].file()), gives, 0o600)
	}}, p, asked
}

func TestShelf_fetchesOnceAndAgainWhatIsDamaged(t *testing.T) {
	t.Parallel()
	s, p, asked := registry(t, []byte("right"))
	take := func(want int) {
		t.Helper()
		got, err := s.take([]npmPackage{p})
		if err != nil || string(got[p]) != "right" || *asked != want {
			t.Fatalf("got %q, %v, asked %d times, want %d", got, err, *asked, want)
		}
	}
	take(1)
	take(1)
	if err := os.WriteFile(filepath.Join(s.folder, p.file()), []byte("righ"), 0o600); err != nil {
		t.Fatal(err)
	}
	take(2)
	take(2)
}

func TestShelf_refusesAnotherFileThanThePinnedOne(t *testing.T) {
	t.Parallel()
	s, p, _ := registry(t, []byte("wrong"))
	if got, err := s.take([]npmPackage{p}); err == nil || errors.Is(err, errNotHere) {
		t.Errorf("got %q, %v", got, err)
	}
	entries, err := os.ReadDir(s.folder)
	if err != nil || len(entries) > 0 {
		t.Errorf("on the shelf are %v, %v", entries, err)
	}
}

func TestShelf_saysWhenTheRegistryIsAway(t *testing.T) {
	t.Parallel()
	s, p, _ := registry(t, nil)
	if got, err := s.take([]npmPackage{p}); !errors.Is(err, errNotHere) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestUnpack_laysOutFilesAndStaysInside(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "scope", "thing")
	if err := unpack(pack(t, "package/package.json", "package/lib/a.mjs"), folder); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "lib", "a.mjs")); err != nil || string(text) != "package/lib/a.mjs" {
		t.Errorf("got %q, %v", text, err)
	}
	for name, packed := range map[string][]byte{
		"a file outside": pack(t, "package/../../evil"), "no file": pack(t), "nothing": nil, "half of it": pack(t, "package/a")[:40],
	} {
		if err := unpack(packed, t.TempDir()); err == nil {
			t.Errorf("%s was unpacked", name)
		}
	}
}

func TestPackages_arePinnedByHash(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing", "thing 1.2.3", "thing 1.2.3 sha1-abc", "thing sha512-abc"} {
		if list, err := readPackages(text); err == nil {
			t.Errorf("%q was read as %v", text, list)
		}
	}
}
