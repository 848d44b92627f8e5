package operate_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync/atomic"
	"testing"
)

// TestOrigins_checksFindWhatVisitorsWouldNot: the text that every page has is
// gone, though the status is 200. The other server takes over, `seawall
// status` says why, and when the text is back so is the server.
func TestOrigins_checksFindWhatVisitorsWouldNot(t *testing.T) {
	t.Parallel()
	one, other := newOrigin(t, "one"), newOrigin(t, "other")
	var broken atomic.Bool
	one.answer = func(r *http.Request) string {
		switch {
		case r.RequestURI != "/health":
			return page("one")
		case broken.Load():
			return page("the database is gone")
		}
		return page("all is well with " + r.Host)
	}
	other.answer = func(r *http.Request) string {
		if r.RequestURI == "/health" {
			return page("all is well")
		}
		return page("other")
	}
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers("name: one, url: '"+one.url()+"'", "name: other, url: '"+other.url()+"'")+
		", check: {type: http, path: /health, text: 'all is well', interval: 200ms, timeout: 200ms, passes: 2, failures: 2}, breaker: {return: 500ms}")})
	v := p.enter(t)
	ask := func(n int) map[string]int {
		got := map[string]int{}
		for i := range n {
			got[v.mustGet(t, "site.test", fmt.Sprintf("/%d", i), http.StatusOK).body]++
		}
		return got
	}
	if got := ask(20); got["one"] != 10 || got["other"] != 10 {
		t.Errorf("two servers that are well had shares of %v", got)
	}
	broken.Store(true)
	p.await(t, "the check to say so", p.serverIs("site.test", "one", "down"))
	p.checkStatus(t, "one", "down", `the text "all is well" is not in the answer to /health`)
	p.checkStatus(t, "other", "well", "")
	if got := ask(20); got["other"] != 20 {
		t.Errorf("while one is down: %v", got)
	}
	other.die()
	p.await(t, "the other to be down, too", p.serverIs("site.test", "other", "down"))
	if got := ask(5); got["one"] != 5 {
		t.Errorf("a site is not closed on the word of checks alone: %v", got)
	}
	other.rise(t)
	broken.Store(false)
	for _, name := range []string{"one", "other"} {
		p.await(t, name+" to be well", p.serverIs("site.test", name, "well"))
	}
	if got := ask(20); got["one"] == 0 || got["other"] == 0 {
		t.Errorf("when both are back: %v", got)
	}
	p.awaitSaid(t, "a server is down, its check says", 2)
	p.awaitSaid(t, "a server is well again, its check says", 2)
	p.checkWorld(t)
}

// TestOrigins_stickyCookie: a browser stays with its server, moves when that
// dies and stays where it went.
func TestOrigins_stickyCookie(t *testing.T) {
	t.Parallel()
	all := map[string]*origin{"a": newOrigin(t, "a"), "b": newOrigin(t, "b"), "c": newOrigin(t, "c")}
	for name, o := range all {
		o.answer = func(*http.Request) string {
			return strings.Replace(page(name), "\r\n", "\r\nSet-Cookie: site=own; Path=/\r\n", 1)
		}
	}
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers("name: a, url: '"+all["a"].url()+"'",
		"name: b, url: '"+all["b"].url()+"'", "name: c, url: '"+all["c"].url()+"'")+", sticky: cookie, sticky_cookie: where, breaker: {failures: 3, rest: 200ms, return: 500ms}")})
	where := map[string]*http.Client{}
	for i := range 6 { // two for each server
		browser := p.browser(t)
		name := askAs(t, browser, "/first")
		for range 5 {
			if now := askAs(t, browser, "/again"); now != name {
				t.Errorf("a browser that was with %s came to %s", name, now)
			}
		}
		if i < 3 && where[name] != nil {
			t.Errorf("the first three browsers did not come to three servers: %s twice", name)
		}
		where[name] = browser
	}
	moved := where["b"]
	if moved == nil {
		t.Fatalf("no browser came to b: %v", where)
	}
	all["b"].die()
	name := askAs(t, moved, "/dead")
	if name == "b" {
		t.Error("a dead server has answered")
	}
	p.await(t, "the rest", func() error {
		_ = askAs(t, p.browser(t), "/new")
		return p.serverIs("site.test", "b", "resting")()
	})
	all["b"].rise(t)
	p.await(t, "the return", func() error {
		_ = askAs(t, p.browser(t), "/new")
		return p.serverIs("site.test", "b", "well")()
	})
	for range 5 {
		if now := askAs(t, moved, "/after"); now != name {
			t.Errorf("a browser that went on with %s came to %s", name, now)
		}
	}
	// Whoever makes a cookie up goes where it says, or where there is room.
	for said, want := range map[string]string{"c": "c", "nobody": ""} {
		v := p.enter(t)
		if err := v.send("GET /made-up HTTP/1.1\r\nHost: site.test\r\nCookie: x=1; where=" + said + "\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if a, err := v.receive(); err != nil || a.status != http.StatusOK || want != "" && a.body != want {
			t.Errorf("a cookie that says %s: %v, %v", said, a, err)
		}
	}
	p.checkWorld(t)
}

// TestOrigins_stickyAddress: an address stays with its server, and only those
// of a server that died move.
func TestOrigins_stickyAddress(t *testing.T) {
	t.Parallel()
	a, b := newOrigin(t, "a"), newOrigin(t, "b")
	p := start(t, setup{config: "zones:\n" + siteZone("site.test", servers("name: a, url: '"+a.url()+"'", "name: b, url: '"+b.url()+"'")+", sticky: address, breaker: {failures: 3, rest: 200ms, return: 500ms}")})
	const visitors = 24
	who := func(round string) (names [visitors]string) {
		for i := range names {
			got, err := p.once(oneOf500(i), "GET", "site.test", "/"+round)
			if err != nil || got.status != http.StatusOK {
				t.Fatalf("visitor %d: %v, %v", i, got, err)
			}
			names[i], _, _ = strings.Cut(got.body, " ")
		}
		return names
	}
	first := who("first")
	n := strings.Count(fmt.Sprint(first), "a")
	if n < 4 || n > visitors-4 {
		t.Errorf("%d of %d addresses came to one of two servers", n, visitors)
	}
	if again := who("again"); again != first {
		t.Errorf("the second time the addresses came to other servers: %v, %v", first, again)
	}
	b.die()
	for i, name := range who("dead") {
		if name != "a" {
			t.Errorf("visitor %d came to %s, which is dead", i, name)
		}
	}
	b.rise(t)
	p.await(t, "the return", func() error {
		_ = who("back")
		return p.serverIs("site.test", "b", "well")()
	})
	if again := who("after"); again != first {
		t.Errorf("after its return the addresses came to other servers: %v, %v", first, again)
	}
	p.checkWorld(t)
}

// browser keeps cookies and comes in at the edge whatever the host.
func (p *program) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", p.http)
	}}
	return &http.Client{Jar: jar, Transport: transport, Timeout: 2 * patience}
}

// askAs returns the body that a browser gets.
func askAs(t *testing.T, browser *http.Client, target string) string {
	t.Helper()
	response, err := browser.Get("http://site.test" + target)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, %v", target, response.Status, body, err)
	}
	return string(body)
}
