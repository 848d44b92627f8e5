// Package edge is the data plane: it climbs one ladder with every request.
//
// Read ladder.go first. An Edge holds what the rungs share: the zones, which
// a reload swaps one by one, the cache, and the counters. It never waits for
// anything that is not needed to answer the request at hand.
package edge

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/edge/origin"
	"github.com/seawall-edge/seawall/edge/pages"
	"github.com/seawall-edge/seawall/internal/geo"
	"github.com/seawall-edge/seawall/internal/resolve"
	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// EventSink takes the one Event of each request. Put must not block, must
// not allocate and must not keep the pointer.
type EventSink interface {
	Put(ring int, event *seawall.Event)
}

// Config is what an Edge needs.
type Config struct {
	Events     EventSink
	Logger     *slog.Logger
	Rings      int   // how many rings connections are spread over
	CacheBytes int64 // budget of the memory cache; 256 MiB when zero
	CacheIsOff bool
	Origins    origin.Shared  // a resolver of its own when there is none
	OwnPages   spec.PagesSpec // HTML for requests without a zone
	Places     *geo.Files     // where visitors come from; nil: nobody knows
	Pages      string         // directory that keeps fetched pages over a restart; "" for none
}

// Edge serves requests for many zones. It implements the handler of every
// protocol loop.
type Edge struct {
	config   Config
	cache    *cache.Cache // nil when off
	counters []Counters   // one for each ring; summed up when somebody asks

	zones      atomic.Pointer[zoneTable]
	locate     func(*rule.Facts)          // nil: nobody knows where visitors come from
	nodeAccess atomic.Pointer[accessList] // before every zone's own; nil: none
	tlsPolicy  atomic.Pointer[TLSPolicy]  // nil: the zero value

	pages *pages.Set // for requests without a zone; nil: none

	mu       sync.Mutex        // serialises Apply; guards resolver
	resolver *resolve.Resolver // made by New, to be closed
}

// New makes an Edge without zones.
func New(config Config) (*Edge, error) {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Edge{config: config, counters: make([]Counters, max(1, config.Rings))}
	own, _, err := readPages(config.OwnPages)
	if err != nil {
		return nil, err
	}
	if e.pages, err = pages.NewSet(own); err != nil {
		return nil, err
	}
	e.config.Origins.Logger = config.Logger
	if config.Origins.Resolver == nil {
		resolver, err := resolve.New(resolve.Config{Logger: config.Logger})
		if err != nil {
			return nil, fmt.Errorf("make resolver: %w", err)
		}
		e.resolver, e.config.Origins.Resolver = resolver, resolver
	}
	e.knowPlaces(config.Places)
	if !config.CacheIsOff {
		e.cache = cache.New(cache.Config{MaxBytes: config.CacheBytes})
	}
	e.zones.Store(&zoneTable{})
	return e, nil
}

// knowPlaces has conditions ask files where a visitor comes from.
func (e *Edge) knowPlaces(places *geo.Files) {
	if places == nil {
		return
	}
	e.locate = func(f *rule.Facts) {
		place := places.Lookup(f.Address)
		f.Country, f.Network = place.Country, place.Network
	}
}

// zoneTable finds a zone by host. It is replaced, never changed.
type zoneTable struct {
	exact map[string]*zone
	below map[string]*zone // by the name that a wildcard stands in front of
	any   *zone            // takes every other host
	list  []*zone
}

// find returns the zone of a canonical host, or nil.
func (t *zoneTable) find(host []byte) *zone {
	name := unsafe.String(unsafe.SliceData(host), len(host))
	if z := t.exact[name]; z != nil {
		return z
	}
	for len(t.below) > 0 {
		dot := strings.IndexByte(name, '.')
		if dot < 0 {
			break
		}
		name = name[dot+1:]
		if z := t.below[name]; z != nil {
			return z
		}
	}
	return t.any
}

// Applied says what Apply did.
type Applied struct{ Added, Changed, Removed, Kept int }

// Apply makes these the zones that are served, touching only those that
// differ. A zone that cannot be compiled keeps its version from before, if it
// had one, and is named in the error; the others take effect all the same.
func (e *Edge) Apply(specs []spec.ZoneSpec) (Applied, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var done Applied
	var wrong []string
	before := map[string]*zone{}
	for _, z := range e.zones.Load().list {
		before[z.name] = z
	}
	table := &zoneTable{exact: map[string]*zone{}, below: map[string]*zone{}}
	for _, s := range specs {
		s = s.Resolved()
		old := before[s.Name]
		delete(before, s.Name)
		next := old
		switch {
		case old != nil && reflect.DeepEqual(old.spec, s):
			done.Kept++
		default:
			compiled, err := e.compile(s, old)
			if err != nil {
				wrong = append(wrong, err.Error())
				if old == nil {
					continue
				}
				break
			}
			next = compiled
			if old == nil {
				done.Added++
			} else {
				done.Changed++
			}
		}
		table.add(next)
	}
	previous := e.zones.Swap(table)
	e.retire(previous, table, before)
	done.Removed = len(before)
	if len(wrong) > 0 {
		return done, fmt.Errorf("compile zones: %s", strings.Join(wrong, "; "))
	}
	return done, nil
}

func (t *zoneTable) add(z *zone) {
	t.list = append(t.list, z)
	for _, host := range z.spec.Hosts {
		switch {
		case host == spec.AnyHost:
			t.any = z
		case strings.HasPrefix(host, "*."):
			t.below[host[2:]] = z
		default:
			t.exact[host] = z
		}
	}
}

// retire closes the pools that no zone uses any more and forgets what was
// cached for zones that are gone.
func (e *Edge) retire(previous, current *zoneTable, removed map[string]*zone) {
	used := map[any]bool{}
	for _, z := range current.list {
		used[z.origin] = true
	}
	serving := map[*zone]bool{}
	for _, z := range current.list {
		serving[z] = true
	}
	for _, z := range previous.list {
		if !serving[z] {
			z.stopFetching()
		}
		if !used[z.origin] {
			z.origin.Close()
		}
	}
	for _, z := range removed {
		if e.cache != nil {
			e.cache.Remove(z.name)
		}
	}
}

// Close ends what the Edge started; requests are over by then.
func (e *Edge) Close() {
	for _, z := range e.zones.Load().list {
		z.stopFetching()
		z.origin.Close()
	}
	if e.resolver != nil {
		e.resolver.Close()
	}
}
