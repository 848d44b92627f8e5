package metrics

import (
	"time"

	"github.com/seawall-edge/seawall"
)

// Numbers of label values that the root package has as constants of their
// own types.
const (
	actions      = int(seawall.ActionFailed) + 1
	cacheResults = seawall.CacheResults
)

// Snapshot is everything that is measured, as plain values at one moment.
// Counters count from the start of the program and never fall. An array has
// one place for each value of its index type.
type Snapshot struct {
	// Connections from visitors.
	ConnectionsOpen     int64
	ConnectionsAccepted uint64
	HandshakesDone      uint64                  // by TLS
	HandshakesFailed    uint64                  // given up, shed, or no handshakes at all
	ConnectionsRefused  [seawall.Reasons]uint64 // closed before a request was read, by seawall.Reason

	// Requests and their answers.
	Requests  [actions]uint64         // by seawall.Action
	Answers   [6]uint64               // by status code / 100; [0] is closed without an answer
	Refusals  [seawall.Reasons]uint64 // refused and failed requests, by seawall.Reason
	Cache     [cacheResults]uint64    // by seawall.CacheResult
	Stores    [seawall.StoreResults]uint64
	BytesIn   uint64    // bytes of request bodies that were read
	BytesOut  uint64    // bytes of heads and bodies that were sent
	Durations Histogram // seconds from the complete head of a request to the end of its answer

	// The cache.
	CacheBytes     int64
	CacheObjects   int64
	CacheEvictions uint64
	CacheWaiting   int64 // requests that wait now for what another has asked for

	// Connections to origins.
	OriginOpened uint64
	OriginReused uint64 // requests sent on a connection that was already open
	OriginFailed uint64 // connections that could not be opened

	OriginServers [OriginStates]int // servers of all zones now, by OriginState
	OriginWaiting int               // requests that wait for a server now

	// What is written about requests.
	EventsDropped      [actions]uint64 // by seawall.Action
	JournalWriteErrors uint64

	// The configuration.
	ConfigurationGeneration uint64
	ReloadSucceeded         bool      // whether the last attempt to load a configuration succeeded
	ReloadTime              time.Time // when a configuration was last loaded with success
}

// Histogram is a count of observations in buckets.
type Histogram struct {
	Bounds []float64 // upper bounds (inclusive) in seconds, ascending, without infinity
	Counts []uint64  // observations in each bucket, not cumulative; one more than Bounds, for those above the last
	Sum    float64   // seconds, of all observations
}

// Answered counts an answer in a Snapshot by its status code.
func (s *Snapshot) Answered(status int, count uint64) {
	class := status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	s.Answers[class] += count
}

// OriginStates is how many states a server of an origin has.
const OriginStates = 5

// OriginState names them.
func OriginState(i int) string {
	return [OriginStates]string{"well", "careful", "trial", "resting", "down"}[i]
}
