package operate_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// site is a server behind the edge, whose zone is its name and ".test". What
// it answers begins with its name, so that nobody takes one for another.
type site struct {
	name     string
	server   *httptest.Server
	accepted atomic.Int64 // connections so far
	asked    atomic.Int64 // for pages

	mu      sync.Mutex // guards what follows
	waiting int        // requests for /wait that have arrived
	gone    int        // answers that ended because the edge hung up
	release chan struct{}
	ticks   chan string // lines for whoever reads /events
}

// newSite starts a site and ends it with the test.
func newSite(t *testing.T, name string) *site {
	t.Helper()
	s := prepareSite(name)
	s.server.Start()
	t.Cleanup(s.close)
	return s
}

func prepareSite(name string) *site {
	s := &site{name: name, release: make(chan struct{}), ticks: make(chan string)}
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.page)
	mux.HandleFunc("/kept", s.kept)
	mux.HandleFunc("/last", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	mux.HandleFunc("/wait", s.wait)
	mux.HandleFunc("/events", s.events)
	mux.HandleFunc("/endless", s.endless)
	mux.HandleFunc("/download", s.download)
	mux.HandleFunc("/upload", s.upload)
	mux.HandleFunc("/talk", s.talk)
	s.server = httptest.NewUnstartedServer(mux)
	s.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.accepted.Add(1)
		}
	}
	return s
}

func (s *site) close() {
	s.letGo()
	s.server.CloseClientConnections()
	s.server.Close()
}

func (s *site) url() string { return s.server.URL }

// pageOf is what a site answers under a path: its name, the path, and enough
// that a part is not taken for the whole.
func pageOf(name, target string) string {
	return name + " " + target + "\n" + strings.Repeat("0123456789abcde\n", 64) + "end\n"
}

func (s *site) page(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, pageOf(s.name, r.URL.RequestURI())) // the edge is gone
}

// kept may be stored; ?size=N makes it that large.
func (s *site) kept(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	w.Header().Set("Cache-Control", "max-age=3600")
	if size, err := strconv.Atoi(r.URL.Query().Get("size")); err == nil {
		_, _ = w.Write(pattern(size))
		return
	}
	_, _ = io.WriteString(w, pageOf(s.name, r.URL.RequestURI()))
}

// pattern makes bytes that tell when some are missing.
func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// wait answers when letGo is called.
func (s *site) wait(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.waiting++
	release := s.release
	s.mu.Unlock()
	select {
	case <-release:
		s.page(w, r)
	case <-r.Context().Done():
		s.hungUp()
	}
}

func (s *site) letGo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.release)
	s.release = make(chan struct{})
}

func (s *site) hungUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone++
}

// hasWaiting and hasGone make conditions for poll.
func (s *site) hasWaiting(n int) func() error {
	return func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.waiting < n {
			return fmt.Errorf("%d requests wait at the site, not %d", s.waiting, n)
		}
		return nil
	}
}

func (s *site) hasGone(n int) func() error {
	return func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.gone < n {
			return fmt.Errorf("the edge hung up %d times, not %d", s.gone, n)
		}
		return nil
	}
}

// events sends a server-sent event for each tick, until letGo is called.
func (s *site) events(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	release := s.release
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flusher := w.(http.Flusher)
	for {
		flusher.Flush()
		select {
		case text := <-s.ticks:
			fmt.Fprintf(w, "data: %s\n\n", text)
		case <-release:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// endless answers until somebody stops it.
func (s *site) endless(w http.ResponseWriter, r *http.Request) {
	piece := make([]byte, 32<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(piece); err != nil {
			break
		}
	}
	s.hungUp()
}

// download sends ?size=N bytes, with ?chunked=1 without saying how many.
func (s *site) download(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
	if r.URL.Query().Get("chunked") == "" {
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.Copy(w, stream(size))
}

// upload answers with how much came and its digest.
func (s *site) upload(w http.ResponseWriter, r *http.Request) {
	digest := sha256.New()
	n, err := io.Copy(digest, r.Body)
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintf(w, "%d %x %v", n, digest.Sum(nil), err)
}

// talk changes to a protocol of lines: each comes back as "echo LINE".
func (s *site) talk(w http.ResponseWriter, _ *http.Request) {
	conn, both, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
	lines := bufio.NewScanner(both)
	for lines.Scan() {
		if _, err := fmt.Fprintf(conn, "echo %s\n", lines.Text()); err != nil {
			return
		}
	}
}

// stream is size bytes that are cheap to make and not all the same.
func stream(size int64) io.Reader { return io.LimitReader(&counting{}, size) }

type counting struct{ block, at int }

var blocks = [2][]byte{pattern(64 << 10), make([]byte, 64<<10)}

func (c *counting) Read(p []byte) (int, error) {
	n := copy(p, blocks[c.block][c.at:])
	if c.at += n; c.at == len(blocks[c.block]) {
		c.at, c.block = 0, 1-c.block
	}
	return n, nil
}
