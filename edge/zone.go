package edge

import (
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall/edge/origin"
	"github.com/seawall-edge/seawall/internal/forwarded"
	"github.com/seawall-edge/seawall/internal/prefix"
	"github.com/seawall-edge/seawall/spec"
)

// zone is a compiled ZoneSpec. Nothing of it changes but the state behind its
// pointers, which outlives it.
type zone struct {
	name      string
	spec      spec.ZoneSpec // resolved; what Apply compares with, and nothing else reads on the way of a request
	keyPrefix []byte        // begins every cache key of this zone, and of no other
	origin    *origin.Group
	state     *zoneState

	rules       zoneRules
	compression compression
	cache       cacheRules

	hops      *prefix.Set // nil: nobody in front is trusted
	hopsField forwarded.Kind

	tls13    bool      // the oldest version of TLS that is spoken
	hsts     []byte    // for answers over TLS; nil: none
	visitors *visitors // nil: no certificate is asked for

	closed     bool        // for maintenance
	guests     *prefix.Set // who is let in all the same
	retryAfter []byte      // seconds

	pages *ownPages
}

// zoneState is what a zone keeps when its spec changes.
type zoneState struct {
	counters ZoneCounters
	switches switches
	told     atomic.Int64 // when it was last said that there is no certificate, Unix seconds
}

// compile makes a zone from its resolved spec. What did not change is taken
// over from the version before, which may be nil: counters always, the
// origin's connections and what is known of its health if its spec is the same.
func (e *Edge) compile(s spec.ZoneSpec, before *zone) (*zone, error) {
	z, err := e.outline(s)
	if err != nil {
		return nil, err
	}
	if before != nil {
		z.state = before.state
		if reflect.DeepEqual(before.spec.Origin, s.Origin) {
			z.origin = before.origin
		}
	}
	if z.pages, err = e.compilePages(z); err != nil {
		return nil, fmt.Errorf("zone %s: %w", s.Name, err)
	}
	if z.origin == nil {
		z.origin, err = origin.New(origin.Config{Zone: s.Name, Host: exactHost(s.Hosts), Origin: s.Origin, Shared: e.config.Origins})
		if err != nil {
			return nil, fmt.Errorf("zone %s: %w", s.Name, err)
		}
	}
	e.openCache(z)
	e.startFetching(z)
	return z, nil
}

// outline makes what of a zone is rules: nothing is opened, asked or started.
func (e *Edge) outline(s spec.ZoneSpec) (*zone, error) {
	z := &zone{
		name:        s.Name,
		spec:        s,
		keyPrefix:   append([]byte(s.Name), 0),
		closed:      s.Maintenance.On,
		retryAfter:  fmt.Appendf(nil, "%d", max(1, int64(s.Maintenance.RetryAfter.Duration()/time.Second))),
		compression: compileCompression(s.Compression),
		tls13:       s.TLS.MinVersion == spec.TLS13,
		hsts:        hstsValue(s.TLS.HSTS),
		cache:       compileCache(s),
		state:       &zoneState{},
	}
	var err error
	if z.visitors, err = compileVisitors(s.Name, s.TLS.ClientCertificates); err != nil {
		return nil, fmt.Errorf("zone %s: %w", s.Name, err)
	}
	if z.hops, err = prefixes(s.TrustedHops.Addresses); err != nil {
		return nil, fmt.Errorf("zone %s: trusted hops: %w", s.Name, err)
	}
	if strings.EqualFold(s.TrustedHops.Field, "Forwarded") {
		z.hopsField = forwarded.ForwardedField
	}
	if z.guests, err = prefixes(s.Maintenance.Allow); err != nil {
		return nil, fmt.Errorf("zone %s: maintenance: %w", s.Name, err)
	}
	if err := compileRules(z, s); err != nil {
		return nil, fmt.Errorf("zone %s: %w", s.Name, err)
	}
	return z, nil
}

// prefixes compiles a list; an empty one is nil, which contains nobody.
func prefixes(texts []string) (*prefix.Set, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	set, wrong := prefix.Parse(texts)
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s: %s", texts[wrong[0].Index], wrong[0].Text)
	}
	return set, nil
}

// exactHost returns the first host that is no wildcard; "" if there is none.
func exactHost(hosts []string) string {
	for _, host := range hosts {
		if !strings.Contains(host, "*") {
			return host
		}
	}
	return ""
}

// Switch is a part of what the edge does that an operator can switch off for
// a while, to see whether it is what goes wrong.
type Switch uint8

// The switches.
const (
	SwitchCache       Switch = iota // nothing is answered from the cache and nothing kept
	SwitchRewrite                   // answers pass as the origin made them: no field hidden or rewritten, nothing kept
	SwitchMaintenance               // everybody is let in
	SwitchAccess                    // nobody is turned away by a list
	SwitchRules                     // nobody is sent elsewhere, no field or path is changed by a rule
	switchCount
)

var switchNames = [switchCount]string{"cache", "rewrite", "maintenance", "access", "rules"}

// String returns the name that `seawall bypass` knows.
func (s Switch) String() string { return switchNames[s] }

// ParseSwitch finds a switch by its name.
func ParseSwitch(name string) (Switch, bool) {
	for i, n := range switchNames {
		if n == name {
			return Switch(i), true
		}
	}
	return 0, false
}

// switches holds until when each is off, in Unix nanoseconds; they end by themselves.
type switches [switchCount]atomic.Int64

// off reports whether a part is switched off at a moment in Unix nanoseconds.
func (s *switches) off(which Switch, now int64) bool { return now < s[which].Load() }

// Bypass switches a part off for a zone until a moment; one that has passed
// switches it on again. It reports whether there is such a zone.
func (e *Edge) Bypass(zone string, which Switch, until time.Time) bool {
	for _, z := range e.zones.Load().list {
		if z.name == zone {
			z.state.switches[which].Store(until.UnixNano())
			return true
		}
	}
	return false
}
