package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/seawall-edge/seawall/internal/durable"
)

// stateVersion is raised when an older program could no longer understand
// what a newer one has written into the state directory.
const stateVersion = 1

// state is the state directory, held by this process alone.
type state struct {
	lock *os.File
}

// openState creates the directory where needed and takes its lock. The
// version is looked at before anything is touched, and once more under the
// lock, for another program may have been quicker.
func openState(dir string) (*state, error) {
	if err := checkVersion(dir); err != nil {
		return nil, err
	}
	if err := makeStateDir(dir); err != nil {
		return nil, fmt.Errorf("the state directory cannot be made: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, cannotUse(dir, err)
	}
	s := &state{lock: lock}
	if err := s.take(dir); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// cannotUse says so without the names of our own files, which are no help.
func cannotUse(dir string, err error) error {
	return fmt.Errorf("the state directory %s cannot be used: %w; choose another with --state", dir, rootCause(err))
}

func makeStateDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", dir)
	}
	return err
}

func (s *state) take(dir string) error {
	err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("the state directory %s is in use by %s; stop that, or choose another with --state", dir, s.holder())
	}
	if err != nil {
		return fmt.Errorf("the state directory %s cannot be locked: %w", dir, err)
	}
	if err := checkVersion(dir); err != nil {
		return err
	}
	// The lock is the kernel's; the number in the file is only for whoever reads it.
	if err := s.lock.Truncate(0); err != nil {
		return cannotUse(dir, err)
	}
	if _, err := s.lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return cannotUse(dir, err)
	}
	path := filepath.Join(dir, "version")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := durable.WriteFile(path, []byte(strconv.Itoa(stateVersion)+"\n"), 0o600); err != nil {
			return cannotUse(dir, err)
		}
	}
	return nil
}

// holder names the process that has the lock.
func (s *state) holder() string {
	buf := make([]byte, 32)
	n, _ := s.lock.ReadAt(buf, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(buf[:n])))
	if err != nil {
		return "another seawall"
	}
	return fmt.Sprintf("another seawall, process %d", pid)
}

// checkVersion refuses a directory that a newer program has written. A
// directory without a version is new.
func checkVersion(dir string) error {
	path := filepath.Join(dir, "version")
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return cannotUse(dir, err)
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("%s does not hold a version; this may not be a state directory of seawall", path)
	case version > stateVersion:
		return fmt.Errorf("the state directory %s was written by a newer seawall (its version is %d, this program knows %d); "+
			"nothing was touched: start the newer program, or choose another directory with --state", dir, version, stateVersion)
	}
	return nil
}

// edgeID returns the name that this edge has in CDN-Loop (RFC 8586): made
// once, by chance, and kept, so that no other edge has it.
func edgeID(dir string) (string, error) {
	path := filepath.Join(dir, "edge-id")
	text, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(text)); err == nil && isEdgeID(id) {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", cannotUse(dir, err)
	}
	id := "seawall-" + strings.ToLower(rand.Text()[:16])
	if err := durable.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", cannotUse(dir, err)
	}
	return id, nil
}

func isEdgeID(text string) bool {
	return strings.HasPrefix(text, "seawall-") && len(text) <= 64 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// close gives the lock back.
func (s *state) close() error { return s.lock.Close() }
