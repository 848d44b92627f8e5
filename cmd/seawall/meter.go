package main

import (
	"time"

	"github.com/seawall-edge/seawall/edge"
	"github.com/seawall-edge/seawall/edge/metrics"
)

// Rejected implements daemon.
func (d *dataPlane) Rejected() { d.broken.Store(true) }

// Metrics implements daemon: it gathers what the rooms count.
func (d *dataPlane) Metrics() metrics.Snapshot {
	totals, events := d.edge.Totals(), d.journal.Stats()
	open, accepted := d.server.Connections()
	done, failed := d.server.Handshakes()
	s := metrics.Snapshot{
		HandshakesDone: uint64(done), HandshakesFailed: uint64(failed),
		ConnectionsOpen: int64(open), ConnectionsAccepted: uint64(accepted),
		BytesIn: uint64(totals.BytesIn), BytesOut: uint64(totals.BytesOut),
		Durations:  metrics.Histogram{Sum: float64(totals.Nanos) / float64(time.Second)},
		CacheBytes: totals.Memory.Bytes, CacheObjects: totals.Memory.Objects, CacheEvictions: uint64(totals.Memory.Evicted), CacheWaiting: totals.Memory.Waiting,
		OriginOpened: uint64(totals.Origins.Opened), OriginReused: uint64(totals.Origins.Reused), OriginFailed: uint64(totals.Origins.Failed),
		EventsDropped:           events.Dropped,
		JournalWriteErrors:      events.LogErrors + events.StoreErrors,
		ConfigurationGeneration: uint64(d.generation.Load()),
		ReloadSucceeded:         !d.broken.Load(),
		ReloadTime:              time.Unix(d.reloaded.Load(), 0),
	}
	s.OriginWaiting = totals.Origins.Waiting
	for _, zone := range d.edge.ZoneTotals() {
		for _, server := range zone.Servers {
			for i := range s.OriginServers {
				if metrics.OriginState(i) == server.State {
					s.OriginServers[i]++
				}
			}
		}
	}
	copyCounts(s.Requests[:], totals.Actions[:])
	copyCounts(s.Answers[:], totals.Status[:])
	copyCounts(s.Refusals[:], totals.Reasons[:])
	copyCounts(s.ConnectionsRefused[:], totals.Reasons[:]) // of these, the page shows those about connections
	copyCounts(s.Cache[:], totals.Cache[:])
	copyCounts(s.Stores[:], totals.Store[:])
	for _, bound := range edge.DurationBounds {
		s.Durations.Bounds = append(s.Durations.Bounds, float64(bound)/float64(time.Second))
	}
	s.Durations.Counts = make([]uint64, len(totals.Durations))
	copyCounts(s.Durations.Counts, totals.Durations[:])
	return s
}

func copyCounts(to []uint64, from []int64) {
	for i := range to {
		to[i] = uint64(from[i])
	}
}
