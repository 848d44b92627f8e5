package pressure

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

// Config is what a Watch needs. Its zero value works.
type Config struct {
	// MemoryLimit in bytes. 0: the smallest of the machine's memory and the
	// limits of the process's control groups, looked up again every ten
	// seconds.
	MemoryLimit int64
	// DescriptorLimit is a number. 0: the soft RLIMIT_NOFILE.
	DescriptorLimit int64
	// Every is the time between two looks (500 ms).
	Every time.Duration

	// OnChange is told of each new level, and of the first unless that is
	// Normal. WhileDrop is called at every look at which the level is Drop,
	// after OnChange. Both are called by one goroutine, one call at a time,
	// and must not call Close.
	OnChange  func(Level, Reading)
	WhileDrop func(Reading)
	// Reclaim gives memory back that nobody uses (debug.FreeOSMemory). It is
	// called before memory raises the level or keeps it up, at most every ten
	// seconds: garbage is no pressure.
	Reclaim func()

	Logger *slog.Logger // says when nothing can be read (nobody)

	Proc, Groups string // where the kernel's files are (/proc, /sys/fs/cgroup)
}

func (c *Config) setDefaults() {
	if c.Every <= 0 {
		c.Every = 500 * time.Millisecond
	}
	if c.OnChange == nil {
		c.OnChange = func(Level, Reading) {}
	}
	if c.WhileDrop == nil {
		c.WhileDrop = func(Reading) {}
	}
	if c.Reclaim == nil {
		c.Reclaim = debug.FreeOSMemory
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Proc == "" {
		c.Proc = "/proc"
	}
	if c.Groups == "" {
		c.Groups = "/sys/fs/cgroup"
	}
}

const (
	reclaimEvery = 10 * time.Second // a collection each time
	limitEvery   = 10 * time.Second // an operator may change limits
)

// Watch looks at the process until it is closed.
type Watch struct {
	config Config
	stop   chan struct{}
	close  sync.Once
	done   chan struct{}

	// Owned by the goroutine that looks, and by New before it.
	status      *os.File
	room        []byte // what status is read into
	descriptors *descriptors
	reclaimed   time.Time
	limit       int64 // of memory
	limitAt     time.Time
	told        Level // what OnChange has heard of
	failing     bool

	mu      sync.Mutex // guards what follows
	level   Level
	reading Reading
}

// New starts to watch the process; level and reading are known when it
// returns. The error says what of it cannot be read.
func New(config Config) (*Watch, error) {
	config.setDefaults()
	w := &Watch{config: config, room: make([]byte, statusRoom), stop: make(chan struct{}), done: make(chan struct{})}
	var err error
	if w.status, err = os.Open(filepath.Join(config.Proc, "self/status")); err != nil {
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	if w.descriptors, err = openDescriptors(filepath.Join(config.Proc, "self/fd")); err != nil {
		return nil, errors.Join(fmt.Errorf("watch descriptors: %w", err), w.status.Close())
	}
	r, err := w.read(time.Now())
	if err != nil {
		return nil, errors.Join(err, w.release())
	}
	w.publish(next(Normal, r), r)
	go w.run()
	return w, nil
}

// Level returns the level of the last look. It costs next to nothing.
func (w *Watch) Level() Level {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.level
}

// Reading returns what the last look saw.
func (w *Watch) Reading() Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reading
}

// Close ends the watch; level and reading stay as they are.
func (w *Watch) Close() {
	w.close.Do(func() { close(w.stop) })
	<-w.done
}

func (w *Watch) release() error { return errors.Join(w.status.Close(), w.descriptors.close()) }

func (w *Watch) publish(level Level, r Reading) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.level, w.reading = level, r
}

func (w *Watch) run() {
	defer close(w.done)
	defer func() { _ = w.release() }()
	ticker := time.NewTicker(w.config.Every)
	defer ticker.Stop()
	for {
		w.look(time.Now())
		select {
		case <-w.stop:
			return
		case <-ticker.C:
		}
	}
}

// look reads, decides and tells. What cannot be read stays as it was.
func (w *Watch) look(now time.Time) {
	before := w.Level()
	r, err := w.read(now)
	if err == nil && w.needsReclaim(now, before, r) {
		if level := next(before, r); level == Drop {
			w.publish(level, r) // a collection takes time, of which there is none
		}
		w.reclaimed = now
		w.config.Reclaim()
		r, err = w.read(now)
	}
	if err != nil {
		if !w.failing {
			w.config.Logger.Error("cannot see how much memory and how many descriptors are left", "error", err)
		}
		w.failing = true
		return
	}
	w.failing = false
	level := next(before, r)
	w.publish(level, r)
	if level != w.told {
		w.told = level
		w.config.OnChange(level, r)
	}
	if level == Drop {
		w.config.WhileDrop(r)
	}
}

// needsReclaim reports whether memory alone would have work given up.
func (w *Watch) needsReclaim(now time.Time, before Level, r Reading) bool {
	r.DescriptorLimit = 0
	return next(before, r) > Normal && now.Sub(w.reclaimed) >= reclaimEvery
}

func (w *Watch) read(now time.Time) (r Reading, err error) {
	if r.Memory, err = resident(w.status, w.room); err != nil {
		return Reading{}, fmt.Errorf("read memory in use: %w", err)
	}
	if r.Descriptors, err = w.descriptors.count(now); err != nil {
		return Reading{}, fmt.Errorf("count descriptors: %w", err)
	}
	if r.MemoryLimit = w.config.MemoryLimit; r.MemoryLimit == 0 {
		if now.Sub(w.limitAt) >= limitEvery {
			if found, ok := memoryLimit(w.config.Proc, w.config.Groups); ok {
				w.limit, w.limitAt = found, now
			}
		}
		r.MemoryLimit = w.limit
	}
	if r.DescriptorLimit = w.config.DescriptorLimit; r.DescriptorLimit == 0 {
		r.DescriptorLimit = descriptorLimit()
	}
	return r, nil
}
