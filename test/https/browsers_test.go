package https_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// ways are those in which a certificate comes to be shown.
var ways = []struct {
	name, kind string // of the key; empty: this machine's own authority
	hosts      string // of the zone, where they are not the name alone
	sealed     bool
	curlAlone  bool // browsers take no such keys
}{
	{name: "a.test"},
	{name: "www.b.test"},
	{name: "plain.example.com", kind: "P-256"},
	{name: "www.wild.example.com", kind: "P-256", hosts: "'*.wild.example.com'"},
	{name: "sealed.example.com", kind: "P-256", sealed: true},
	{name: "rsa.example.com", kind: "RSA"},
	{name: "strong.example.com", kind: "P-384"},
	{name: "edwards.example.com", kind: "Ed25519", curlAlone: true},
}

// everyWay begins a stage with all of them, and with untrusted.example.com, whose
// root nobody was given. roots.pem beside the configuration has both roots.
func everyWay(t *testing.T) (s *stage, dir string) {
	t.Helper()
	n, other := newNotary(t), newNotary(t)
	s = begin(t, func(dir string) (zones string) {
		for _, way := range ways {
			if way.kind == "" {
				continue
			}
			hosts := way.name
			if way.hosts != "" {
				hosts = way.hosts
			}
			n.certify(t, dir, way.name, newKey(t, way.kind), time.Now().Add(quarter), strings.Trim(hosts, "'"))
			if way.sealed {
				sealFile(t, dir, filepath.Join(dir, way.name+".key"))
			}
			zones += uploaded(way.name, hosts, way.name)
		}
		other.certify(t, dir, "untrusted", newKey(t, "P-256"), time.Now().Add(quarter), "untrusted.example.com")
		return zones + uploaded("untrusted.example.com", "untrusted.example.com", "untrusted")
	})
	own, err := exec.Command(binary, "trust", "--state", s.state).Output()
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Dir(s.config)
	replaceFile(t, filepath.Join(dir, "notary.pem"), certificatePEM(n.root))
	replaceFile(t, filepath.Join(dir, "own.pem"), own)
	replaceFile(t, filepath.Join(dir, "roots.pem"), append(own, certificatePEM(n.root)...))
	return s, dir
}

func TestCurl_takesEveryCertificate(t *testing.T) {
	require(t, "curl")
	t.Parallel()
	s, dir := everyWay(t)
	ask := func(name, version string) (string, error) {
		said, err := exec.Command("curl", "--silent", "--show-error", "--max-time", "20", "--cacert", filepath.Join(dir, "roots.pem"), "--tlsv"+version, "--tls-max", version,
			"--noproxy", "*", "--connect-to", name+":443:"+s.https, "--write-out", " %{http_code}", "https://"+name+"/page").CombinedOutput()
		return string(said), err
	}
	for _, version := range []string{"1.2", "1.3"} {
		for _, way := range ways {
			if said, err := ask(way.name, version); err != nil || said != "/page of "+way.name+", 0 bytes 200" {
				t.Errorf("%s, TLS %s: %q, %v", way.name, version, said, err)
			}
		}
		if said, err := ask("untrusted.example.com", version); err == nil || !strings.Contains(said, "certificate") {
			t.Errorf("TLS %s: who trusts nobody is told %q", version, said)
		}
	}
}

func TestBrowser_takesEveryCertificate(t *testing.T) {
	require(t, "chromium", "libnss3-tools")
	t.Parallel()
	s, dir := everyWay(t)
	b := newBrowser(t, s, filepath.Join(dir, "own.pem"), filepath.Join(dir, "notary.pem"))
	for _, way := range ways {
		if way.curlAlone {
			continue
		}
		if page, said := b.visit(t, way.name); !strings.Contains(page, "/page of "+way.name+", 0 bytes") {
			t.Errorf("%s: the page is %q; the browser said\n%s", way.name, page, said)
		}
	}
	if page, said := b.visit(t, "untrusted.example.com"); strings.Contains(page, "/page of") || !strings.Contains(said, "ERR_CERT_AUTHORITY_INVALID") {
		t.Errorf("where it should warn the page is %q; the browser said\n%s", page, said)
	}
}

// browser is a headless Chromium with a home of its own, in which some roots
// are trusted.
type browser struct {
	home  string
	https string
	as    *syscall.Credential // nil where the test is not root
}

func newBrowser(t *testing.T, s *stage, roots ...string) *browser {
	t.Helper()
	as, err := program.Unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("", "https-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Errorf("clear the browser's home: %v", err)
		}
	})
	b := &browser{home, s.https, as}
	trusted := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(trusted, 0o755); err != nil {
		t.Fatal(err)
	}
	b.certutil(t, "-N", "--empty-password")
	for _, root := range roots {
		b.certutil(t, "-A", "-n", filepath.Base(root), "-t", "C,,", "-i", root)
	}
	if as != nil {
		err := filepath.Walk(home, func(path string, _ os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(path, int(as.Uid), int(as.Gid))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *browser) certutil(t *testing.T, arguments ...string) {
	t.Helper()
	said, err := exec.Command("certutil", append(arguments, "-d", "sql:"+filepath.Join(b.home, ".pki", "nssdb"))...).CombinedOutput()
	if err != nil {
		t.Fatalf("certutil %q: %v\n%s", arguments, err, said)
	}
}

// visit returns what the page has become, which is empty where the browser
// warns, and what it says of that.
func (b *browser) visit(t *testing.T, name string) (page, said string) {
	t.Helper()
	chromium := "/usr/bin/chromium"
	if own := os.Getenv("SEAWALL_CHROMIUM"); own != "" {
		chromium = own
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	command := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-breakpad",
		"--disable-dev-shm-usage", "--password-store=basic", "--user-data-dir="+filepath.Join(b.home, "profile"),
		// No name but ours has an address: nothing leaves the machine.
		"--host-resolver-rules=MAP "+name+" "+b.https+", MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom", "https://"+name+"/page")
	command.Dir = b.home
	command.Env = append(os.Environ(), "HOME="+b.home, "XDG_CONFIG_HOME="+b.home, "LC_ALL=C.UTF-8")
	// It and all that it starts end together.
	command.SysProcAttr = &syscall.SysProcAttr{Credential: b.as, Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = patience
	var complaint strings.Builder
	command.Stderr = &complaint
	text, err := command.Output()
	if err != nil {
		t.Errorf("%s: chromium: %v\n%s", name, err, complaint.String())
	}
	return string(text), complaint.String()
}
