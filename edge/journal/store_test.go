package journal

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
)

// diary is a journal with a store and a clock the test turns.
type diary struct {
	*Journal
	t   *testing.T
	c   Config
	now time.Time
	log bytes.Buffer
	n   uint64 // Events so far; their random bits
}

func openDiary(t *testing.T, c Config) *diary {
	d := &diary{t: t, now: began}
	if c.Dir == "" {
		c.Dir = filepath.Join(t.TempDir(), "store")
	}
	c.Rings, c.Now, c.Logger = 1, func() time.Time { return d.now }, slog.New(slog.NewTextHandler(&d.log, nil))
	d.c = c
	d.Journal = still(t, c)
	return d
}

// put stores an Event of now and returns its ID.
func (d *diary) put(action seawall.Action) seawall.RequestID {
	d.n++
	e := event(action, d.n)
	e.Time, e.ID = d.now.UnixNano(), seawall.MakeRequestID(d.now.Unix(), d.n)
	d.Put(0, e)
	d.pass()
	return e.ID
}

// restart closes the journal and opens it again.
func (d *diary) restart() {
	d.t.Helper()
	if err := d.closeFiles(d.now); err != nil {
		d.t.Fatal(err)
	}
	d.Journal = still(d.t, d.c)
}

func (d *diary) list(kind string) []segment {
	d.t.Helper()
	list, err := listSegments(d.c.Dir, kind)
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

func (d *diary) bytes(kind string) (n int64) {
	for _, g := range d.list(kind) {
		n += g.size
	}
	return n
}

func TestStore_holdsRefusedAndFailedRequestsAndASampleOfTheRest(t *testing.T) {
	d := openDiary(t, Config{Sample: 100})
	for _, e := range []*seawall.Event{
		event(seawall.ActionRefused, outside), event(seawall.ActionFailed, outside-1),
		event(seawall.ActionPassed, 5), event(seawall.ActionPassed, outside-2),
	} {
		d.Put(0, e)
	}
	d.pass()
	for random, want := range map[uint64]bool{outside: true, outside - 1: true, 5: true, outside - 2: false} {
		if _, err := Find(d.c.Dir, seawall.MakeRequestID(began.Unix(), random)); (err == nil) != want {
			t.Errorf("%x: %v", random, err)
		}
	}
	if got := d.Stats().Kept; got != 3 {
		t.Errorf("kept %d, want 3", got)
	}
}

func TestStore_cutsTheAddressOfPassedRequestsOnly(t *testing.T) {
	d := openDiary(t, Config{Sample: 1})
	for action, want := range map[seawall.Action]string{
		seawall.ActionPassed: "192.0.2.0/24", seawall.ActionRefused: "192.0.2.77", seawall.ActionFailed: "192.0.2.77",
	} {
		if record, err := Find(d.c.Dir, d.put(action)); err != nil || record.Client != want {
			t.Errorf("%s: %q, %v, want %q", action, record.Client, err, want)
		}
	}
}

func TestStore_isForItsOwnerAlone(t *testing.T) {
	d := openDiary(t, Config{})
	d.put(seawall.ActionRefused)
	dir, err := os.Stat(d.c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Stat(d.list(kindRefused)[0].path)
	if err != nil {
		t.Fatal(err)
	}
	if dir.Mode().Perm() != 0o700 || file.Mode().Perm() != 0o600 {
		t.Fatalf("directory %v, file %v", dir.Mode(), file.Mode())
	}
}

func TestStore_isWrittenAtEveryPass(t *testing.T) { // which is every 25 ms, see the ticker's test
	d := openDiary(t, Config{})
	if _, err := Find(d.c.Dir, d.put(seawall.ActionFailed)); err != nil {
		t.Fatal(err)
	}
}

func TestStore_capsAFloodPerSecondHourZoneAndReason(t *testing.T) {
	d := openDiary(t, Config{})
	flood := func(n int) {
		for range n {
			d.put(seawall.ActionRefused)
		}
	}
	flood(floodPerSecond + 50)
	if s := d.Stats(); s.Kept != floodPerSecond || s.Capped != 50 {
		t.Fatalf("kept %d, capped %d in a second", s.Kept, s.Capped)
	}
	d.put(seawall.ActionFailed) // another reason
	other := event(seawall.ActionRefused, 1)
	other.Zone = "other"
	d.Put(0, other)
	d.pass()
	if s := d.Stats(); s.Kept != floodPerSecond+2 || s.Capped != 50 {
		t.Fatalf("kept %d, capped %d: another zone or reason suffers", s.Kept, s.Capped)
	}
	for range floodPerHour / floodPerSecond {
		d.now = d.now.Add(time.Second)
		flood(floodPerSecond)
	}
	if s := d.Stats(); s.Kept != floodPerHour+2 {
		t.Fatalf("kept %d in an hour, want %d", s.Kept, floodPerHour+2)
	}
	d.now = d.now.Add(time.Hour)
	flood(1)
	if s := d.Stats(); s.Kept != floodPerHour+3 {
		t.Fatalf("kept %d, want one more in the next hour", s.Kept)
	}
}

func TestStore_staysWithinItsBudgetAndSaysHourlyThatADayIsNotHeld(t *testing.T) {
	const budget = 40_000
	d := openDiary(t, Config{RefusedBytes: budget, PassedBytes: budget, Sample: 1})
	first := d.put(seawall.ActionRefused)
	for range 700 {
		d.put(seawall.ActionRefused)
		d.put(seawall.ActionPassed)
		d.now = d.now.Add(10 * time.Second)
		for _, kind := range []string{kindRefused, kindPassed} {
			if got := d.bytes(kind); got > budget {
				t.Fatalf("%s: %d bytes, budget %d", kind, got, budget)
			}
		}
	}
	if d.bytes(kindRefused) < budget/2 {
		t.Fatalf("%d bytes only, budget %d", d.bytes(kindRefused), budget)
	}
	s := d.Stats()
	if s.TooSoon < 10 {
		t.Fatalf("%d segments deleted too soon", s.TooSoon)
	}
	if !s.OldestKept.Equal(d.list(kindRefused)[0].opened) {
		t.Fatalf("oldest kept %v", s.OldestKept)
	}
	if got := strings.Count(d.log.String(), "are not held for 24 hours"); got != 2 {
		t.Fatalf("said %d times in not quite two hours:\n%s", got, &d.log)
	}
	_, err := Find(d.c.Dir, first)
	if !errors.Is(err, ErrNotKept) || !strings.Contains(err.Error(), "this one arrived before, at 2026-03-01T12:34:56Z") {
		t.Fatalf("Find: %v", err)
	}
}

func TestStore_deletesNothingWithinADayThatTheBudgetHasRoomFor(t *testing.T) {
	d := openDiary(t, Config{})
	first := d.put(seawall.ActionRefused)
	if err := os.Chtimes(d.list(kindRefused)[0].path, d.now, d.now); err != nil { // the kernel has another clock
		t.Fatal(err)
	}
	d.now = d.now.Add(holdRefused)
	d.restart()
	d.pass()
	if _, err := Find(d.c.Dir, first); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(holdAtMost)
	d.pass() // nobody is refused any more, and yet
	if _, err := Find(d.c.Dir, first); !errors.Is(err, ErrNotKept) {
		t.Fatalf("after more than seven days: %v", err)
	}
	if d.Stats().TooSoon != 0 || d.log.Len() != 0 {
		t.Fatalf("complains: %s", &d.log)
	}
}

func TestStore_closesASegmentThatIsFull(t *testing.T) {
	d := openDiary(t, Config{RefusedBytes: 400_000})
	for range 1000 {
		d.now = d.now.Add(time.Second)
		d.put(seawall.ActionRefused)
	}
	list := d.list(kindRefused)
	if len(list) < 3 {
		t.Fatalf("%d segments", len(list))
	}
	for _, g := range list {
		if g.size > 100_000+bufferSize {
			t.Fatalf("a segment of %d bytes", g.size)
		}
	}
	for _, g := range openDiary(t, Config{}).store.segments {
		if g.size != 8<<20 {
			t.Fatalf("%s: segments of %d bytes, want 8 MiB", g.kind, g.size)
		}
	}
}

func TestStore_closesASegmentThatIsOld(t *testing.T) {
	d := openDiary(t, Config{})
	for range 3 {
		d.put(seawall.ActionRefused)
		d.now = d.now.Add(segmentAge/2 + 1)
	}
	if got := len(d.list(kindRefused)); got != 2 {
		t.Fatalf("%d segments after three requests in nine hours, want 2", got)
	}
}

func TestStore_neverDividesALineBetweenSegments(t *testing.T) {
	d := openDiary(t, Config{RefusedBytes: 40})
	g := d.store.segments[0]
	for _, part := range []string{"a line longer ", "than a segment\n", "another\n"} {
		if _, err := g.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if part == "than a segment\n" && read(t, d.list(kindRefused)[0].path) != "a line longer than a segment\n" {
			t.Fatal("the line is divided")
		}
	}
	list := d.list(kindRefused)
	if got := read(t, list[len(list)-1].path); got != "another\n" {
		t.Fatalf("the new segment holds %q", got)
	}
}

func TestStore_goesOnInTheSameSegmentAfterARestart(t *testing.T) {
	d := openDiary(t, Config{Sample: 1})
	var ids []seawall.RequestID
	for range 5 {
		ids = append(ids, d.put(seawall.ActionRefused), d.put(seawall.ActionPassed))
		d.restart()
	}
	if r, p := len(d.list(kindRefused)), len(d.list(kindPassed)); r != 1 || p != 1 {
		t.Fatalf("%d and %d segments, want 1 each", r, p)
	}
	for _, id := range ids {
		if _, err := Find(d.c.Dir, id); err != nil {
			t.Fatal(err)
		}
	}
	d.c.Sample = 2
	d.restart()
	d.put(seawall.ActionPassed)
	if p := len(d.list(kindPassed)); p != 2 {
		t.Fatalf("%d segments, want another for another sampling", p)
	}
}

// TestStore_survivesKill kills a program that has a store, itself run again,
// and then tears the last line as a kill in the middle of a write does.
func TestStore_survivesKill(t *testing.T) {
	if dir := os.Getenv("SEAWALL_TEST_KILL"); dir != "" {
		d := openDiary(t, Config{Dir: dir})
		d.put(seawall.ActionRefused)
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	dir := filepath.Join(t.TempDir(), "store")
	child := exec.Command(os.Args[0], "-test.run=^TestStore_survivesKill$")
	child.Env = append(os.Environ(), "SEAWALL_TEST_KILL="+dir)
	if out, err := child.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	killed := seawall.MakeRequestID(began.Unix(), 1)
	if _, err := Find(dir, killed); err != nil {
		t.Fatal(err)
	}
	list, err := listSegments(dir, kindRefused)
	if err != nil {
		t.Fatal(err)
	}
	whole := read(t, list[0].path)
	torn := seawall.MakeRequestID(began.Unix(), 2)
	line := strings.Replace(whole, killed.String(), torn.String(), 1)
	for _, cut := range []int{5, 30, len(line) - 1} {
		if err := os.WriteFile(list[0].path, []byte(whole+line[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		d := openDiary(t, Config{Dir: dir})
		d.n = 100
		for name, id := range map[string]seawall.RequestID{"before": killed, "after": d.put(seawall.ActionRefused)} {
			if record, err := Find(dir, id); err != nil || record.ID != id {
				t.Errorf("cut at %d: the line %s the torn one: %v", cut, name, err)
			}
		}
		if _, err := Find(dir, torn); !errors.Is(err, ErrNotKept) {
			t.Errorf("cut at %d: the torn line: %v", cut, err)
		}
	}
}

func TestStore_triesAgainWhenTheDirectoryWasAway(t *testing.T) {
	d := openDiary(t, Config{})
	if err := os.Remove(d.c.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.c.Dir, nil, 0o600); err != nil { // in the way, even of root
		t.Fatal(err)
	}
	id := d.put(seawall.ActionRefused)
	d.put(seawall.ActionRefused)
	if got := strings.Count(d.log.String(), "cannot be written"); got != 1 || d.Stats().StoreErrors != 1 {
		t.Fatalf("said %d times, %d errors:\n%s", got, d.Stats().StoreErrors, &d.log)
	}
	if err := os.Remove(d.c.Dir); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(retryAfter)
	d.pass()
	if _, err := Find(d.c.Dir, id); err != nil {
		t.Fatal(err)
	}
}
