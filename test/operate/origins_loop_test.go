package operate_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestOrigins_loops end with 508 before they take anything, through as many
// zones as they go; a way through several zones that leads to a server is
// none. What others wrote into CDN-Loop stays (RFC 8586).
func TestOrigins_loops(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "real")
	o.answer = func(r *http.Request) string { return page("real " + strings.Join(r.Header.Values("CDN-Loop"), ", ")) }
	edge := "url: 'http://{edge}', host: "
	p := start(t, setup{config: "zones:\n" +
		siteZone("self.test", "url: 'http://{edge}'") +
		siteZone("there.test", edge+"back.test") + siteZone("back.test", edge+"there.test") +
		siteZone("long.test", edge+"longer.test") + siteZone("longer.test", edge+"real.test") +
		siteZone("real.test", "url: '"+o.url()+"'")})
	v := p.enter(t)
	for _, host := range []string{"self.test", "there.test", "back.test"} {
		a, err := v.ask("GET", host, "/")
		if err != nil || a.status != http.StatusLoopDetected || a.reason() != "loop" {
			t.Errorf("%s: %v, %v", host, a, err)
		}
	}
	if err := v.send("GET / HTTP/1.1\r\nHost: long.test\r\nCDN-Loop: elsewhere; v=2\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	a, err := v.receive()
	if err != nil || a.status != http.StatusOK || !strings.HasPrefix(a.body, "real elsewhere; v=2, ") ||
		strings.Count(a.body, "seawall-") != 3 || !strings.Contains(a.body, `zone="real.test"`) {
		t.Errorf("through two zones to a server: %v, %v", a, err)
	}
	p.await(t, "no idle connection", p.nothingIdle)
	p.checkWorld(t)
}
