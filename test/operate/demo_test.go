package operate_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestDemo_showsTheMainJobAndLeavesNothingBehind is what `make demo` runs.
func TestDemo_showsTheMainJobAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	address, secure := freeAddress(t), freeAddress(t)
	p := &program{http: address, said: &lockedBuffer{}, exited: make(chan struct{})}
	p.command = exec.Command(raceBinary, "demo", "--http", address, "--https", secure)
	p.command.Stdout, p.command.Stderr = p.said, p.said
	p.command.Env = append(os.Environ(), raceOptions)
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait() // the state is read below
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // gone already, unless the test failed
		<-p.exited
	})
	p.awaitSaid(t, "Ctrl-C ends the demo", 1)

	ask := func(host, path string) (*http.Response, string) {
		t.Helper()
		request, err := http.NewRequest(http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		return response, string(body)
	}
	if r, body := ask("localhost", "/"); r.StatusCode != 200 || !strings.Contains(body, "A site behind Seawall") {
		t.Errorf("the sample page: %d", r.StatusCode)
	}
	state := regexp.MustCompile(`--state (\S+)`).FindStringSubmatch(p.said.String())
	if state == nil {
		t.Fatalf("no state directory is named in\n%s", p.said)
	}
	root, err := exec.Command(raceBinary, "trust", "--state", state[1]).Output()
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(root) {
		t.Fatalf("trust: %v, %q", err, root)
	}
	conn, err := tls.Dial("tcp", secure, &tls.Config{ServerName: "localhost", RootCAs: roots})
	if err != nil {
		t.Fatalf("by TLS: %v", err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if page, err := io.ReadAll(conn); err != nil || !strings.Contains(string(page), "A site behind Seawall") {
		t.Errorf("the sample page by TLS: %v, %.80q", err, page)
	}
	_, first := ask("localhost", "/cached")
	if r, second := ask("localhost", "/cached"); second != first || !strings.HasPrefix(r.Header.Get("Cache-Status"), "seawall; hit") {
		t.Errorf("the second visit of /cached: %s, %q after %q", r.Header.Get("Cache-Status"), second, first)
	}
	if r, _ := ask("unknown.example", "/"); r.StatusCode != 421 {
		t.Errorf("an unknown site: %d", r.StatusCode)
	}
	if r, body := ask("localhost", "/dies"); r.ContentLength != 1000 || len(body) >= 1000 {
		t.Errorf("an origin that dies: %d of %d bytes", len(body), r.ContentLength)
	}
	for _, line := range []string{"miss 200", "hit  200", "refused unknown-host 421", "failed origin-short 200"} {
		p.awaitSaid(t, line, 1)
	}

	p.signal(t, syscall.SIGINT)
	if code := p.ended(t, patience); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.said)
	}
	if _, err := os.Stat(state[1]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory is left behind: %v", err)
	}
	if text := p.said.String(); !strings.Contains(text, "nothing is left behind") || strings.Contains(text, "DATA RACE") {
		t.Errorf("at the end:\n%s", text)
	}
}
