package https_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// secrets are pieces of keys in the forms in which a program could let them
// slip. Each is too long to come about by chance.
type secrets []string

// piece is how many bytes of a key stand in a line of sixteen letters of base64.
const piece = 12

// plant adds what is secret in a key and in the file that holds it.
func (s *secrets) plant(t *testing.T, key crypto.Signer, file []byte) {
	t.Helper()
	numbers := secretNumbers(t, key)
	for _, number := range numbers {
		backwards := slices.Clone(number)
		slices.Reverse(backwards)
		for _, raw := range [][]byte{number, backwards} {
			for _, cut := range [][]byte{raw[:piece], raw[len(raw)-piece:]} {
				*s = append(*s, string(cut), hex.EncodeToString(cut), strings.ToUpper(hex.EncodeToString(cut)),
					base64.StdEncoding.EncodeToString(cut), base64.URLEncoding.EncodeToString(cut), strings.Trim(fmt.Sprint(cut), "[]"))
			}
		}
		*s = append(*s, new(big.Int).SetBytes(number).String())
	}
	// What a key file says besides may stand elsewhere: the public half is in
	// the certificate. Of one with a password all is its own.
	block, _ := pem.Decode(file)
	if block == nil {
		t.Fatal("a key without PEM is planted")
	}
	locked := strings.Contains(string(file), "ENCRYPTED")
	for raw := range slices.Chunk(block.Bytes, piece) {
		within := func(number []byte) bool { return bytes.Contains(number, raw) }
		if len(raw) == piece && (locked || slices.ContainsFunc(numbers, within)) {
			*s = append(*s, base64.StdEncoding.EncodeToString(raw))
		}
	}
}

func secretNumbers(t *testing.T, key crypto.Signer) (numbers [][]byte) {
	t.Helper()
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		raw, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{raw}
	case *rsa.PrivateKey:
		numbers = [][]byte{key.D.Bytes(), key.Precomputed.Dp.Bytes(), key.Precomputed.Dq.Bytes(), key.Precomputed.Qinv.Bytes()}
		for _, prime := range key.Primes {
			numbers = append(numbers, prime.Bytes())
		}
		return numbers
	case ed25519.PrivateKey:
		return [][]byte{key.Seed()}
	}
	t.Fatalf("no secrets of a %T are known", key)
	return nil
}

// found returns what a text has of them, so that a failure tells no more than it must.
func (s secrets) found(text []byte) (count int) {
	for _, secret := range append(s, "PRIVATE KEY-----") {
		if bytes.Contains(text, []byte(secret)) {
			count++
		}
	}
	return count
}

// within fails the test for each file below a folder that has a secret in it.
func (s secrets) within(t *testing.T, dir string) {
	t.Helper()
	read := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if n := s.found(text); n > 0 {
			t.Errorf("%s has %d pieces of keys in it", path, n)
		}
		read++
		return err
	})
	if err != nil || read < 3 {
		t.Fatalf("%d files are in %s, %v", read, dir, err)
	}
}

// broken are key files that no certificate can be shown with, and what the log
// says of each.
var broken = []struct {
	name, said string
	kind       string
	spoil      func(t *testing.T, key crypto.Signer, file []byte) []byte
}{
	{"half.example.com", "is damaged", "P-256", func(_ *testing.T, _ crypto.Signer, file []byte) []byte { return file[:len(file)/2] }},
	{"short.example.com", "a key that is damaged", "RSA", func(_ *testing.T, _ crypto.Signer, file []byte) []byte {
		block, _ := pem.Decode(file)
		block.Bytes = block.Bytes[:len(block.Bytes)/2]
		return pem.EncodeToMemory(block)
	}},
	{"bare.example.com", "is not PEM", "P-256", func(_ *testing.T, _ crypto.Signer, file []byte) []byte {
		return bytes.Join(bytes.Split(file, []byte("\n"))[1:3], []byte("\n"))
	}},
	{"renamed.example.com", "should hold a private key", "P-256", func(_ *testing.T, key crypto.Signer, file []byte) []byte {
		block, _ := pem.Decode(file)
		block.Type = hex.EncodeToString(block.Bytes)
		return pem.EncodeToMemory(block)
	}},
	{"locked.example.com", "an encrypted key", "P-256", withPassword("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:password")},
	{"locked-as-before.example.com", "an encrypted key", "RSA", withPassword("rsa", "-traditional", "-aes128", "-passout", "pass:password")},
	{"mismatched.example.com", "does not belong", "P-256", nil},
}

// withPassword has OpenSSL lock a key.
func withPassword(arguments ...string) func(*testing.T, crypto.Signer, []byte) []byte {
	return func(t *testing.T, _ crypto.Signer, file []byte) []byte {
		command := exec.Command("openssl", arguments...)
		command.Stdin = bytes.NewReader(file)
		locked, err := command.Output()
		if err != nil || !bytes.Contains(locked, []byte("ENCRYPTED")) {
			t.Fatalf("openssl %q: %v, %s", arguments, err, locked)
		}
		return locked
	}
}

// plantedStage has a zone for each way to hold a key, whole or broken.
func plantedStage(t *testing.T) (s *stage, planted secrets, names []string) {
	t.Helper()
	n := newNotary(t)
	end := time.Now().Add(quarter)
	s = begin(t, func(dir string) (zones string) {
		for i, kind := range []string{"P-256", "P-384", "RSA", "Ed25519"} {
			for _, how := range []string{"open", "sealed"} {
				name, key := fmt.Sprintf("%s-%d.example.com", how, i), newKey(t, kind)
				n.certify(t, dir, name, key, end, name)
				planted.plant(t, key, keyPEM(t, key))
				if how == "sealed" {
					sealFile(t, dir, filepath.Join(dir, name+".key"))
				}
				names, zones = append(names, name), zones+uploaded(name, name, name)
			}
		}
		for _, b := range broken {
			key := newKey(t, b.kind)
			n.certify(t, dir, b.name, key, end, b.name)
			planted.plant(t, key, keyPEM(t, key))
			other := newKey(t, "P-256")
			text := keyPEM(t, other)
			if b.spoil == nil {
				planted.plant(t, other, text)
			} else if text = b.spoil(t, key, keyPEM(t, key)); strings.Contains(string(text), "ENCRYPTED") {
				planted.plant(t, key, text)
			}
			replaceFile(t, filepath.Join(dir, b.name+".key"), text)
			zones += uploaded(b.name, b.name, b.name)
		}
		return zones + strings.Replace(uploaded("dead.example.com", "dead.example.com", names[0]), "%[1]s", "http://127.0.0.5:1", 1)
	})
	s.roots.AddCert(n.root)
	return s, planted, names
}

// Nothing of a key is told to anybody, whatever happens to it.
func TestSecrets_slipNowhere(t *testing.T) {
	require(t, "openssl")
	t.Parallel()
	s, planted, names := plantedStage(t)
	for _, name := range names { // a search that finds nothing here would find nothing anywhere
		text, err := os.ReadFile(filepath.Join(filepath.Dir(s.config), name+".key"))
		if err != nil || (planted.found(text) > 1) != strings.HasPrefix(name, "open") {
			t.Fatalf("%s: %d pieces are in the key file, %v", name, planted.found(text), err)
		}
	}
	var shown bytes.Buffer
	var ids []string
	keep := func(v *visitor, host, target string) {
		response, body := v.ask(t, "GET", host, target, "")
		ids = append(ids, response.Header.Get("Seawall-Request-Id"))
		fmt.Fprint(&shown, response.Header, body)
	}
	for _, name := range names {
		keep(s.mustEnter(t, name, nil), name, "/")
	}
	for _, b := range broken {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if _, err := s.enter(t, b.name, func(c *tls.Config) { c.MaxVersion = version }); err == nil {
				t.Errorf("%s has a certificate", b.name)
			}
			v := s.mustEnter(t, b.name, func(c *tls.Config) { c.MaxVersion, c.InsecureSkipVerify = version, true })
			keep(v, b.name, "/")
			keep(v, names[0], "/")  // a page of the edge's own, 421
			keep(v, b.name, "/%zz") // 400
		}
		if err := s.Await(patience, func() error { return saysOf(s.Said(), b.name, b.said) }); err != nil {
			t.Error(err)
		}
	}
	keep(s.mustEnter(t, "dead.example.com", func(c *tls.Config) { c.InsecureSkipVerify = true }), "dead.example.com", "/") // 502
	for _, page := range []string{"metrics", "healthz", "readyz"} {
		text, err := program.Ask("http://" + s.metrics + "/" + page)
		if shown.WriteString(text); err != nil {
			t.Error(err)
		}
	}
	s.why(t, ids[len(ids)-1]) // then all of them can be asked for
	for _, id := range ids {
		text, err := exec.Command(binary, "why", id, "--state", s.state).CombinedOutput()
		if shown.Write(text); err != nil {
			t.Errorf("why %s: %v\n%s", id, err, text)
		}
	}
	shown.WriteString(s.check(t, "MISTAKE"))
	if n := planted.found(shown.Bytes()); n > 0 {
		t.Errorf("visitors, seawall why, seawall check or the metrics show %d pieces of keys", n)
	}
	if err := s.Stop(2 * patience); err != nil {
		t.Error(err)
	}
	if n := planted.found([]byte(s.Said())); n > 0 {
		t.Errorf("the log has %d pieces of keys", n)
	}
	planted.within(t, s.state)
}

// saysOf reports whether a line of the log has both.
func saysOf(log, name, phrase string) error {
	for line := range strings.Lines(log) {
		if strings.Contains(line, name) && strings.Contains(line, phrase) {
			return nil
		}
	}
	return fmt.Errorf("the log does not say of %s that it %q", name, phrase)
}

// check returns what seawall check says of the configuration, with the door for TLS.
func (s *stage) check(t *testing.T, phrase string) string {
	t.Helper()
	config, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(filepath.Dir(s.config), "checked.yaml")
	replaceFile(t, path, append([]byte("https: "+s.https+"\n"), config...))
	said, err := exec.Command(binary, "check", "--config", path).CombinedOutput()
	if err != nil || !strings.Contains(string(said), phrase) {
		t.Errorf("seawall check: %v, and not %q in\n%s", err, phrase, said)
	}
	return string(said)
}
