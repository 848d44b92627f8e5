package journal

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seawall-edge/seawall"
)

// began is when the tests' Events happen.
var began = time.Date(2026, 3, 1, 12, 34, 56, 789_012_000, time.UTC)

// event returns an Event with the given random bits in its ID. Low ones are
// in every sample, high ones only in that of everything.
func event(action seawall.Action, random uint64) *seawall.Event {
	e := &seawall.Event{}
	e.Reset()
	e.Time, e.Duration, e.BytesIn, e.BytesOut = began.UnixNano(), 300_000, 7, 1234
	e.ID = seawall.MakeRequestID(began.Unix(), random)
	e.Zone, e.Client = "example", netip.MustParseAddr("192.0.2.77")
	e.Status, e.Protocol, e.Action, e.Cache = 200, seawall.ProtocolHTTP11, action, seawall.CacheHit
	switch action {
	case seawall.ActionRefused:
		e.Reason, e.Status, e.Cache = seawall.ReasonTargetEnds, 400, seawall.CacheNone
	case seawall.ActionFailed:
		e.Reason, e.Status, e.Rung = seawall.ReasonOriginTimeout, 504, seawall.RungOrigin
	}
	e.SetText(seawall.EventMethod, []byte("GET"))
	e.SetText(seawall.EventHost, []byte("example.com"))
	e.SetText(seawall.EventTarget, []byte("/path?q=1"))
	e.SetText(seawall.EventUserAgent, []byte("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"))
	e.SetText(seawall.EventReferer, []byte("https://example.org/"))
	return e
}

// outside is a random part that is in no sample but that of everything.
const outside = 1<<64 - 1

// quiet is a logger for tests that do not look at the log.
var quiet = slog.New(slog.DiscardHandler)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// still opens a journal whose consumer does not run: tests call pass.
func still(t testing.TB, c Config) *Journal {
	t.Helper()
	if c.Logger == nil {
		c.Logger = quiet
	}
	if c.Now == nil {
		c.Now = at(began)
	}
	j, err := open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.closeFiles(c.Now()) }) // the tests that care have closed them
	return j
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// toLog is a configuration with one ring and an access log of plain lines.
func toLog(t testing.TB, what What) (Config, string) {
	path := filepath.Join(t.TempDir(), "access.log")
	return Config{Rings: 1, AccessLog: AccessLog{Path: path, Format: Plain, What: what}}, path
}

func TestJournal_dropsPassedRequestsBeforeRefusedOnesAndCountsThem(t *testing.T) {
	c, path := toLog(t, All)
	c.RingSize = 8
	j := still(t, c)
	for range 10 {
		j.Put(0, event(seawall.ActionPassed, 1))
	}
	for range 2 {
		j.Put(0, event(seawall.ActionRefused, 1))
	}
	if got := j.Stats().Dropped; got != [3]uint64{4, 0, 0} {
		t.Fatalf("dropped %v, want 4 passed ones above three quarters of 8 and no other", got)
	}
	j.Put(0, event(seawall.ActionRefused, 1))
	for range 2 {
		j.Put(0, event(seawall.ActionFailed, 1))
	}
	if got := j.Stats().Dropped; got != [3]uint64{4, 1, 2} {
		t.Fatalf("dropped %v, want others dropped when the ring is full", got)
	}
	j.pass()
	if lines := read(t, path); strings.Count(lines, " hit ") != 6 || strings.Count(lines, " refused ") != 2 {
		t.Fatalf("want 6 hits and 2 refusals:\n%s", lines)
	}
	for range 20 { // the ring goes on after it was full, around and around
		j.Put(0, event(seawall.ActionPassed, 1))
		j.pass()
	}
	if lines := strings.Count(read(t, path), "\n"); lines != 28 {
		t.Fatalf("%d lines, want 28", lines)
	}
}

func TestJournal_losesNothingBetweenManyProducersAndOneConsumer(t *testing.T) {
	const producers, each = 4, 2000
	c, path := toLog(t, All)
	c.RingSize, c.Rings = 1024, 2
	c.Logger = quiet
	j, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	for p := range producers {
		go func() {
			e := event(seawall.ActionFailed, 0)
			for n := range each {
				e.ID = seawall.MakeRequestID(began.Unix(), uint64(p*each+n))
				j.Put(p, e)
			}
			done <- struct{}{}
		}()
	}
	for range producers {
		<-done
	}
	if err := j.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(read(t, path)) {
		if !strings.HasSuffix(line, ")\n") || seen[line] {
			t.Fatalf("a torn or repeated line: %q", line)
		}
		seen[line] = true
	}
	if got := uint64(len(seen)) + j.Stats().Dropped[seawall.ActionFailed]; got != producers*each {
		t.Fatalf("%d written or dropped, want %d", got, producers*each)
	}
	if j.Stats().Logged != uint64(len(seen)) {
		t.Fatalf("%d lines, counted %d", len(seen), j.Stats().Logged)
	}
}

func TestJournal_putNeverAllocates(t *testing.T) {
	c, _ := toLog(t, All)
	c.Dir, c.Sample, c.RingSize = t.TempDir(), 1, 4096
	j := still(t, c)
	e := event(seawall.ActionPassed, 1)
	if n := testing.AllocsPerRun(3000, func() { j.Put(3, e) }); n != 0 {
		t.Fatalf("%v allocations for a Put", n)
	}
	for range 1000 {
		j.Put(3, e)
	}
	if n := testing.AllocsPerRun(1000, func() { j.Put(3, e) }); n != 0 || j.Stats().Dropped[0] < 1000 {
		t.Fatalf("%v allocations for a Put that finds no place", n)
	}
}

func TestJournal_writesALineWithoutAllocating(t *testing.T) {
	for format, name := range []string{"json", "combined", "plain"} {
		c, _ := toLog(t, All)
		c.AccessLog.Format, c.Dir, c.Sample = Format(format), t.TempDir(), 1
		j := still(t, c)
		e := event(seawall.ActionPassed, 1)
		for range 5000 { // buffers and the segment exist
			j.Put(0, e)
			j.pass()
		}
		if n := testing.AllocsPerRun(1000, func() { j.Put(0, e); j.pass() }); n != 0 {
			t.Errorf("%s: %v allocations for an Event", name, n)
		}
	}
}

func TestJournal_doesNotCopyWhatNobodyAskedFor(t *testing.T) {
	c, _ := toLog(t, Errors)
	c.Dir = t.TempDir()
	j := still(t, c)
	j.Put(0, event(seawall.ActionPassed, outside))
	if used := j.rings[0].tail.Load(); used != 0 {
		t.Fatalf("%d Events in the ring, want none", used)
	}
	j.Put(0, event(seawall.ActionPassed, 1))
	if used := j.rings[0].tail.Load(); used != 1 {
		t.Fatalf("%d Events in the ring, want the one in the store's sample", used)
	}
}

func TestJournal_writesWithinATickAndWhenARingIsHalfFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, path := toLog(t, All)
		c.RingSize, c.Logger = 8, quiet
		j, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		j.Put(0, event(seawall.ActionPassed, 1))
		synctest.Wait()
		if got := strings.Count(read(t, path), "\n"); got != 0 {
			t.Fatalf("%d lines before the tick: the consumer is woken for one Event", got)
		}
		time.Sleep(drainEvery) // of the bubble's clock
		synctest.Wait()
		if got := strings.Count(read(t, path), "\n"); got != 1 {
			t.Fatalf("%d lines after the tick, want 1", got)
		}
		for range 5 {
			j.Put(0, event(seawall.ActionPassed, 1))
		}
		synctest.Wait() // no time passes
		if got := strings.Count(read(t, path), "\n"); got != 6 {
			t.Fatalf("%d lines after half of a ring, want 6", got)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestJournal_closeWritesEverythingAndLeavesNothingRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails by itself when a goroutine is left
		before := runtime.NumGoroutine()
		c, path := toLog(t, All)
		c.Logger, c.Dir = quiet, filepath.Join(t.TempDir(), "store")
		j, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		e := event(seawall.ActionRefused, 1)
		j.Put(0, e)
		for range 2 {
			if err := j.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Count(read(t, path), "\n"); got != 1 {
			t.Fatalf("%d lines after Close, want 1", got)
		}
		if _, err := Find(c.Dir, e.ID); err != nil {
			t.Fatal(err)
		}
		j.Put(0, e)
		if got := j.Stats().Dropped[seawall.ActionRefused]; got != 1 {
			t.Fatalf("%d dropped after Close, want 1", got)
		}
		synctest.Wait()
		if after := runtime.NumGoroutine(); after > before {
			t.Fatalf("%d goroutines, %d before", after, before)
		}
	})
}

// stuck is a file whose Write waits, like a pipe nobody reads.
type stuck chan struct{}

func (s stuck) Write(p []byte) (int, error) { <-s; return len(p), nil }

func TestJournal_neverBlocksOnAFileThatDoes(t *testing.T) {
	c, _ := toLog(t, All)
	c.RingSize = 8
	j := still(t, c)
	file := make(stuck)
	j.log.out = file
	go j.run()
	for range 100 {
		j.Put(0, event(seawall.ActionRefused, 1))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if err := j.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Close: %v, want the context's error", err)
	}
	close(file)
	if err := j.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_saysWhatCannotBeOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"access log": {AccessLog: AccessLog{Path: filepath.Join(file, "access.log")}, Dir: t.TempDir()},
		"store":      {Dir: filepath.Join(file, "store")},
		"format":     {AccessLog: AccessLog{Path: file, Format: 9}},
	} {
		if _, err := Open(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	j := still(b, Config{Rings: 1, AccessLog: AccessLog{Path: os.DevNull}})
	e := event(seawall.ActionFailed, 1)
	n := 0
	nothing := func(*seawall.Event) {}
	for b.Loop() {
		j.Put(0, e)
		if n++; n == 1024 {
			b.StopTimer()
			j.rings[0].drain(nothing)
			n = 0
			b.StartTimer()
		}
	}
}

func BenchmarkPut_notAskedFor(b *testing.B) {
	j := still(b, Config{Rings: 1, Dir: b.TempDir()})
	e := event(seawall.ActionPassed, outside)
	for b.Loop() {
		j.Put(0, e)
	}
}

// BenchmarkConsume measures an Event's whole way out of a ring into a file.
func BenchmarkConsume(b *testing.B) {
	for format, name := range []string{"json", "combined", "plain"} {
		b.Run(name, func(b *testing.B) {
			j := still(b, Config{Rings: 1, AccessLog: AccessLog{Path: os.DevNull, Format: Format(format)}})
			consume(b, j)
		})
	}
	b.Run("store", func(b *testing.B) {
		j := still(b, Config{Rings: 1, Dir: b.TempDir(), Sample: 1})
		j.store.passed.out = io.Discard
		consume(b, j)
	})
}

func consume(b *testing.B, j *Journal) {
	e := event(seawall.ActionPassed, 1)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n == 0 {
			b.StopTimer()
			for n = 0; n < 1024; n++ {
				j.Put(0, e)
			}
			b.StartTimer()
			j.pass()
		}
		n--
	}
}
