package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/seawall-edge/seawall"
)

// sample is a Snapshot in which every counter differs from every other.
func sample() Snapshot {
	s := Snapshot{
		ConnectionsOpen: 3, ConnectionsAccepted: 1001, BytesIn: 1002, BytesOut: 1003, CacheBytes: 1004, CacheObjects: 1005,
		CacheEvictions: 1006, OriginOpened: 1007, OriginReused: 1008, OriginFailed: 1009, JournalWriteErrors: 1010,
		OriginServers: [OriginStates]int{31, 32, 33, 34, 35}, OriginWaiting: 36,
		ConfigurationGeneration: 1011, ReloadSucceeded: true, ReloadTime: time.UnixMilli(1_700_000_000_500),
		Durations: Histogram{Bounds: []float64{0.001, 0.01}, Counts: []uint64{5, 7, 11}, Sum: 2.5},
	}
	fill(s.Requests[:], 2000)
	fill(s.Answers[:], 2100)
	fill(s.Refusals[:], 2200)
	fill(s.Cache[:], 2300)
	fill(s.Stores[:], 2400)
	fill(s.EventsDropped[:], 2500)
	s.ConnectionsRefused[seawall.ReasonConnections] = 2600
	s.ConnectionsRefused[seawall.ReasonHeadTimeout] = 2601
	return s
}

func fill(counts []uint64, from uint64) {
	for i := range counts {
		counts[i] = from + uint64(i)
	}
}

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestHandler_showsEveryValueOfTheSnapshot(t *testing.T) {
	w := get(t, Handler(sample), "GET", "/metrics")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(w.Body.String()) {
		lines[strings.TrimSpace(line)] = true
	}
	for _, want := range []string{
		`seawall_connections_open 3`,
		`seawall_connections_accepted_total 1001`,
		`seawall_origin_servers{state="well"} 31`,
		`seawall_origin_servers{state="down"} 35`,
		`seawall_origin_requests_waiting 36`,
		`seawall_connections_refused_total{reason="connections"} 2600`,
		`seawall_connections_refused_total{reason="draining"} 0`,
		`seawall_connections_refused_total{reason="head-timeout"} 2601`,
		`seawall_requests_total{action="passed"} 2000`,
		`seawall_requests_total{action="failed"} 2002`,
		`seawall_answers_total{class="none"} 2100`,
		`seawall_answers_total{class="5xx"} 2105`,
		`seawall_refusals_total{action="refused",reason="request-line"} 2201`,
		`seawall_refusals_total{action="failed",reason="internal"} ` + number(2200+int(seawall.ReasonInternal)),
		`seawall_cache_results_total{result="hit"} 2301`,
		`seawall_cache_results_total{result="bypass"} 2307`,
		`seawall_store_results_total{result="stored"} 2401`,
		`seawall_store_results_total{result="undecided"} 2415`,
		`seawall_received_bytes_total 1002`,
		`seawall_sent_bytes_total 1003`,
		`seawall_cache_bytes 1004`,
		`seawall_cache_objects 1005`,
		`seawall_cache_evictions_total 1006`,
		`seawall_origin_connections_total{result="opened"} 1007`,
		`seawall_origin_connections_total{result="reused"} 1008`,
		`seawall_origin_connections_total{result="failed"} 1009`,
		`seawall_events_dropped_total{action="refused"} 2501`,
		`seawall_journal_write_errors_total 1010`,
		`seawall_configuration_generation 1011`,
		`seawall_configuration_last_reload_successful 1`,
		`seawall_configuration_last_reload_success_timestamp_seconds 1.7000000005e+09`,
		`seawall_request_duration_seconds_bucket{le="0.001"} 5`,
		`seawall_request_duration_seconds_bucket{le="0.01"} 12`,
		`seawall_request_duration_seconds_bucket{le="+Inf"} 23`,
		`seawall_request_duration_seconds_sum 2.5`,
		`seawall_request_duration_seconds_count 23`,
	} {
		if !lines[want] {
			t.Errorf("no line %q", want)
		}
	}
}

func TestHandler_isReadByTheLibrarysParser(t *testing.T) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(get(t, Handler(sample), "GET", "/metrics").Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"seawall_requests_total", durations.name, "go_goroutines", "process_open_fds"} {
		if families[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	ours := 0
	for name, family := range families {
		if !strings.HasPrefix(name, "seawall_") {
			continue
		}
		ours++
		if n := len(family.GetMetric()); n > seawall.Reasons {
			t.Errorf("%s has %d series, more than there are reasons", name, n)
		}
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "zone" || label.GetValue() == "" {
					t.Errorf("%s has the label %s=%q", name, label.GetName(), label.GetValue())
				}
			}
		}
	}
	if want := len(table) + 1; ours != want {
		t.Errorf("%d metrics of our own, want %d", ours, want)
	}
}

func TestHandler_namesMetricsAsTheLibraryAsksFor(t *testing.T) {
	problems, err := testutil.GatherAndLint(registry(sample))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, m := range table {
		if !strings.HasPrefix(m.name, "seawall_") || strings.HasSuffix(m.name, "_total") != (m.kind == counter) {
			t.Errorf("%s: want seawall_ before, and _total behind counters only", m.name)
		}
	}
}

func TestHandler_showsAnEmptySnapshot(t *testing.T) {
	w := get(t, Handler(func() Snapshot { return Snapshot{} }), "GET", "/metrics")
	for _, want := range []string{
		"seawall_configuration_last_reload_successful 0\n",
		"seawall_configuration_last_reload_success_timestamp_seconds 0\n",
		`seawall_request_duration_seconds_bucket{le="+Inf"} 0` + "\n",
	} {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("status %d, want a line %q", w.Code, want)
		}
	}
}

func TestHistogram_bearsCountsThatDoNotFit(t *testing.T) {
	cases := []struct {
		name   string
		h      Histogram
		count  uint64
		atLast uint64
	}{
		{"as it should be", Histogram{Bounds: []float64{1, 2}, Counts: []uint64{1, 2, 4}}, 7, 3},
		{"none above the last bound", Histogram{Bounds: []float64{1, 2}, Counts: []uint64{1, 2}}, 3, 3},
		{"too few", Histogram{Bounds: []float64{1, 2}, Counts: []uint64{1}}, 1, 1},
		{"too many", Histogram{Bounds: []float64{1, 2}, Counts: []uint64{1, 2, 4, 8}}, 15, 3},
	}
	for _, c := range cases {
		count, buckets := c.h.cumulative()
		if count != c.count || buckets[2] != c.atLast {
			t.Errorf("%s: %d, %d up to the last bound; want %d, %d", c.name, count, buckets[2], c.count, c.atLast)
		}
	}
}

func TestSnapshot_countsAnswersByClass(t *testing.T) {
	var s Snapshot
	for _, status := range []int{0, 99, 600, -1, 100, 204, 308, 421, 599} {
		s.Answered(status, 1)
	}
	if want := [6]uint64{4, 1, 1, 1, 1, 1}; s.Answers != want {
		t.Errorf("%v, want %v", s.Answers, want)
	}
}

func TestMux_saysWhetherTheNodeIsAliveAndReady(t *testing.T) {
	ready := true
	mux := Mux(sample, func() bool { return ready })
	expect := func(when, method, path string, status int) {
		t.Helper()
		if w := get(t, mux, method, path); w.Code != status {
			t.Errorf("%s: %s %s: status %d, want %d", when, method, path, w.Code, status)
		}
	}
	expect("ready", "GET", "/healthz", 200)
	expect("ready", "GET", "/readyz", 200)
	expect("ready", "HEAD", "/readyz", 200)
	expect("ready", "GET", "/metrics", 200)
	expect("ready", "POST", "/metrics", 405)
	expect("ready", "GET", "/", 404)
	ready = false
	expect("draining", "GET", "/healthz", 200)
	expect("draining", "GET", "/readyz", 503)
	expect("draining", "GET", "/metrics", 200)
}
