package operate_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDrain_underLoadLosesNoRequest ends the program while everybody asks.
func TestDrain_underLoadLosesNoRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "limits: {drain_timeout: 20s}\nzones:\n" + zoneLine("site.test", s.url())}, s)

	slow, tunnel := p.enter(t), p.enter(t)
	if err := slow.send(request("site.test", "/wait")); err != nil {
		t.Fatal(err)
	}
	p.await(t, "the slow request", s.hasWaiting(1))
	if err := tunnel.switchTo("site.test"); err != nil {
		t.Fatal(err)
	}
	idle := p.enter(t)
	idle.mustGet(t, "site.test", "/", http.StatusOK)
	crowd := newCrowd(p.http, "site.test", "site")
	crowd.leaving = true
	crowd.come(32)
	p.await(t, "the crowd", crowd.asked(320))

	began := time.Now()
	p.signal(t, syscall.SIGTERM)
	p.await(t, "not to be ready", func() error {
		if err := p.ready(); err == nil || !strings.Contains(err.Error(), "503") {
			return fmt.Errorf("/readyz answers %v", err)
		}
		return nil
	})
	crowd.check(t) // everybody leaves by being told to close
	if crowd.closes != 32 {
		t.Errorf("%d of 32 visitors were told that the connection closes", crowd.closes)
	}
	if v, err := visit(p.http); err == nil {
		_ = v.conn.Close()
		t.Error("a new connection is accepted while draining")
	}
	if err := idle.ended(patience); err != nil {
		t.Errorf("an idle connection: %v", err)
	}
	if after := time.Since(began); after < 900*time.Millisecond || after > 5*time.Second {
		t.Errorf("an idle connection was closed after %v, not after about a second", after)
	}
	if err := tunnel.say("still here"); err != nil {
		t.Errorf("an open tunnel: %v", err)
	}
	s.letGo()
	if a, err := slow.receive(); err != nil || a.status != http.StatusOK || a.body != pageOf("site", "/wait") || !a.closes {
		t.Errorf("the slow request: status %d, close %v: %v", a.status, a.closes, err)
	}
	_ = slow.conn.Close()
	_ = tunnel.conn.Close()
	if code := p.ended(t, patience); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.said)
	}
	if !strings.Contains(p.said.String(), "msg=stopped") {
		t.Errorf("the log does not say that it stopped\n%s", p.said)
	}
	p.checkGone(t)
}

// TestDrain_anIdleConnectionMayStillAsk: the request that is on its way when
// the program is told to stop is answered.
func TestDrain_anIdleConnectionMayStillAsk(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "zones:\n" + zoneLine("site.test", s.url())}, s)
	v := p.enter(t)
	v.mustGet(t, "site.test", "/", http.StatusOK)
	p.signal(t, syscall.SIGTERM)
	p.awaitSaid(t, "draining;", 1)
	if a := v.mustGet(t, "site.test", "/late", http.StatusOK); !a.closes || a.body != pageOf("site", "/late") {
		t.Errorf("close %v, %.40q", a.closes, a.body)
	}
	if code := p.ended(t, patience); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.said)
	}
	p.checkGone(t)
}

// TestDrain_theDeadlineCutsWhatIsStuck in every place in which a request can be.
func TestDrain_theDeadlineCutsWhatIsStuck(t *testing.T) {
	t.Parallel()
	for _, stuck := range []struct {
		name    string
		send    string // once for each visitor
		arrives bool   // at the site, which then waits
	}{
		{"at an origin that thinks", request("site.test", "/wait"), true},
		{"in a body that does not come", "POST /upload HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\n12", false},
		{"in an answer that nobody reads", request("site.test", "/endless"), false},
		{"in a tunnel", "GET /talk HTTP/1.1\r\nHost: site.test\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n", false},
		{"in half a head", "GET / HTTP/1.1\r\nHost: si", false},
	} {
		t.Run(stuck.name, func(t *testing.T) {
			t.Parallel()
			s, dir := newSite(t, "site"), shortDir(t)
			log := filepath.Join(dir, "access.log")
			p := start(t, setup{dir: dir, config: "access_log: {file: " + log + "}\nlimits: {drain_timeout: 2s, head_timeout: 1h}\nzones:\n" +
				zoneLine("site.test", s.url())}, s)
			v := p.enter(t)
			if err := v.send(stuck.send); err != nil {
				t.Fatal(err)
			}
			if stuck.arrives {
				p.await(t, "the request", s.hasWaiting(1))
			}
			p.await(t, "the visitor", p.metricIs("seawall_connections_open", 1))
			began := time.Now()
			p.signal(t, syscall.SIGTERM)
			code := p.ended(t, 2*patience)
			if took := time.Since(began); took < 1900*time.Millisecond || took > 2*time.Second+patience/2 {
				t.Errorf("ended after %v, but the deadline is 2s", took)
			}
			if code != 0 || !strings.Contains(p.said.String(), "stopped before every request was over") {
				t.Errorf("exit code %d\n%s", code, p.said)
			}
			if lines, err := os.ReadFile(log); err != nil || bytes.Count(lines, []byte("\n")) != 1 {
				t.Errorf("the one request left these lines in the access log: %q, %v", lines, err)
			}
			p.checkGone(t)
		})
	}
}

// TestDrain_aSecondSignalEndsAtOnce whatever still runs.
func TestDrain_aSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "limits: {drain_timeout: 1h}\nzones:\n" + zoneLine("site.test", s.url())}, s)
	v := p.enter(t)
	if err := v.send(request("site.test", "/wait")); err != nil {
		t.Fatal(err)
	}
	p.await(t, "the request", s.hasWaiting(1))
	p.signal(t, syscall.SIGTERM)
	p.awaitSaid(t, "draining;", 1)
	p.signal(t, syscall.SIGINT)
	if code := p.ended(t, patience/2); code != 1 {
		t.Errorf("exit code %d, want 1: requests were lost\n%s", code, p.said)
	}
	if !strings.Contains(p.said.String(), "stopped at once by a second signal") {
		t.Errorf("it does not say why\n%s", p.said)
	}
	p.checkGone(t)
}
