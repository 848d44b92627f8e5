package pressure

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// world is a /proc with one process, of whom the test says what it holds.
type world struct {
	t    *testing.T
	proc string

	mu    sync.Mutex // a bubble's clock orders what happens, but is no lock
	heard []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, proc: tree(t, map[string]string{"meminfo": "MemTotal: 1000 kB\n", "self/fd/0": ""})}
	w.memory(100)
	return w
}

func (w *world) memory(kB int) {
	w.t.Helper()
	put(w.t, filepath.Join(w.proc, "self/status"), fmt.Sprintf("Name:\tx\nRssAnon:\t%d kB\n", kB))
}

func (w *world) descriptors(n int) {
	w.t.Helper()
	folder := filepath.Join(w.proc, "self/fd")
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) == 0 {
		w.t.Fatal(entries, err)
	}
	for _, entry := range entries[min(n, len(entries)):] {
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			w.t.Fatal(err)
		}
	}
	for i := 0; len(entries)+i < n; i++ {
		put(w.t, filepath.Join(folder, fmt.Sprint("more", n, "-", i)), "")
	}
}

func (w *world) config() Config {
	return Config{
		Proc: w.proc, Groups: "/nowhere", DescriptorLimit: 1000,
		OnChange:  func(l Level, r Reading) { w.hear(fmt.Sprintf("%s %d", l, r.Memory>>10)) },
		WhileDrop: func(Reading) { w.hear("while") },
		Reclaim:   func() { w.hear("reclaim") },
	}
}

func (w *world) hear(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, what)
}

// expect compares what was heard since the last call.
func (w *world) expect(want ...string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.heard, want) {
		w.t.Errorf("heard %q, want %q", w.heard, want)
	}
	w.heard = nil
}

func TestWatch_tellsOfEachChangeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		watch, err := New(w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		w.expect()
		if r := watch.Reading(); r != (Reading{100 << 10, 1000 << 10, 1, 1000}) || watch.Level() != Normal {
			t.Errorf("%+v, %s", r, watch.Level())
		}
		w.memory(860)
		time.Sleep(499 * time.Millisecond)
		w.expect()
		time.Sleep(time.Millisecond)
		w.expect("reclaim", "shed 860")
		time.Sleep(5 * time.Second)
		w.expect()
		w.memory(950)
		time.Sleep(500 * time.Millisecond)
		w.expect("drop 950", "while")
		time.Sleep(time.Second)
		w.expect("while", "while")
		if watch.Level() != Drop || watch.Reading().Memory != 950<<10 {
			t.Errorf("%s, %+v", watch.Level(), watch.Reading())
		}
		w.memory(850)
		time.Sleep(500 * time.Millisecond)
		w.expect("shed 850")
		w.memory(799)
		time.Sleep(500 * time.Millisecond)
		w.expect("normal 799")
		watch.Close()
		w.memory(950)
		time.Sleep(time.Minute)
		w.expect()
		if watch.Level() != Normal {
			t.Error("a closed watch goes on")
		}
	})
}

func TestWatch_tellsOfAFirstLevelThatIsNotNormal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memory(940)
		watch, err := New(w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		if watch.Level() != Drop {
			t.Errorf("%s at first", watch.Level())
		}
		w.expect("reclaim", "drop 940", "while")
	})
}

// What a collection gives back was no pressure.
func TestWatch_reclaimsBeforeItComplains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		config, looking := w.config(), make(chan *Watch, 1)
		var left atomic.Int64
		left.Store(700)
		config.Reclaim = func() {
			watch := <-looking
			w.hear("reclaim while " + watch.Level().String())
			w.memory(int(left.Load()))
			looking <- watch
		}
		watch, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		looking <- watch
		synctest.Wait()
		w.memory(860)
		time.Sleep(500 * time.Millisecond)
		w.expect("reclaim while normal")
		if watch.Level() != Normal || watch.Reading().Memory != 700<<10 {
			t.Errorf("%s, %+v", watch.Level(), watch.Reading())
		}
		// Not again and again: a collection costs.
		w.memory(860)
		time.Sleep(500 * time.Millisecond)
		w.expect("shed 860")
		time.Sleep(9 * time.Second)
		w.expect()
		time.Sleep(500 * time.Millisecond)
		w.expect("reclaim while shed", "normal 700")
		// Where it is very late, new work is turned away meanwhile.
		time.Sleep(10 * time.Second)
		left.Store(820) // normal for who comes from there
		w.memory(940)
		time.Sleep(500 * time.Millisecond)
		w.expect("reclaim while drop")
		if watch.Level() != Normal {
			t.Error(watch.Level())
		}
	})
}

func TestWatch_countsDescriptorsNowAndThenWhereItIsDear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		watch, err := New(w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		synctest.Wait()
		w.descriptors(975)
		time.Sleep(1500 * time.Millisecond)
		w.expect()
		time.Sleep(500 * time.Millisecond)
		w.expect("shed 100") // and no collection: memory is not what is short
		if n := watch.Reading().Descriptors; n != 975 {
			t.Errorf("%d descriptors", n)
		}
		w.descriptors(10)
		time.Sleep(2 * time.Second)
		w.expect("normal 100")
	})
}

func TestWatch_looksUpItsLimitsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		watch, err := New(w.config())
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		synctest.Wait()
		put(t, filepath.Join(w.proc, "meminfo"), "MemTotal: 110 kB\n")
		time.Sleep(9 * time.Second)
		w.expect()
		time.Sleep(time.Second)
		w.expect("reclaim", "shed 100")

		given := w.config()
		given.MemoryLimit, given.DescriptorLimit = 1<<20, 0
		other, err := New(given)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		if r := other.Reading(); r.MemoryLimit != 1<<20 || r.DescriptorLimit != int64(limit.Cur) {
			t.Errorf("%+v", r)
		}
	})
}

func TestWatch_keepsWhatItKnewWhenItCannotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var log bytes.Buffer
		config := w.config()
		config.Logger = slog.New(slog.NewTextHandler(&log, nil))
		w.memory(860)
		watch, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer watch.Close()
		w.expect("reclaim", "shed 860")
		put(t, filepath.Join(w.proc, "self/status"), "nothing\n")
		time.Sleep(5 * time.Second)
		w.expect()
		if watch.Level() != Shed || watch.Reading().Memory != 860<<10 {
			t.Errorf("%s, %+v", watch.Level(), watch.Reading())
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("logged %d times: %s", n, log.String())
		}
		w.memory(100)
		time.Sleep(500 * time.Millisecond)
		w.expect("normal 100")
	})
}

func TestNew_saysWhatCannotBeRead(t *testing.T) {
	before := openNow(t)
	for missing, said := range map[string]string{"self/status": "memory", "self/fd": "descriptors"} {
		w := newWorld(t)
		if err := os.RemoveAll(filepath.Join(w.proc, missing)); err != nil {
			t.Fatal(err)
		}
		if _, err := New(w.config()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), said) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	w := newWorld(t)
	put(t, filepath.Join(w.proc, "self/status"), "nothing\n")
	if _, err := New(w.config()); err == nil {
		t.Error("no memory in the status")
	}
	watch, err := New(newWorld(t).config())
	if err != nil {
		t.Fatal(err)
	}
	watch.Close()
	watch.Close()
	if after := openNow(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// openNow counts the test's descriptors.
func openNow(t *testing.T) int64 {
	t.Helper()
	d, err := openDescriptors("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n, err := d.count(time.Time{})
	if err := errors.Join(err, d.close()); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDescriptors_areCountedAsTheyAre(t *testing.T) {
	d, err := openDescriptors("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.close() }()
	slow := &descriptors{fd: d.fd}
	both := func() (n int64) {
		counted, err := slow.walk()
		if err != nil {
			t.Fatal(err)
		}
		if n, err = d.count(time.Time{}); err != nil || n != counted {
			t.Errorf("%d (%v) when counted fast (%v), %d when counted slowly", n, err, d.sized, counted)
		}
		return n
	}
	before := both()
	const more = 500
	var files []*os.File
	for range more {
		file, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if n := both(); n != before+more {
		t.Errorf("%d after %d more were opened, %d before", n, more, before)
	}
	for _, file := range files {
		_ = file.Close()
	}
	if n := both(); n != before {
		t.Errorf("%d afterwards, %d before", n, before)
	}
}

// The real thing: this process, up to its last descriptor.
func TestWatch_seesThatNoDescriptorIsLeft(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	lower := limit
	lower.Cur = uint64(openNow(t)) + 200
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lower); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}()
	changes := make(chan Level, 10)
	watch, err := New(Config{Every: time.Millisecond, OnChange: func(l Level, _ Reading) { changes <- l }})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	var files []*os.File
	for {
		file, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if _, ok := memoryLimit("/proc", "/sys/fs/cgroup"); ok {
		t.Error("limits that could not be looked up are taken for none")
	}
	await(t, changes, Drop)
	if r := watch.Reading(); r.Descriptors < int64(lower.Cur)*99/100 || r.DescriptorLimit != int64(lower.Cur) || r.MemoryLimit == 0 {
		t.Errorf("%+v, limit %d", r, lower.Cur)
	}
	for _, file := range files {
		_ = file.Close()
	}
	await(t, changes, Normal)
}

// await waits until a level is told.
func await(t *testing.T, changes <-chan Level, want Level) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case level := <-changes:
			if level == want {
				return
			}
		case <-late:
			t.Fatalf("never told of %s", want)
		}
	}
}

func TestWatch_seesMemory(t *testing.T) {
	before := readNow(t)
	block := make([]byte, 64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	after := readNow(t)
	runtime.KeepAlive(block)
	if grown := after.Memory - before.Memory; grown < 48<<20 || grown > 160<<20 {
		t.Errorf("%d MiB more after 64 were used", grown>>20)
	}
	if after.MemoryLimit <= after.Memory || after.MemoryShare() <= 0 {
		t.Errorf("%+v", after)
	}
}

// readNow returns a reading of this process.
func readNow(t *testing.T) Reading {
	t.Helper()
	watch, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	return watch.Reading()
}
