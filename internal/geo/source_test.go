package geo

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maxmind/mmdbwriter"
)

// listener returns a logger and what it was told, a line each.
func listener() (*slog.Logger, func() []string) {
	var mu sync.Mutex
	var told bytes.Buffer
	handler := slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return told.Write(p)
	}), &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	return slog.New(handler), func() []string {
		mu.Lock()
		defer mu.Unlock()
		defer told.Reset()
		return strings.FieldsFunc(told.String(), func(r rune) bool { return r == '\n' })
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func wantLine(t *testing.T, lines []string, parts ...string) {
	t.Helper()
	if len(lines) != 1 {
		t.Errorf("want one line with %q, got %q", parts, lines)
		return
	}
	for _, part := range parts {
		if !strings.Contains(lines[0], part) {
			t.Errorf("want %q in %q", part, lines[0])
		}
	}
}

// look makes every source look once, as Watch does at a tick.
func look(f *Files) {
	for _, s := range f.sources() {
		s.look()
	}
}

func sweden(tb testing.TB) []byte { return countries(tb, map[string]string{"81.2.69.0/24": "SE"}) }
func norway(tb testing.TB) []byte { return countries(tb, map[string]string{"81.2.69.0/24": "NO"}) }

// bad lists ways in which a file cannot be used: how to make it so, and what
// is said about it.
func bad(t *testing.T) map[string]struct {
	make func(path string)
	says string
} {
	lay := func(data []byte) func(string) { return func(path string) { put(t, path, data) } }
	good := sweden(t)
	return map[string]struct {
		make func(path string)
		says string
	}{
		"missing":        {func(string) {}, "no such file"},
		"empty":          {lay(nil), "is empty"},
		"text":           {lay([]byte("81.2.69.0/24,SE\n")), "not a MaxMind DB file"},
		"cut in half":    {lay(good[:len(good)/2]), "not a MaxMind DB file, or not all of it"},
		"without begin":  {lay(good[len(good)/2:]), "not a MaxMind DB file, or not all of it"},
		"other facts":    {lay(networks(t, map[string]uint32{"81.2.69.0/24": 7})), `the fact is in none of its 1 records; it is a database of type \"GeoLite2-ASN\"`},
		"no networks":    {lay(write(t, mmdbwriter.Options{DatabaseType: "Void"})), `none of its 0 records`},
		"damaged tree":   {lay(bytes.Replace(good, good[:64], bytes.Repeat([]byte{0xfe}, 64), 1)), "damaged"},
		"damaged record": {lay(bytes.Replace(good, []byte("\x48iso_code\x42SE"), []byte("\x48iso_code\x5fSE"), 1)), "damaged"},
		"other version":  {lay(bytes.Replace(good, []byte("major_version\xa1\x02"), []byte("major_version\xa1\x03"), 1)), "version 3 of the format"},
		"a directory": {func(path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"a pipe": {func(path string) {
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"a link to itself": {func(path string) {
			if err := os.Symlink(path, path); err != nil {
				t.Fatal(err)
			}
		}, "too many levels of symbolic links"},
		"too large": {func(path string) {
			put(t, path, nil)
			if err := os.Truncate(path, largestFile+1); err != nil {
				t.Fatal(err)
			}
		}, "more than"},
	}
}

func TestFiles_badFromTheStartMakeTheFactUnknown(t *testing.T) {
	for name, c := range bad(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "geo.mmdb")
			c.make(path)
			log, told := listener()
			f := New(Config{Country: path, Network: laid(t, networks(t, map[string]uint32{"81.2.69.0/24": 7})), Logger: slog.New(slog.DiscardHandler)})
			f.country.log = log.With("fact", "country", "file", path)
			f.country.reload()
			wantLine(t, told(), "level=ERROR", "the fact is unknown", path, c.says)
			wantPlace(t, f, "81.2.69.160", "- 7")
			if st := f.Status()[0]; st.InUse || !strings.Contains(strings.ReplaceAll(st.Problem, `"`, `\"`), c.says) || st.Path != path {
				t.Errorf("status %+v", st)
			}
			look(f)
			look(f)
			if lines := told(); len(lines) > 0 {
				t.Errorf("said again: %q", lines)
			}
			// It becomes good.
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			put(t, path, sweden(t))
			look(f)
			look(f)
			wantPlace(t, f, "81.2.69.160", "SE 7")
			wantLine(t, told(), "level=INFO", "a geo file was read", path)
			if st := f.Status()[0]; !st.InUse || st.Problem != "" {
				t.Errorf("status %+v", st)
			}
		})
	}
}

func TestFiles_replacedByBadOnesStayInUse(t *testing.T) {
	for name, c := range bad(t) {
		t.Run(name, func(t *testing.T) {
			path := laid(t, sweden(t))
			log, told := listener()
			f := New(Config{Country: path, Logger: log})
			wantLine(t, told(), "level=INFO")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			c.make(path)
			for range 4 {
				look(f)
			}
			wantLine(t, told(), "level=ERROR", "what it said before holds", path, c.says)
			wantPlace(t, f, "81.2.69.160", "SE -")
			st := f.Status()[0]
			if !st.InUse || st.Problem == "" || st.Type != "GeoLite2-Country" {
				t.Errorf("status %+v", st)
			}
			f.Reload() // whoever asks is told again
			wantLine(t, told(), "level=ERROR")
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			put(t, path, norway(t))
			look(f)
			look(f)
			wantLine(t, told(), "level=INFO", "a geo file was read")
			wantPlace(t, f, "81.2.69.160", "NO -")
		})
	}
}

// A permission that is taken away is noticed when the file is read again, and
// that it is given back leaves no trace in size or time.
func TestFiles_withoutPermissionAreTriedAgain(t *testing.T) {
	path := laid(t, sweden(t))
	// The testing package keeps others out of its folders.
	if err := os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	log, told := listener()
	var f *Files
	asNobody(t, func() { f = New(Config{Country: path, Logger: log}) })
	wantLine(t, told(), "level=ERROR", "permission denied")
	wantPlace(t, f, "81.2.69.160", "- -")
	asNobody(t, func() { look(f) })
	if lines := told(); len(lines) > 0 {
		t.Errorf("said again: %q", lines)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() { look(f); look(f) })
	wantLine(t, told(), "level=INFO")
	wantPlace(t, f, "81.2.69.160", "SE -")
}

// A file that grows while it is looked at, as cp writes it, is left alone
// until it is at rest, and read then; so is one replaced in a moment.
func TestWatch_readsAFileOnceItIsAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := laid(t, sweden(t))
		log, told := listener()
		f := New(Config{Country: path, Every: 10 * time.Second, Logger: log})
		told()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { f.Watch(ctx); close(ended) }()
		tick := func() { time.Sleep(10 * time.Second); synctest.Wait() }

		next := norway(t)
		for part := range 4 {
			if err := os.WriteFile(path, next[:part*len(next)/4], 0o600); err != nil {
				t.Fatal(err)
			}
			tick()
			wantPlace(t, f, "81.2.69.160", "SE -")
		}
		if err := os.WriteFile(path, next, 0o600); err != nil {
			t.Fatal(err)
		}
		tick()
		if lines := told(); len(lines) > 0 {
			t.Errorf("said of a file on its way: %q", lines)
		}
		tick()
		wantPlace(t, f, "81.2.69.160", "NO -")
		wantLine(t, told(), "a geo file was read")

		tick()
		tick()
		if lines := told(); len(lines) > 0 {
			t.Errorf("read again though nothing changed: %q", lines)
		}
		put(t, path, sweden(t))
		tick()
		tick()
		wantPlace(t, f, "81.2.69.160", "SE -")
		cancel()
		<-ended
	})
}

// A copy that stops half way is tried once it is at rest, and again when it
// goes on.
func TestWatch_survivesACopyThatStops(t *testing.T) {
	path := laid(t, sweden(t))
	log, told := listener()
	f := New(Config{Country: path, Logger: log})
	told()
	next := norway(t)
	if err := os.WriteFile(path, next[:len(next)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		look(f)
	}
	wantLine(t, told(), "level=ERROR", "not all of it")
	wantPlace(t, f, "81.2.69.160", "SE -")
	if err := os.WriteFile(path, next, 0o600); err != nil {
		t.Fatal(err)
	}
	look(f)
	look(f)
	wantPlace(t, f, "81.2.69.160", "NO -")
}

func TestFiles_areReloadedThoughTheyLookTheSame(t *testing.T) {
	path := laid(t, sweden(t))
	f := New(Config{Country: path})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		look(f)
		look(f)
	}
	rewrite(norway(t))
	wantPlace(t, f, "81.2.69.160", "SE -") // or this test does not test what it says
	f.Reload()
	wantPlace(t, f, "81.2.69.160", "NO -")
	rewrite(countries(t, map[string]string{"81.2.69.0/24": "FI", "9.0.0.0/8": "FI"})) // the size is another
	wantPlace(t, f, "81.2.69.160", "FI -")
}

func TestFiles_thatAreOldAreUsedAndSaidToBe(t *testing.T) {
	now := noon.Add(179 * 24 * time.Hour)
	path := laid(t, sweden(t))
	log, told := listener()
	f := New(Config{Country: path, Logger: log, Now: func() time.Time { return now }})
	told()
	look(f)
	if lines := told(); len(lines) > 0 || f.Status()[0].Stale {
		t.Errorf("stale after 179 days: %q", lines)
	}
	now = noon.Add(181 * 24 * time.Hour)
	look(f)
	look(f)
	wantLine(t, told(), "level=WARN", "a geo file is old", path, "days=181")
	wantPlace(t, f, "81.2.69.160", "SE -")
	if st := f.Status()[0]; !st.Stale || !st.InUse || st.Problem != "" || !st.Built.Equal(noon) {
		t.Errorf("status %+v", st)
	}
	put(t, path, norway(t)) // another, as old as the first
	look(f)
	look(f)
	if lines := told(); len(lines) != 2 || !strings.Contains(lines[1], "a geo file is old") {
		t.Errorf("got %q", lines)
	}
	put(t, path, write(t, mmdbwriter.Options{BuildEpoch: now.Unix()}, entry{"81.2.69.0/24", fieldMap{"country_code": text("NO")}}))
	look(f)
	look(f)
	wantLine(t, told(), "level=INFO")
	if st := f.Status()[0]; st.Stale {
		t.Errorf("status %+v", st)
	}
}

func TestStatus_tellsWhatIsInUse(t *testing.T) {
	country := laid(t, countries(t, map[string]string{"81.2.69.0/24": "SE", "81.2.70.0/24": "SE", "82.0.0.0/8": "NO", "2a00::/16": "NO"}))
	network := laid(t, networks(t, map[string]uint32{"81.2.69.0/24": 7}))
	got := New(Config{Country: country, Network: network, Now: func() time.Time { return noon }}).Status()
	want := []Status{
		{Fact: "country", Path: country, InUse: true, Type: "GeoLite2-Country", Built: noon, Records: 2, Ranges: 6},
		{Fact: "network", Path: network, InUse: true, Type: "GeoLite2-ASN", Built: noon, Records: 1, Ranges: 2},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range got {
		if got[i].Nodes == 0 || !got[i].Built.Equal(want[i].Built) {
			t.Errorf("got %+v", got[i])
		}
		got[i].Nodes, got[i].Built = 0, want[i].Built
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

// Whoever looks up while files are replaced, removed and broken gets one of
// the good answers, whole.
func TestFiles_areReplacedUnderLookups(t *testing.T) {
	country, network := laid(t, sweden(t)), laid(t, networks(t, map[string]uint32{"81.2.69.0/24": 7}))
	f := New(Config{Country: country, Network: network})
	address := netip.MustParseAddr("81.2.69.160")
	stop := make(chan struct{})
	var lookups sync.WaitGroup
	for range 8 {
		lookups.Go(func() {
			for n := 0; ; n++ {
				switch got := place(f.Lookup(address)); got {
				case "SE 7", "NO 7", "SE 8", "NO 8":
				default:
					t.Errorf("got %q", got)
					return
				}
				if n%64 == 0 {
					f.Status()
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	var reloads sync.WaitGroup
	reloads.Go(func() { // SIGHUP, at any time
		for range 50 {
			f.Reload()
		}
	})
	others := [][]byte{norway(t), nil, sweden(t), norway(t)[:700], norway(t)}
	for range 20 {
		for _, data := range others {
			put(t, country, data)
			look(f)
			look(f)
		}
		put(t, network, networks(t, map[string]uint32{"81.2.69.0/24": 8}))
		if err := os.Remove(country); err != nil {
			t.Fatal(err)
		}
		look(f)
	}
	reloads.Wait()
	close(stop)
	lookups.Wait()
	f.Reload()
	wantPlace(t, f, "81.2.69.160", "NO 8")
}
