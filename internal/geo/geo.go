// Package geo answers from which country an address is and to which network
// (autonomous system) it belongs, as files say that the operator supplies.
//
// The files are in MaxMind's DB format, which every provider of such data
// writes. A file is read when it changed and turned into sorted ranges of
// addresses with the one fact that is asked for; nothing else of it is kept.
// So a look-up is a search in an array: no lock, no memory, and no decoding
// of what a stranger wrote while a visitor waits. Whatever is wrong with a
// file is found while reading it, and leaves the last good one in use.
//
// It is the one room of github.com/oschwald/maxminddb-golang.
package geo

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

const (
	defaultEvery  = 30 * time.Second
	defaultMaxAge = 180 * 24 * time.Hour
)

// Config says which files are read. Its zero value knows nothing of any
// address.
type Config struct {
	// Country and Network are the paths of the files with countries and with
	// network numbers, which may be the same. Empty: the fact is unknown.
	Country, Network string
	// Every is the time between two looks at the files. Default: 30 seconds.
	Every time.Duration
	// MaxAge is how long after it was built a file counts as stale: still
	// used, and said to be old. Default: 180 days.
	MaxAge time.Duration
	// Now is the clock that age is measured with. Default: time.Now.
	Now func() time.Time
	// Logger is told once about each file that was read, that cannot be
	// used, or that is stale. Default: nobody.
	Logger *slog.Logger
}

// Place is what is known of an address.
type Place struct {
	// Country is a code of ISO 3166-1 alpha-2 in capital letters, or one of
	// those that it leaves to users and that are common (XK). Zero: unknown.
	Country [2]byte
	// Network is the number of the autonomous system that announces the
	// address (RFC 6793). 0: unknown.
	Network uint32
}

// Files holds what the files say. It is safe for use by several goroutines.
// A nil Files knows nothing.
type Files struct {
	every   time.Duration
	country *source // nil when there is no such file
	network *source
}

// New reads the files. One that cannot be used is no error here, as it is
// none later: the fact is unknown, the logger is told, Status says why.
func New(cfg Config) *Files {
	if cfg.Every <= 0 {
		cfg.Every = defaultEvery
	}
	if cfg.MaxAge <= 0 {
		cfg.MaxAge = defaultMaxAge
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Files{
		every:   cfg.Every,
		country: newSource("country", cfg.Country, (*record).countryFact, cfg),
		network: newSource("network", cfg.Network, (*record).networkFact, cfg),
	}
	f.Reload()
	return f
}

// Lookup returns what is known of an address. An IPv4-mapped address counts
// as the IPv4 address. Addresses that are nobody's in public (private,
// loopback, link-local, multicast) are unknown whatever a file says of them.
func (f *Files) Lookup(a netip.Addr) (p Place) {
	a = a.Unmap()
	if f == nil || !a.IsGlobalUnicast() || a.IsPrivate() {
		return Place{}
	}
	fact := f.country.find(a)
	return Place{
		Country: [2]byte{byte(fact >> 8), byte(fact)},
		Network: f.network.find(a),
	}
}

// Reload reads the files again, changed or not, and returns when that is
// done: a large file takes seconds, in which look-ups go on with the old one.
// A file that is still wrong is complained about again.
func (f *Files) Reload() {
	for _, s := range f.sources() {
		s.reload()
	}
}

// Watch looks at the files at the configured interval and reads those that
// changed, until the context ends. A changed file is read once two looks in a
// row saw it the same, so that one being copied is left alone; it is in use
// at most two intervals after the last byte was written.
func (f *Files) Watch(ctx context.Context) {
	ticker := time.NewTicker(f.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, s := range f.sources() {
				s.look()
			}
		}
	}
}

// Status is the state of one file, for operators.
type Status struct {
	Fact    string    // what is taken from the file: "country" or "network"
	Path    string    // as configured
	InUse   bool      // a database is in use, this file's or the last good one's
	Problem string    // why the file as it is now cannot be used; empty: it can
	Type    string    // of the database in use, as it calls itself: "GeoLite2-Country"
	Built   time.Time // when the database in use was made
	Stale   bool      // that is longer ago than Config.MaxAge
	Nodes   uint      // of the search tree in the file
	Records int       // different records in the file
	Ranges  int       // ranges of addresses kept in memory, IPv4 and IPv6
}

// Status returns the state of every configured file, the country's first. It
// does not wait for a file that is being read.
func (f *Files) Status() (all []Status) {
	for _, s := range f.sources() {
		all = append(all, s.status())
	}
	return all
}

func (f *Files) sources() (all []*source) {
	if f == nil {
		return nil
	}
	for _, s := range []*source{f.country, f.network} {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}
