package main

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/seawall-edge/seawall/spec"
)

// Config is everything the operator of a machine can set; what a zone's
// owner can set is spec.ZoneSpec. A file holds it in YAML, flags of
// `seawall run` override the file. A field's zero value means its default.
type Config struct {
	// HTTP is where visitors come in: host:port, or :port for every address
	// of the machine. Default: :8080.
	HTTP string `yaml:"http"`

	// HTTPS is where visitors come in with TLS: host:port, or :port. A plain
	// request there is sent to the same address with https. Default: off.
	HTTPS string `yaml:"https"`

	// SealKey is the file with the key that keys on this machine are sealed
	// with. Default: seal.key in the state directory, made when it is missing;
	// a copy of the directory is then as good as the keys themselves.
	SealKey string `yaml:"seal_key"`

	// State is the directory that this machine remembers things in: requests
	// that were refused, its lock, its admin socket. Created with mode 0700.
	// Default: /var/lib/seawall.
	State string `yaml:"state"`

	// Admin is where `seawall status` asks: the path of a Unix socket, or a
	// loopback host:port. Default: admin.sock in the state directory.
	Admin string `yaml:"admin"`

	// Debug serves profiles (/debug/pprof/) and /debug/log-level on a
	// loopback host:port. Default: off.
	Debug string `yaml:"debug"`

	// Metrics serves /metrics, /healthz and /readyz on host:port. Default: off.
	Metrics string `yaml:"metrics"`

	// ProxyProtocol names the addresses and prefixes of load balancers that
	// begin each connection to HTTP with a PROXY protocol header, version 1
	// or 2. Everybody else is an ordinary visitor. Default: none.
	ProxyProtocol []string `yaml:"proxy_protocol"`

	// Listeners are further addresses for visitors. Default: none.
	Listeners []Listener `yaml:"listeners"`

	// Resolver names the DNS servers, as host or host:port, that origins are
	// looked up with. Default: those of /etc/resolv.conf.
	Resolver []string `yaml:"resolver"`

	// UnknownHostPage and LimitsPage are HTML in place of the edge's own pages
	// where no zone is known: for a host that nobody has (421), and for
	// connections that a limit turns away. Placeholders are as in
	// spec.PagesSpec. Default: the edge's own pages.
	UnknownHostPage string `yaml:"unknown_host_page"`
	LimitsPage      string `yaml:"limits_page"`

	// Node is what holds for every zone.
	Node NodeSettings `yaml:"node"`

	Limits    Limits         `yaml:"limits"`
	Cache     CacheSettings  `yaml:"cache"`
	AccessLog AccessSettings `yaml:"access_log"`
	Events    EventSettings  `yaml:"events"`

	// Zones are the sites. At least one, here or with --zone.
	Zones []spec.ZoneSpec `yaml:"zones"`
}

// NodeSettings hold for every zone. They change with a reload.
type NodeSettings struct {
	// Access says who is let in, whatever a zone says besides. Its conditions
	// name the lists of the node.
	Access spec.AccessSpec `yaml:"access"`

	// Lists are lists that these conditions name. Default: none.
	Lists []spec.ListSpec `yaml:"lists"`

	// Places are files that say where addresses are, see doc/geo.md.
	Places PlaceSettings `yaml:"places"`

	// Handshake is how the door for TLS meets visitors.
	Handshake HandshakeSettings `yaml:"handshake"`
}

// HandshakeSettings hold for every handshake with a visitor.
type HandshakeSettings struct {
	// KeyExchange is hybrid (X25519MLKEM768 where the visitor can) or classic,
	// which takes less work: under attack. Default: hybrid.
	KeyExchange string `yaml:"key_exchange"`

	// UnknownName is what a visitor gets who asks for no name, or for one that
	// nobody has: neutral, a certificate that names nothing, or alert.
	// Default: neutral.
	UnknownName string `yaml:"unknown_name"`
}

// What HandshakeSettings may say.
const (
	keysHybrid    = "hybrid"
	keysClassic   = "classic"
	nameNeutral   = "neutral"
	nameIsAnAlert = "alert"
)

// PlaceSettings name files in MaxMind's format (.mmdb). One that is missing or
// damaged makes its fact unknown; one that is replaced is read anew. Other
// names need a restart. Paths begin at the configuration's folder.
type PlaceSettings struct {
	// Country says which country an address is in. Default: not known.
	Country string `yaml:"country"`

	// Network says which network, by its number. Default: not known.
	Network string `yaml:"network"`
}

// Listener is an address for visitors.
type Listener struct {
	// Address is host:port, or :port for every address of the machine.
	Address string `yaml:"address"`

	// ProxyProtocol is as in Config, for this address.
	ProxyProtocol []string `yaml:"proxy_protocol"`
}

// Limits are what one visitor, or all, may take of this machine.
type Limits struct {
	// Connections in all. Default: 0, which derives it from how many files
	// the process may open (RLIMIT_NOFILE).
	Connections int `yaml:"connections"`

	// ConnectionsPerAddress of a visitor. Default: 1024.
	ConnectionsPerAddress int `yaml:"connections_per_address"`

	// HeadTimeout is how long the head of a request may take to arrive.
	// Default: 10s.
	HeadTimeout spec.Duration `yaml:"head_timeout"`

	// BodyTimeout is how long a visitor may be silent in the middle of a
	// body: the time between two reads. Default: 30s.
	BodyTimeout spec.Duration `yaml:"body_timeout"`

	// WriteTimeout is how long a visitor may take nothing of an answer.
	// Default: 30s.
	WriteTimeout spec.Duration `yaml:"write_timeout"`

	// IdleTimeout is how long a connection is kept between two requests.
	// Default: 75s.
	IdleTimeout spec.Duration `yaml:"idle_timeout"`

	// DrainTimeout is how long requests may go on after SIGTERM. Default: 30s.
	DrainTimeout spec.Duration `yaml:"drain_timeout"`

	// Memory is how much the process may take. Near it, new connections are
	// turned away, then idle ones closed. Default: 0, what the system or its
	// control group allows.
	Memory spec.Bytes `yaml:"memory"`

	// MaxHead is the largest head of a request: request line and fields.
	// Default: 32KiB.
	MaxHead spec.Bytes `yaml:"max_head"`

	// MaxTarget is the longest address in a request line. Default: 16KiB.
	MaxTarget spec.Bytes `yaml:"max_target"`
}

// CacheSettings are about the cache that all zones share.
type CacheSettings struct {
	// Off switches it off for every zone. Default: false.
	Off bool `yaml:"off"`

	// Memory is how much of it the cache may take. Default: 256MiB.
	Memory spec.Bytes `yaml:"memory"`
}

// AccessSettings are about the log with a line for each request.
type AccessSettings struct {
	// File is appended to; - is standard output. Default: no access log.
	File string `yaml:"file"`

	// Format is json, combined (Apache's) or plain. Default: json.
	Format string `yaml:"format"`

	// What is all, sample (refused and failed ones, and one in Sample of the
	// passed) or errors (refused and failed ones, and status 400 or more).
	// Default: all.
	What string `yaml:"what"`

	// Sample is one in how many passed requests are logged when What is
	// sample. Default: 100.
	Sample int `yaml:"sample"`
}

// EventSettings are about what `seawall why` finds in the state directory.
type EventSettings struct {
	// RefusedBytes is the room for refused and failed requests. Default: 256MiB.
	RefusedBytes spec.Bytes `yaml:"refused_bytes"`

	// PassedBytes is the room for a sample of passed requests. Default: 64MiB.
	PassedBytes spec.Bytes `yaml:"passed_bytes"`

	// Sample is one in how many passed requests are kept. Default: 100.
	Sample int `yaml:"sample"`
}

// resolved returns the configuration with every default filled in; zones
// keep theirs until they are compiled.
func (c Config) resolved() Config {
	orElse(&c.HTTP, ":8080")
	orElse(&c.State, defaultState)
	c.State = filepath.Clean(c.State)
	orElse(&c.Admin, adminSocket(c.State))
	orElse(&c.SealKey, sealKey(c.State))
	orElse(&c.Node.Handshake.KeyExchange, keysHybrid)
	orElse(&c.Node.Handshake.UnknownName, nameNeutral)
	orElse(&c.Limits.ConnectionsPerAddress, 1024)
	orElse(&c.Limits.HeadTimeout, spec.Duration(10*time.Second))
	orElse(&c.Limits.BodyTimeout, spec.Duration(30*time.Second))
	orElse(&c.Limits.WriteTimeout, spec.Duration(30*time.Second))
	orElse(&c.Limits.IdleTimeout, spec.Duration(75*time.Second))
	orElse(&c.Limits.DrainTimeout, spec.Duration(30*time.Second))
	orElse(&c.Limits.MaxHead, 32<<10)
	orElse(&c.Limits.MaxTarget, 16<<10)
	orElse(&c.Cache.Memory, 256<<20)
	orElse(&c.AccessLog.Format, "json")
	orElse(&c.AccessLog.What, "all")
	orElse(&c.AccessLog.Sample, 100)
	orElse(&c.Events.RefusedBytes, 256<<20)
	orElse(&c.Events.PassedBytes, 64<<20)
	orElse(&c.Events.Sample, 100)
	return c
}

func orElse[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// defaultState is where a Debian package would keep it.
const defaultState = "/var/lib/seawall"

func adminSocket(state string) string { return filepath.Join(state, "admin.sock") }

func sealKey(state string) string { return filepath.Join(state, "seal.key") }

// journalDir is where requests are kept for `seawall why`.
func journalDir(state string) string { return filepath.Join(state, "journal") }

// adminNetwork returns what net.Listen and net.Dial want. Whatever has a
// slash is a socket's path.
func adminNetwork(admin string) (network, address string) {
	if path, found := strings.CutPrefix(admin, "unix:"); found {
		return "unix", path
	}
	if strings.Contains(admin, "/") || !strings.Contains(admin, ":") {
		return "unix", admin
	}
	return "tcp", admin
}
