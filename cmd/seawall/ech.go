package main

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/edge/certs"
	"github.com/seawall-edge/seawall/internal/durable"
	"github.com/seawall-edge/seawall/internal/ech"
	"github.com/seawall-edge/seawall/spec"
)

// echCommand is `seawall ech`: keys with which visitors hide the name of the
// site that they ask for (Encrypted Client Hello, RFC 9849).
type echCommand struct {
	New    echNewCommand    `cmd:"" help:"Make a key, and print what goes into the HTTPS records of the sites."`
	List   echListCommand   `cmd:"" help:"List the keys."`
	Remove echRemoveCommand `cmd:"" help:"Remove a key that no record names any more."`
}

// echPlace is where keys are.
type echPlace struct {
	State   string `placeholder:"DIR" default:"${state}" help:"State directory (default ${default})."`
	SealKey string `placeholder:"FILE" help:"The key that keys are sealed with (default seal.key in the state directory, made if it is missing)."`
}

// mostECHKeys bounds the work of a handshake: each key may have to be tried.
const mostECHKeys = 4

func echDir(state string) string { return filepath.Join(certificateDir(state), "ech") }

func echFile(state string, id uint8) string {
	return filepath.Join(echDir(state), fmt.Sprintf("%d.sealed", id))
}

// echSealedAs is what a key is sealed as.
func echSealedAs(name string) string { return "ECH key " + name }

// echKey is a key and when it was made.
type echKey struct {
	*ech.Key
	made time.Time
}

// readECH returns the keys, newest first.
func readECH(state string, sealer *certs.Sealer) (keys []echKey, err error) {
	entries, err := os.ReadDir(echDir(state))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".sealed") {
			continue // half written, of a crash
		}
		sealed, err := os.ReadFile(filepath.Join(echDir(state), entry.Name()))
		if err != nil {
			return nil, err
		}
		plain, err := sealer.Unseal(echSealedAs(entry.Name()), sealed)
		if err != nil {
			return nil, err
		}
		key, err := ech.Parse(plain)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		keys = append(keys, echKey{key, info.ModTime()})
	}
	slices.SortFunc(keys, func(a, b echKey) int { return b.made.Compare(a.made) })
	return keys, err
}

// openECH reads the keys for handshakes. The newest is the one that visitors
// are told who come with one that is gone.
func openECH(state string, sealer *certs.Sealer) ([]tls.EncryptedClientHelloKey, error) {
	found, err := readECH(state, sealer)
	if err != nil {
		return nil, fmt.Errorf("read the keys of Encrypted Client Hello: %w", err)
	}
	keys := []tls.EncryptedClientHelloKey{}
	for i, k := range found[:min(len(found), mostECHKeys)] {
		keys = append(keys, tls.EncryptedClientHelloKey{Config: k.Config, PrivateKey: k.Private, SendAsRetry: i == 0})
	}
	return keys, nil
}

type echNewCommand struct {
	echPlace
	PublicName string `arg:"" help:"The name that can be read on the wire in place of a site's: a host of this machine with a certificate."`
}

// Run makes a key. The ones that are there go on being good.
func (c echNewCommand) Run(p *program) error {
	zone := spec.ZoneSpec{Name: c.PublicName, Origin: spec.OriginSpec{URL: "http://127.0.0.1"}}
	for _, wrong := range zone.Validate() {
		return usageError{fmt.Errorf("%q is no host name: %s", c.PublicName, wrong.Text)}
	}
	sealer, err := openSealer(c.State, c.SealKey)
	if err != nil {
		return err
	}
	keys, err := readECH(c.State, sealer)
	if err != nil {
		return err
	}
	if len(keys) >= mostECHKeys {
		return fmt.Errorf("there are %d keys already, and each costs every handshake; remove one that no record names any more", len(keys))
	}
	var id [1]byte
	for taken := true; taken; {
		rand.Read(id[:])
		taken = slices.ContainsFunc(keys, func(k echKey) bool { return k.ID == id[0] })
	}
	key, err := ech.New(id[0], c.PublicName)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(echDir(c.State), 0o700); err != nil {
		return err
	}
	path := echFile(c.State, key.ID)
	if err := durable.WriteFile(path, sealer.Seal(echSealedAs(filepath.Base(path)), key.Marshal()), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "Key %d is made. Have the running seawall read it (SIGHUP), then put this into the HTTPS record of each site:\n\n"+
		"ech=%s\n\nVisitors who have no such record yet are served as before. %s has to have a certificate here.\n", key.ID, published(key), c.PublicName)
	return nil
}

// published is how a key stands in DNS (RFC 9848, 3).
func published(k *ech.Key) string { return base64.StdEncoding.EncodeToString(ech.List(k)) }

type echListCommand struct{ echPlace }

// Run prints a line for each key, newest first.
func (c echListCommand) Run(p *program) error {
	sealer, err := openSealer(c.State, c.SealKey)
	if err != nil {
		return err
	}
	keys, err := readECH(c.State, sealer)
	for _, k := range keys {
		fmt.Fprintf(p.stdout, "%3d  made %s  %s  ech=%s\n", k.ID, k.made.UTC().Format("2006-01-02 15:04"), k.PublicName, published(k.Key))
	}
	if len(keys) == 0 && err == nil {
		fmt.Fprintln(p.stdout, "There are no keys; seawall ech new makes one.")
	}
	return err
}

type echRemoveCommand struct {
	echPlace
	ID uint8 `arg:"" help:"The key's number."`
}

// Run removes a key: visitors who come with it are told the newest.
func (c echRemoveCommand) Run(p *program) error {
	err := os.Remove(echFile(c.State, c.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no key %d; seawall ech list shows them", c.ID)
	}
	if err == nil {
		fmt.Fprintf(p.stdout, "Key %d is gone when the running seawall has reloaded (SIGHUP).\n", c.ID)
	}
	return err
}
