// Package spec holds what a zone's owner can set, and nothing else does.
//
// A configuration file says a ZoneSpec, the control plane stores it and the
// link carries it: one type, so that no two places disagree about what a
// setting is called or what it does when it is left out. It is what somebody
// wrote, never what the program made of it: the edge compiles its own form
// and keeps no pointer back into this one.
package spec

import (
	"slices"
	"time"
)

// What a setting that is left out means.
const (
	DefaultConnectTimeout   = Duration(5 * time.Second)
	DefaultFirstByteTimeout = Duration(60 * time.Second)
	DefaultIdleTimeout      = Duration(60 * time.Second)
	DefaultMaxObject        = Bytes(16 << 20)
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

	// Origin is the server that has the site.
	Origin OriginSpec `yaml:"origin" json:"origin"`

	// Cache says what of the site is kept at the edge.
	Cache CacheSpec `yaml:"cache,omitempty" json:"cache,omitzero"`
}

// OriginSpec is the server that has the site, and the edge's patience with it.
type OriginSpec struct {
	// URL is http or https, a host and, where it is not the scheme's own, a
	// port: https://origin.example.com:8443. It has no path, for visitors'
	// paths go to the origin as they are. Required.
	URL string `yaml:"url" json:"url"`

	// ConnectTimeout is how long a connection may take to be made, TLS
	// included. Default: 5s.
	ConnectTimeout Duration `yaml:"connect_timeout,omitempty" json:"connect_timeout,omitzero"`

	// FirstByteTimeout is how long the origin may think: from the end of the
	// request to the head of its answer. Default: 60s.
	FirstByteTimeout Duration `yaml:"first_byte_timeout,omitempty" json:"first_byte_timeout,omitzero"`

	// IdleTimeout is how long the origin may be silent in the middle of a
	// body: the time between two reads. Default: 60s.
	IdleTimeout Duration `yaml:"idle_timeout,omitempty" json:"idle_timeout,omitzero"`
}

// CacheSpec says what of the site is kept at the edge.
type CacheSpec struct {
	// Off keeps nothing and answers nothing from the cache. Default: false.
	Off bool `yaml:"off,omitempty" json:"off,omitempty"`

	// MaxObject is the largest body that is kept, in bytes; larger ones pass
	// through. Default: 16MiB.
	MaxObject Bytes `yaml:"max_object,omitempty" json:"max_object,omitzero"`
}

// Resolved returns the zone with every default filled in. It shares no
// memory with z.
func (z ZoneSpec) Resolved() ZoneSpec {
	z.Hosts = slices.Clone(z.Hosts)
	if len(z.Hosts) == 0 {
		z.Hosts = []string{z.Name}
	}
	setDefault(&z.Origin.ConnectTimeout, DefaultConnectTimeout)
	setDefault(&z.Origin.FirstByteTimeout, DefaultFirstByteTimeout)
	setDefault(&z.Origin.IdleTimeout, DefaultIdleTimeout)
	setDefault(&z.Cache.MaxObject, DefaultMaxObject)
	return z
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
