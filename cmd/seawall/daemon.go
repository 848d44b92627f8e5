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
	// that are served. Only Zones, Node and Limits.DrainTimeout differ from what
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

	// Bypass switches parts of what is done for a zone off for a while; zero
	// switches them on again. The error is a sentence for the operator.
	Bypass(zone string, parts []string, wait time.Duration) error

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
	Generation    int64        `json:"generation"`     // of the configuration, from 1
	CacheBytes    int64        `json:"cache_bytes"`
	CacheObjects  int64        `json:"cache_objects"`
	Pressure      string       `json:"pressure"` // normal, or what is done about a shortage
	Zones         []ZoneStatus `json:"zones"`

	Places []PlaceStatus `json:"places,omitempty"` // files that say where visitors come from
}

// ZoneStatus is what happened in a zone since the start. Requests holds the
// others.
type ZoneStatus struct {
	Zone     string `json:"zone"`
	Requests int64  `json:"requests"`
	Hits     int64  `json:"hits"` // answered from the cache
	Refused  int64  `json:"refused"`
	Failed   int64  `json:"failed"`
	Waiting  int    `json:"waiting"` // now, for a server that has time

	CacheBytes   int64 `json:"cache_bytes"`
	CacheWaiting int64 `json:"cache_waiting"` // requests that wait now for what another has asked for

	Maintenance bool             `json:"maintenance,omitempty"`
	Bypassed    map[string]int64 `json:"bypassed,omitempty"` // seconds left, by what an operator has switched off
	Servers     []ServerStatus   `json:"servers"`
}

// ServerStatus is how one server of a zone is.
type ServerStatus struct {
	Name     string    `json:"name"`
	URL      string    `json:"url"`
	Backup   bool      `json:"backup,omitempty"`
	State    string    `json:"state"`         // well, careful, trial, resting or down
	Why      string    `json:"why,omitempty"` // what went wrong last
	Since    time.Time `json:"since,omitzero"`
	Requests int64     `json:"requests"` // now
	Idle     int       `json:"idle"`     // connections now
	Opened   int64     `json:"opened"`   // connections since the start
	Failures int64     `json:"failures"` // requests that it failed
}
