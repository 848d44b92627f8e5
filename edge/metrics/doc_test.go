package metrics

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write the table of doc/metrics.md instead of comparing it")

const (
	docFile  = "../../doc/metrics.md"
	docBegin = "<!-- begin: go test ./edge/metrics -run areDocumented -update -->\n"
	docEnd   = "<!-- end -->\n"
)

func number(n int) string { return strconv.Itoa(n) }

// documented is the table of doc/metrics.md.
func documented() string {
	var b strings.Builder
	b.WriteString("\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n")
	line := func(m metric, kind string) {
		labels := "none"
		if len(m.labels) > 0 {
			labels = "`" + strings.Join(m.labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s. |\n", m.name, kind, labels, m.help)
	}
	for _, m := range table {
		line(m, map[prometheus.ValueType]string{counter: "counter", gauge: "gauge"}[m.kind])
	}
	line(durations, "histogram")
	b.WriteString("\n")
	return b.String()
}

func TestMetrics_areDocumented(t *testing.T) {
	page, err := os.ReadFile(docFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), docBegin)
	got, after, ended := strings.Cut(rest, docEnd)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", docFile)
	}
	if *update {
		if err := os.WriteFile(docFile, []byte(before+docBegin+documented()+docEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != documented() {
		t.Errorf("the table of %s is not the one of the code; run the command that stands above it", docFile)
	}
	families, err := registry(sample).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		name := family.GetName()
		library := strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_")
		if !library && !strings.Contains(got, "| `"+name+"` |") {
			t.Errorf("%s is shown but not in %s", name, docFile)
		}
	}
}
