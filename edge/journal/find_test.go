package journal

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
)

func TestFind_returnsAllThatAnEventHas(t *testing.T) {
	d := openDiary(t, Config{})
	e := event(seawall.ActionFailed, 9)
	e.Client, e.Zone, e.Secure = netip.MustParseAddr("::ffff:192.0.2.9"), "zone\"\xe4", true
	e.Store, e.Cache = seawall.StorePartial, seawall.CacheMissVary
	e.SetText(seawall.EventTarget, []byte("/"+strings.Repeat("\xff", 300)))
	e.SetText(seawall.EventReferer, []byte("a\nb\\\"\u00e9"))
	e.SetText(seawall.EventServer, []byte("s2"))
	e.SetText(seawall.EventCause, []byte("192.0.2.1:80: connection refused"))
	d.Put(0, e)
	d.pass()
	got, err := Find(d.c.Dir, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := Record{
		ID: e.ID, Time: began, Duration: 300 * time.Microsecond, Client: "192.0.2.9", Zone: "zone\"\xe4",
		Method: "GET", Host: "example.com", Target: "/" + strings.Repeat("\xff", 175),
		UserAgent: string(e.Text(seawall.EventUserAgent)), Referer: "a\nb\\\"\u00e9",
		Server: "s2", Cause: "192.0.2.1:80: connection refused", Cut: []string{"target"},
		Protocol: "HTTP/1.1", Secure: true, Status: 504, BytesIn: 7, BytesOut: 1234, Rung: "origin", Action: "failed",
		Reason: "origin-timeout", Sentence: "The site's server did not answer in time.", Cache: "vary-miss", Store: "partial",
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestFind_saysWhyARequestWasNotKept(t *testing.T) {
	d := openDiary(t, Config{Sample: 100})
	now := seawall.MakeRequestID(began.Unix(), 77)
	find := func(id seawall.RequestID, want ...string) {
		t.Helper()
		_, err := Find(d.c.Dir, id)
		if !errors.Is(err, ErrNotKept) {
			t.Fatalf("got %v", err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	find(now, "nothing is held yet")
	d.put(seawall.ActionRefused)
	find(now, "refused and failed requests are held from 2026-03-01T12:34:56Z", "unless they came in a flood", "no passed requests are held yet")
	d.put(seawall.ActionPassed)
	find(now, "passed requests are held from 2026-03-01T12:34:56Z, one in 100 of them")
	find(seawall.MakeRequestID(began.Unix(), outside), "this one is not in that sample")
	find(seawall.MakeRequestID(began.Unix()-60, 77), "this one arrived before, at 2026-03-01T12:33:56Z")
	if _, err := Find(d.c.Dir, now); strings.Contains(err.Error(), "arrived before") || strings.Contains(err.Error(), "not in that sample") {
		t.Errorf("blames the wrong thing: %v", err)
	}
	d.c.Dir = filepath.Join(d.c.Dir, "none")
	find(now, "there is no store in")
}

func TestFind_tellsTroubleFromAbsence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(file, seawall.RequestID{}); err == nil || errors.Is(err, ErrNotKept) {
		t.Fatalf("a file for a directory: %v", err)
	}
}

// segmentFile writes a segment of refused requests and says when it was last
// written to.
func segmentFile(t testing.TB, dir string, content []byte, opened, last time.Time) {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprintf("%s-%019d-1.jsonl", kindRefused, opened.UnixNano()))
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, last, last); err != nil {
		t.Fatal(err)
	}
}

func TestFind_readsNoSegmentThatWasClosedBeforeTheRequest(t *testing.T) {
	dir := t.TempDir()
	_, js, _ := stamps()
	e := event(seawall.ActionRefused, 1)
	line := appendJSON(nil, e, js, false)
	segmentFile(t, dir, line, began.Add(-time.Hour), began.Add(-time.Minute)) // cannot be: proves that it is not read
	if _, err := Find(dir, e.ID); !errors.Is(err, ErrNotKept) {
		t.Fatalf("got %v", err)
	}
	segmentFile(t, dir, line, began.Add(time.Hour), began.Add(2*time.Hour)) // a request of an hour
	if _, err := Find(dir, e.ID); err != nil {
		t.Fatal(err)
	}
}

func TestFind_believesOnlyTheBeginningOfALine(t *testing.T) {
	dir := t.TempDir()
	_, js, _ := stamps()
	e := event(seawall.ActionRefused, 1)
	line := appendJSON(nil, e, js, false)
	segmentFile(t, dir, append([]byte("x"), line...), began, began)
	if _, err := Find(dir, e.ID); !errors.Is(err, ErrNotKept) {
		t.Fatalf("in the middle of a line: %v", err)
	}
	segmentFile(t, dir, bytes.Join([][]byte{[]byte("x"), line[:40], []byte("\n"), line}, nil), began, began)
	if _, err := Find(dir, e.ID); err != nil {
		t.Fatalf("behind half a line: %v", err)
	}
}

// FuzzFind puts arbitrary bytes into a segment.
func FuzzFind(f *testing.F) {
	_, js, _ := stamps()
	e := event(seawall.ActionRefused, 1)
	line := appendJSON(nil, e, js, false)
	f.Add(line)
	f.Add(line[:len(line)-1])
	f.Add([]byte(idPrefix + e.ID.String() + "\"}\n"))
	f.Add([]byte(idPrefix + e.ID.String() + idPrefix + "\n\n"))
	f.Add([]byte(idPrefix + e.ID.String() + `","id":"00000000000000000000"}` + "\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		record, ok := findLine(content, e.ID)
		if ok && (record.ID != e.ID || !bytes.Contains(content, []byte(e.ID.String()))) {
			t.Fatalf("found %s in %q", record.ID, content)
		}
		whole := append(append(bytes.Clone(content), '\n'), line...)
		if _, ok := findLine(whole, e.ID); !ok {
			t.Fatalf("not found behind %q", content)
		}
	})
}

// BenchmarkFind_notKept scans a store that has used its whole budget.
func BenchmarkFind_notKept(b *testing.B) {
	dir := b.TempDir()
	_, js, _ := stamps()
	var content []byte
	for n := uint64(0); len(content) < segmentSize; n++ {
		content = appendJSON(content, event(seawall.ActionRefused, n), js, false)
	}
	const segments = (256 + 64) / 8
	for n := range segments {
		segmentFile(b, dir, content, began.Add(time.Duration(n)), began)
	}
	for b.Loop() {
		if _, err := Find(dir, seawall.MakeRequestID(began.Unix(), outside)); !errors.Is(err, ErrNotKept) {
			b.Fatal(err)
		}
	}
}
