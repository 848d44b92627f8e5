package https_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall/internal/program"
)

// guards are servers that let nobody in but the edge, set up as
// `seawall origin-ca snippet` says: what its configuration is around that, how
// it is started, and what somebody else gets.
var guards = map[string]struct {
	config    string // {address}, {snippet} and {dir} are filled in
	command   []string
	elsewhere string // what stands in the answer to who has no certificate of the zone
}{
	"nginx": {
		"daemon off; pid {dir}/nginx.pid; error_log {dir}/errors.log; events {} http { access_log off; server { listen {address} ssl;\n{snippet}\nreturn 200 \"let in\"; } }",
		[]string{"/usr/sbin/nginx", "-p", "{dir}", "-c", "{dir}/guard.conf"}, "SSL certificate",
	},
	"apache": {
		"ServerName guard\nServerRoot {dir}\nPidFile {dir}/apache.pid\nErrorLog {dir}/errors.log\nUser www-data\nGroup www-data\nListen {address}\n" +
			"LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\nLoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n" +
			"LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\nLoadModule dir_module /usr/lib/apache2/modules/mod_dir.so\n" +
			"<VirtualHost {address}>\nDocumentRoot {dir}/www\nDirectoryIndex index.html\n{snippet}\n</VirtualHost>\n",
		[]string{"/usr/sbin/apache2", "-f", "{dir}/guard.conf", "-DFOREGROUND"}, "",
	},
	"caddy": {
		"{\n\tadmin off\n\tauto_https off\n}\n:{port} {\n\tbind {host}\n{snippet}\n\trespond \"let in\"\n}\n",
		[]string{"/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", "{dir}/guard.conf"}, "",
	},
}

// startGuard has the program say what the server needs, and starts it.
func startGuard(t *testing.T, dir, kind, state string) (address string) {
	t.Helper()
	guard := guards[kind]
	if _, err := os.Stat(guard.command[0]); err != nil {
		t.Fatalf("%v; test/setup installs what is missing", err)
	}
	address, err := program.FreeAddress("127.0.0.6")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(address, ":")
	dir = filepath.Join(dir, kind)
	if err := os.MkdirAll(filepath.Join(dir, "www"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := []string{"--root", filepath.Join(dir, "root.pem"), "--chain", filepath.Join(dir, "server.pem"), "--key", filepath.Join(dir, "server.key")}
	run := func(arguments ...string) string {
		said, err := exec.Command(binary, append([]string{"origin-ca"}, arguments...)...).Output()
		if err != nil {
			t.Fatalf("seawall origin-ca %s: %v", strings.Join(arguments, " "), err)
		}
		return string(said)
	}
	root := run("root", "guarded.test", "--state", state)
	run(append([]string{"issue", "guarded.test", host, "--state", state}, files[2:]...)...)
	fill := strings.NewReplacer("{address}", address, "{host}", host, "{port}", port, "{dir}", dir, "{snippet}", run(append([]string{"snippet", kind, "guarded.test"}, files...)...))
	for name, text := range map[string]string{"root.pem": root, "guard.conf": fill.Replace(guard.config), "www/index.html": "let in"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var arguments []string
	for _, word := range guard.command {
		arguments = append(arguments, fill.Replace(word))
	}
	command := exec.Command(arguments[0], arguments[1:]...)
	command.Env = append(os.Environ(), "HOME="+dir)
	p, err := program.Start(kind, command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(patience) })
	if err := p.Await(patience, program.Listening("tcp", address)); err != nil {
		t.Fatalf("%v\n%s", err, p.Said())
	}
	return address
}

// pinOf is the hash of the public key in a certificate of a file.
func pinOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return "sha256//" + base64.StdEncoding.EncodeToString(hash[:])
}

// Real servers that are set up as the program says let in the edge, on behalf
// of their own zone, and nobody else: another zone of the same edge that is led
// to the same server gets nothing.
func TestOriginCA_letsInTheEdgeAlone(t *testing.T) {
	t.Parallel()
	for kind, guard := range guards {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := begin(t, func(dir string) string {
				if err := os.Chmod(dir, 0o755); err != nil { // for servers that give up their rights
					t.Fatal(err)
				}
				address := startGuard(t, dir, kind, filepath.Join(dir, "state"))
				root, err := os.ReadFile(filepath.Join(dir, kind, "root.pem"))
				if err != nil {
					t.Fatal(err)
				}
				newIssuer(t, dir, "strangers")
				own, wrong := pinOf(t, filepath.Join(dir, kind, "server.pem")), pinOf(t, filepath.Join(dir, "strangers.pem"))
				above := pinOf(t, filepath.Join(dir, kind, "root.pem"))
				roots := fmt.Sprintf("%q", root)
				return strings.NewReplacer("{origin}", "https://"+address, "{roots}", roots, "{own}", own, "{wrong}", wrong, "{above}", above).Replace(`
  - {name: guarded.test, hosts: [guarded.test, shop.test], origin: {url: '{origin}', tls: {show_own: true, trust_own: true, pins: ['{wrong}', '{own}']}}}
  - {name: thief.test, origin: {url: '{origin}', roots: {roots}, tls: {show_own: true}}}
  - {name: nobody.test, origin: {url: '{origin}', roots: {roots}}}
  - {name: distrusts.test, origin: {url: '{origin}', tls: {show_own: true, trust_own: true}}}
  - {name: pinned.test, origin: {url: '{origin}', roots: {roots}, tls: {pins: ['{wrong}']}}}
`)
			})
			for _, c := range []struct {
				host   string
				status int // 0: not 200
				cause  string
			}{
				{"guarded.test", 200, ""}, {"shop.test", 200, ""}, {"guarded.test", 200, ""},
				{"thief.test", 0, ""}, {"nobody.test", 0, ""},
				{"distrusts.test", 502, "certificate signed by unknown authority"}, {"pinned.test", 502, "none of the keys in its chain is pinned"},
			} {
				response, body := s.mustEnter(t, c.host, nil).ask(t, "GET", c.host, "/", "")
				in := strings.Contains(body, "let in")
				switch {
				case c.status == 200 && (response.StatusCode != 200 || !in):
					t.Errorf("%s is not let in: %d, %s\n%s", c.host, response.StatusCode, body, s.Said())
				case c.status != 200 && (response.StatusCode == 200 || in || c.status != 0 && response.StatusCode != c.status):
					t.Errorf("%s: %d, %s", c.host, response.StatusCode, body)
				case c.status == 0 && guard.elsewhere != "" && !strings.Contains(body, guard.elsewhere):
					t.Errorf("%s: %s", c.host, body)
				}
				if c.cause != "" {
					record := s.why(t, response.Header.Get("Seawall-Request-Id"))
					if record["reason"] != "origin-tls" || !strings.Contains(fmt.Sprint(record["cause"]), c.cause) || strings.Contains(body, c.cause) {
						t.Errorf("%s: the owner reads %v, visitors\n%s", c.host, record, body)
					}
				}
			}
		})
	}
}
