package edge

import (
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/cache"
	"github.com/seawall-edge/seawall/edge/origin"
)

// ZoneCounters is what a zone may be charged or judged by. They are bumped
// on the ladder itself and never derived from Events, which may be dropped.
type ZoneCounters struct {
	Requests, Hits, Refused, Failed atomic.Int64
	BytesIn, BytesOut               atomic.Int64
}

// DurationBounds are the upper bounds of the duration histogram, in nanoseconds.
var DurationBounds = [...]int64{
	int64(100 * time.Microsecond), int64(250 * time.Microsecond), int64(time.Millisecond), int64(2500 * time.Microsecond),
	int64(10 * time.Millisecond), int64(25 * time.Millisecond), int64(100 * time.Millisecond), int64(250 * time.Millisecond),
	int64(time.Second), int64(2500 * time.Millisecond), int64(10 * time.Second),
}

// Counters is what happened on one ring of the node, or on all together.
// Their order is that of the enumerations in package seawall.
type Counters struct {
	Actions   [3]atomic.Int64
	Status    [6]atomic.Int64 // by first digit; 0: closed without an answer
	Reasons   [seawall.Reasons]atomic.Int64
	Cache     [seawall.CacheResults]atomic.Int64
	Store     [seawall.StoreResults]atomic.Int64
	Durations [len(DurationBounds) + 1]atomic.Int64
	Nanos     atomic.Int64 // sum of all durations
	BytesIn   atomic.Int64
	BytesOut  atomic.Int64
	_         [64]byte // the next ring's counters begin on another cache line
}

// count bumps everything that one finished request counts in.
func (c *Counters) count(e *seawall.Event) {
	c.Actions[e.Action].Add(1)
	if class := e.Status / 100; class < 6 {
		c.Status[class].Add(1)
	}
	if e.Reason != seawall.ReasonNone {
		c.Reasons[e.Reason].Add(1)
	}
	c.Cache[e.Cache].Add(1)
	if e.Store != seawall.StoreNone {
		c.Store[e.Store].Add(1)
	}
	bucket := 0
	for bucket < len(DurationBounds) && e.Duration > DurationBounds[bucket] {
		bucket++
	}
	c.Durations[bucket].Add(1)
	c.Nanos.Add(e.Duration)
	c.BytesOut.Add(e.BytesOut)
	if e.BytesIn > 0 {
		c.BytesIn.Add(e.BytesIn)
	}
}

func (z *ZoneCounters) count(e *seawall.Event) {
	z.Requests.Add(1)
	switch e.Action {
	case seawall.ActionRefused:
		z.Refused.Add(1)
	case seawall.ActionFailed:
		z.Failed.Add(1)
	case seawall.ActionPassed:
		if e.Cache.FromCache() {
			z.Hits.Add(1)
		}
	}
	z.BytesOut.Add(e.BytesOut)
	if e.BytesIn > 0 {
		z.BytesIn.Add(e.BytesIn)
	}
}

// Totals is a copy of the node's counters at a moment.
type Totals struct {
	Actions   [3]int64
	Status    [6]int64
	Reasons   [seawall.Reasons]int64
	Cache     [seawall.CacheResults]int64
	Store     [seawall.StoreResults]int64
	Durations [len(DurationBounds) + 1]int64
	Nanos     int64
	BytesIn   int64
	BytesOut  int64
	Memory    cache.Stats
	Origins   origin.Stats
	Zones     int
}

// Totals sums the rings up.
func (e *Edge) Totals() Totals {
	var t Totals
	for i := range e.counters {
		c := &e.counters[i]
		addAll(t.Actions[:], c.Actions[:])
		addAll(t.Status[:], c.Status[:])
		addAll(t.Reasons[:], c.Reasons[:])
		addAll(t.Cache[:], c.Cache[:])
		addAll(t.Store[:], c.Store[:])
		addAll(t.Durations[:], c.Durations[:])
		t.Nanos += c.Nanos.Load()
		t.BytesIn += c.BytesIn.Load()
		t.BytesOut += c.BytesOut.Load()
	}
	if e.cache != nil {
		t.Memory = e.cache.Stats()
	}
	list := e.zones.Load().list
	t.Zones = len(list)
	for _, z := range list {
		one := z.origin.Stats()
		t.Origins.Opened += one.Opened
		t.Origins.Reused += one.Reused
		t.Origins.Failed += one.Failed
		t.Origins.Idle += one.Idle
		t.Origins.Waiting += one.Waiting
	}
	return t
}

func addAll(to []int64, from []atomic.Int64) {
	for i := range from {
		to[i] += from[i].Load()
	}
}

// ZoneTotals is a copy of one zone's counters at a moment, and how it is.
type ZoneTotals struct {
	Name                            string
	Requests, Hits, Refused, Failed int64
	BytesIn, BytesOut               int64

	Waiting     int // requests, for a server that has time
	CacheBytes  int64
	Collapsed   int64 // requests that wait now for what another has asked for
	Maintenance bool
	Bypassed    map[Switch]time.Duration // how long each part is still off
	Servers     []origin.ServerStatus
}

// ZoneTotals returns every zone's counters.
func (e *Edge) ZoneTotals() []ZoneTotals {
	now := time.Now()
	list := e.zones.Load().list
	totals := make([]ZoneTotals, len(list))
	for i, z := range list {
		c := &z.state.counters
		t := ZoneTotals{
			Name: z.name, Requests: c.Requests.Load(), Hits: c.Hits.Load(), Refused: c.Refused.Load(), Failed: c.Failed.Load(),
			BytesIn: c.BytesIn.Load(), BytesOut: c.BytesOut.Load(),
			Waiting: z.origin.Stats().Waiting, Maintenance: z.closed, Servers: z.origin.Servers(),
		}
		if z.cache.zone != nil {
			t.CacheBytes, t.Collapsed = z.cache.zone.Stats()
		}
		for which := range switchCount {
			if left := time.Unix(0, z.state.switches[which].Load()).Sub(now); left > 0 {
				if t.Bypassed == nil {
					t.Bypassed = map[Switch]time.Duration{}
				}
				t.Bypassed[which] = left
			}
		}
		totals[i] = t
	}
	return totals
}
