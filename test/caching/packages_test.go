package caching_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// npmPackage is one package, pinned by the hash of its packed file.
type npmPackage struct{ name, version, integrity string }

func (p npmPackage) file() string   { return p.name + "-" + p.version + ".tgz" }
func (p npmPackage) String() string { return p.name + "@" + p.version }

// check says what is wrong with a packed file. The integrity is written as npm
// writes it (W3C, Subresource Integrity), and always SHA-512.
func (p npmPackage) check(packed []byte) error {
	sum := sha512.Sum512(packed)
	if is := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); is != p.integrity {
		return fmt.Errorf("%s has the integrity %s, not %s", p.file(), is, p.integrity)
	}
	return nil
}

// readPackages reads lines of a name, a version and an integrity.
func readPackages(text string) (list []npmPackage, err error) {
	for number, line := range numbered(text) {
		f := strings.Fields(line)
		if len(f) != 3 || !strings.HasPrefix(f[2], "sha512-") {
			return nil, fmt.Errorf("line %d: want a name, a version and sha512-...: %s", number, line)
		}
		list = append(list, npmPackage{f[0], f[1], f[2]})
	}
	if len(list) == 0 {
		return nil, errors.New("no packages are listed")
	}
	return list, nil
}

// errNotHere is why a package cannot be had on this machine, now.
var errNotHere = errors.New("not here")

// shelf is a folder of packed files, outside of the tree, that outlives the
// test. Test binaries may use it beside each other.
type shelf struct {
	folder string
	fetch  func(into string, packages []npmPackage) error
}

// take returns the packed files of packages. Each is checked, every time;
// what is not there, or is damaged, is fetched.
func (s shelf) take(packages []npmPackage) (packed map[npmPackage][]byte, err error) {
	packed = map[npmPackage][]byte{}
	var lacking []npmPackage
	for _, p := range packages {
		b, err := os.ReadFile(filepath.Join(s.folder, p.file()))
		if err == nil {
			err = p.check(b)
		}
		if packed[p] = b; err != nil {
			lacking = append(lacking, p)
		}
	}
	if len(lacking) == 0 {
		return packed, nil
	}
	if err := os.MkdirAll(s.folder, 0o755); err != nil {
		return nil, fmt.Errorf("make room for packages: %w", err)
	}
	into, err := os.MkdirTemp(s.folder, "new-")
	if err != nil {
		return nil, fmt.Errorf("make room for packages: %w", err)
	}
	defer os.RemoveAll(into)
	if err := s.fetch(into, lacking); err != nil {
		return nil, err
	}
	for _, p := range lacking {
		b, err := os.ReadFile(filepath.Join(into, p.file()))
		if err == nil {
			err = p.check(b)
		}
		if err == nil { // a rename, so that nobody ever reads half a file
			err = os.Rename(filepath.Join(into, p.file()), filepath.Join(s.folder, p.file()))
		}
		if err != nil {
			return nil, fmt.Errorf("fetched %v: %w", p, err)
		}
		packed[p] = b
	}
	return packed, nil
}

// fetchWithNPM asks the registry that npm is set to.
func fetchWithNPM(into string, packages []npmPackage) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("npm, which brings the suite, is %w (run test/setup): %w", errNotHere, err)
	}
	command := exec.Command(npm, "pack", "--loglevel=error", "--ignore-scripts", "--update-notifier=false",
		"--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000", "--pack-destination="+into)
	for _, p := range packages {
		command.Args = append(command.Args, p.String())
	}
	command.Dir = into
	p, err := program.Start("npm pack", command)
	if err == nil {
		err = finish(p, 3*time.Minute)
	}
	if err != nil {
		return fmt.Errorf("the npm packages %v are %w, and the registry does not give them: %w", packages, errNotHere, err)
	}
	return nil
}

// finish waits for a program to end by itself, and well.
func finish(p *program.Process, within time.Duration) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	var late error
	select {
	case <-p.Exited:
	case <-timer.C:
		late = fmt.Errorf("%s does not end within %v", p.Name, within)
	}
	if err := errors.Join(late, p.Stop(patience)); err != nil {
		return fmt.Errorf("%w; it said:\n%s", err, tail(p.Said()))
	}
	return nil
}

// unpack lays out the files of a packed package in a folder. In all packages
// they are in one folder, however that is called.
func unpack(packed []byte, folder string) error {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer root.Close()
	for files, count := tar.NewReader(plain), 0; ; {
		head, err := files.Next()
		if errors.Is(err, io.EOF) && count > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpack: after %d files: %w", count, err)
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		_, name, _ := strings.Cut(head.Name, "/")
		content, err := io.ReadAll(files)
		if err == nil {
			err = root.MkdirAll(path.Dir(name), 0o755)
		}
		if err == nil {
			err = root.WriteFile(name, content, 0o644)
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", head.Name, err)
		}
		count++
	}
}
