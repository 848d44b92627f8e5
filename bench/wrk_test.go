package main

import (
	"strings"
	"testing"
	"time"
)

const wrkReport = `Running 3s test @ http://127.0.0.1:8080/1k.css
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.33ms  505.12us  12.40ms   93.10%
    Req/Sec    45.80k     2.11k   48.20k    83.33%
  Latency Distribution
     50%  704.00us
     75%    1.50ms
     90%    1.80ms
     99%    1.04s
  137400 requests in 3.00s, 182.50MB read
Requests/sec:  45802.11
Transfer/sec:     60.83MB
`

func TestParseWrk_readsEveryFigure(t *testing.T) {
	got, err := parseWrk(wrkReport)
	if err != nil {
		t.Fatal(err)
	}
	want := load{Requests: 137400, PerSecond: 45802.11, Bytes: 182.5 * 1024 * 1024, P50: 704 * time.Microsecond, P99: 1040 * time.Millisecond}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseWrk_countsFailures(t *testing.T) {
	got, err := parseWrk(wrkReport + "  Socket errors: connect 1, read 20, write 0, timeout 300\n  Non-2xx or 3xx responses: 4000\n")
	if err != nil || got.Failures != 4321 {
		t.Errorf("got %d failures and %v, want 4321", got.Failures, err)
	}
}

func TestParseWrk_refusesAnIncompleteReport(t *testing.T) {
	for _, line := range []string{"     50%  704.00us\n", "     99%    1.04s\n", "Requests/sec:  45802.11\n", "  137400 requests in 3.00s, 182.50MB read\n"} {
		if _, err := parseWrk(strings.Replace(wrkReport, line, "", 1)); err == nil {
			t.Errorf("no error without %q", line)
		}
	}
	if _, err := parseWrk(strings.Replace(wrkReport, "704.00us", "704.00xs", 1)); err == nil {
		t.Error("no error for an unknown unit of time")
	}
}

func TestParseWrkBytes_knowsTheUnits(t *testing.T) {
	for text, want := range map[string]float64{"512.00B": 512, "1.50KB": 1536, "2.00MB": 2 << 20, "3.25GB": 3.25 * (1 << 30)} {
		if got, err := parseWrkBytes(text); err != nil || got != want {
			t.Errorf("%s: got %v and %v, want %v", text, got, err, want)
		}
	}
	if _, err := parseWrkBytes("MB"); err == nil {
		t.Error("no error for a unit without a number")
	}
}
