package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/journal"
	"github.com/seawall-edge/seawall/spec"
)

func TestExplainConfig_saysItInWords(t *testing.T) {
	const text = `
debug: 127.0.0.1:6060
metrics: 127.0.0.1:9090
limits: {connections: 500}
access_log: {file: "-", what: sample, format: plain}
zones:
- name: example.com
  hosts: [example.com, "*.example.com", "*"]
  origin: {url: "http://127.0.0.1:3000", idle_timeout: 90s}
- {name: b.com, origin: {url: "https://b"}, cache: {off: true}}
- {name: c.com, origin: {url: "https://c"}, cache: {max_object: 1GiB}}
`
	c, wrong := fromYAML(text)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	got := explainConfig(c)
	for _, part := range []string{
		"Visitors come in on :8080 (HTTP).",
		"Operators ask at /var/lib/seawall/admin.sock (admin), 127.0.0.1:9090 (metrics), 127.0.0.1:6060 (debug).",
		"at most 500 connections, 1024 from one address",
		"The head of a request has 10s to arrive and is at most 32KiB",
		"refused and failed requests, and one in 100 of the others, to standard output (plain)",
		"Hosts: example.com, every name below example.com and every host that no other zone has.",
		"http://127.0.0.1:3000, which has 5s to accept a connection and 1m to begin its answer, and may be silent for 1m30s",
		"Zone b.com\n  Hosts: b.com.\n", "Cache: off.\n", "Cache: objects up to 16MiB.\n",
		"objects up to 1GiB, of which none above the cache's 256MiB will fit",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("it does not say %q:\n%s", part, got)
		}
	}
	c.Cache.Off, c.AccessLog.File = true, ""
	if got := explainZone(zone("a", "http://a").Resolved(), c); !strings.Contains(got, "off, as for every zone") {
		t.Error(got)
	}
	if got := explainConfig(c); !strings.Contains(got, "Cache: off for every zone.") || !strings.Contains(got, "Access log: off.") {
		t.Error(got)
	}
}

func TestPrintStatus_isATable(t *testing.T) {
	var b bytes.Buffer
	down := ServerStatus{
		Name: "s2", URL: "http://b", Backup: true, State: "down", Why: "status 500", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Failures: 6,
	}
	s := Status{
		Version: "1", PID: 7, UptimeSeconds: 3661, Ready: true, Connections: 3, EventsDropped: 4,
		Generation: 5, CacheBytes: 3 << 19, CacheObjects: 2, Pressure: "normal",
		Zones: []ZoneStatus{
			{
				Zone: "example.com", Requests: 1000, Hits: 900, Refused: 1, Failed: 2, Waiting: 1, CacheBytes: 3 << 18, CacheWaiting: 2,
				Servers: []ServerStatus{{Name: "s1", URL: "http://a", State: "well", Requests: 4, Idle: 5, Opened: 9}, down},
			},
			{Zone: "b.com", Maintenance: true, Bypassed: map[string]int64{"rewrite": 60, "cache": 90}},
		},
	}
	const want = `seawall 1, process 7, serving, up 1h1m1s
connections 3, events dropped 4, configuration 5
cache 1.5MiB in 2 objects, pressure normal

zone         requests  hits  cached    refused  failed  waiting  state
example.com  1000      900   768.0KiB  1        2       3        open
b.com        0         0     0B        0        0       0        maintenance, cache off for 1m30s, rewrite off for 1m0s

server                   requests  idle  opened  failures  state
example.com s1 http://a  4         5     9       0         well
example.com s2 http://b  0         0     0       6         down, backup since 03:04:05: status 500
`
	if err := printStatus(&b, s); err != nil || b.String() != want {
		t.Errorf("%s (%v)", b.String(), err)
	}
	for want, s := range map[string]Status{"draining": {Draining: true}, "not ready": {}} {
		b.Reset()
		if err := printStatus(&b, s); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s, want %s (%v)", b.String(), want, err)
		}
	}
}

func TestWhy_knowsEveryWordOfTheLadder(t *testing.T) {
	check := func(words map[string]string, n int, name func(int) string) {
		t.Helper()
		if len(words) != n {
			t.Errorf("%d meanings for %d words", len(words), n)
		}
		for i := range n {
			if words[name(i)] == "" {
				t.Errorf("%q has no meaning", name(i))
			}
		}
	}
	check(rungWords, seawall.Rungs, func(i int) string { return seawall.Rung(i).String() })
	check(actionWords, 3, func(i int) string { return seawall.Action(i).String() })
	check(cacheWords, seawall.CacheResults, func(i int) string { return seawall.CacheResult(i).String() })
	check(storeWords, seawall.StoreResults, func(i int) string { return seawall.StoreResult(i).String() })
}

// kept puts one refused request into a store and returns its state directory.
func kept(t *testing.T, e seawall.Event) string {
	t.Helper()
	state := t.TempDir()
	j, err := journal.Open(journal.Config{Rings: 1, Dir: journalDir(state), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	j.Put(0, &e)
	if err := j.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestWhy_explainsARefusal(t *testing.T) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	e := seawall.Event{
		Time: at.UnixNano(), Duration: int64(1500 * time.Microsecond), BytesOut: 512, Zone: seawall.ZoneNone,
		Client: netip.MustParseAddr("192.0.2.7"), ID: seawall.MakeRequestID(at.Unix(), 42), Status: 421,
		Rung: seawall.RungZone, Action: seawall.ActionRefused, Reason: seawall.ReasonUnknownHost, Protocol: seawall.ProtocolHTTP11,
	}
	e.SetText(seawall.EventMethod, []byte("GET"))
	e.SetText(seawall.EventHost, []byte("example.net"))
	e.SetText(seawall.EventTarget, []byte("/a\x1b[2Jb"))
	state := kept(t, e)

	code, out, stderr := typed("why", strings.ToUpper(e.ID.String()), "--state", state)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, part := range []string{
		"Request " + e.ID.String() + " was refused by the edge.",
		"2026-05-04 03:02:01.000 UTC, for 1.5ms", "192.0.2.7", `GET /a\x1b[2Jb of example.net (HTTP/1.1, http)`,
		"none: it ended before it had one", "status 421, 512 bytes", "where the zone is looked up by the host (rung zone)",
		"No site with this name is served here. (unknown-host)", "was not asked (none)",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("it does not say %q:\n%s", part, out)
		}
	}

	code, out, _ = typed("why", e.ID.String(), "--state", state, "--json")
	var got found
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, out)
	}
	if got.ID != e.ID.String() || !got.Kept || got.Reason != "unknown-host" || got.Status != 421 || got.Duration != 1500 || got.Target != `/a\x1b[2Jb` {
		t.Errorf("%+v", got)
	}

	code, out, _ = typed("why", seawall.MakeRequestID(at.Unix(), 43).String(), "--state", state)
	if code != 1 || !strings.Contains(out, "was not kept") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

func TestWhy_saysThatTheStoreCannotBeRead(t *testing.T) {
	state := t.TempDir()
	if err := os.WriteFile(filepath.Join(state, "journal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := typed("why", "00000000000000000000", "--state", state)
	if code != 1 || !strings.Contains(stderr, "not a directory") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestExplainRecord_takesWordsOfANewerProgram(t *testing.T) {
	got := explainRecord(journal.Record{Rung: "waf", Action: "tarpitted", Reason: "sqli", Cache: "x\x07", Store: "y", Cut: []string{"target", "referer"}, UserAgent: "a\n", Referer: "b"})
	for _, part := range []string{"tarpitted", "waf (rung waf)", "(sqli)", `x\x07`, "nothing that could be read", "connection was closed", "target and referer", `a\x0a`} {
		if !strings.Contains(got, part) {
			t.Errorf("it does not say %q:\n%s", part, got)
		}
	}
	if strings.Contains(got, "\x07") {
		t.Errorf("a control character came through: %q", got)
	}
}

func TestJoin_listsWords(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a or b": {"a", "b"}, "a, b or c": {"a", "b", "c"}} {
		if got := join(words, "or"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestExplainZone_readsCertificates(t *testing.T) {
	z := zone("www.example.com", "http://a")
	c := Config{HTTPS: ":8443", SealKey: filepath.Join(t.TempDir(), "none")}
	if got := explainZone(z.Resolved(), c); !strings.Contains(got, "www.example.com: no certificate; visitors see one that names nothing") {
		t.Errorf("without a certificate: %s", got)
	}
	z.TLS = spec.TLSSpec{Certificates: []spec.CertificateSpec{{Chain: "missing.pem", Key: "missing.key"}}, HSTS: spec.HSTSSpec{For: spec.Duration(time.Hour)}}
	got := explainZone(z.Resolved(), c)
	for _, want := range []string{"TLS 1.2 and later", "MISTAKE: certificate missing.pem with key missing.key: ", "https alone for 1h"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if got := explainZone(zone("a.test", "http://a").Resolved(), c); !strings.Contains(got, "a.test: by this machine's own authority") {
		t.Errorf("of a name that is not public: %s", got)
	}
}
