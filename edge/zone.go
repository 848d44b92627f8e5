package edge

import (
	"fmt"

	"github.com/seawall-edge/seawall/edge/origin"
	"github.com/seawall-edge/seawall/spec"
)

// zone is a compiled ZoneSpec. Nothing of it changes but the counters behind
// its pointers, which outlive it.
type zone struct {
	name      string
	spec      spec.ZoneSpec // resolved; what Apply compares with, and nothing else reads on the way of a request
	keyPrefix []byte        // begins every cache key of this zone, and of no other
	cached    bool
	maxObject int64
	origin    *origin.Pool
	counters  *ZoneCounters
}

// compile makes a zone from its resolved spec. What did not change is taken
// over from the version before, which may be nil: counters always, the
// origin's connections if the origin is the same.
func compile(s spec.ZoneSpec, before *zone) (*zone, error) {
	z := &zone{
		name:      s.Name,
		spec:      s,
		keyPrefix: append([]byte(s.Name), 0),
		cached:    !s.Cache.Off,
		maxObject: int64(s.Cache.MaxObject),
		counters:  &ZoneCounters{},
	}
	if before != nil {
		z.counters = before.counters
		if before.spec.Origin == s.Origin {
			z.origin = before.origin
			return z, nil
		}
	}
	pool, err := origin.New(origin.Config{
		URL:              s.Origin.URL,
		ConnectTimeout:   s.Origin.ConnectTimeout.Duration(),
		FirstByteTimeout: s.Origin.FirstByteTimeout.Duration(),
		IdleTimeout:      s.Origin.IdleTimeout.Duration(),
	})
	if err != nil {
		return nil, fmt.Errorf("zone %s: %w", s.Name, err)
	}
	z.origin = pool
	return z, nil
}
