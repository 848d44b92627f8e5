package main

import (
	"fmt"
	"slices"
)

// scenario is one load, and what Seawall has to come to under it. It has a
// page of its own.
type scenario struct {
	Name        string
	Title       string
	Path        string
	Connections int  // of wrk, all busy; with Sockets, messages under way at any time
	Hit         bool // answered from the cache; otherwise every answer comes from the origin
	AccessLog   bool
	Idle        bool     // memory of idle connections, no load
	Upload      bool     // POST of 1 MiB in place of GET
	Sockets     bool     // many WebSockets: memory while all are idle, then messages
	Match       bool     // If-None-Match with the object's tag: every answer is a 304
	Gzip        bool     // Accept-Encoding: gzip, every answer is compressed
	codedLength int      // of one answer to Match or Gzip, head included, as measured
	Crowds      []form   // many visitors at once, in these forms one after another
	TLS         bool     // visitors speak TLS
	Handshakes  bool     // in place of requests, from a generator in this program
	Resume      bool     // the handshakes resume a session
	Hosts       bool     // start with many certificates, no load
	Servers     []string // the only ones to take part; nil means all that can
	Marks       []mark
	Remark      string // for the reader of the page
}

const bytesEachAtMost = 4096

// plainProxies are measured where a cache has nothing to do with it.
var plainProxies = []string{"nginx", "haproxy", "reverseproxy", "seawall"}

var scenarios = slices.Concat(plainScenarios, tlsScenarios)

var plainScenarios = []scenario{
	{
		Name: "hit-1k", Title: "cached hit, 1 KiB, 64 keep-alive connections, no access log",
		Path: path1K, Connections: 64, Hit: true,
		Marks: []mark{{Against: "nginx", AtMost: 0.65}, {Against: "haproxy", AtMost: 1.0}},
	},
	{
		Name: "hit-1k-log", Title: "cached hit, 1 KiB, 64 keep-alive connections, access log on",
		Path: path1K, Connections: 64, Hit: true, AccessLog: true,
		Marks: []mark{{Against: "nginx", AtMost: 0.75}},
	},
	{
		Name: "hit-16k", Title: "cached hit, 16 KiB, 64 keep-alive connections, no access log",
		Path: path16K, Connections: 64, Hit: true,
		Marks: []mark{{Against: "nginx", AtMost: 0.75}},
	},
	{
		Name: "hit-1m", Title: "cached hit, 1 MiB, 64 keep-alive connections, no access log",
		Path: path1M, Connections: 64, Hit: true,
		Marks: []mark{{Against: "nginx", AtMost: 1.0}},
	},
	{
		Name: "hit-304", Title: "conditional hit: If-None-Match for a cached object of 1 KiB, answered 304, and its 200 beside it, 64 keep-alive connections",
		Path: path1K, Connections: 64, Hit: true, Match: true, Servers: []string{"nginx", "varnish", "trafficserver", "seawall"},
		Marks: []mark{{Against: ownHit, AtMost: 1.0}},
		Remark: "HAProxy answers 304 from its cache too, but with the object's Content-Length, as it may (RFC 9110, 8.6). " +
			"wrk then waits for a body that does not come, so there is no row.",
	},
	{
		Name: "hit-gzip", Title: "cached hit, 16 KiB of text compressed by gzip, and the same as it is beside it, 64 keep-alive connections",
		Path: pathText, Connections: 64, Hit: true, Gzip: true, Servers: []string{"nginx", "seawall"},
		Marks:  []mark{{Against: ownHit, AtMost: 1.0}},
		Remark: "nginx compresses each answer anew (gzip_comp_level 5): it keeps what the origin has sent. Seawall keeps what it has compressed.",
	},
	{
		Name: "pass-gzip", Title: "pass-through, 16 KiB of text that may not be stored, compressed by gzip on the way, 64 keep-alive connections",
		Path: pathPassText, Connections: 64, Gzip: true, Servers: []string{"nginx", "seawall"},
		Marks:  []mark{{Against: "nginx", AtMost: 1.0}},
		Remark: "Both at level 5: gzip_comp_level 5, compression.level 5. Our answers have at most 4 % more bytes at the same level (internal/coding).",
	},
	{
		Name: "pass-1k", Title: "pass-through, 1 KiB that may not be stored, 64 keep-alive connections",
		Path: pathPass1K, Connections: 64,
		Marks: []mark{{Against: "nginx", AtMost: 1.1}, {Against: "reverseproxy", AtMost: 0.5}},
	},
	{
		Name: "pass-16k", Title: "pass-through, 16 KiB that may not be stored, 64 keep-alive connections",
		Path: pathPass16K, Connections: 64, Servers: plainProxies,
		Marks: []mark{{Against: "nginx", AtMost: 1.1}},
	},
	{
		Name: "pass-1m", Title: "pass-through, 1 MiB that may not be stored, 64 keep-alive connections",
		Path: pathPass1M, Connections: 64, Servers: append([]string{"nginx-64k"}, plainProxies...),
		Marks: []mark{{Against: "nginx", AtMost: 1.0}, {Against: "nginx-64k", AtMost: 1.0}},
	},
	{
		Name: "upload-1m", Title: "pass-through, POST of 1 MiB with Content-Length, 64 keep-alive connections",
		Path: pathUpload, Connections: 64, Upload: true, Servers: append([]string{"nginx-64k", "nginx-buffered"}, plainProxies...),
		Marks: []mark{{Against: "nginx", AtMost: 1.2}, {Against: "nginx-64k", AtMost: 1.2}},
	},
	{
		Name: "collapse-expired", Title: "a crowd asks at once for one object of 1 KiB that may be stored; the origin takes 200 ms",
		Crowds: []form{
			{Name: "never stored", Prefix: crowdKept, Asked: 1},
			{Name: "just expired", Prefix: crowdKept, Stored: true, Asked: 1},
		},
		Remark: "The origin says max-age=2 and allows nobody to use an object longer; each of its answers is another version, so that expired answers are known. " +
			"nginx has its defaults: proxy_cache_lock and proxy_cache_use_stale off. Varnish's default_grace of 10 s answers with the expired object and asks behind it.",
	},
	{
		Name: "collapse-uncacheable", Title: "a crowd asks at once for one object of 1 KiB that may not be stored; the origin takes 200 ms and answers all side by side",
		Crowds: []form{
			{Name: "first crowd", Prefix: crowdPassed, Last: mark{Against: "seawall-off", AtMost: noLonger}},
			{Name: "second crowd", Prefix: crowdPassed, Again: true, Last: mark{Against: "seawall-off", AtMost: noLonger}},
		},
		Remark: "In the first crowd nobody can know that the object may not be stored; the second asks for the same object a moment later. " +
			"Every visitor must get an answer of his own. nginx has its defaults: proxy_cache_lock and proxy_cache_use_stale off.",
	},
	{
		Name: "websocket-9500", Title: "WebSockets: memory while all are idle, then messages of 64 bytes echoed by the origin, 64 under way, every connection in turn",
		Path: pathSocket, Connections: 64, Sockets: true, Servers: []string{"nginx", "haproxy", "seawall"},
	},
	{
		Name: "idle", Title: "idle keep-alive connections, one request each, memory in user space",
		Path: path1K, Idle: true,
		Marks: []mark{{AtMost: bytesEachAtMost}},
	},
}

// anew says that the server is started for every measurement: memory left
// over from a load would hide what connections take.
func (s scenario) anew() bool { return s.Idle || s.Sockets || s.Hosts }

// choose returns the scenarios with these names, in their own order, or all
// for no names.
func choose(names []string) ([]scenario, error) {
	if len(names) == 0 {
		return scenarios, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.Name == name }) {
			return nil, fmt.Errorf("there is no page %q", name)
		}
	}
	var chosen []scenario
	for _, s := range scenarios {
		if slices.Contains(names, s.Name) {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}
