package main

// tlsServers are measured with TLS on the visitors' side.
var tlsServers = []string{"nginx", "haproxy", "caddy", "seawall"}

// sameTLS says what the servers of a page of TLS have in common.
const sameTLS = "All show the same certificate (ECDSA on P-256) and agree on TLS 1.3, X25519 and AES-128-GCM: " +
	"nginx and HAProxy are told so, Caddy is told the first two, Seawall has its defaults; each handshake of ours is checked, and OpenSSL's client, which wrk has inside, is asked first. " +
	"nginx and HAProxy use Debian's OpenSSL 3.0."

var tlsScenarios = []scenario{
	{
		Name: "tls-hit-1k", Title: "cached hit over TLS 1.3, 1 KiB, 64 keep-alive connections, no access log",
		Path: path1K, Connections: 64, Hit: true, TLS: true, Servers: tlsServers,
		Marks:  []mark{{Against: "nginx", AtMost: 0.65}, {Against: "haproxy", AtMost: 0.8}},
		Remark: sameTLS,
	},
	{
		Name: "tls-hit-16k", Title: "cached hit over TLS 1.3, 16 KiB, 64 keep-alive connections, no access log",
		Path: path16K, Connections: 64, Hit: true, TLS: true, Servers: tlsServers,
		Marks:  []mark{{Against: "nginx", AtMost: 0.85}},
		Remark: sameTLS,
	},
	{
		Name: "tls-handshake", Title: "full handshakes of TLS 1.3, 64 visitors who come, shake hands and leave",
		Connections: 64, Hit: true, TLS: true, Handshakes: true, Servers: tlsServers,
		Marks:  []mark{{Against: "nginx", AtLeast: 0.95}},
		Remark: sameTLS,
	},
	{
		Name: "tls-resume", Title: "resumed sessions of TLS 1.3 (tickets, with a key exchange), 64 visitors who come, shake hands and leave",
		Connections: 64, Hit: true, TLS: true, Handshakes: true, Resume: true, Servers: tlsServers,
		Marks:  []mark{{Against: "nginx", AtLeast: 0.95}},
		Remark: sameTLS + " nginx has no session cache, its default: with tickets it would only cost.",
	},
	{
		Name: "tls-idle", Title: "idle keep-alive connections with TLS 1.3, one request each, memory in user space",
		Path: path1K, Idle: true, TLS: true, Servers: tlsServers,
		Marks:  []mark{{AtMost: 24 << 10}},
		Remark: sameTLS,
	},
	{
		Name: "tls-certificates", Title: "start with many certificates, each of a host of its own, until the first handshake",
		TLS: true, Hosts: true, Servers: []string{"nginx-tenth", "nginx-variable", "seawall"},
		Marks: []mark{{AtMost: 3, Of: startTime}, {AtMost: 150, Of: wholeMemory}},
		Remark: "From the start of the process until a handshake with one of the hosts has shown its certificate; a hundred others are asked for afterwards, then memory is read. " +
			"Certificates are for ECDSA keys on P-256, in files of their own; all have the same key, in one file. Ratios are those of the time for each certificate.",
	},
}
