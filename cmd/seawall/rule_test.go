package main

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/journal"
)

const rulesFile = `
node: {access: {block: [{name: pest, when: {address: [203.0.113.0/24]}}]}}
zones:
  - name: example.com
    hosts: [example.com, www.example.com]
    origin: {url: 'http://127.0.0.1:1'}
    lists: [{name: bad, file: lists/bad.txt}]
    access:
      allow: [{name: friend, when: {address: [198.51.100.1]}}]
      block: [{name: scrapers, when: {address: ["@bad"]}}]
    redirects: {www: remove, rules: [{name: blog, from: "/blog/*", to: "https://blog.example.com/$1"}], lists: [{name: moved, file: lists/moved.txt}]}
    answers: [{name: robots, when: {path: [/robots.txt]}, file: robots.txt}]
    rewrite:
      security_headers: true
      cors: {origins: ["https://app.example.com"]}
      requests: [{name: shop, from: "/catalogue/*", to: "/shop/$1"}]
      answers: [{name: html, when: {status: [200]}, fields: {set: ["X-Who: ${client_address}"]}}]
    cache:
      rules:
        - {name: shop, when: {path: ["/catalogue/*"]}, force: true, edge_lifetime: [{status: [200], for: 1h}, {status: [5xx], never: true}], browser_lifetime: 10m, key: {ignore_query: ["utm_*"], cookies: [currency], device: true}}
        - {name: account, when: {cookie: [session]}, bypass: true}
        - {name: never, when: {status: [404], country: [DE]}, bypass: true}
`

func writeRules(t *testing.T) (config string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"seawall.yaml": rulesFile, "lists/bad.txt": "198.51.100.0/24 # october\n", "lists/moved.txt": "/old /new\n", "robots.txt": "User-agent: *\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "seawall.yaml")
}

func said(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	got, stdout, stderr := typed(args...)
	if got != code {
		t.Fatalf("%q: exit code %d, want %d\n%s%s", args, got, code, stdout, stderr)
	}
	return stdout, stderr
}

func TestCheck_explainsARequestRungByRung(t *testing.T) {
	config := writeRules(t)
	for name, c := range map[string]struct {
		args []string
		want []string // in this order
	}{
		"another site":   {[]string{"http://example.org/"}, []string{"zone ", "refused with 421", "unknown-host"}},
		"canonical":      {[]string{"http://www.example.com/a?b=1"}, []string{"rules ", "redirect canonical holds", "sent to http://example.com/a?b=1 with 308"}},
		"a redirect":     {[]string{"https://example.com/blog/a%20b"}, []string{"redirect blog holds: path /blog/a b is /blog/*", "sent to https://blog.example.com/a%20b with 302"}},
		"a list":         {[]string{"http://example.com/old"}, []string{"redirects moved holds", "sent to /new with 301"}},
		"an own answer":  {[]string{"http://example.com/robots.txt"}, []string{"own robots holds: path /robots.txt is /robots.txt", "answers with 200, 14 bytes"}},
		"a preflight":    {[]string{"http://example.com/a", "--method", "OPTIONS", "--header", "Origin: https://app.example.com", "--header", "Access-Control-Request-Method: PUT"}, []string{"cors holds", "answers the preflight with 204"}},
		"blocked":        {[]string{"http://example.com/", "--address", "198.51.100.2"}, []string{"access ", "block scrapers holds: address 198.51.100.2 is @bad", "refused with 403"}},
		"by the node":    {[]string{"http://example.com/", "--address", "203.0.113.2"}, []string{"node block pest holds", "refused with 403"}},
		"a friend":       {[]string{"http://example.com/", "--address", "198.51.100.1"}, []string{"allow friend holds", "cache ", "what the answer says decides"}},
		"the cache":      {[]string{"http://example.com/catalogue/a?utm_a=1&p=2"}, []string{"request shop holds: path /catalogue/a is /catalogue/*", "from here on it is /shop/a?utm_a=1&p=2", "cache shop holds", "asked for, is /shop/a?p=2", "the cookie currency, the kind of device", "with 200 are fresh for 1h, even if they forbid", "with 500 to 599 are not kept", "browsers may keep what is kept here for 10m"}},
		"passed by":      {[]string{"http://example.com/a", "--header", "Cookie: session=1"}, []string{"cache account holds: cookie session is *", "the cache is passed by"}},
		"the answer":     {[]string{"http://example.com/a", "--header", "Accept-Encoding: gzip", "--header", "Origin: https://app.example.com"}, []string{"answer ", "it is compressed (gzip)", "answer html holds: status is 200", "Vary: Origin", "Access-Control-Allow-Origin: https://app.example.com", "X-Who: 192.0.2.1", "X-Frame-Options: SAMEORIGIN"}},
		"another answer": {[]string{"http://example.com/a", "--status", "404", "--type", "image/png"}, []string{"an answer with 404 and image/png", "not compressed", "X-Content-Type-Options: nosniff"}},
		"out of bounds":  {[]string{"http://example.com/%2e%2e/"}, []string{"normalise ", "refused with 400"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, _ := said(t, exitDone, append([]string{"check", "--config", config, "--explain"}, c.args...)...)
			rest := out
			for _, want := range c.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("it does not say %q (or not there):\n%s", want, out)
				}
				rest = after
			}
		})
	}
	for _, args := range [][]string{{"ftp://example.com/"}, {"example.com"}, {"http://example.com/", "--header", "nothing"}, {"http://example.com/", "--header", "A: b\nC: d"}, {"http://example.com/", "--address", "me"}, {"http://[::1/"}} {
		if _, stderr := said(t, exitUsage, append([]string{"check", "--config", config, "--explain"}, args...)...); stderr == "" {
			t.Errorf("%q: nothing is said", args)
		}
	}
}

func TestCheck_notesConditionsThatNeverHold(t *testing.T) {
	out, _ := said(t, exitDone, "check", "--config", writeRules(t))
	for _, want := range []string{
		"Note: cache.rules[2].when.status: there is no answer yet", "Note: cache.rules[2].when.country: no file says where visitors come from",
		"of two that say something about the same the first counts: shop, account and never.", "Turned away or noted, in this order: scrapers.", "Visitors are sent away from www., in one step.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

func TestConfig_pathsBeginAtItsFolder(t *testing.T) {
	config := writeRules(t)
	text := strings.Replace(rulesFile, "node: {", "node: {places: {country: a/country.mmdb, network: /b/network.mmdb}, ", 1)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _ := said(t, exitDone, "check", "--config", config)
	for _, want := range []string{"A visitor's country is looked up in " + filepath.Dir(config) + "/a/country.mmdb.", "network is looked up in /b/network.mmdb."} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

func TestCheck_namesTheFileThatCannotBeRead(t *testing.T) {
	config := writeRules(t)
	for name, breakIt := range map[string]func(path string) error{
		"lists[0].file: the file cannot be read":  func(string) error { return os.Remove(filepath.Join(filepath.Dir(config), "lists/bad.txt")) },
		"lists[0].file: line 2: \"x\" is neither": func(path string) error { return os.WriteFile(path, []byte("192.0.2.1\nx\n"), 0o644) },
	} {
		if err := breakIt(filepath.Join(filepath.Dir(config), "lists/bad.txt")); err != nil {
			t.Fatal(err)
		}
		if _, stderr := said(t, exitFailed, "check", "--config", config); !strings.Contains(stderr, name) {
			t.Errorf("%s: %s", name, stderr)
		}
	}
}

const event = `{"id":"dc3frnfk21dhpx1hs310","time":"2026-11-25T12:00:00.000000Z","duration_us":5,"client":"CLIENT","zone":"example.com","method":"GET","host":"example.com","target":"TARGET","user_agent":"a","referer":"","RULE"protocol":"HTTP/1.1","tls":false,"status":STATUS,"bytes_in":0,"bytes_out":10,"rung":"RUNG","action":"passed","reason":"REASON","cache":"hit","store":"none"}`

func TestRuleTest_listsWhatWouldBecomeDifferent(t *testing.T) {
	line := func(client, target, status, rung, reason, rule string) string {
		if rule = `"rule":"` + rule + `","`; rule == `"rule":"","` {
			rule = `"`
		}
		return strings.NewReplacer("CLIENT", client, "TARGET", target, "STATUS", status, "RUNG", rung, "REASON", reason, `"RULE"`, rule).Replace(event) + "\n"
	}
	log := line("192.0.2.1", "/a", "200", "cache", "none", "answer html") + // the same
		line("192.0.2.1", "/blog/a", "200", "cache", "none", "") + line("192.0.2.0/24", "/blog/b", "200", "cache", "none", "") + // redirected
		line("198.51.100.2", "/a", "404", "store", "none", "") + // blocked
		line("192.0.2.1", "/robots.txt", "200", "rules", "none", "own robots") + // the same
		line("192.0.2.1", "/a", "403", "access", "blocked", "block old") + // let in
		line("192.0.2.1", "", "400", "door", "target", "") + "\n{}\n" // not to be replayed
	file := filepath.Join(t.TempDir(), "log.json")
	if err := os.WriteFile(file, []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	config := writeRules(t)
	out, _ := said(t, exitDone, "rule", "test", config, "--log", file)
	for _, want := range []string{
		"8 requests: 2 would be as they were, 4 different, 2 could not be replayed.",
		"2 were passed on to cache and origin\n  would be answered by a rule with 302 (redirect blog)\n    GET http://example.com/blog/a of 192.0.2.1",
		"1 were passed on to cache and origin\n  would be refused with 403, blocked (block scrapers)",
		"1 were refused with 403, blocked (block old)\n  would be passed on to cache and origin\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if out, _ := said(t, exitDone, "rule", "test", config, "--log", file, "--json"); !strings.Contains(out, `"would": "answered by a rule with 302 (redirect blog)"`) {
		t.Error(out)
	}
	if err := os.WriteFile(file, []byte("1.2.3.4 - - [combined]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr := said(t, exitFailed, "rule", "test", config, "--log", file); !strings.Contains(stderr, "access_log.format: json") {
		t.Error(stderr)
	}
}

func TestRuleTest_readsTheStoreOfARunningProgram(t *testing.T) {
	state := t.TempDir()
	kept, err := journal.Open(journal.Config{Rings: 1, Dir: journalDir(state), Sample: 1})
	if err != nil {
		t.Fatal(err)
	}
	e := &seawall.Event{Time: time.Now().UnixNano(), Zone: "example.com", Client: netip.MustParseAddr("198.51.100.7"), Status: 200, Rung: seawall.RungStore}
	e.SetText(seawall.EventMethod, []byte("GET"))
	e.SetText(seawall.EventHost, []byte("example.com"))
	e.SetText(seawall.EventTarget, []byte("/blog/a"))
	kept.Put(0, e)
	if err := kept.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	out, _ := said(t, exitDone, "rule", "test", writeRules(t), "--log", state)
	if !strings.Contains(out, "1 requests: 0 would be as they were, 1 different") || !strings.Contains(out, "(block scrapers)") {
		t.Error(out) // of passed requests the store keeps the network alone
	}
	if _, stderr := said(t, exitFailed, "rule", "test", writeRules(t), "--log", t.TempDir()); !strings.Contains(stderr, "read the store") {
		t.Error(stderr)
	}
}
