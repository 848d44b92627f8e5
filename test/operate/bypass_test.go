package operate_test

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestBypass_switchesAPartOffForAWhile: "is it Seawall?" is answered without
// a change of the configuration, and ends by itself.
func TestBypass_switchesAPartOffForAWhile(t *testing.T) {
	t.Parallel()
	o, other := newOrigin(t, "only"), newOrigin(t, "other")
	cacheable := func(r *http.Request) string {
		return "HTTP/1.1 200 OK\r\nServer: rusty\r\nX-Powered-By: steam\r\nLocation: " + o.url() + "/x\r\nCache-Control: max-age=3600\r\nContent-Length: 4\r\n\r\nkept"
	}
	o.answer, other.answer = cacheable, cacheable
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', host: server") + siteZone("other.test", "url: '"+other.url()+"'")})
	v := p.enter(t)
	get := func(host, cache string) answer {
		t.Helper()
		a := v.mustGet(t, host, "/kept", http.StatusOK)
		if said := a.header.Get("Cache-Status"); !strings.Contains(said, cache) {
			t.Errorf("%s: Cache-Status is %q, not %s", host, said, cache)
		}
		return a
	}
	status := func(part string) {
		t.Helper()
		if _, text, _ := run(t, "status", "--state", p.state); !strings.Contains(text, part) {
			t.Errorf("seawall status does not say %q:\n%s", part, text)
		}
	}
	bypass := func(args ...string) string {
		t.Helper()
		code, out, wrong := run(t, append([]string{"bypass", "--state", p.state}, args...)...)
		if code != 0 || wrong != "" {
			t.Errorf("seawall bypass %q: exit code %d, %s", args, code, wrong)
		}
		return out
	}
	for _, host := range []string{"site.test", "other.test"} {
		get(host, "fwd=uri-miss")
		get(host, "hit")
	}

	if out := bypass("site.test", "--part", "cache", "--for", "5s"); !strings.Contains(out, "cache off until") {
		t.Errorf("it says %q", out)
	}
	before := o.total()
	get("site.test", "fwd=bypass")
	get("site.test", "fwd=bypass")
	if n := o.total() - before; n != 2 {
		t.Errorf("with the cache off two requests were sent %d times", n)
	}
	get("other.test", "hit")
	status("cache off for")
	p.await(t, "it to end by itself", func() error {
		a, err := v.get("site.test", "/kept")
		if err == nil && !strings.Contains(a.header.Get("Cache-Status"), "hit") {
			err = fmt.Errorf("Cache-Status is %q", a.header.Get("Cache-Status"))
		}
		return err
	})

	if a := get("site.test", "hit"); a.header.Get("Server") != "" || a.header.Get("X-Powered-By") != "" || a.header.Get("Location") != "http://site.test/x" {
		t.Errorf("what names the server is shown: %v", a.header)
	}
	bypass("site.test", "--part", "rewrite", "--for", "1h")
	if a := get("site.test", "fwd=bypass"); a.header.Get("Server") != "rusty" || a.header.Get("X-Powered-By") != "steam" || a.header.Get("Location") != o.url()+"/x" {
		t.Errorf("with the rewriting off the answer is not the server's own: %v", a.header)
	}
	get("other.test", "hit")
	// A reload of the zone does not end it.
	p.write(t, "zones:\n"+siteZone("site.test", "url: '"+o.url()+"', host: server, max_idle: 7", "hosts: [site.test, www.site.test]")+
		siteZone("other.test", "url: '"+other.url()+"'"))
	p.signal(t, syscall.SIGHUP)
	p.awaitSaid(t, "configuration reloaded", 1)
	get("site.test", "fwd=bypass")
	status("rewrite off for")
	bypass("site.test", "--part", "rewrite", "--end")
	if a := get("site.test", "hit"); a.header.Get("Server") != "" {
		t.Errorf("after its end the server is named: %v", a.header)
	}
	if out := bypass("site.test", "--for", "1h"); !strings.Contains(out, "cache and rewrite off until") {
		t.Errorf("without --part it says %q", out)
	}
	bypass("site.test", "--end")
	get("site.test", "hit")
	p.awaitSaid(t, "an operator has switched a part on or off", 6)
	p.checkWorld(t)
}

// TestBypass_saysWhatIsWrong in one sentence.
func TestBypass_saysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "zones:\n" + zoneLine("site.test", s.url())}, s)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"nowhere.test"}, 1, "there is no zone nowhere.test"},
		{[]string{"site.test", "--part", "shield"}, 1, `"shield" is not a part that can be switched off; use cache, rewrite or maintenance`},
		{[]string{"site.test", "--part", "cache,shield"}, 1, `"shield" is not a part`},
		{[]string{"site.test", "--part", ""}, 1, "use cache, rewrite or maintenance"},
		{[]string{"site.test", "--for", "25h"}, 2, "--for 25h0m0s: a bypass lasts between 1s and 24h"},
		{[]string{"site.test", "--for=-5s"}, 2, "a bypass lasts between 1s and 24h"},
		{[]string{"site.test", "--for", "soon"}, 2, "--for"},
		{[]string{}, 2, "<zone>"},
	} {
		code, out, wrong := run(t, append([]string{"bypass", "--state", p.state}, c.args...)...)
		first, rest, _ := strings.Cut(wrong, "\n")
		if code != c.code || out != "" || !strings.Contains(first, c.says) || rest != "" && rest != "Try: seawall --help\n" {
			t.Errorf("seawall bypass %q: exit code %d, says %q and %q", c.args, code, out, wrong)
		}
	}
	if code, _, wrong := run(t, "bypass", "site.test", "--state", shortDir(t)); code != 1 || !strings.Contains(wrong, "nothing answers at") {
		t.Errorf("without a running program: exit code %d, %q", code, wrong)
	}
	h, err := p.health()
	if err != nil || len(h.Zones) != 1 || len(h.Zones[0].Bypassed) != 0 {
		t.Errorf("after mistakes something is switched off: %+v, %v", h, err)
	}
	p.checkWorld(t)
}
