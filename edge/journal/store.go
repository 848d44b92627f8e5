package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/seawall-edge/seawall"
)

// The bounds of the store that nobody needs to choose.
const (
	segmentSize = 8 << 20            // bytes after which a segment is closed
	segmentAge  = 6 * time.Hour      // time after which a segment is closed
	holdRefused = 24 * time.Hour     // refused and failed requests are held so long if the budget lets us
	holdAtMost  = 7 * 24 * time.Hour // nothing is held longer: these are people's addresses

	// What one (zone, reason) may store. The first keeps a flood from
	// filling the disk's queue, the second from pushing out within the
	// hour what the day's other refusals left.
	floodPerSecond = 200
	floodPerHour   = 10_000
)

// store keeps Events on disk for Find. It belongs to the consumer goroutine.
type store struct {
	refused, passed writer
	segments        [2]*segments // what the two write to, in that order
	at              stamp

	flood  map[floodKey]*floodCount
	hour   int64 // the hour flood counts
	capped uint64
}

type floodKey struct {
	zone   string
	reason seawall.Reason
}

type floodCount struct {
	second   int64
	inSecond int
	inHour   int
}

func openStore(c *Config) (*store, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open request store: %w", err)
	}
	s := &store{flood: map[floodKey]*floodCount{}, at: stamp{layout: jsonSecond, location: time.UTC}}
	s.segments[0] = &segments{kind: kindRefused, sample: 1, budget: c.RefusedBytes, hold: holdRefused}
	s.segments[1] = &segments{kind: kindPassed, sample: c.Sample, budget: c.PassedBytes}
	for i, w := range []*writer{&s.refused, &s.passed} {
		g := s.segments[i]
		g.dir, g.now, g.logger = c.Dir, c.Now, c.Logger
		g.size = max(min(segmentSize, g.budget/4), 1)
		if err := g.load(); err != nil {
			return nil, fmt.Errorf("open request store: %w", err)
		}
		*w = writer{out: g, name: filepath.Join(c.Dir, g.kind), logger: c.Logger}
	}
	return s, nil
}

// keep stores an Event unless its (zone, reason) has stored enough of them.
func (s *store) keep(e *seawall.Event, now time.Time) {
	w := &s.refused
	if e.Action == seawall.ActionPassed {
		w = &s.passed
	}
	if s.flooded(floodKey{e.Zone, e.Reason}, now.Unix()) {
		s.capped++
		return
	}
	if w.room(now) {
		w.buf = appendJSON(w.buf, e, &s.at, e.Action == seawall.ActionPassed)
	}
}

// flooded counts one more Event under key and reports whether it is too many.
func (s *store) flooded(key floodKey, second int64) bool {
	if hour := second / 3600; hour != s.hour {
		s.hour = hour
		clear(s.flood)
	}
	count := s.flood[key]
	if count == nil {
		count = &floodCount{}
		s.flood[key] = count
	}
	if count.second != second {
		count.second, count.inSecond = second, 0
	}
	if count.inSecond >= floodPerSecond || count.inHour >= floodPerHour {
		return true
	}
	count.inSecond++
	count.inHour++
	return false
}

// flush hands what was kept to the kernel, which keeps it when the program is
// killed; a power failure may take the last seconds.
func (s *store) flush(now time.Time) {
	s.refused.flush(now)
	s.passed.flush(now)
}

func (s *store) close(now time.Time) error {
	err := errors.Join(s.refused.finish(now), s.passed.finish(now))
	for _, g := range s.segments {
		if g.file != nil {
			err = errors.Join(err, g.file.Close())
		}
	}
	return err
}

// The two kinds of segments. A segment's name is KIND-OPENED-SAMPLE.jsonl:
// opened in Unix nanoseconds, one in SAMPLE requests kept.
const (
	kindRefused = "refused"
	kindPassed  = "passed"
)

type segment struct {
	path   string
	kind   string
	opened time.Time
	last   time.Time // last written to
	sample int
	size   int64
}

// listSegments returns the segments of one kind in dir, oldest first.
func listSegments(dir, kind string) ([]segment, error) {
	entries, err := os.ReadDir(dir) // sorted by name, so by time
	if err != nil {
		return nil, err
	}
	var list []segment
	for _, entry := range entries {
		g, ok := parseSegment(entry.Name())
		if !ok || g.kind != kind || !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since
		}
		if err != nil {
			return nil, err
		}
		g.path, g.last, g.size = filepath.Join(dir, entry.Name()), info.ModTime(), info.Size()
		list = append(list, g)
	}
	return list, nil
}

func parseSegment(name string) (segment, bool) {
	parts := strings.Split(strings.TrimSuffix(name, ".jsonl"), "-")
	if len(parts) != 3 || !strings.HasSuffix(name, ".jsonl") {
		return segment{}, false
	}
	opened, err1 := strconv.ParseInt(parts[1], 10, 64)
	sample, err2 := strconv.Atoi(parts[2])
	if err1 != nil || err2 != nil || len(parts[1]) != 19 || sample < 1 {
		return segment{}, false
	}
	return segment{kind: parts[0], opened: time.Unix(0, opened), sample: sample}, true
}

// segments is the file of one kind that is written to and those before it,
// within a budget of bytes.
type segments struct {
	dir, kind    string
	sample       int
	budget, size int64
	hold         time.Duration // deleting sooner than this after the last write is worth a word
	now          func() time.Time
	logger       *slog.Logger

	file   *os.File  // nil until something is written
	middle bool      // file ends in the middle of a line
	list   []segment // oldest first; the last one is file's, while there is one
	forced uint64    // segments deleted too soon
	said   time.Time // when that was last logged
}

// load finds the segments of earlier runs. The newest is continued when it
// has room, so that a program that is restarted again and again does not
// leave as many files, and when its last line is whole.
func (g *segments) load() (err error) {
	if g.list, err = listSegments(g.dir, g.kind); err != nil || len(g.list) == 0 {
		return err
	}
	last := g.list[len(g.list)-1]
	if last.size >= g.size || last.sample != g.sample || g.now().Sub(last.opened) > segmentAge || torn(last.path) {
		return nil
	}
	g.file, err = os.OpenFile(last.path, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

// Write appends p to the newest segment or, where a line begins and that one
// has had enough, to a new one, for which the oldest make room.
func (g *segments) Write(p []byte) (int, error) {
	now := g.now()
	if err := g.turn(now); err != nil {
		return 0, err
	}
	if g.file == nil {
		if err := g.create(now); err != nil {
			return 0, err
		}
	}
	n, err := g.file.Write(p)
	if n > 0 {
		current := &g.list[len(g.list)-1]
		current.size += int64(n)
		current.last = now
		g.middle = p[n-1] != '\n'
	}
	return n, errors.Join(err, g.prune(now))
}

// turn closes a segment that is full or old.
func (g *segments) turn(now time.Time) error {
	if g.file == nil || g.middle {
		return nil
	}
	current := &g.list[len(g.list)-1]
	if current.size < g.size && now.Sub(current.opened) <= segmentAge {
		return nil
	}
	err := g.file.Close()
	g.file = nil
	return err
}

func (g *segments) create(now time.Time) error {
	opened := now.UnixNano()
	if n := len(g.list); n > 0 { // two in one instant, or the clock was set back
		opened = max(opened, g.list[n-1].opened.UnixNano()+1)
	}
	name := fmt.Sprintf("%s-%019d-%d.jsonl", g.kind, opened, g.sample)
	path := filepath.Join(g.dir, name)
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	g.file = file
	g.list = append(g.list, segment{path: path, kind: g.kind, opened: time.Unix(0, opened), last: now, sample: g.sample})
	return nil
}

// prune deletes the oldest segments that are closed while the budget is
// exceeded, and those that are too old for anybody to hold.
func (g *segments) prune(now time.Time) error {
	total := int64(0)
	for i := range g.list {
		total += g.list[i].size
	}
	for len(g.list) > 0 && (g.file == nil || len(g.list) > 1) {
		oldest := g.list[0]
		age := now.Sub(oldest.last)
		if total <= g.budget && age <= holdAtMost {
			return nil
		}
		if err := os.Remove(oldest.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= oldest.size
		g.list = g.list[1:]
		if age < g.hold {
			g.tooSoon(now)
		}
	}
	return nil
}

// tooSoon counts a segment that had to go early and says so once an hour.
func (g *segments) tooSoon(now time.Time) {
	g.forced++
	if !g.said.IsZero() && now.Sub(g.said) < time.Hour {
		return
	}
	g.said = now
	g.logger.Warn("refused requests are not held for 24 hours, the byte budget is too small",
		"dir", g.dir, "budget", g.budget, "segments deleted early", g.forced)
}

// tend does what time alone asks for.
func (g *segments) tend(now time.Time) {
	if err := errors.Join(g.turn(now), g.prune(now)); err != nil {
		g.logger.Error("old requests cannot be deleted", "dir", g.dir, "error", err)
	}
}
