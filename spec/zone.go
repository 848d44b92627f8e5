// Package spec holds what a zone's owner can set, and nothing else does.
//
// A configuration file says a ZoneSpec, the control plane stores it and the
// link carries it: one type, so that no two places disagree about what a
// setting is called or what it does when it is left out. It is what somebody
// wrote, never what the program made of it: the edge compiles its own form
// and keeps no pointer back into this one.
package spec

import "time"

// What a setting that is left out means.
const (
	defaultMaxObject        = Bytes(16 << 20)
	defaultHeuristic        = Duration(24 * time.Hour)
	defaultWhenDown         = Duration(24 * time.Hour)
	defaultFloor            = Bytes(4 << 20)
	defaultVariants         = 32
	defaultWaiters          = 5000
	defaultHopsField        = "X-Forwarded-For"
	defaultMaintenanceRetry = Duration(5 * time.Minute)
)

// AnyHost is the name and the host of the zone that takes every host no
// other zone has claimed.
const AnyHost = "*"

// ZoneSpec is everything a zone's owner can set. A field's zero value means
// its default. Resolved fills the defaults in, Validate says what is wrong.
type ZoneSpec struct {
	// Name is how the zone is called in logs, metrics and commands: a host
	// name such as example.com, or * for the zone of all other hosts.
	// Required; no two zones have the same.
	Name string `yaml:"name" json:"name"`

	// Hosts are the host names that the zone answers to: exact
	// (example.com), every name below one (*.example.com), or every name
	// that no other zone claims (*). Exact wins over wildcard, the longer
	// wildcard over the shorter. No two zones claim the same.
	// Default: the zone's name alone.
	Hosts []string `yaml:"hosts,omitempty" json:"hosts,omitempty"`

	// Origin is the server that has the site, or several.
	Origin OriginSpec `yaml:"origin" json:"origin"`

	// TLS says how visitors come by https.
	TLS TLSSpec `yaml:"tls,omitempty" json:"tls,omitzero"`

	// Lists are lists that conditions name. Default: none.
	Lists []ListSpec `yaml:"lists,omitempty" json:"lists,omitempty"`

	// Access says who is let in and who is not.
	Access AccessSpec `yaml:"access,omitempty" json:"access,omitzero"`

	// Redirects sends visitors elsewhere.
	Redirects RedirectsSpec `yaml:"redirects,omitempty" json:"redirects,omitzero"`

	// Answers are given by the edge itself. Default: none.
	Answers []OwnAnswerSpec `yaml:"answers,omitempty" json:"answers,omitempty"`

	// SecurityTxt tells people how to report a weakness.
	SecurityTxt SecurityTxtSpec `yaml:"security_txt,omitempty" json:"security_txt,omitzero"`

	// Rewrite changes what is asked and what is answered.
	Rewrite RewriteSpec `yaml:"rewrite,omitempty" json:"rewrite,omitzero"`

	// Cache says what of the site is kept at the edge.
	Cache CacheSpec `yaml:"cache,omitempty" json:"cache,omitzero"`

	// Compression says in which codings visitors get what compresses well.
	Compression CompressionSpec `yaml:"compression,omitempty" json:"compression,omitzero"`

	// TrustedHops says which proxies in front of the edge are believed when
	// they name the visitor.
	TrustedHops HopsSpec `yaml:"trusted_hops,omitempty" json:"trusted_hops,omitzero"`

	// Pages are the owner's own pages in place of the edge's.
	Pages PagesSpec `yaml:"pages,omitempty" json:"pages,omitzero"`

	// Maintenance closes the site for a while.
	Maintenance MaintenanceSpec `yaml:"maintenance,omitempty" json:"maintenance,omitzero"`
}

// CacheSpec says what of the site is kept at the edge. What it does not
// mention follows RFC 9111; see doc/cache.md.
type CacheSpec struct {
	// Off keeps nothing and answers nothing from the cache. Default: false.
	Off bool `yaml:"off,omitempty" json:"off,omitempty"`

	// BypassUntil is development mode: until then nothing is answered from
	// the cache and nothing is kept. Default: never.
	BypassUntil Time `yaml:"bypass_until,omitempty" json:"bypass_until,omitzero"`

	// MaxObject is the largest body that is kept, in bytes; larger ones pass
	// through. Default: 16MiB.
	MaxObject Bytes `yaml:"max_object,omitempty" json:"max_object,omitzero"`

	// Heuristic is for how long at most an answer that names no lifetime is
	// taken to be fresh: a tenth of its age when it came (RFC 9111, 4.2.2).
	// Default: 24h.
	Heuristic Duration `yaml:"heuristic,omitempty" json:"heuristic,omitzero"`

	// NoHeuristic keeps answers that name no lifetime only to ask about them.
	// Default: false.
	NoHeuristic bool `yaml:"no_heuristic,omitempty" json:"no_heuristic,omitempty"`

	// WhenDown is for how long after its lifetime an answer still serves while
	// the origin cannot be reached, unless the origin forbids it (RFC 9111,
	// 4.2.4). Default: 24h.
	WhenDown Duration `yaml:"when_down,omitempty" json:"when_down,omitzero"`

	// NeverStale serves nothing after its lifetime, whatever the origin
	// allows. Default: false.
	NeverStale bool `yaml:"never_stale,omitempty" json:"never_stale,omitempty"`

	// SetCookie is what becomes of an answer that sets a cookie although it
	// says how long it is fresh: "replay" keeps it as it is, "remove" keeps it
	// without the cookie, "refuse" does not keep it. Default: replay.
	SetCookie string `yaml:"set_cookie,omitempty" json:"set_cookie,omitempty"`

	// Visitors bounds what visitors may ask of the cache.
	Visitors CacheVisitorsSpec `yaml:"visitors,omitempty" json:"visitors,omitzero"`

	// Rules say what is different for some requests. Default: none.
	Rules []CacheRuleSpec `yaml:"rules,omitempty" json:"rules,omitempty"`

	// Armour does not keep an answer whose path ends like a picture, a style
	// or a script and whose type is another: somebody has appended
	// /nothing.css to the address of a private page. Default: false.
	Armour bool `yaml:"armour,omitempty" json:"armour,omitempty"`

	// ShowKey adds the cache's key to Cache-Status. Default: false.
	ShowKey bool `yaml:"show_key,omitempty" json:"show_key,omitempty"`

	// Bounds are the zone's share of the memory and of the waiting.
	Bounds CacheBoundsSpec `yaml:"bounds,omitempty" json:"bounds,omitzero"`
}

// What CacheSpec.SetCookie may say.
const (
	SetCookieReplay = "replay"
	SetCookieRemove = "remove"
	SetCookieRefuse = "refuse"
)

// CacheVisitorsSpec bounds what visitors may ask of the cache.
type CacheVisitorsSpec struct {
	// IgnoreDirectives answers without regard to a request's Cache-Control and
	// Pragma, so that nobody can have the origin asked for what is fresh.
	// Default: false, as RFC 9111, 5.2.1 has it.
	IgnoreDirectives bool `yaml:"ignore_directives,omitempty" json:"ignore_directives,omitempty"`

	// ReloadInterval is how old a copy must be before a request's no-cache,
	// max-age or min-fresh has the origin asked for a new one. Default: 0s.
	ReloadInterval Duration `yaml:"reload_interval,omitempty" json:"reload_interval,omitzero"`
}

// CacheBoundsSpec is a zone's share of what all zones have together.
type CacheBoundsSpec struct {
	// Floor is the memory that other zones cannot take away, in bytes. The
	// floors of all zones bind half of the cache at most. Default: 4MiB.
	Floor Bytes `yaml:"floor,omitempty" json:"floor,omitzero"`

	// Ceiling is the most memory the zone may fill, in bytes. Default: none.
	Ceiling Bytes `yaml:"ceiling,omitempty" json:"ceiling,omitzero"`

	// Variants is how many answers one address may have (Vary); the oldest
	// go first. Default: 32.
	Variants int `yaml:"variants,omitempty" json:"variants,omitempty"`

	// Waiters is how many requests may wait for answers that others have
	// asked for; further ones ask themselves. Default: 5000.
	Waiters int `yaml:"waiters,omitempty" json:"waiters,omitempty"`
}

// HopsSpec says which proxies in front of the edge are believed.
type HopsSpec struct {
	// Addresses and prefixes of the proxies: 192.0.2.10, 2001:db8::/32.
	// What anybody else writes into Field is replaced. Default: none.
	Addresses []string `yaml:"addresses,omitempty" json:"addresses,omitempty"`

	// Field is where they name the visitor: X-Forwarded-For or Forwarded
	// (RFC 7239). Default: X-Forwarded-For.
	Field string `yaml:"field,omitempty" json:"field,omitempty"`
}

// PagesSpec holds the owner's own pages. In HTML, {{request_id}}, {{host}},
// {{status}}, {{title}}, {{message}}, {{reason}}, {{time}} and {{year}} are
// filled in.
type PagesSpec struct {
	// Forbidden is for visitors whom the zone does not let in (403).
	Forbidden PageSpec `yaml:"403,omitempty" json:"403,omitzero"`

	// Misdirected is for requests that ask the wrong door (421).
	Misdirected PageSpec `yaml:"421,omitempty" json:"421,omitzero"`

	// BadGateway is for an origin that cannot be reached or understood (502).
	BadGateway PageSpec `yaml:"502,omitempty" json:"502,omitzero"`

	// Unavailable is for an origin that is down or has too much to do (503).
	Unavailable PageSpec `yaml:"503,omitempty" json:"503,omitzero"`

	// Timeout is for an origin that does not answer in time (504).
	Timeout PageSpec `yaml:"504,omitempty" json:"504,omitzero"`

	// Limits is for visitors who ask for too much. A connection that is turned
	// away before it has named a host gets the operator's page instead.
	Limits PageSpec `yaml:"limits,omitempty" json:"limits,omitzero"`

	// Maintenance is shown while the site is closed for maintenance.
	Maintenance PageSpec `yaml:"maintenance,omitempty" json:"maintenance,omitzero"`
}

// ClassedPage is a page and what it is for.
type ClassedPage struct {
	Class string // as in the configuration: 502, limits
	PageSpec
}

// All returns the pages in the order of PagesSpec.
func (p PagesSpec) All() []ClassedPage {
	return []ClassedPage{
		{"403", p.Forbidden}, {"421", p.Misdirected}, {"502", p.BadGateway}, {"503", p.Unavailable}, {"504", p.Timeout},
		{"limits", p.Limits}, {"maintenance", p.Maintenance},
	}
}

// PageSpec is one page: HTML, or a path of the site to take it from.
// Default: the edge's own page.
type PageSpec struct {
	// HTML is the page, at most 256 KiB.
	HTML string `yaml:"html,omitempty" json:"html,omitempty"`

	// Path is where the origin has it, such as /errors/502.html. It is
	// fetched once, while the origin is well, and kept.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
}

// MaintenanceSpec closes the site for a while.
type MaintenanceSpec struct {
	// On answers everybody with the maintenance page. Default: false.
	On bool `yaml:"on,omitempty" json:"on,omitempty"`

	// Allow names addresses and prefixes that are let in all the same.
	// Default: none.
	Allow []string `yaml:"allow,omitempty" json:"allow,omitempty"`

	// RetryAfter is when visitors are asked to come back. Default: 5m.
	RetryAfter Duration `yaml:"retry_after,omitempty" json:"retry_after,omitzero"`
}

// AllHosts returns the hosts, or what stands for them where none are named.
func (z ZoneSpec) AllHosts() []string {
	if len(z.Hosts) == 0 {
		return []string{z.Name}
	}
	return z.Hosts
}

// Resolved returns the zone with every default filled in. It shares no
// memory with z.
func (z ZoneSpec) Resolved() ZoneSpec {
	z = clone(z)
	z.Hosts = z.AllHosts()
	z.Origin = z.Origin.resolved()
	z.Cache = z.Cache.resolved()
	z.Compression = z.Compression.resolved()
	setDefault(&z.TLS.MinVersion, TLS12)
	setDefault(&z.TrustedHops.Field, defaultHopsField)
	setDefault(&z.Maintenance.RetryAfter, defaultMaintenanceRetry)
	return z
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c CacheSpec) resolved() CacheSpec {
	setDefault(&c.MaxObject, defaultMaxObject)
	setDefault(&c.Heuristic, defaultHeuristic)
	setDefault(&c.WhenDown, defaultWhenDown)
	setDefault(&c.SetCookie, SetCookieReplay)
	setDefault(&c.Bounds.Floor, defaultFloor)
	setDefault(&c.Bounds.Variants, defaultVariants)
	setDefault(&c.Bounds.Waiters, defaultWaiters)
	return c
}
