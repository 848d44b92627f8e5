// Package metrics shows the node's counters to Prometheus, and whether the
// node is alive and ready to whoever asks.
//
// It is the room of the Prometheus library. Nobody counts with that library:
// counters belong to those who bump them, and are gathered into a Snapshot of
// plain values when somebody asks. So a request never pays for a metric, and
// what is shown is of one moment. There are no zones here: their number is
// not bounded, and what their owners read comes from elsewhere.
package metrics

import (
	"io"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrapesAtOnce bounds what a flood on the metrics address can cost; more are
// answered with 503.
const scrapesAtOnce = 4

// Handler answers with all metrics, Seawall's own and those of the Go runtime
// and the process (go_*, process_*). It calls snapshot once for each scrape,
// from any goroutine.
func Handler(snapshot func() Snapshot) http.Handler {
	return promhttp.HandlerFor(registry(snapshot), promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce})
}

// Mux answers /metrics, /healthz (200 while the process runs) and /readyz
// (200 while the node should be sent visitors, 503 when ready reports false:
// before it serves and while it drains).
func Mux(snapshot func() Snapshot, ready func() bool) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", Handler(snapshot))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		say(w, http.StatusOK, "alive\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ready() {
			say(w, http.StatusOK, "ready\n")
			return
		}
		say(w, http.StatusServiceUnavailable, "not ready\n")
	})
	return mux
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the one who asked has left; there is nobody to tell
}

func registry(snapshot func() Snapshot) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(newCollector(snapshot), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// collector turns a Snapshot into what the library wants. Nothing in it
// changes after it was made.
type collector struct {
	snapshot  func() Snapshot
	described []*prometheus.Desc // one for each line of the table
	durations *prometheus.Desc
}

func newCollector(snapshot func() Snapshot) *collector {
	c := &collector{snapshot: snapshot, durations: prometheus.NewDesc(durations.name, durations.help+".", nil, nil)}
	for _, m := range table {
		c.described = append(c.described, prometheus.NewDesc(m.name, m.help+".", m.labels, nil))
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.described {
		out <- d
	}
	out <- c.durations
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	s := c.snapshot()
	for i, m := range table {
		m.values(&s, func(value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(c.described[i], m.kind, value, labels...)
		})
	}
	count, buckets := s.Durations.cumulative()
	out <- prometheus.MustNewConstHistogram(c.durations, count, s.Durations.Sum, buckets)
}

// cumulative returns the number of all observations and, for each bound, of
// those not above it. Counts that are missing are zero; counts too many are
// above the last bound.
func (h Histogram) cumulative() (count uint64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(h.Bounds))
	for i := range max(len(h.Bounds), len(h.Counts)) {
		if i < len(h.Counts) {
			count += h.Counts[i]
		}
		if i < len(h.Bounds) {
			buckets[h.Bounds[i]] = count
		}
	}
	return count, buckets
}
