package https_test

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Under attack an operator trades what is safe from computers to come for work
// that is spared, and back, without a restart.
func TestPolicy_changesWithAReload(t *testing.T) {
	t.Parallel()
	s := begin(t, func(string) string { return "node: {handshake: {key_exchange: hybrid, unknown_name: neutral}}\n" })
	agreed := func() tls.CurveID {
		v := s.mustEnter(t, "a.test", nil)
		v.ask(t, "GET", "a.test", "/", "")
		return v.ConnectionState().CurveID
	}
	if got := agreed(); got != tls.X25519MLKEM768 {
		t.Errorf("at first keys are agreed by %v", got)
	}
	s.reload(t, "key_exchange: hybrid", "key_exchange: classic")
	if got := agreed(); got != tls.X25519 {
		t.Errorf("under attack by %v", got)
	}
	if _, err := s.enter(t, "a.test", func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768} }); err == nil {
		t.Error("who asks for nothing else gets it all the same")
	}
	s.reload(t, "key_exchange: classic", "key_exchange: hybrid")
	if got := agreed(); got != tls.X25519MLKEM768 {
		t.Errorf("afterwards by %v", got)
	}

	unknown := func(name string) error {
		_, err := s.enter(t, name, func(c *tls.Config) { c.InsecureSkipVerify = true })
		return err
	}
	for _, name := range []string{"", "c.test"} {
		if err := unknown(name); err != nil {
			t.Errorf("%q, neutral: %v", name, err)
		}
	}
	s.reload(t, "unknown_name: neutral", "unknown_name: alert")
	for _, name := range []string{"", "c.test"} {
		if err := unknown(name); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%q, alert: %v", name, err)
		}
	}
	if got := agreed(); got != tls.X25519MLKEM768 {
		t.Errorf("a known name: %v", got)
	}
}

// Visitors who have the key hide which site they ask for; the edge sees it, and
// who has an old key is told the new one.
func TestECH_hidesTheSite(t *testing.T) {
	t.Parallel()
	s := begin(t, nil)
	command := func(arguments ...string) string {
		said, err := exec.Command(binary, append([]string{"ech"}, append(arguments, "--state", s.state)...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("seawall ech %v: %v\n%s", arguments, err, said)
		}
		return string(said)
	}
	value := regexp.MustCompile(`(?m)^ech=(\S+)$`)
	makeKey := func() (list []byte) {
		said := command("new", "a.test")
		found := value.FindStringSubmatch(said)
		if found == nil {
			t.Fatalf("seawall ech new says %s", said)
		}
		list, err := base64.StdEncoding.DecodeString(found[1])
		if err != nil {
			t.Fatal(err)
		}
		s.reload(t, "a.test", "a.test")
		return list
	}
	hidden := func(list []byte) func(*tls.Config) {
		return func(c *tls.Config) { c.EncryptedClientHelloConfigList = list }
	}
	old := makeKey()
	for range 2 {
		v := s.mustEnter(t, "b.test", hidden(old))
		response, body := v.ask(t, "GET", "b.test", "/x", "")
		if !v.ConnectionState().ECHAccepted || response.StatusCode != 200 || !strings.Contains(body, "b.test") {
			t.Errorf("accepted %v, %d, %s", v.ConnectionState().ECHAccepted, response.StatusCode, body)
		}
		if response, _ := v.ask(t, "GET", "a.test", "/x", ""); response.StatusCode != 421 {
			t.Errorf("the name that could be read opens its site, too: %d", response.StatusCode)
		}
	}
	if _, err := s.enter(t, "modern.test", hidden(old)); err != nil {
		t.Errorf("where TLS 1.3 is the oldest: %v", err)
	}
	if v := s.mustEnter(t, "a.test", nil); v.ConnectionState().ECHAccepted {
		t.Error("accepted what was not offered")
	}
	fresh := makeKey()
	s.mustEnter(t, "b.test", hidden(old)) // both are good
	id := strings.Fields(strings.Split(strings.TrimSpace(command("list")), "\n")[1])[0]
	command("remove", id)
	s.reload(t, "a.test", "a.test")
	_, err := s.enter(t, "b.test", hidden(old))
	var rejected *tls.ECHRejectionError
	if !errors.As(err, &rejected) || string(rejected.RetryConfigList) != string(fresh) {
		t.Fatalf("an old key: %v", err)
	}
	s.mustEnter(t, "b.test", hidden(rejected.RetryConfigList))
	files, err := filepath.Glob(filepath.Join(s.state, "certs", "ech", "*"))
	if err != nil || len(files) != 1 {
		t.Errorf("the keys are in %v, %v", files, err)
	}
	if said := s.Said(); strings.Contains(said, "level=ERROR") {
		t.Errorf("the log says\n%s", said)
	}
}
