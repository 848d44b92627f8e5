package main

// scenario is one load, and what Seawall has to come to under it.
type scenario struct {
	Name        string
	Title       string
	Path        string
	Connections int
	Hit         bool // answered from the cache; otherwise every answer comes from the origin
	AccessLog   bool
	Idle        bool // memory of idle connections, no load
	Marks       []mark
}

// mark is a promise: Seawall's CPU time per request in proportion to another
// server's or, where Against is empty, user-space bytes per idle connection.
type mark struct {
	Against string
	AtMost  float64
}

const bytesEachAtMost = 4096

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
		Name: "pass-through", Title: "pass-through miss, 1 KiB that may not be stored, 64 keep-alive connections",
		Path: pathPass, Connections: 64,
		Marks: []mark{{"nginx", 1.2}, {"reverseproxy", 0.5}},
	},
	{
		Name: "idle", Title: "idle keep-alive connections, one request each, memory in user space",
		Path: path1K, Idle: true,
		Marks: []mark{{"", bytesEachAtMost}},
	},
}
