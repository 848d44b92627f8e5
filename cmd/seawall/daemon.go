package main

import (
	"context"
	"time"

	"github.com/seawall-edge/seawall/edge/metrics"
)

// daemon is the data plane as the command sees it. Its methods may be called
// from any goroutine.
type daemon interface {
	// Reload makes the zones of a valid, resolved configuration the ones
	// that are served. Only Zones and Limits.DrainTimeout differ from what
	// the daemon was started with. An error says which zones kept their
	// version from before; the others have changed.
	Reload(Config) error

	// Rejected hears of a reload that was refused for its mistakes.
	Rejected()

	// ReopenLogs closes and opens the files of logs that somebody renamed.
	ReopenLogs()

	// Drain takes no more connections and returns when the last request is
	// over and everything is stopped. When the context ends it cuts what is
	// left and says in the error what that was.
	Drain(context.Context) error

	// Status returns what `seawall status` shows. Version, PID and Uptime
	// are filled in by the caller where they are empty.
	Status() Status

	// Metrics returns what /metrics shows.
	Metrics() metrics.Snapshot

	// Ready reports whether visitors are served; it is false while draining.
	Ready() bool
}

// Status is the answer to GET /status on the admin address.
type Status struct {
	Version       string       `json:"version"`
	PID           int          `json:"pid"`
	Started       time.Time    `json:"started"`
	UptimeSeconds int64        `json:"uptime_seconds"`
	Ready         bool         `json:"ready"`
	Draining      bool         `json:"draining"`
	Connections   int64        `json:"connections"`    // open now
	EventsDropped uint64       `json:"events_dropped"` // since the start
	Zones         []ZoneStatus `json:"zones"`
}

// ZoneStatus is what happened in a zone since the start. Requests holds the
// others.
type ZoneStatus struct {
	Zone     string `json:"zone"`
	Requests int64  `json:"requests"`
	Hits     int64  `json:"hits"` // answered from the cache
	Refused  int64  `json:"refused"`
	Failed   int64  `json:"failed"`
}
