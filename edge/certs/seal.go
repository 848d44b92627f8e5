package certs

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seawall-edge/seawall/internal/durable"
)

// A sealed text is one byte of version, the id of its key, a nonce and what
// AES-256-GCM makes of the plain text (NIST SP 800-38D).
const (
	sealedVersion = 1
	keySize       = 32
	idSize        = 4
	nonceSize     = 12
	sealedHead    = 1 + idSize + nonceSize
)

// maxKeyFile is plenty for hundreds of keys with remarks.
const maxKeyFile = 64 << 10

// A Sealer keeps secrets unreadable on disks and in backups. It is safe for
// any number of goroutines.
type Sealer struct {
	keys []sealingKey // never empty; the first seals, all unseal
}

type sealingKey struct {
	id  [idSize]byte
	gcm cipher.AEAD
}

// OpenSealer reads a key file: lines of 32 bytes in base64 (RFC 4648, 4), with
// empty lines and remarks after "#". The first key seals and all of them
// unseal: to rotate, write a new line above the old ones.
//
// With create a file that is not there is made, with a fresh key. Whoever
// loses it loses everything that was sealed with it.
func OpenSealer(path string, create bool) (*Sealer, error) {
	if create {
		if err := createKeyFile(path); err != nil {
			return nil, fmt.Errorf("make key file: %w", err)
		}
	}
	text, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	sealer := &Sealer{}
	for i, line := range bytes.Split(text, []byte("\n")) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(string(line))
		if err != nil || len(key) != keySize { // the line itself would be the key
			return nil, fmt.Errorf("read key file: %s: line %d is not %d bytes in base64", path, i+1, keySize)
		}
		sealer.keys = append(sealer.keys, newSealingKey(key))
	}
	if len(sealer.keys) == 0 {
		return nil, fmt.Errorf("read key file: %s: there is no key in it; if nothing has been sealed yet, delete the file to have a new one made", path)
	}
	return sealer, nil
}

// Seal encrypts a text. What says what it is, such as "key of example.com",
// and has to be said again to unseal it, so that nobody who can write files
// can pass one secret off as another.
func (s *Sealer) Seal(what string, plain []byte) []byte {
	key := &s.keys[0]
	sealed := make([]byte, sealedHead, sealedHead+len(plain)+key.gcm.Overhead())
	sealed[0] = sealedVersion
	copy(sealed[1:], key.id[:])
	nonce := sealed[1+idSize : sealedHead]
	rand.Read(nonce) // never fails: it would end the program
	return key.gcm.Seal(sealed, nonce, plain, []byte(what))
}

// SealKey encrypts the key of a certificate for a file: Files finds it there.
func (s *Sealer) SealKey(path string, plain []byte) []byte { return s.Seal(keyOf(path), plain) }

// Unseal returns the text that was sealed as what.
func (s *Sealer) Unseal(what string, sealed []byte) ([]byte, error) {
	switch {
	case len(sealed) < sealedHead:
		return nil, fmt.Errorf("unseal %s: it is cut short", what)
	case sealed[0] != sealedVersion:
		return nil, fmt.Errorf("unseal %s: it is not sealed, or by a newer version of seawall", what)
	}
	id, known := sealed[1:1+idSize], false
	for i := range s.keys {
		key := &s.keys[i]
		if !bytes.Equal(key.id[:], id) {
			continue
		}
		known = true // two keys may have the same id, if rarely
		if plain, err := key.gcm.Open(nil, sealed[1+idSize:sealedHead], sealed[sealedHead:], []byte(what)); err == nil {
			return plain, nil
		}
	}
	if !known {
		return nil, fmt.Errorf("unseal %s: it is sealed with a key that is not in the key file (its id is %x), or damaged", what, id)
	}
	return nil, fmt.Errorf("unseal %s: it is damaged, or it was sealed as something else", what)
}

func newSealingKey(key []byte) sealingKey {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // of its length only, and that was checked
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	sum := sha256.Sum256(append([]byte("seawall sealing key\x00"), key...))
	return sealingKey{id: [idSize]byte(sum[:idSize]), gcm: gcm}
}

// createKeyFile makes a key file unless there is one. The empty file claims
// the name, so that of two programs one wins; a crash before it has a key
// leaves it empty, and OpenSealer says what to do about that.
func createKeyFile(path string) error {
	claim, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := claim.Close(); err != nil {
		return err
	}
	key := make([]byte, keySize)
	rand.Read(key)
	text := "# Seals the keys of certificates. Keep a copy in a safe place.\n" + base64.StdEncoding.EncodeToString(key) + "\n"
	if err := durable.WriteFile(path, []byte(text), 0o600); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func readKeyFile(path string) (_ []byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat() // of the open file: the name may point to another by now
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read %s (mode %#o); run chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err == nil && len(text) > maxKeyFile {
		err = fmt.Errorf("%s is no key file: it is longer than %d bytes", path, maxKeyFile)
	}
	return text, err
}
