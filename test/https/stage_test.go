package https_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

// stage is the program with an origin, and who trusts its authority.
type stage struct {
	*program.Process
	https, plain, metrics, state string
	config                       string // the file
	loads                        int    // how often it has taken effect
	roots                        *x509.CertPool
	asked                        chan string // paths under /hang that the origin was asked for
	left                         chan string // paths under /hang that the origin was freed of
}

// zones are what the tests ask for; %s is the origin.
const zones = `
  - {name: a.test, origin: {url: '%[1]s'}}
  - {name: b.test, hosts: [b.test, '*.b.test'], origin: {url: '%[1]s'}, tls: {hsts: {for: 8760h, subdomains: true}}}
  - {name: modern.test, origin: {url: '%[1]s'}, tls: {min_version: "1.3"}}
`

// begin starts the program; more, which may be nil, prepares what else it finds
// in its folder, and returns further zones.
func begin(t *testing.T, more func(dir string) string) *stage {
	t.Helper()
	s := &stage{asked: make(chan string, 10), left: make(chan string, 10)}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasPrefix(r.URL.Path, "/hang") {
			s.asked <- r.URL.Path
			<-r.Context().Done()
			s.left <- r.URL.Path
			return
		}
		w.Header().Set("Proto-Seen", r.Header.Get("X-Forwarded-Proto"))
		w.Header().Set("Certificate-Seen", strings.Join(r.Header.Values("Client-Cert"), " and "))
		w.Header().Set("Subject-Seen", r.Header.Get("Subject"))
		if kept := r.URL.Query().Get("kept"); kept != "" {
			w.Header().Set("Cache-Control", kept)
		}
		if size := r.URL.Query().Get("size"); size != "" {
			n := 0
			_, _ = fmt.Sscan(size, &n)
			_, _ = w.Write(bytes.Repeat([]byte("s"), n))
			return
		}
		fmt.Fprintf(w, "%s of %s, %d bytes", r.URL.Path, r.Host, len(body))
	}))
	t.Cleanup(origin.Close)
	dir, err := os.MkdirTemp("", "https-") // the path of a Unix socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s.state = filepath.Join(dir, "state")
	for _, address := range []*string{&s.https, &s.plain, &s.metrics} {
		if *address, err = program.FreeAddress("127.0.0.5"); err != nil {
			t.Fatal(err)
		}
	}
	further := ""
	if more != nil {
		further = more(dir)
	}
	config := fmt.Sprintf("state: %s\nmetrics: %s\nevents: {sample: 1}\nzones:", s.state, s.metrics) + fmt.Sprintf(zones+further, origin.URL)
	s.config, s.loads = filepath.Join(dir, "seawall.yaml"), 1
	if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, "run", "--config", s.config, "--http", s.plain, "--https", s.https)
	if s.Process, err = program.Start("seawall", command); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(2 * patience); err != nil || strings.Contains(s.Said(), "DATA RACE") || strings.Contains(s.Said(), "panic") {
			t.Errorf("the program ends with %v and says\n%s", err, s.Said())
		}
	})
	ready := func() error { _, err := program.Ask("http://" + s.metrics + "/readyz"); return err }
	if err := s.Await(patience, ready); err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command(binary, "trust", "--state", s.state).Output()
	if err != nil {
		t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(root) {
		t.Fatalf("seawall trust says %q", root)
	}
	return s
}

// reload has the program read its file anew, in which was is replaced.
func (s *stage) reload(t *testing.T, was, by string) {
	t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil || !bytes.Contains(text, []byte(was)) {
		t.Fatalf("%q is not in the configuration, %v", was, err)
	}
	if err := os.WriteFile(s.config, bytes.ReplaceAll(text, []byte(was), []byte(by)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(s.PID(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.loads++
	err = s.Await(patience, func() error {
		if !strings.Contains(s.Said(), fmt.Sprintf("generation=%d", s.loads)) {
			return fmt.Errorf("the configuration is not read anew:\n%s", s.Said())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// visitor is a connection with TLS on it.
type visitor struct {
	*tls.Conn
	reader *bufio.Reader
}

// enter shakes hands; change may be nil.
func (s *stage) enter(t *testing.T, name string, change func(*tls.Config)) (*visitor, error) {
	t.Helper()
	config := &tls.Config{ServerName: name, RootCAs: s.roots}
	if change != nil {
		change(config)
	}
	tcp, err := net.DialTimeout("tcp", s.https, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tcp.Close() })
	if err := tcp.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(tcp, config)
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	return &visitor{conn, bufio.NewReader(conn)}, nil
}

func (s *stage) mustEnter(t *testing.T, name string, change func(*tls.Config)) *visitor {
	t.Helper()
	v, err := s.enter(t, name, change)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// ask asks for something over the connection, which goes on.
func (v *visitor) ask(t *testing.T, method, host, target, body string) (*http.Response, string) {
	t.Helper()
	_, err := fmt.Fprintf(v, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", method, target, host, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	return v.read(t)
}

// read reads the answer to what was asked.
func (v *visitor) read(t *testing.T) (*http.Response, string) {
	t.Helper()
	response, err := http.ReadResponse(v.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// readAnswer reads one answer to what was sent before.
func readAnswer(v *visitor) (string, error) {
	response, err := http.ReadResponse(v.reader, nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

// why returns what is remembered of a request.
func (s *stage) why(t *testing.T, id string) (record map[string]any) {
	t.Helper()
	err := s.Await(patience, func() error {
		said, err := exec.Command(binary, "why", id, "--state", s.state, "--json").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return json.Unmarshal(said, &record)
	})
	if err != nil {
		t.Fatal(err)
	}
	return record
}
