package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seawall-edge/seawall"
)

// emit hands one value on, with the values of the metric's labels.
type emit func(value float64, labels ...string)

// metric is one line of the table.
type metric struct {
	name   string
	kind   prometheus.ValueType
	help   string // ends without a full stop
	labels []string
	values func(s *Snapshot, emit emit) // nil for the histogram
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// durations is the one metric that is not a number.
var durations = metric{
	name: "seawall_request_duration_seconds",
	help: "Time from the complete head of a request to the end of its answer",
}

// table is every metric of Seawall's own, in the order of doc/metrics.md,
// which a test compares with it. Values of labels come from the types of the
// root package or from here, never from a visitor, so their number is bounded.
var table = []metric{
	{"seawall_build_info", gauge, "Always 1; its labels say what runs", []string{"version", "goversion"}, func(_ *Snapshot, emit emit) {
		emit(1, seawall.Version, runtime.Version())
	}},
	{"seawall_connections_open", gauge, "Connections from visitors that are open now", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.ConnectionsOpen))
	}},
	{"seawall_connections_accepted_total", counter, "Connections from visitors that were accepted", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.ConnectionsAccepted))
	}},
	{"seawall_tls_handshakes_total", counter, "TLS handshakes with visitors: done, or failed for whatever reason", []string{"result"}, func(s *Snapshot, emit emit) {
		emit(float64(s.HandshakesDone), "done")
		emit(float64(s.HandshakesFailed), "failed")
	}},
	{"seawall_connections_refused_total", counter, "Connections from visitors that were closed before a request was read, by reason", []string{"reason"}, func(s *Snapshot, emit emit) {
		for r, n := range s.ConnectionsRefused {
			if n > 0 || refusesConnections(seawall.Reason(r)) {
				emit(float64(n), seawall.Reason(r).String())
			}
		}
	}},
	{"seawall_requests_total", counter, "Requests, by what the edge did in the end: passed, refused or failed", []string{"action"}, func(s *Snapshot, emit emit) {
		emitActions(s.Requests, emit)
	}},
	{"seawall_answers_total", counter, "Answers, by class of status code; none is a connection closed without an answer", []string{"class"}, func(s *Snapshot, emit emit) {
		for class, n := range s.Answers {
			emit(float64(n), [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}[class])
		}
	}},
	{"seawall_refusals_total", counter, "Requests that were refused or failed, by reason; the action follows from the reason", []string{"action", "reason"}, func(s *Snapshot, emit emit) {
		for r, n := range s.Refusals {
			if reason := seawall.Reason(r); reason != seawall.ReasonNone {
				emit(float64(n), reason.Action().String(), reason.String())
			}
		}
	}},
	{"seawall_cache_results_total", counter, "Requests, by how the cache took part in the answer (RFC 9211)", []string{"result"}, func(s *Snapshot, emit emit) {
		for c, n := range s.Cache {
			emit(float64(n), seawall.CacheResult(c).String())
		}
	}},
	{"seawall_store_results_total", counter, "Requests, by whether the origin's answer was kept, or why it was not", []string{"result"}, func(s *Snapshot, emit emit) {
		for r, n := range s.Stores {
			emit(float64(n), seawall.StoreResult(r).String())
		}
	}},
	{"seawall_received_bytes_total", counter, "Bytes of request bodies that were read from visitors", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.BytesIn))
	}},
	{"seawall_sent_bytes_total", counter, "Bytes of heads and bodies that were sent to visitors", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.BytesOut))
	}},
	{"seawall_cache_bytes", gauge, "Bytes that stored answers take in the cache", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.CacheBytes))
	}},
	{"seawall_cache_objects", gauge, "Answers stored in the cache", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.CacheObjects))
	}},
	{"seawall_cache_evictions_total", counter, "Stored answers that had to make room for others", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.CacheEvictions))
	}},
	{"seawall_cache_requests_waiting", gauge, "Requests that wait for an answer which another request has asked for", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.CacheWaiting))
	}},
	{"seawall_origin_connections_total", counter, "Connections to origins: opened, reused for one more request, or failed to open", []string{"result"}, func(s *Snapshot, emit emit) {
		emit(float64(s.OriginOpened), "opened")
		emit(float64(s.OriginReused), "reused")
		emit(float64(s.OriginFailed), "failed")
	}},
	{"seawall_origin_servers", gauge, "Servers of all zones, by how they are: well, coming back, tried, resting after failures, or down by their check", []string{"state"}, func(s *Snapshot, emit emit) {
		for i, n := range s.OriginServers {
			emit(float64(n), OriginState(i))
		}
	}},
	{"seawall_origin_requests_waiting", gauge, "Requests that wait for a server to have time", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.OriginWaiting))
	}},
	{"seawall_events_dropped_total", counter, "Events that found no room on their way to the journal, by the action of their request", []string{"action"}, func(s *Snapshot, emit emit) {
		emitActions(s.EventsDropped, emit)
	}},
	{"seawall_journal_write_errors_total", counter, "Writes of the access log or the journal that failed", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.JournalWriteErrors))
	}},
	{"seawall_configuration_generation", gauge, "Number of the configuration in force", nil, func(s *Snapshot, emit emit) {
		emit(float64(s.ConfigurationGeneration))
	}},
	{"seawall_configuration_last_reload_successful", gauge, "1 if the last attempt to load a configuration succeeded, 0 if the one before stays in force", nil, func(s *Snapshot, emit emit) {
		if s.ReloadSucceeded {
			emit(1)
		} else {
			emit(0)
		}
	}},
	{"seawall_configuration_last_reload_success_timestamp_seconds", gauge, "Unix time at which a configuration was last loaded with success; 0 before the first", nil, func(s *Snapshot, emit emit) {
		if s.ReloadTime.IsZero() {
			emit(0)
		} else {
			emit(float64(s.ReloadTime.UnixMilli()) / 1e3)
		}
	}},
}

// refusesConnections reports the reasons for which a connection is refused as
// such. Their series exist from the start, so that a rate can be taken of the
// first refusal.
func refusesConnections(r seawall.Reason) bool {
	switch r {
	case seawall.ReasonConnections, seawall.ReasonConnectionsPerAddress, seawall.ReasonDraining, seawall.ReasonShortage, seawall.ReasonProxyHeader:
		return true
	}
	return false
}

func emitActions(counts [actions]uint64, emit emit) {
	for a, n := range counts {
		emit(float64(n), seawall.Action(a).String())
	}
}
