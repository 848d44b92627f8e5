package proxyproto

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// enough is how long any wait here may take before the test gives up.
const enough = 30 * time.Second

const hello = "hello from the visitor"

func TestParse_readsWhatHAProxySends(t *testing.T) {
	for _, c := range []struct {
		name, address, options, more string
		version                      int
		visitor                      string // when HAProxy is told to claim another one
	}{
		{"v1", "127.0.0.1:0", "send-proxy", "", 1, ""},
		{"v2", "127.0.0.1:0", "send-proxy-v2", "", 2, ""},
		{"v1 over IPv6", "[::1]:0", "send-proxy", "", 1, ""},
		{"v2 over IPv6", "[::1]:0", "send-proxy-v2", "", 2, ""},
		{"v1 of mixed families", "127.0.0.1:0", "send-proxy", "tcp-request connection set-src str(2001:db8::7)", 1, "2001:db8::7"},
		{"v2 of mixed families", "127.0.0.1:0", "send-proxy-v2", "tcp-request connection set-src str(2001:db8::7)", 2, "2001:db8::7"},
		{"v2 with checksum and more", "127.0.0.1:0", "send-proxy-v2 proxy-v2-options crc32c,unique-id",
			"unique-id-format seawall-%pid", 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := listen(t, "127.0.0.1:0")
			front := listen(t, c.address)
			address := front.Addr().String()
			start(t, front, fmt.Sprintf("mode tcp\n%s\nserver s %s %s", c.more, server.Addr(), c.options))

			visitor := dial(t, address)
			if _, err := io.WriteString(visitor, hello); err != nil {
				t.Fatal(err)
			}
			if err := visitor.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			b := receive(t, server)
			h, n, err := Parse(b)
			want := Header{Source: netip.MustParseAddrPort(visitor.LocalAddr().String()),
				Destination: netip.MustParseAddrPort(address), Version: c.version}
			if c.visitor != "" {
				want.Source = netip.AddrPortFrom(netip.MustParseAddr(c.visitor), want.Source.Port())
			}
			if err != nil || h != want || string(b[n:]) != hello {
				t.Errorf("%+q: %+v, %d, %v; want %+v", b, h, n, err, want)
			}
		})
	}
}

func TestParse_readsTheChecksOfHAProxyAsLocal(t *testing.T) {
	server, front := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	start(t, front, fmt.Sprintf("mode tcp\nserver s %s send-proxy-v2 check inter 100ms", server.Addr()))
	b := receive(t, server)
	if h, n, err := Parse(b); err != nil || n != len(b) || h != (Header{Local: true, Version: 2}) {
		t.Errorf("%+q: %+v, %d, %v", b, h, n, err)
	}
}

func TestAppendV2_isUnderstoodByHAProxy(t *testing.T) {
	front := listen(t, "127.0.0.1:0")
	address := front.Addr().String()
	start(t, front, "mode http\nhttp-request return status 200 content-type text/plain lf-string \"%[src] %[src_port] %[dst] %[dst_port]\"")
	for _, c := range []struct{ source, destination, want string }{
		{"203.0.113.9:56324", "192.0.2.1:443", "203.0.113.9 56324 192.0.2.1 443"},
		{"[2001:db8::9]:56324", "[2001:db8::1]:443", "2001:db8::9 56324 2001:db8::1 443"},
		{"[2001:db8::9]:56324", "192.0.2.1:443", "2001:db8::9 56324 ::ffff:192.0.2.1 443"},
		{"", "", "127.0.0.1"},
	} {
		visitor := dial(t, address)
		source, _ := netip.ParseAddrPort(c.source)
		destination, _ := netip.ParseAddrPort(c.destination)
		request := append(AppendV2(nil, source, destination), "GET / HTTP/1.0\r\n\r\n"...)
		if _, err := visitor.Write(request); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(visitor)
		if _, body, _ := strings.Cut(string(answer), "\r\n\r\n"); err != nil || !strings.HasPrefix(body, c.want) {
			t.Errorf("%s to %s: %q, %v; want %q", c.source, c.destination, answer, err, c.want)
		}
	}
}

// start runs HAProxy on a listener that is open already, so that there is no
// port to guess and nothing to wait for, and ends it with the test.
func start(t *testing.T, front *net.TCPListener, section string) {
	t.Helper()
	program, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("missing Debian package: haproxy (run test/setup)")
	}
	accept := ""
	if strings.Contains(section, "mode http") {
		accept = " accept-proxy"
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	config := "defaults\ntimeout connect 20s\ntimeout client 20s\ntimeout server 20s\n" +
		"listen front\nbind fd@3" + accept + "\n" + section + "\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	inherited, err := front.File()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*enough)
	var complaint strings.Builder
	command := exec.CommandContext(ctx, program, "-db", "-f", file)
	command.ExtraFiles = []*os.File{inherited} // descriptor 3
	command.Stdout, command.Stderr = &complaint, &complaint
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	// From here on HAProxy alone holds the listener: when it ends, connections are refused.
	inherited.Close()
	front.Close()
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // killed by us
		if t.Failed() {
			t.Logf("haproxy: %s", complaint.String())
		}
	})
}

func listen(t *testing.T, address string) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil && strings.HasPrefix(address, "[::1]") {
		t.Skipf("missing IPv6 on loopback: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, enough)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(enough)); err != nil {
		t.Fatal(err)
	}
	return c
}

// receive accepts one connection and returns all that it sends.
func receive(t *testing.T, l *net.TCPListener) []byte {
	t.Helper()
	if err := l.SetDeadline(time.Now().Add(enough)); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(enough)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(io.LimitReader(c, Longest+1024))
	if err != nil && len(b) == 0 { // a check may end with a reset after its header
		t.Fatal(err)
	}
	return b
}
