// Package journal remembers what happened to requests, off their path.
//
// The ladder hands over one Event per request with Put, which copies it into
// a ring and never waits. One goroutine reads the rings and makes two things
// of them: the access log, and a bounded store on disk in which
// `seawall why` finds a request by its ID.
//
// When the rings fill, passed requests are dropped before refused and failed
// ones, and every drop is counted. An Event that nobody asked for (passed,
// the access log off, not in the sample) is not copied at all. Whatever
// anybody is charged or judged by is therefore counted elsewhere, on the
// ladder.
//
// What is remembered about a person: the access log and the store's refused
// and failed requests hold the client's whole address, for they are read when
// somebody asks who attacks or why somebody was blocked. The store's sample of
// passed requests holds only its network, /24 of IPv4 and /48 of IPv6. The
// store forgets everything after seven days.
package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall"
)

// How often the consumer looks at the rings when nothing wakes it, and how
// often the store looks at its age.
const (
	drainEvery = 25 * time.Millisecond
	tendEvery  = time.Minute
)

// Config says what is remembered. The zero value remembers nothing.
type Config struct {
	Rings    int // rings, best one per core; 0 means GOMAXPROCS
	RingSize int // Events in a ring, rounded up to a power of two; 0 means 4096

	AccessLog AccessLog

	Dir          string // the store's directory, created with mode 0700; "" means no store
	RefusedBytes int64  // for refused and failed requests; 0 means 256 MiB
	PassedBytes  int64  // for the sample of passed requests; 0 means 64 MiB
	Sample       int    // one in so many passed requests is kept, chosen by its ID; 0 means 1000

	Logger *slog.Logger     // nil means slog.Default
	Now    func() time.Time // nil means time.Now
}

func (c *Config) defaults() {
	if c.Rings <= 0 {
		c.Rings = runtime.GOMAXPROCS(0)
	}
	if c.RingSize <= 0 {
		c.RingSize = 4096
	}
	c.RingSize = max(4, 1<<bits.Len(uint(c.RingSize-1)))
	if c.RefusedBytes <= 0 {
		c.RefusedBytes = 256 << 20
	}
	if c.PassedBytes <= 0 {
		c.PassedBytes = 64 << 20
	}
	if c.Sample <= 0 {
		c.Sample = 1000
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Stats is what became of the Events so far.
type Stats struct {
	Logged    uint64 // lines in the access log
	LogLost   uint64 // lines it had no room for while it could not be written
	LogErrors uint64 // writes to it that failed

	Kept        uint64 // requests in the store
	KeptLost    uint64 // requests the store had no room for while it could not be written
	StoreErrors uint64 // writes to the store that failed
	Capped      uint64 // requests not kept because their (zone, reason) came in a flood
	TooSoon     uint64 // segments of refused requests deleted within 24 hours for want of bytes

	Dropped    [3]uint64 // Events that found no place in a ring, by seawall.Action
	OldestKept time.Time // the oldest refused requests in the store are about from here; zero without any
}

// Journal takes Events from any number of goroutines.
type Journal struct {
	// Immutable after Open.
	config     Config
	rings      []*ring
	logPassed  rate // what of passed requests is logged
	logOthers  bool
	logErrors  bool // passed ones with a status of 400 or more, too
	keepPassed rate
	keepOthers bool

	closed atomic.Bool
	reopen atomic.Bool
	wake   chan struct{} // of capacity 1
	quit   chan struct{} // closed by Close
	done   chan struct{} // closed by the consumer when it has ended

	mu    sync.Mutex // guards the following
	stats Stats
	err   error

	// The consumer's own.
	log   *accessLog // nil when off
	store *store     // nil when off
	now   time.Time  // of this pass
	tend  time.Time
}

// rate says which requests are in a sample: those whose random bits are not
// above it. The sample for one in 100 is a part of that for one in 10.
type rate uint64

func oneIn(n int) rate { return math.MaxUint64 / rate(max(n, 1)) }

func (r rate) includes(id seawall.RequestID) bool {
	return r != 0 && rate(binary.BigEndian.Uint64(id[4:])) <= r
}

// Open opens the files and starts the consumer. Errors are those of the
// access log's and the store's files.
func Open(c Config) (*Journal, error) {
	j, err := open(c)
	if err != nil {
		return nil, err
	}
	go j.run()
	return j, nil
}

// open does everything but start the consumer.
func open(c Config) (*Journal, error) {
	c.defaults()
	j := &Journal{config: c, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	if c.Dir != "" {
		s, err := openStore(&c)
		if err != nil {
			return nil, err
		}
		j.store, j.keepPassed, j.keepOthers = s, oneIn(c.Sample), true
	}
	if c.AccessLog.Path != "" {
		l, err := openAccessLog(&c)
		if err != nil {
			return nil, errors.Join(err, j.closeFiles(c.Now()))
		}
		j.log, j.logOthers = l, true
		switch c.AccessLog.What {
		case All:
			j.logPassed = oneIn(1)
		case Sample:
			j.logPassed = oneIn(c.AccessLog.Sample)
		case Errors:
			j.logErrors = true
		}
	}
	for range c.Rings {
		j.rings = append(j.rings, newRing(c.RingSize))
	}
	j.publish()
	return j, nil
}

// Put copies e into one of the rings; the caller may use e again. It never
// blocks and never allocates.
func (j *Journal) Put(ring int, e *seawall.Event) {
	if !j.logs(e) && !j.keeps(e) {
		return
	}
	r := j.rings[uint(ring)%uint(len(j.rings))]
	if j.closed.Load() {
		r.dropped[e.Action&3].Add(1)
		return
	}
	if r.put(e) {
		select {
		case j.wake <- struct{}{}:
		default: // awake already
		}
	}
}

func (j *Journal) logs(e *seawall.Event) bool {
	if e.Action != seawall.ActionPassed {
		return j.logOthers
	}
	return j.logErrors && e.Status >= 400 || j.logPassed.includes(e.ID)
}

func (j *Journal) keeps(e *seawall.Event) bool {
	if e.Action != seawall.ActionPassed {
		return j.keepOthers
	}
	return j.keepPassed.includes(e.ID)
}

// Reopen makes the consumer open the access log's path anew, for after it was
// renamed (SIGUSR1). When that fails the old file is kept and the log says so.
func (j *Journal) Reopen() {
	j.reopen.Store(true)
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// run is the consumer.
func (j *Journal) run() {
	defer close(j.done)
	ticker := time.NewTicker(drainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-j.wake:
		case <-j.quit:
			for j.pass() > 0 {
			}
			err := j.closeFiles(j.config.Now())
			j.mu.Lock()
			j.err = err
			j.mu.Unlock()
			j.publish()
			return
		}
		j.pass()
	}
}

// pass goes over all rings once and returns how many Events there were.
func (j *Journal) pass() int {
	j.now = j.config.Now()
	if j.log != nil && j.reopen.Swap(false) {
		j.log.reopen()
	}
	n := 0
	for _, r := range j.rings {
		n += r.drain(j.use)
	}
	if j.log != nil {
		j.log.flush(j.now)
	}
	if j.store != nil {
		j.store.flush(j.now)
		if j.now.Sub(j.tend) >= tendEvery {
			j.tend = j.now
			for _, g := range j.store.segments {
				g.tend(j.now)
			}
		}
	}
	j.publish()
	return n
}

// use writes one Event where it belongs.
func (j *Journal) use(e *seawall.Event) {
	if j.logs(e) {
		j.log.add(e, j.now)
	}
	if j.keeps(e) {
		j.store.keep(e, j.now)
	}
}

// publish makes the consumer's counts visible to Stats.
func (j *Journal) publish() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.log; l != nil {
		j.stats.Logged, j.stats.LogLost, j.stats.LogErrors = l.lines, l.lost, l.errors
	}
	if s := j.store; s != nil {
		j.stats.Kept = s.refused.lines + s.passed.lines
		j.stats.KeptLost = s.refused.lost + s.passed.lost
		j.stats.StoreErrors = s.refused.errors + s.passed.errors
		j.stats.Capped = s.capped
		j.stats.TooSoon = s.segments[0].forced
		j.stats.OldestKept = time.Time{}
		if list := s.segments[0].list; len(list) > 0 {
			j.stats.OldestKept = list[0].opened
		}
	}
}

// Stats returns what became of the Events up to the consumer's last pass.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	stats := j.stats
	j.mu.Unlock()
	for _, r := range j.rings {
		for action := range stats.Dropped {
			stats.Dropped[action] += r.dropped[action].Load()
		}
	}
	return stats
}

// Close writes everything that was Put before and ends the consumer. Events
// that are Put later are dropped and counted. When ctx ends first, because a
// file does not take what is written to it, the consumer is left to it and
// the error is the context's; otherwise it tells how many lines were lost.
// Further calls wait like the first.
func (j *Journal) Close(ctx context.Context) error {
	if !j.closed.Swap(true) {
		close(j.quit)
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		return fmt.Errorf("close journal: %w", ctx.Err())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

func (j *Journal) closeFiles(now time.Time) (err error) {
	if j.log != nil {
		err = j.log.close(now)
	}
	if j.store != nil {
		err = errors.Join(err, j.store.close(now))
	}
	return err
}
