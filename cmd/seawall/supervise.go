package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// supervisor stands between the operator and the daemon: signals and changed
// files come in, calls go out. Its one goroutine is that of run.
type supervisor struct {
	source  source
	started Config // what the daemon was started with
	running Config // what it serves now
	daemon  daemon
	log     *slog.Logger
	signals <-chan os.Signal
	ticks   <-chan time.Time // when to look at the file
	watch   watcher

	draining atomic.Bool // read by the doors
}

// errCutShort is what a second signal makes of a drain.
var errCutShort = errors.New("stopped at once by a second signal")

// run returns when a signal has ended the daemon.
func (s *supervisor) run() error {
	for {
		select {
		case signal := <-s.signals:
			switch signal {
			case syscall.SIGHUP:
				s.hangUp()
			case syscall.SIGUSR1:
				s.daemon.ReopenLogs()
				s.log.Info("logs reopened")
			default:
				return s.drain(signal)
			}
		case <-s.ticks:
			if src, changed := s.watch.look(s.log); changed {
				s.log.Info("the configuration file has changed", "file", s.source.File)
				s.reload(src)
			}
		}
	}
}

// hangUp reloads even when the file looks the same, as whoever sends SIGHUP expects.
func (s *supervisor) hangUp() {
	if s.source.File == "" {
		s.log.Warn("there is no configuration file to reload")
		return
	}
	src, err := s.watch.read()
	if err != nil {
		s.log.Error("reload failed; everything goes on as before", "error", err)
		return
	}
	s.reload(src)
}

// reload serves the zones of a new file. Whatever is wrong with it, visitors
// do not notice.
func (s *supervisor) reload(src []byte) {
	next, wrong := s.source.parse(src)
	for _, complaint := range wrong {
		s.log.Error("the configuration has a mistake", "mistake", complaint.String())
	}
	if len(wrong) > 0 {
		s.daemon.Rejected()
		s.log.Error("reload refused; everything goes on as before", "mistakes", len(wrong))
		return
	}
	if waiting := needRestart(s.started, next); len(waiting) > 0 {
		s.log.Warn("these settings take effect after a restart", "settings", strings.Join(waiting, ", "))
	}
	applied := s.started
	applied.Zones, applied.Node.Access, applied.Node.Lists, applied.Node.Handshake = next.Zones, next.Node.Access, next.Node.Lists, next.Node.Handshake
	applied.Limits.DrainTimeout = next.Limits.DrainTimeout
	s.running = applied
	if err := s.daemon.Reload(applied); err != nil {
		s.log.Error("not everything could be reloaded", "error", err)
		return
	}
	s.log.Info("configuration reloaded", "zones", len(applied.Zones))
}

// drain lets requests end. A second signal does not wait for them.
func (s *supervisor) drain(signal os.Signal) error {
	s.draining.Store(true)
	patience := s.running.Limits.DrainTimeout.Duration()
	s.log.Info("draining; a second signal ends at once", "signal", signal.String(), "timeout", patience.String())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.daemon.Drain(ctx) }()
	for {
		select {
		case err := <-done:
			if err != nil {
				s.log.Warn("stopped before every request was over", "error", err)
			} else {
				s.log.Info("stopped")
			}
			return nil
		case signal := <-s.signals:
			if signal == syscall.SIGTERM || signal == syscall.SIGINT {
				return errCutShort
			}
		}
	}
}

// needRestart names the settings that differ and that a reload leaves alone.
func needRestart(old, next Config) []string {
	old.Zones, old.Node.Access, old.Node.Lists, old.Node.Handshake = next.Zones, next.Node.Access, next.Node.Lists, next.Node.Handshake
	old.Limits.DrainTimeout = next.Limits.DrainTimeout
	return differences("", reflect.ValueOf(old), reflect.ValueOf(next))
}

// differences returns the paths of the settings that are not the same.
func differences(path string, old, next reflect.Value) (paths []string) {
	for i := range old.NumField() {
		name, _, _ := strings.Cut(old.Type().Field(i).Tag.Get("yaml"), ",")
		a, b := old.Field(i), next.Field(i)
		if a.Kind() == reflect.Struct {
			paths = append(paths, differences(path+name+".", a, b)...)
		} else if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			paths = append(paths, path+name)
		}
	}
	return paths
}

// watcher notices that a file has changed. It asks the file system for
// little: the content is read only when size, time or inode differ. Polling
// works on every file system and for every way in which editors and
// orchestrators replace files.
type watcher struct {
	source source
	seen   os.FileInfo // nil: the file was not there
	last   []byte
	lost   bool // that the file cannot be read has been said
}

// look returns the content if it is another than the last one.
func (w *watcher) look(log *slog.Logger) ([]byte, bool) {
	if w.source.File == "" {
		return nil, false
	}
	info, err := os.Stat(w.source.File)
	if err == nil && w.seen != nil && os.SameFile(info, w.seen) && info.Size() == w.seen.Size() && info.ModTime().Equal(w.seen.ModTime()) {
		return nil, false
	}
	last := slices.Clone(w.last)
	src, err := w.read()
	if err != nil {
		if !w.lost {
			log.Warn("the configuration file cannot be read; everything goes on as before", "error", err)
		}
		w.lost, w.seen = true, nil
		return nil, false
	}
	w.lost = false
	return src, !bytes.Equal(src, last)
}

// read returns the content and remembers it as seen. What is remembered of
// the file is older than the content, so a change in between is seen again.
func (w *watcher) read() ([]byte, error) {
	info, err := os.Stat(w.source.File)
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	src, err := w.source.read()
	if err != nil {
		return nil, err
	}
	w.seen, w.last = info, src
	return src, nil
}
