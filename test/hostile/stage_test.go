package hostile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// stage is the program and an origin for each row.
type stage struct {
	process *process
	zones   strings.Builder
	sites   map[*row]*site
	number  atomic.Int64 // for targets that nobody else has
}

// site is a zone and its origin.
type site struct {
	stage  *stage
	host   string
	origin *origin
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return &stage{sites: map[*row]*site{}}
}

// add prepares a zone for the row, before the program starts.
func (s *stage) add(t *testing.T, r *row) {
	t.Helper()
	timeouts := ""
	if r.hurry {
		timeouts = ", first_byte_timeout: 1500ms, idle_timeout: 1500ms"
	}
	site := s.site(t, timeouts)
	site.origin.script, site.origin.greeting = r.script(), r.greeting
	s.sites[r] = site
}

func (s *stage) site(t *testing.T, timeouts string) *site {
	t.Helper()
	o := newOrigin(t)
	site := &site{s, fmt.Sprintf("z%d.test", s.number.Add(1)), o}
	fmt.Fprintf(&s.zones, "  - {name: %s, origin: {url: 'http://%s'%s}}\n", site.host, o.listener.Addr(), timeouts)
	return site
}

func (s *stage) start(t *testing.T) *process {
	t.Helper()
	s.process = launch(t, s.zones.String())
	return s.process
}

// target returns one that nobody else has.
func (s *stage) target(kind string) string {
	return fmt.Sprintf("/%s/%d", kind, s.number.Add(1))
}

// play plays a row in all its ways; after a wrong one the next would tell
// nothing new.
func (s *stage) play(t *testing.T, r *row) {
	t.Helper()
	for _, w := range r.ways() {
		wrong, left := s.sites[r].visit(r, w), s.sites[r].empty()
		if wrong != nil || left != nil {
			t.Fatalf("%s (RFC %s): %v", w.name, r.source, errors.Join(wrong, left))
		}
	}
}

// visit plays a row once, and looks at what comes after it.
func (s *site) visit(r *row, w way) error {
	v, err := enter(s.stage.process.http)
	if err != nil {
		return err
	}
	defer v.conn.Close()
	if w.used {
		if err := s.good(v, request{method: "GET", minor: w.ask.minor}); err != nil {
			return fmt.Errorf("before the row: %w", err)
		}
	}
	target := s.stage.target("case")
	s.origin.turn(true)
	g := s.ask(v, w.ask, target)
	wrong := r.judge(g, w.ask)
	if r.greeting == "" {
		if err := s.origin.await("the origin to be asked", func() bool { return s.origin.hasPlayed(target) }); err != nil {
			return fmt.Errorf("%w; the visitor got %v", err, g)
		}
		wrong = append(wrong, s.origin.judgeAsking(target, w)...)
	}
	if (r.late != "" || r.lateThen != stay) && g.whole {
		s.origin.speakUp(target, r.late, r.lateThen)
	}
	s.origin.turn(false)
	// A page means that the answer was not understood: where it ends on the
	// connection is not known either.
	isRight := slices.ContainsFunc(r.want, func(o outcome) bool { return len(o.pages) == 0 && !o.cut && o.fits(g, w.ask) })
	wrong = append(wrong, s.aftermath(v, g, target, r.spoiled || !isRight, w)...)
	if len(wrong) > 0 {
		return fmt.Errorf("%s\n    the visitor got %v", strings.Join(wrong, "\n    "), g)
	}
	return nil
}

// ask sends a request and returns the answer.
func (s *site) ask(v *visitor, ask request, target string) got {
	if err := v.send(ask.head(s.host, target)); err != nil {
		return got{wrong: err}
	}
	sent, content := make(chan struct{}), ask.content()
	upload := func() {
		defer close(sent)
		_ = v.send(content) // the edge need not take it all
	}
	switch {
	case content == "":
		// Even an empty write would ask the kernel, and take away the error
		// that tells the reader of a reset.
		close(sent)
	case !ask.waits:
		go upload()
	}
	seen := s.origin.seen
	g := v.receive(ask.method, ask.minor, func(status int) {
		switch {
		case status == 100 && ask.waits:
			go upload()
			ask.waits = false
		case status >= 200:
			close(seen)
		}
	})
	if ask.waits || !g.open {
		g.open = false
		_ = v.conn.Close()
	}
	if !ask.waits {
		<-sent
	}
	return g
}

// judge compares what the visitor got with what the row says.
func (r *row) judge(g got, ask request) (wrong []string) {
	if g.wrong != nil {
		wrong = append(wrong, "what came is wrong by itself")
	}
	if !slices.ContainsFunc(r.want, func(o outcome) bool { return o.fits(g, ask) }) {
		wrong = append(wrong, fmt.Sprintf("right would be %v", r.want))
	}
	for _, status := range g.interim {
		if !slices.Contains(r.interims, status) {
			wrong = append(wrong, fmt.Sprintf("a %d on the way", status))
			break
		}
	}
	for _, f := range slices.Concat(g.fields, g.trailers) {
		if strings.Contains(f.value, poison) {
			wrong = append(wrong, fmt.Sprintf("%s has bytes of something else: %.80q", f.name, f.value))
		}
	}
	if !g.whole || len(r.want) > 0 && g.isPage(ask.method, 502, 504) {
		return wrong
	}
	for _, f := range r.has {
		// How many spaces a fold becomes is nobody's business.
		all := values(g.fields, f.name)
		if len(all) != 1 || strings.Join(strings.Fields(all[0]), " ") != f.value {
			wrong = append(wrong, fmt.Sprintf("%s is %.80q, not %.80q", f.name, all, f.value))
		}
	}
	for _, name := range r.lacks {
		if all := values(g.fields, name); len(all) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s is there: %.80q", name, all))
		}
	}
	return wrong
}

// aftermath looks whether anything is left of the row.
func (s *site) aftermath(v *visitor, g got, target string, spoiled bool, w way) (wrong []string) {
	complain := func(what string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", what, err))
		}
	}
	if g.open {
		next := request{method: "POST", minor: w.ask.minor, body: 40} // which must not be sent twice
		complain("the next request on the visitor's connection", s.good(v, next))
	}
	other, err := enter(s.stage.process.http)
	if err != nil {
		return append(wrong, err.Error())
	}
	defer other.conn.Close()
	complain("requests on a new connection", s.goodUntil(other, func() bool { return !spoiled || s.origin.closed(target) }))
	if !g.whole {
		// What was cut must not have been stored as if it were whole.
		complain("the same request again", s.goodAt(other, request{method: "GET", minor: 1}, target))
	}
	if later := s.origin.later(target); spoiled && len(later) > 0 {
		wrong = append(wrong, fmt.Sprintf("the spoiled connection was used again, for %q", later))
	}
	return append(wrong, s.origin.takeFaults()...)
}

// goodUntil asks for good things, once or until the origin sees that a
// connection is closed: the edge may look at one that has nothing to do only
// when it needs one.
func (s *site) goodUntil(v *visitor, done func() bool) (wrong error) {
	err := eventually("the edge to close the connection", func() error {
		if wrong = s.good(v, request{method: "GET", minor: 1}); wrong == nil && !done() {
			return errors.New("it is open")
		}
		return nil
	})
	return errors.Join(wrong, err)
}

// good asks for something that the origin answers well.
func (s *site) good(v *visitor, ask request) error {
	return s.goodAt(v, ask, s.stage.target("good"))
}

func (s *site) goodAt(v *visitor, ask request, target string) error {
	if err := v.send(ask.head(s.host, target) + ask.content()); err != nil {
		return err
	}
	g := v.receive(ask.method, ask.minor, func(int) {})
	want := goodBody(ask.method, target, ask.content())
	token := values(g.fields, "Token")
	if g.wrong != nil || !g.whole || !g.open || g.status != 200 || g.body != want || len(token) != 1 || token[0] != target || len(g.interim) > 0 {
		return fmt.Errorf("%s got %v", target, g)
	}
	return nil
}

// empty has the origin end all its connections, and asks until the edge,
// which looks at its idle connections when it needs one, has closed them too.
func (s *site) empty() error {
	return eventually("the edge to close its connections", func() error {
		s.origin.mu.Lock()
		for _, l := range s.origin.links {
			if !l.ended {
				_ = l.conn.CloseWrite() // done before, or broken
			}
		}
		s.origin.mu.Unlock()
		v, err := enter(s.stage.process.http)
		if err != nil {
			return err
		}
		defer v.conn.Close()
		ask := request{method: "GET", minor: 1, fields: "Connection: close\r\n"}
		if err := v.send(ask.head(s.host, farewell)); err != nil {
			return err
		}
		v.receive("GET", 1, func(int) {})
		s.origin.mu.Lock()
		defer s.origin.mu.Unlock()
		left := 0
		for _, l := range s.origin.links {
			if !l.ended {
				left++
			}
		}
		if left > 0 {
			return fmt.Errorf("%d are open", left)
		}
		return nil
	})
}
