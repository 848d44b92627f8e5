package operate_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
)

// introduction is what a PROXY protocol header of version 2 says: LOCAL, or
// from where to where.
func introduction(r *bufio.Reader) (string, error) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	if !bytes.Equal(head[:12], []byte("\r\n\r\n\x00\r\nQUIT\n")) {
		return "", fmt.Errorf("no PROXY header: %q", head)
	}
	rest := make([]byte, binary.BigEndian.Uint16(head[14:]))
	if _, err := io.ReadFull(r, rest); err != nil {
		return "", err
	}
	switch {
	case head[12] == 0x20:
		return "LOCAL", nil
	case head[12] == 0x21 && head[13] == 0x11 && len(rest) >= 12: // TCP over IPv4
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(rest[:4])), binary.BigEndian.Uint16(rest[8:]))
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(rest[4:8])), binary.BigEndian.Uint16(rest[10:]))
		return from.String() + " to " + to.String(), nil
	}
	return "", fmt.Errorf("an unexpected header %x %x", head, rest)
}

// TestOrigins_proxyProtocol: each connection to the server says who the
// visitor is, and is that visitor's alone, though it is used again for him.
func TestOrigins_proxyProtocol(t *testing.T) {
	t.Parallel()
	o := prepareOrigin(t, "only")
	var mu sync.Mutex
	var said []string
	o.greet = func(r *bufio.Reader) error {
		text, err := introduction(r)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			text = err.Error()
		}
		said = append(said, text)
		return err
	}
	o.rise(t)
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', proxy_protocol: true, keep_idle: 3s")})
	want := map[string]bool{}
	for _, from := range []string{"127.0.0.70", "127.0.0.71"} {
		dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		conn, err := dialer.Dial("tcp", p.http)
		if err != nil {
			t.Fatal(err)
		}
		v := &visitor{conn.(*net.TCPConn), bufio.NewReader(conn)}
		p.visitors = append(p.visitors, v)
		for i := range 3 {
			v.mustGet(t, "site.test", fmt.Sprintf("/%s/%d", from, i), http.StatusOK)
		}
		want[conn.LocalAddr().String()+" to "+p.http] = true
	}
	mu.Lock()
	for _, text := range said {
		if !want[text] {
			t.Errorf("a connection began with %q, not with one of %v", text, want)
		}
	}
	if len(said) != 2 {
		t.Errorf("six requests of two visitors made %d connections", len(said))
	}
	mu.Unlock()
	p.checkWorld(t)
}
