// Package ech makes and reads the configurations of Encrypted Client Hello
// (RFC 9849): what an operator publishes in DNS so that the name of a site is
// not readable on the wire, and the key that belongs to it.
package ech

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// What a configuration is made of (RFC 9849, 4; RFC 9180, 7).
const (
	version    = 0xfe0d
	kemX25519  = 0x0020 // DHKEM(X25519, HKDF-SHA256)
	kdfSHA256  = 0x0001
	aeadAES128 = 0x0001
	aeadChaCha = 0x0003
	longest    = 253 // name, in bytes: a visitor pads its own to it
)

// Key is a configuration and the private key that belongs to it.
type Key struct {
	ID         uint8
	PublicName string // what is readable on the wire in place of the site's name
	Config     []byte // as it is published, see List
	Private    []byte // 32 bytes
}

// New makes a key. Public name is an ASCII host name without a dot at its end.
func New(id uint8, publicName string) (*Key, error) {
	if publicName == "" || len(publicName) > longest {
		return nil, fmt.Errorf("make an ECH key: a public name of %d bytes", len(publicName))
	}
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an ECH key: %w", err)
	}
	public := private.PublicKey().Bytes()
	b := []byte{id}
	b = binary.BigEndian.AppendUint16(b, kemX25519)
	b = binary.BigEndian.AppendUint16(b, uint16(len(public)))
	b = append(b, public...)
	b = binary.BigEndian.AppendUint16(b, 8) // two suites
	for _, aead := range []uint16{aeadAES128, aeadChaCha} {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, kdfSHA256), aead)
	}
	b = append(b, 0, byte(len(publicName))) // visitors pad as they like
	b = append(b, publicName...)
	b = binary.BigEndian.AppendUint16(b, 0) // no extensions
	head := binary.BigEndian.AppendUint16(nil, version)
	config := append(binary.BigEndian.AppendUint16(head, uint16(len(b))), b...)
	return &Key{ID: id, PublicName: publicName, Config: config, Private: private.Bytes()}, nil
}

// List returns what stands in DNS: the value of the parameter ech (RFC 9848, 3),
// before Base64.
func List(keys ...*Key) []byte {
	list := []byte{0, 0}
	for _, k := range keys {
		list = append(list, k.Config...)
	}
	binary.BigEndian.PutUint16(list, uint16(len(list)-2))
	return list
}

// Marshal returns the key as it is kept, which is a secret.
func (k *Key) Marshal() []byte { return append(append([]byte(nil), k.Private...), k.Config...) }

var errKey = errors.New("read an ECH key: it is none that this program has made")

// Parse reads what Marshal has made.
func Parse(text []byte) (*Key, error) {
	const private, head = 32, 4
	const before = 1 + 2 + 2 + 32 + 2 + 8 + 1 // the public name's length
	if len(text) < private+head+before+2 {
		return nil, errKey
	}
	k := &Key{Private: text[:private], Config: text[private:]}
	body := k.Config[head:]
	key, err := ecdh.X25519().NewPrivateKey(k.Private)
	name := body[before:]
	switch {
	case err != nil, binary.BigEndian.Uint16(k.Config) != version, int(binary.BigEndian.Uint16(k.Config[2:])) != len(body),
		binary.BigEndian.Uint16(body[1:]) != kemX25519, string(body[5:5+32]) != string(key.PublicKey().Bytes()),
		int(name[0]) == 0, 1+int(name[0])+2 != len(name):
		return nil, errKey
	}
	k.ID, k.PublicName = body[0], string(name[1:1+int(name[0])])
	return k, nil
}
