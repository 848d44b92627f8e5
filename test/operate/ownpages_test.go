package operate_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// htmlPage is an answer that may become a page of the edge.
func htmlPage(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// browse asks as a browser does, and returns the page that comes.
func (v *visitor) browse(host, target string) (answer, error) {
	if err := v.send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: text/html\r\n\r\n"); err != nil {
		return answer{}, err
	}
	return v.receive()
}

// TestOwnPages_outliveTheOrigin: they are fetched from the origin while it is well, and shown
// when it is dead, after a restart as well. One that is no good is named in
// the log, and the edge's own is shown. A reload brings others.
func TestOwnPages_outliveTheOrigin(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, "only")
	o.answer = func(r *http.Request) string {
		switch r.RequestURI {
		case "/errors/502.html":
			return htmlPage("<p>Ours: {{reason}} at {{host}}, {{request_id}}; {{ not ours }}")
		case "/errors/new.html":
			return htmlPage("<p>The new one: {{status}}")
		case "/errors/large.html":
			return htmlPage(strings.Repeat("large ", 100_000))
		case "/errors/text":
			return page("no HTML")
		case "/errors/missing.html":
			return "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\ngone"
		}
		return page("fine")
	}
	zone := func(path string) string {
		return "zones:\n" + siteZone("site.test", "url: '"+o.url()+"', breaker: {failures: 3, rest: 1h, longest_rest: 1h}",
			"pages: {'502': {path: "+path+"}, '503': {path: /errors/missing.html}, '504': {path: /errors/large.html}, maintenance: {path: /errors/text}}")
	}
	given := setup{dir: shortDir(t), config: zone("/errors/502.html")}
	p := start(t, given)
	p.awaitSaid(t, "an own page was fetched", 1)
	p.awaitSaid(t, "an own page is not to be had from the origin", 3)
	for path, why := range map[string]string{
		"/errors/missing.html": "status 404, not 200", "/errors/large.html": "too large", "/errors/text": "not text/html",
	} {
		found := false
		for line := range strings.Lines(p.said.String()) {
			found = found || strings.Contains(line, "zone=site.test") && strings.Contains(line, "path="+path) && strings.Contains(line, why)
		}
		if !found {
			t.Errorf("the log does not say of %s that it is %s\n%s", path, why, p.said)
		}
	}
	kept, err := os.ReadDir(filepath.Join(p.state, "pages"))
	if err != nil || len(kept) != 1 {
		t.Errorf("%d pages are kept, not one: %v", len(kept), err)
	}

	ours := func(v *visitor) {
		t.Helper()
		a, err := v.browse("site.test", "/")
		if err != nil || a.status != http.StatusBadGateway ||
			a.body != "<p>Ours: origin-unreachable at site.test, "+a.header.Get("Seawall-Request-Id")+"; {{ not ours }}" {
			t.Errorf("the page while the origin is dead: %v, %v", a, err)
		}
	}
	o.die()
	v := p.enter(t)
	ours(v)
	if a, err := v.ask("GET", "site.test", "/"); err != nil || a.reason() != "origin-unreachable" {
		t.Errorf("a program gets no page for people: %v, %v", a, err)
	}
	p.await(t, "the rest", func() error {
		_, _ = v.browse("site.test", "/")
		return p.serverIs("site.test", "s1", "resting")()
	})
	if a, err := v.browse("site.test", "/"); err != nil || a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "origin-down") {
		t.Errorf("where the own page is missing the edge has one: %v, %v", a, err)
	}
	p.checkWorld(t)

	p = start(t, given) // the origin is still dead
	v = p.enter(t)
	ours(v)
	o.rise(t)
	p.write(t, zone("/errors/new.html"))
	p.signal(t, syscall.SIGHUP)
	p.awaitSaid(t, `msg="an own page was fetched" zone=site.test page=502 path=/errors/new.html`, 1)
	o.die()
	if a, err := v.browse("site.test", "/"); err != nil || a.body != "<p>The new one: 502" {
		t.Errorf("after the reload: %v, %v", a, err)
	}
	p.write(t, "zones:\n"+siteZone("site.test", "url: '"+o.url()+"'", "pages: {'502': {html: '<p>Written: {{reason}}'}}"))
	p.signal(t, syscall.SIGHUP)
	p.awaitSaid(t, "configuration reloaded", 2)
	if a, err := v.browse("site.test", "/"); err != nil || a.body != "<p>Written: origin-unreachable" {
		t.Errorf("a page in the configuration: %v, %v", a, err)
	}
	p.checkWorld(t)
}
