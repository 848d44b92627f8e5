package spec

import (
	"slices"
	"strconv"
	"time"
)

// What a setting of an origin that is left out means.
const (
	defaultConnectTimeout   = Duration(5 * time.Second)
	defaultFirstByteTimeout = Duration(60 * time.Second)
	defaultIdleTimeout      = Duration(60 * time.Second)
	defaultKeepIdle         = Duration(30 * time.Second)
	defaultMaxIdle          = 256
	defaultQueueLength      = 1000
	defaultQueueTimeout     = Duration(10 * time.Second)
	defaultCheckPath        = "/"
	defaultCheckInterval    = Duration(10 * time.Second)
	defaultCheckTimeout     = Duration(5 * time.Second)
	defaultCheckStatus      = "200-399"
	defaultCheckPasses      = 2
	defaultCheckFailures    = 3
	defaultBreakerFailures  = 10
	defaultBreakerRest      = Duration(time.Second)
	defaultBreakerLongest   = Duration(10 * time.Second)
	defaultBreakerReturn    = Duration(10 * time.Second)
	defaultStickyCookie     = "seawall-server"
)

// What OriginSpec.Host may say besides a name.
const (
	HostVisitor = "visitor" // what the visitor asked for
	HostServer  = "server"  // host and port of the server's URL
)

// What OriginSpec.Sticky may say.
const (
	StickyCookie  = "cookie"
	StickyAddress = "address"
)

// What CheckSpec.Type may say.
const (
	CheckHTTP = "http"
	CheckTCP  = "tcp"
)

// OriginSpec is the server that has the site, or several, and how the edge
// treats them.
type OriginSpec struct {
	// URL is http or https, a host and, where it is not the scheme's own, a
	// port: https://origin.example.com:8443. It has no path, for visitors'
	// paths go to the origin as they are. Either this or Servers.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`

	// Servers are several servers that have the same site.
	Servers []ServerSpec `yaml:"servers,omitempty" json:"servers,omitempty"`

	// Host is what a server gets in the Host field: visitor, what the visitor
	// asked for; server, its own name as in its URL; or a name to send
	// always. Default: visitor.
	Host string `yaml:"host,omitempty" json:"host,omitempty"`

	// ServerName is the name asked for in TLS (SNI), which the certificate
	// has to be valid for. Default: what Host says, or the name in the URL;
	// a certificate for either is good.
	ServerName string `yaml:"server_name,omitempty" json:"server_name,omitempty"`

	// Roots are the certificates, in PEM, of the authorities believed in
	// TLS, or of the server itself. Default: those of the system.
	Roots string `yaml:"roots,omitempty" json:"roots,omitempty"`

	// TLS is what the edge and the servers demand of each other besides that.
	TLS OriginTLSSpec `yaml:"tls,omitempty" json:"tls,omitzero"`

	// PublicOnly refuses addresses that nobody's site has on the public
	// network: loopback, private, link-local, metadata services, this
	// machine. For zones that others write. Default: false.
	PublicOnly bool `yaml:"public_only,omitempty" json:"public_only,omitempty"`

	// ProxyProtocol begins every connection with a PROXY protocol header
	// (version 2) that names the visitor; connections are then not shared
	// between visitors. Default: false.
	ProxyProtocol bool `yaml:"proxy_protocol,omitempty" json:"proxy_protocol,omitempty"`

	// ConnectTimeout is how long a connection may take to be made, name and
	// TLS included. Default: 5s.
	ConnectTimeout Duration `yaml:"connect_timeout,omitempty" json:"connect_timeout,omitzero"`

	// FirstByteTimeout is how long the origin may think: from the end of the
	// request to the head of its answer. Default: 60s.
	FirstByteTimeout Duration `yaml:"first_byte_timeout,omitempty" json:"first_byte_timeout,omitzero"`

	// IdleTimeout is how long the origin may be silent in the middle of a
	// body: the time between two reads. Default: 60s.
	IdleTimeout Duration `yaml:"idle_timeout,omitempty" json:"idle_timeout,omitzero"`

	// TotalTimeout is how long a request may take in all, waiting for a
	// server included; WebSockets are not meant. Default: as long as it takes.
	TotalTimeout Duration `yaml:"total_timeout,omitempty" json:"total_timeout,omitzero"`

	// KeepIdle is how long an unused connection is kept. Default: 30s.
	KeepIdle Duration `yaml:"keep_idle,omitempty" json:"keep_idle,omitzero"`

	// MaxIdle is how many unused connections are kept for each server.
	// Default: 256.
	MaxIdle int `yaml:"max_idle,omitempty" json:"max_idle,omitempty"`

	// MaxRequests is how many requests a server gets at the same time; the
	// others wait in the queue. Default: 0, as many as come.
	MaxRequests int `yaml:"max_requests,omitempty" json:"max_requests,omitempty"`

	// Queue is where requests wait for a server that has time.
	Queue QueueSpec `yaml:"queue,omitempty" json:"queue,omitzero"`

	// Sticky keeps a visitor with one server: cookie, by a cookie that the
	// edge sets; or address, by the visitor's address. Default: off.
	Sticky string `yaml:"sticky,omitempty" json:"sticky,omitempty"`

	// StickyCookie is the name of that cookie. Default: seawall-server.
	StickyCookie string `yaml:"sticky_cookie,omitempty" json:"sticky_cookie,omitempty"`

	// NoRetry asks no second server when the first cannot be reached or
	// closes the connection. Default: false.
	NoRetry bool `yaml:"no_retry,omitempty" json:"no_retry,omitempty"`

	// Check asks each server regularly whether it is well.
	Check CheckSpec `yaml:"check,omitempty" json:"check,omitzero"`

	// Breaker lets a server rest that fails visitors.
	Breaker BreakerSpec `yaml:"breaker,omitempty" json:"breaker,omitzero"`

	// ClientAddressField is a field in which a server gets the visitor's
	// address, such as X-Real-IP. Default: none but X-Forwarded-For and
	// Forwarded, which are always sent.
	ClientAddressField string `yaml:"client_address_field,omitempty" json:"client_address_field,omitempty"`

	// Pass names fields of visitors that are sent on although they are
	// usually not, because applications take orders from them: X-Original-URL,
	// X-Rewrite-URL, X-HTTP-Method-Override, names with an underscore and
	// the like. Default: none.
	Pass []string `yaml:"pass,omitempty" json:"pass,omitempty"`

	// Hide names fields of answers that visitors do not get, besides those
	// that name the server: Server, X-Powered-By, Alt-Svc and the like.
	// Default: none.
	Hide []string `yaml:"hide,omitempty" json:"hide,omitempty"`

	// Show names fields of answers that visitors get although they name the
	// server. Default: none.
	Show []string `yaml:"show,omitempty" json:"show,omitempty"`

	// KeepURLs leaves the server's own name in Location, Content-Location,
	// Refresh, Link and the Domain of cookies, instead of the name that the
	// visitor knows. Default: false.
	KeepURLs bool `yaml:"keep_urls,omitempty" json:"keep_urls,omitempty"`
}

// OriginTLSSpec is what edge and servers demand of each other in TLS.
type OriginTLSSpec struct {
	// ShowOwn shows the servers a certificate that the zone's own authority on
	// this machine has issued, so that they can turn everybody else away: see
	// `seawall origin-ca`. Default: false.
	ShowOwn bool `yaml:"show_own,omitempty" json:"show_own,omitempty"`

	// Show is a certificate of another authority for the same purpose.
	// Default: none.
	Show CertificateSpec `yaml:"show,omitempty" json:"show,omitzero"`

	// TrustOwn believes the zone's own authority, which issues certificates for
	// servers (`seawall origin-ca issue`), and roots where they are given, but
	// not the authorities of the system. Default: false.
	TrustOwn bool `yaml:"trust_own,omitempty" json:"trust_own,omitempty"`

	// Pins are hashes of public keys, of which one has to be that of the
	// server or of an authority above it: "sha256//" and Base64, as in
	// curl --pinnedpubkey. Default: any key is good.
	Pins []string `yaml:"pins,omitempty" json:"pins,omitempty"`
}

// ServerSpec is one of several servers.
type ServerSpec struct {
	// URL is as in OriginSpec. Required.
	URL string `yaml:"url" json:"url"`

	// Name is how the server is called in `seawall status` and in the cookie
	// of sticky sessions: letters, digits, - and _. Default: s1 for the
	// first, s2 for the second and so on.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`

	// Weight is the server's share of the requests, compared with the
	// others'. Default: 1.
	Weight int `yaml:"weight,omitempty" json:"weight,omitempty"`

	// Backup servers get requests only while no other is well. Default: false.
	Backup bool `yaml:"backup,omitempty" json:"backup,omitempty"`

	// Host, ServerName and MaxRequests are as in OriginSpec, for this server
	// alone. Default: what OriginSpec says.
	Host        string `yaml:"host,omitempty" json:"host,omitempty"`
	ServerName  string `yaml:"server_name,omitempty" json:"server_name,omitempty"`
	MaxRequests int    `yaml:"max_requests,omitempty" json:"max_requests,omitempty"`
}

// QueueSpec is where requests wait for a server that has time.
type QueueSpec struct {
	// Length is how many may wait; the next one gets a 503. Visitors take
	// turns. Default: 1000.
	Length int `yaml:"length,omitempty" json:"length,omitempty"`

	// Timeout is how long each may wait. Default: 10s.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitzero"`
}

// CheckSpec asks each server regularly whether it is well.
type CheckSpec struct {
	// Type is http, tcp (a connection is enough), or nothing. Default: off.
	Type string `yaml:"type,omitempty" json:"type,omitempty"`

	// Path is asked for with GET. Default: /.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`

	// Host is what the Host field says. Default: what OriginSpec.Host says,
	// with the zone's first host for visitor.
	Host string `yaml:"host,omitempty" json:"host,omitempty"`

	// Interval is the time between two checks of a server. Default: 10s.
	Interval Duration `yaml:"interval,omitempty" json:"interval,omitzero"`

	// Timeout is how long one check may take in all. Default: 5s.
	Timeout Duration `yaml:"timeout,omitempty" json:"timeout,omitzero"`

	// Status lists what a good answer has: 200, 200-299 or 200-299,401.
	// Default: 200-399.
	Status string `yaml:"status,omitempty" json:"status,omitempty"`

	// Text has to stand in the first 64 KiB of the answer. Default: nothing
	// has to.
	Text string `yaml:"text,omitempty" json:"text,omitempty"`

	// Passes is how many checks in a row a server that was down has to pass.
	// Default: 2.
	Passes int `yaml:"passes,omitempty" json:"passes,omitempty"`

	// Failures is how many in a row make a server count as down. Default: 3.
	Failures int `yaml:"failures,omitempty" json:"failures,omitempty"`
}

// BreakerSpec lets a server rest that fails visitors. After its rest it gets
// a single request, then more with each that goes well.
type BreakerSpec struct {
	// Off asks a server again and again, however often it fails.
	// Default: false.
	Off bool `yaml:"off,omitempty" json:"off,omitempty"`

	// Failures is how many requests in a row have to fail: no connection, no
	// answer, none in time. Default: 10.
	Failures int `yaml:"failures,omitempty" json:"failures,omitempty"`

	// Rest is how long the first rest takes; each further one twice as long,
	// up to LongestRest. Default: 1s and 10s.
	Rest        Duration `yaml:"rest,omitempty" json:"rest,omitzero"`
	LongestRest Duration `yaml:"longest_rest,omitempty" json:"longest_rest,omitzero"`

	// Return is how long a server that answers again is treated with care.
	// Default: 10s.
	Return Duration `yaml:"return,omitempty" json:"return,omitzero"`
}

// resolved fills the defaults in. It shares no memory with o.
func (o OriginSpec) resolved() OriginSpec {
	setDefault(&o.Host, HostVisitor)
	setDefault(&o.ConnectTimeout, defaultConnectTimeout)
	setDefault(&o.FirstByteTimeout, defaultFirstByteTimeout)
	setDefault(&o.IdleTimeout, defaultIdleTimeout)
	setDefault(&o.KeepIdle, defaultKeepIdle)
	setDefault(&o.MaxIdle, defaultMaxIdle)
	setDefault(&o.Queue.Length, defaultQueueLength)
	setDefault(&o.Queue.Timeout, defaultQueueTimeout)
	setDefault(&o.StickyCookie, defaultStickyCookie)
	setDefault(&o.Check.Path, defaultCheckPath)
	setDefault(&o.Check.Interval, defaultCheckInterval)
	setDefault(&o.Check.Timeout, defaultCheckTimeout)
	setDefault(&o.Check.Status, defaultCheckStatus)
	setDefault(&o.Check.Passes, defaultCheckPasses)
	setDefault(&o.Check.Failures, defaultCheckFailures)
	setDefault(&o.Breaker.Failures, defaultBreakerFailures)
	setDefault(&o.Breaker.Rest, defaultBreakerRest)
	setDefault(&o.Breaker.LongestRest, max(defaultBreakerLongest, o.Breaker.Rest))
	setDefault(&o.Breaker.Return, defaultBreakerReturn)
	o.Pass, o.Hide, o.Show = slices.Clone(o.Pass), slices.Clone(o.Hide), slices.Clone(o.Show)
	o.TLS.Pins = slices.Clone(o.TLS.Pins)
	o.Servers = slices.Clone(o.Servers)
	for i := range o.Servers {
		s := &o.Servers[i]
		setDefault(&s.Name, defaultServerName(i))
		setDefault(&s.Weight, 1)
		setDefault(&s.Host, o.Host)
		setDefault(&s.ServerName, o.ServerName)
		setDefault(&s.MaxRequests, o.MaxRequests)
	}
	return o
}

// defaultServerName is how the server at a place of the list is called.
func defaultServerName(i int) string { return "s" + strconv.Itoa(i+1) }

// All returns the servers of a resolved OriginSpec: those of the list, or
// the one of the URL.
func (o OriginSpec) All() []ServerSpec {
	if len(o.Servers) > 0 {
		return o.Servers
	}
	return []ServerSpec{{URL: o.URL, Name: defaultServerName(0), Weight: 1, Host: o.Host, ServerName: o.ServerName, MaxRequests: o.MaxRequests}}
}
