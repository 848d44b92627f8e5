package operate_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestMaintenance_underLoad: closed and opened by reloads, without a
// request that gets anything else than the page or its answer.
func TestMaintenance_underLoad(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "only")
	open := "zones:\n" + siteZone("site.test", "url: '"+o.url()+"'")
	closed := "zones:\n" + siteZone("site.test", "url: '"+o.url()+"'", "maintenance: {on: true, allow: [127.0.0.60], retry_after: 90s}")
	p := start(t, setup{config: open})
	v := p.enter(t)
	g := p.throng("site.test", 16)
	for round := range 3 {
		p.await(t, "answers", g.asked(50))
		p.write(t, closed)
		p.signal(t, syscall.SIGHUP)
		p.awaitSaid(t, "configuration reloaded", 2*round+1)
		p.await(t, "those who asked before", g.everybody(1))
		before := o.total()
		p.await(t, "pages", g.asked(50))
		if n := o.total() - before; n != 0 {
			t.Errorf("a closed site was asked %d times", n)
		}
		a, err := v.ask("GET", "site.test", "/closed")
		if err != nil || a.status != http.StatusServiceUnavailable || a.reason() != "maintenance" || a.header.Get("Retry-After") != "90" {
			t.Errorf("while the site is closed: %v, Retry-After %q, %v", a, a.header.Get("Retry-After"), err)
		}
		if a, err := p.once("127.0.0.60", "GET", "site.test", "/guest"); err != nil || a.status != http.StatusOK {
			t.Errorf("a guest: %v, %v", a, err)
		}
		if _, text, _ := run(t, "status", "--state", p.state); !strings.Contains(text, "maintenance") {
			t.Errorf("seawall status does not say that the site is closed:\n%s", text)
		}
		p.write(t, open)
		p.signal(t, syscall.SIGHUP)
		p.awaitSaid(t, "configuration reloaded", 2*round+2)
	}
	by := g.leave()
	checkSeen(t, by, o)
	for _, method := range []string{"GET", "POST"} {
		checkOnly(t, by, method, "503 maintenance")
	}
	if len(by["503 maintenance"]) == 0 || len(by["200"]) == 0 {
		t.Errorf("nobody saw both states")
	}
	p.checkWorld(t)
}
