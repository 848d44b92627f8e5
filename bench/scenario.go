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
	Servers     []string // the only ones to take part; nil means all that can
	Marks       []mark
}

// mark is a promise: Seawall's CPU time per request in proportion to another
// server's or, where Against is empty, user-space bytes per idle connection.
type mark struct {
	Against string
	AtMost  float64
}

const bytesEachAtMost = 4096

// plainProxies are measured where a cache has nothing to do with it.
var plainProxies = []string{"nginx", "haproxy", "reverseproxy", "seawall"}

var scenarios = []scenario{
	{
		Name: "hit-1k", Title: "cached hit, 1 KiB, 64 keep-alive connections, no access log",
		Path: path1K, Connections: 64, Hit: true,
		Marks: []mark{{"nginx", 0.65}, {"haproxy", 1.0}},
	},
	{
		Name: "hit-1k-log", Title: "cached hit, 1 KiB, 64 keep-alive connections, access log on",
		Path: path1K, Connections: 64, Hit: true, AccessLog: true,
		Marks: []mark{{"nginx", 0.75}},
	},
	{
		Name: "hit-16k", Title: "cached hit, 16 KiB, 64 keep-alive connections, no access log",
		Path: path16K, Connections: 64, Hit: true,
		Marks: []mark{{"nginx", 0.75}},
	},
	{
		Name: "hit-1m", Title: "cached hit, 1 MiB, 64 keep-alive connections, no access log",
		Path: path1M, Connections: 64, Hit: true,
		Marks: []mark{{"nginx", 1.0}},
	},
	{
		Name: "pass-1k", Title: "pass-through, 1 KiB that may not be stored, 64 keep-alive connections",
		Path: pathPass1K, Connections: 64,
		Marks: []mark{{"nginx", 1.1}, {"reverseproxy", 0.5}},
	},
	{
		Name: "pass-16k", Title: "pass-through, 16 KiB that may not be stored, 64 keep-alive connections",
		Path: pathPass16K, Connections: 64, Servers: plainProxies,
		Marks: []mark{{"nginx", 1.1}},
	},
	{
		Name: "pass-1m", Title: "pass-through, 1 MiB that may not be stored, 64 keep-alive connections",
		Path: pathPass1M, Connections: 64, Servers: append([]string{"nginx-64k"}, plainProxies...),
		Marks: []mark{{"nginx", 1.0}, {"nginx-64k", 1.0}},
	},
	{
		Name: "upload-1m", Title: "pass-through, POST of 1 MiB with Content-Length, 64 keep-alive connections",
		Path: pathUpload, Connections: 64, Upload: true, Servers: append([]string{"nginx-64k", "nginx-buffered"}, plainProxies...),
		Marks: []mark{{"nginx", 1.2}, {"nginx-64k", 1.2}},
	},
	{
		Name: "websocket-9500", Title: "WebSockets: memory while all are idle, then messages of 64 bytes echoed by the origin, 64 under way, every connection in turn",
		Path: pathSocket, Connections: 64, Sockets: true, Servers: []string{"nginx", "haproxy", "seawall"},
	},
	{
		Name: "idle", Title: "idle keep-alive connections, one request each, memory in user space",
		Path: path1K, Idle: true,
		Marks: []mark{{"", bytesEachAtMost}},
	},
}

// anew says that the server is started for every measurement: memory left
// over from a load would hide what connections take.
func (s scenario) anew() bool { return s.Idle || s.Sockets }

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
