package operate_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestLimit_connections: whoever is over a limit gets a short answer, the
// others notice nothing, and there is room again when somebody leaves.
func TestLimit_connections(t *testing.T) {
	t.Parallel()
	for _, limit := range []struct {
		setting, reason string
		status          int
	}{
		{"connections", "connections", http.StatusServiceUnavailable},
		{"connections_per_address", "connections-per-address", http.StatusTooManyRequests},
	} {
		t.Run(limit.setting, func(t *testing.T) {
			t.Parallel()
			const most = 8
			s := newSite(t, "site")
			p := start(t, setup{config: fmt.Sprintf("limits: {%s: %d}\nzones:\n", limit.setting, most) + zoneLine("site.test", s.url())}, s)
			var inside []*visitor
			for range most {
				v := p.enter(t)
				v.mustGet(t, "site.test", "/", http.StatusOK)
				inside = append(inside, v)
			}
			const over = 5
			for range over {
				// Nothing is sent, so that the answer cannot be lost to a reset.
				a, err := p.enter(t).receive()
				if err != nil || a.status != limit.status || !a.closes || a.header.Get("Retry-After") == "" {
					t.Errorf("over the limit: status %d, close %v, Retry-After %q: %v", a.status, a.closes, a.header.Get("Retry-After"), err)
				}
			}
			p.await(t, "the metrics", p.metricIs(`seawall_connections_refused_total{reason="`+limit.reason+`"}`, over))
			if err := p.metricIs("seawall_connections_open", most)(); err != nil {
				t.Error(err)
			}
			for _, v := range inside {
				v.mustGet(t, "site.test", "/still", http.StatusOK)
			}
			if limit.setting == "connections_per_address" {
				elsewhere(t, p)
			}
			_ = inside[0].conn.Close()
			p.await(t, "room", p.metricIs("seawall_connections_open", most-1))
			p.enter(t).mustGet(t, "site.test", "/new", http.StatusOK)
			for _, v := range inside[1:] {
				v.mustGet(t, "site.test", "/still", http.StatusOK)
			}
			p.checkWorld(t)
		})
	}
}

// elsewhere asks from another address of this machine, whose limit is its own.
func elsewhere(t *testing.T, p *program) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: patience}
	conn, err := dialer.Dial("tcp", p.http)
	if err != nil {
		t.Fatalf("visit from another address: %v", err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 200 ") {
		t.Errorf("from another address: %.40q, %v", text, err)
	}
}

// TestLimit_noDescriptorLeft: when the kernel gives no more connections, those
// that are there go on, and new ones are accepted as soon as some have ended.
func TestLimit_noDescriptorLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	config := "limits: {connections: 1000}\nzones:\n" + zoneLine("site.test", s.url())
	p := start(t, setup{config: config, files: 64}, s)
	first := p.enter(t)
	first.mustGet(t, "site.test", "/kept", http.StatusOK)

	// They connect, for the kernel queues them, but nobody accepts the last.
	crowd := make([]*visitor, 80)
	for i := range crowd {
		crowd[i] = p.enter(t)
	}
	p.awaitSaid(t, "cannot accept connections for now", 1)
	for range 10 {
		// The pooled connection to the origin is still there, too.
		p.servedOrDropped(t, first, "/kept")
		p.servedOrDropped(t, first, "/page")
	}
	// One leaves, one is let in: still the same shortage.
	for i := range 10 {
		_ = crowd[i].conn.Close()
	}
	const served = 45
	for i := 10; i < served; i++ {
		p.servedOrDropped(t, crowd[i], "/kept")
	}
	for i := range crowd {
		_ = crowd[i].conn.Close()
	}
	if p.underPressure() {
		p.awaitSaid(t, "pressure=normal", 1)
	}
	a, err := p.enter(t).get("site.test", "/page")
	if err != nil || a.status != http.StatusOK {
		t.Errorf("after the shortage: status %d: %v", a.status, err)
	}
	if n := strings.Count(p.said.String(), "cannot accept connections for now"); n != 1 {
		t.Errorf("the shortage was said %d times\n%s", n, p.said)
	}
	p.checkWorld(t)
}

// underPressure reports whether the edge has said that descriptors run out. It
// looks every two seconds, so that a quick story is over before.
func (p *program) underPressure() bool {
	return strings.Contains(p.said.String(), "the pressure on this machine has changed")
}

// servedOrDropped fails unless the visitor is answered well, or was asked to go
// while it waited: without half an answer, and not before the edge has said that
// descriptors run out.
func (p *program) servedOrDropped(t *testing.T, v *visitor, target string) {
	t.Helper()
	a, err := v.get("site.test", target)
	switch {
	case err == nil && (a.status != http.StatusOK || a.body != pageOf("site", target)):
		t.Errorf("%s: status %d, %.40q", target, a.status, a.body)
	case err != nil && (a.status != 0 || !p.underPressure()):
		t.Errorf("%s: status %d: %v", target, a.status, err)
	}
}

// TestLimit_aVisitorThatStopsReadingIsCut, and the origin is freed of it.
func TestLimit_aVisitorThatStopsReadingIsCut(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "limits: {write_timeout: 1s}\nzones:\n" + zoneLine("site.test", s.url())}, s)
	began := time.Now()
	v := p.enter(t)
	if err := v.send(request("site.test", "/endless")); err != nil {
		t.Fatal(err)
	}
	p.await(t, "the origin to be freed", s.hasGone(1))
	if took := time.Since(began); took < time.Second {
		t.Errorf("cut after %v, before the timeout", took)
	}
	p.await(t, "the visitor to be forgotten", p.metricIs("seawall_connections_open", 0))
	if err := p.metricIs(`seawall_refusals_total{action="failed",reason="visitor-slow"}`, 1)(); err != nil {
		t.Error(err)
	}
	if _, err := v.receive(); !errors.Is(err, io.ErrUnexpectedEOF) && err == nil {
		t.Error("an answer without an end was taken for a whole one")
	}
	p.checkWorld(t)
}
