package geo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// largestFile bounds what is read into memory; the largest files of cities
// are a tenth of it.
const largestFile = 1 << 30

// source is one file and the fact taken from it.
type source struct {
	fact   string
	path   string
	of     func(*record) uint32
	now    func() time.Time
	maxAge time.Duration
	log    *slog.Logger

	current atomic.Pointer[database] // only ever swapped; nil: the fact is unknown

	reading sync.Mutex  // held by whoever looks or reads; guards what follows
	seen    fs.FileInfo // at the last look, nil: the file was not there
	used    fs.FileInfo // of the file that current was made of
	said    string      // the complaint that was logged last
	old     bool        // that current is stale has been said

	problem atomic.Pointer[string] // why the file as it is cannot be used; nil: it can
}

func newSource(fact, path string, of func(*record) uint32, cfg Config) *source {
	if path == "" {
		return nil
	}
	return &source{fact: fact, path: path, of: of, now: cfg.Now, maxAge: cfg.MaxAge, log: cfg.Logger.With("fact", fact, "file", path)}
}

// find returns the fact about an address, 0 for none.
func (s *source) find(a netip.Addr) uint32 {
	if s == nil {
		return 0
	}
	db := s.current.Load()
	if db == nil {
		return 0
	}
	return db.find(a)
}

// reload reads the file whatever it looks like.
func (s *source) reload() {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.said = ""
	s.read()
}

// look reads the file if it changed since it was read and did not since the
// last look. A file that could not be used is tried again each time: what was
// wrong may be mended without a trace in size or time, like a permission.
func (s *source) look() {
	s.reading.Lock()
	defer s.reading.Unlock()
	info, err := os.Stat(s.path)
	switch {
	case err == nil && s.problem.Load() == nil && same(info, s.used):
		s.sayAge()
	case err == nil && !same(info, s.seen):
		s.seen = info
	default:
		s.read()
	}
}

// read puts the file into use, or keeps what there is and says why.
func (s *source) read() {
	data, info, err := readFile(s.path)
	if info != nil {
		s.seen = info
	}
	var db *database
	if err == nil {
		// Not s.now: that clock may be anybody's, this one must go on.
		db, err = parse(data, s.of, time.Now().Add(patience))
	}
	if err != nil {
		s.complain(err)
		return
	}
	s.current.Store(db)
	s.problem.Store(nil)
	s.used, s.said, s.old = info, "", false
	s.log.Info("a geo file was read", "type", db.kind, "built", db.built, "records", db.records, "ranges", db.ranges())
	s.sayAge()
}

// complain says once what is wrong with the file.
func (s *source) complain(err error) {
	text := err.Error()
	s.problem.Store(&text)
	if text == s.said {
		return
	}
	s.said = text
	if s.current.Load() == nil {
		s.log.Error("a geo file cannot be used; the fact is unknown", "error", err)
		return
	}
	s.log.Error("a geo file cannot be used; what it said before holds", "error", err)
}

// sayAge says once that the database in use is stale.
func (s *source) sayAge() {
	db := s.current.Load()
	if s.old || !s.stale(db) {
		return
	}
	s.old = true
	s.log.Warn("a geo file is old; it is used all the same", "built", db.built, "days", int(s.now().Sub(db.built).Hours()/24))
}

func (s *source) stale(db *database) bool { return s.now().Sub(db.built) > s.maxAge }

func (s *source) status() Status {
	st := Status{Fact: s.fact, Path: s.path}
	if problem := s.problem.Load(); problem != nil {
		st.Problem = *problem
	}
	if db := s.current.Load(); db != nil {
		st.InUse, st.Type, st.Built, st.Stale = true, db.kind, db.built, s.stale(db)
		st.Nodes, st.Records, st.Ranges = db.nodes, db.records, db.ranges()
	}
	return st
}

// readFile returns the content of a file, and what identifies this version of
// it, unless somebody writes to it at the same time.
//
// The file is copied into memory and not mapped into it, as the library would
// by itself: a mapped file that somebody truncates ends the process with
// SIGBUS at the next look-up, and no recover helps.
func readFile(path string) ([]byte, fs.FileInfo, error) {
	// Without O_NONBLOCK, opening a pipe waits for somebody who writes to it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, info, fmt.Errorf("%s is not a regular file (%s)", path, info.Mode().Type())
	case info.Size() == 0:
		return nil, info, fmt.Errorf("%s is empty", path)
	case info.Size() > largestFile:
		return nil, info, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), largestFile)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, info, fmt.Errorf("%s became shorter while it was read", path)
	} else if err != nil {
		return nil, info, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, info, err
	}
	if !same(info, after) {
		return nil, after, fmt.Errorf("%s changed while it was read", path)
	}
	return data, info, nil
}

// same reports whether two looks saw the same version of a file.
func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
