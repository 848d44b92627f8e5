package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seawall-edge/seawall/edge/metrics"
	"github.com/seawall-edge/seawall/spec"
)

// puppet is a daemon that remembers what it was told.
type puppet struct {
	mu       sync.Mutex
	reloads  []Config
	reopened int
	rejected int
	err      error
	drain    func(context.Context) error // nil: at once
}

func (p *puppet) Reload(c Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reloads = append(p.reloads, c)
	return p.err
}

func (p *puppet) ReopenLogs() { p.mu.Lock(); p.reopened++; p.mu.Unlock() }

func (p *puppet) Rejected() { p.mu.Lock(); p.rejected++; p.mu.Unlock() }

func (p *puppet) Drain(ctx context.Context) error {
	if p.drain == nil {
		return nil
	}
	return p.drain(ctx)
}

func (p *puppet) Status() Status {
	return Status{Connections: 3, EventsDropped: 4, Zones: []ZoneStatus{{Zone: "example.com", Requests: 9, Hits: 5, Refused: 1, Failed: 2}}}
}

func (p *puppet) Ready() bool { return true }

func (p *puppet) Bypass(string, []string, time.Duration) error { return nil }

func (p *puppet) Metrics() metrics.Snapshot { return metrics.Snapshot{ConnectionsOpen: 9} }

const (
	oneZone  = "limits: {drain_timeout: 7s}\nzones:\n- {name: a.com, origin: {url: 'http://a'}}\n"
	twoZones = oneZone + "- {name: b.com, origin: {url: 'http://b'}}\n"
)

// stage is a supervisor over a puppet and a file with oneZone.
type stage struct {
	*supervisor
	puppet *puppet
	log    *bytes.Buffer
	file   string
	signal chan os.Signal
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{puppet: &puppet{}, log: &bytes.Buffer{}, file: filepath.Join(t.TempDir(), "f.yaml"), signal: make(chan os.Signal, 4)}
	s.write(t, oneZone)
	from := source{File: s.file}
	c, _, err := from.load()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.supervisor = &supervisor{source: from, started: c, running: c, daemon: s.puppet, log: log, signals: s.signal, watch: watcher{source: from}}
	if _, err := s.watch.read(); err != nil {
		t.Fatal(err)
	}
	return s
}

// write replaces the file as editors do, so that its inode is another.
func (s *stage) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(s.file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.file+".new", s.file); err != nil {
		t.Fatal(err)
	}
}

// play sends signals and returns when the last, which ends it, has.
func (s *stage) play(t *testing.T, signals ...os.Signal) error {
	t.Helper()
	for _, signal := range signals {
		s.signal <- signal
	}
	return s.run()
}

func (s *stage) said(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(s.log.String(), part) {
			t.Errorf("the log does not say %q:\n%s", part, s.log)
		}
	}
}

func TestSupervisor_reloadsOnHangUp(t *testing.T) {
	s := newStage(t)
	s.write(t, strings.Replace(twoZones, "7s", "9s", 1)+"http: ':1'\nlimits2: {}\n")
	s.hangUp()
	s.said(t, "limits2", "reload refused; everything goes on as before")
	if len(s.puppet.reloads) > 0 || s.puppet.rejected != 1 {
		t.Fatalf("a file with mistakes was applied: %+v", s.puppet.reloads)
	}
	s.write(t, strings.Replace(twoZones, "7s", "9s", 1)+"http: ':1'\ncache: {memory: 2MiB}\n")
	if err := s.play(t, syscall.SIGHUP, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.said(t, "a restart", `"http, cache.memory"`, "zones=2", "timeout=9s")
	want := s.started
	want.Zones = append(want.Zones, zone("b.com", "http://b"))
	want.Limits.DrainTimeout = spec.Duration(9 * time.Second)
	if !reflect.DeepEqual(s.puppet.reloads, []Config{want}) {
		t.Errorf("reloads %+v, want %+v", s.puppet.reloads, want)
	}
}

func TestSupervisor_hangUpReloadsWhatLooksTheSame(t *testing.T) {
	s := newStage(t)
	if err := s.play(t, syscall.SIGHUP, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if len(s.puppet.reloads) != 1 {
		t.Errorf("%d reloads, want 1", len(s.puppet.reloads))
	}
}

func TestSupervisor_saysWhatTheDaemonCouldNotDo(t *testing.T) {
	s := newStage(t)
	s.puppet.err = errors.New("zone a.com: no")
	s.hangUp()
	s.said(t, "not everything could be reloaded", "zone a.com: no")
}

func TestSupervisor_withoutAFileHasNothingToReload(t *testing.T) {
	s := newStage(t)
	s.source, s.watch = source{}, watcher{}
	s.hangUp()
	if _, changed := s.watch.look(s.supervisor.log); changed || len(s.puppet.reloads) > 0 {
		t.Errorf("something was reloaded: %v", s.puppet.reloads)
	}
	s.said(t, "no configuration file to reload")
}

func TestSupervisor_reopensLogs(t *testing.T) {
	s := newStage(t)
	if err := s.play(t, syscall.SIGUSR1, syscall.SIGUSR1, syscall.SIGINT); err != nil || s.puppet.reopened != 2 {
		t.Errorf("reopened %d times, want 2 (%v)", s.puppet.reopened, err)
	}
}

func TestSupervisor_looksAtTheFileEachTick(t *testing.T) {
	s := newStage(t)
	ticks := make(chan time.Time)
	s.ticks = ticks
	done := make(chan error, 1)
	go func() { done <- s.run() }()
	ticks <- time.Time{} // the same
	ticks <- time.Time{} // the first is over
	s.write(t, twoZones)
	ticks <- time.Time{}
	ticks <- time.Time{}
	s.signal <- syscall.SIGTERM
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(s.puppet.reloads) != 1 || len(s.puppet.reloads[0].Zones) != 2 {
		t.Errorf("reloads %+v, want one with two zones", s.puppet.reloads)
	}
}

func TestSupervisor_drainsAsLongAsItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.puppet.drain = func(ctx context.Context) error {
			if !s.draining.Load() {
				t.Error("it does not know that it is draining")
			}
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()
		if err := s.play(t, syscall.SIGTERM, syscall.SIGHUP); err != nil {
			t.Errorf("a drain that was cut is an error: %v", err)
		}
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("it took %v, want drain_timeout", took)
		}
		s.said(t, "stopped before every request was over")
	})
}

func TestSupervisor_secondSignalEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.puppet.drain = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		err := s.play(t, syscall.SIGTERM, syscall.SIGINT)
		if took := time.Since(began); !errors.Is(err, errCutShort) || took != 0 {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestWatcher_noticesContentAlone(t *testing.T) {
	s := newStage(t)
	w := &s.watch
	log := s.supervisor.log
	look := func(want bool, why string) {
		t.Helper()
		if src, changed := w.look(log); changed != want || changed && len(src) == 0 {
			t.Errorf("%s: changed is %v, want %v", why, changed, want)
		}
	}
	look(false, "nothing happened")
	s.write(t, oneZone)
	look(false, "another inode with the same content")
	s.write(t, twoZones)
	look(true, "another content")
	look(false, "it has been seen")
	if err := os.WriteFile(s.file, []byte(oneZone), 0o600); err != nil {
		t.Fatal(err)
	}
	look(true, "written in place")
	same := s.watch.seen.ModTime()
	s.write(t, strings.Replace(oneZone, "7s", "8s", 1))
	if err := os.Chtimes(s.file, time.Time{}, same); err != nil {
		t.Fatal(err)
	}
	look(true, "replaced by one of the same size and time")
	s.write(t, oneZone)
	look(true, "replaced again")
	if err := os.Chtimes(s.file, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	look(false, "touched")
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	look(false, "removed")
	look(false, "still removed")
	if n := strings.Count(s.log.String(), "file cannot be read"); n != 1 {
		t.Errorf("said %d times that the file is gone, want once", n)
	}
	s.write(t, oneZone)
	look(false, "back as it was")
	s.write(t, twoZones)
	look(true, "changed again")
}
