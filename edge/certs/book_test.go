package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shelf is a Source that counts, and gives what it is told to.
type shelf struct {
	asked atomic.Int32
	give  func() (*tls.Certificate, error)
}

func (s *shelf) Certificate() (*tls.Certificate, error) {
	s.asked.Add(1)
	return s.give()
}

func bookOf(limit int, c *clock, sources map[string]Source) *Book {
	x := NewIndex()
	for name, s := range sources {
		x.Add(name, s)
	}
	b := NewBook(limit, c.now)
	b.Replace(x)
	return b
}

func tlsOf(m *made) *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{m.certificate.Raw}, PrivateKey: m.key} // without Leaf
}

func TestBook_loadsOnceForManyVisitors(t *testing.T) {
	certificate := tlsOf(makeCertificate(t, nil, newKey(t), nil))
	begun, release := make(chan bool), make(chan bool)
	slow := &shelf{give: func() (*tls.Certificate, error) {
		close(begun) // twice would panic
		<-release
		return certificate, nil
	}}
	other := &shelf{give: func() (*tls.Certificate, error) { return certificate, nil }}
	b := bookOf(2, newClock(), map[string]Source{"*.example.com": slow, "example.org": other})
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			got, err := b.Find(fmt.Sprintf("host-%d.example.com", i))
			if err != nil || got.Leaf == nil {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	<-begun
	// While one loads, other names go on.
	if got, err := b.Find("unknown.test"); got != nil || err != nil {
		t.Errorf("unknown: %v, %v", got, err)
	}
	if got, err := b.Find("example.org"); got == nil || err != nil {
		t.Errorf("another: %v, %v", got, err)
	}
	close(release)
	wait.Wait()
	if n := slow.asked.Load(); n != 1 {
		t.Errorf("%d loads for one wildcard", n)
	}
	if certificate.Leaf != nil {
		t.Error("the certificate of the source was written to")
	}
}

func TestBook_keepsThePageThatIsBeingLoaded(t *testing.T) {
	certificate := tlsOf(makeCertificate(t, nil, newKey(t), nil))
	begun, release, ended := make(chan bool), make(chan bool), make(chan bool)
	b := bookOf(1, newClock(), map[string]Source{
		"slow": sourceFunc(func() (*tls.Certificate, error) {
			close(begun)
			<-release
			return certificate, nil
		}),
		"other": sourceFunc(func() (*tls.Certificate, error) { return certificate, nil }),
	})
	pages := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.pages)
	}
	go func() {
		defer close(ended)
		if _, err := b.Find("slow"); err != nil {
			t.Error(err)
		}
	}()
	<-begun
	if _, err := b.Find("other"); err != nil || pages() != 2 {
		t.Errorf("%d pages (%v): the next visitor would load it a second time", pages(), err)
	}
	close(release)
	<-ended
	if pages() != 1 {
		t.Errorf("%d pages afterwards, in a book for one", pages())
	}
}

func TestBook_knowsUnknownNamesWithoutItsLock(t *testing.T) {
	b := bookOf(1, newClock(), map[string]Source{"example.com": named("a")})
	b.mu.Lock() // would stop here for ever
	defer b.mu.Unlock()
	if got, err := b.Find("example.org"); got != nil || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBook_remembersAFailureForFiveSeconds(t *testing.T) {
	c := newClock()
	failure := errors.New("no such file")
	s := &shelf{give: func() (*tls.Certificate, error) { return nil, failure }}
	b := bookOf(4, c, map[string]Source{"a": s})
	for _, step := range []struct {
		pass  time.Duration
		loads int32
	}{{0, 1}, {0, 1}, {4999 * time.Millisecond, 1}, {time.Millisecond, 2}, {time.Second, 2}, {5 * time.Second, 3}} {
		c.pass(step.pass)
		if _, err := b.Find("a"); !errors.Is(err, failure) || s.asked.Load() != step.loads {
			t.Errorf("after %v: %d loads, %v; want %d", step.pass, s.asked.Load(), err, step.loads)
		}
	}
}

// The certificate holds from 30 days before noon to 60 days after: two thirds
// are over 30 days after noon.
func TestBook_renewsAfterTwoThirds(t *testing.T) {
	c := newClock()
	old := tlsOf(makeCertificate(t, nil, newKey(t), nil))
	failing := false
	s := &shelf{}
	s.give = func() (*tls.Certificate, error) {
		if failing {
			return nil, errors.New("no such file")
		}
		return old, nil
	}
	b := bookOf(4, c, map[string]Source{"a": s})
	const day = 24 * time.Hour
	for _, step := range []struct {
		says    string
		pass    time.Duration
		failing bool
		loads   int32
		ok      bool
	}{
		{"first", 0, false, 1, true},
		{"fresh", 30*day - time.Second, true, 1, true},
		{"due and failing", time.Second, true, 2, true},
		{"the failure is remembered", time.Second, true, 2, true},
		{"failing again", 5 * time.Second, true, 3, true},
		{"the same again", 5 * time.Second, false, 4, true},
		{"not at every handshake", 59 * time.Second, false, 4, true},
		{"but each minute", time.Second, false, 5, true},
		{"expired", 30 * day, true, 6, false},
		{"expired, and remembered", time.Second, true, 6, false},
		{"the source has the expired one", 5 * time.Second, false, 7, false},
	} {
		c.pass(step.pass)
		failing = step.failing
		got, err := b.Find("a")
		if (got != nil) != step.ok || (err == nil) != step.ok || s.asked.Load() != step.loads {
			t.Errorf("%s: %v, %v, %d loads", step.says, got != nil, err, s.asked.Load())
		}
	}
	a := openAuthority(t, t.TempDir(), newSealer(t), c)
	s.give = Issued{a, "a"}.Certificate
	c.pass(5 * time.Second)
	if got, err := b.Find("a"); err != nil || got.Leaf.NotAfter.Before(c.now()) {
		t.Errorf("a new one: %v", err)
	}
}

func TestBook_showsTheOldOneWhileTheNewOneLoads(t *testing.T) {
	c := newClock()
	old := tlsOf(makeCertificate(t, nil, newKey(t), nil))
	s := &shelf{give: func() (*tls.Certificate, error) { return old, nil }}
	b := bookOf(1, c, map[string]Source{"a": s})
	first, _ := b.Find("a")
	begun, release, ended := make(chan bool), make(chan bool), make(chan bool)
	s.give = func() (*tls.Certificate, error) {
		close(begun)
		<-release
		return old, nil
	}
	c.pass(31 * 24 * time.Hour)
	go func() {
		defer close(ended)
		if got, err := b.Find("a"); err != nil || got == first {
			t.Errorf("who loads: %v", err)
		}
	}()
	<-begun
	if got, err := b.Find("a"); got != first || err != nil {
		t.Errorf("who comes meanwhile: %v", err)
	}
	close(release)
	<-ended
}

func TestBook_holdsNoMoreThanItsLimit(t *testing.T) {
	certificate := tlsOf(makeCertificate(t, nil, newKey(t), nil))
	sources, shelves := map[string]Source{}, map[string]*shelf{}
	for _, name := range []string{"a", "b", "c"} {
		shelves[name] = &shelf{give: func() (*tls.Certificate, error) { return certificate, nil }}
		sources[name] = shelves[name]
	}
	b := bookOf(2, newClock(), sources)
	for _, name := range strings.Fields("a b a c a b") { // c pushes b out, then b pushes c out
		if _, err := b.Find(name); err != nil {
			t.Fatal(err)
		}
		if len(b.pages) > 2 || len(b.pages) != b.order.Len() {
			t.Errorf("%d pages, %d in order", len(b.pages), b.order.Len())
		}
	}
	if got := fmt.Sprint(shelves["a"].asked.Load(), shelves["b"].asked.Load(), shelves["c"].asked.Load()); got != "1 2 1" {
		t.Errorf("loads %s", got)
	}
}

func TestBook_wakesThoseWhoWaitForASourceThatPanics(t *testing.T) {
	b := bookOf(1, newClock(), map[string]Source{"a": sourceFunc(func() (*tls.Certificate, error) { panic("bug") })})
	for range 2 {
		if _, err := b.Find("a"); err == nil || !strings.Contains(err.Error(), "panicked") {
			t.Errorf("%v", err)
		}
	}
}

// A disk that hangs holds nobody for long, and those who come later not at all.
func TestBook_waitsForNoSourceForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		certificate, release := tlsOf(makeCertificate(t, nil, newKey(t), nil)), make(chan bool)
		source := &shelf{give: func() (*tls.Certificate, error) { <-release; return certificate, nil }}
		x := NewIndex()
		x.Add("a", source)
		start := time.Now()
		b := NewBook(1, func() time.Time { return noon.Add(time.Since(start)) })
		b.Replace(x)
		for _, want := range []time.Duration{patience, 0, 0} {
			began := time.Now()
			if got, err := b.Find("a"); got != nil || err == nil || time.Since(began) != want {
				t.Errorf("%v, %v after %v, want %v", got, err, time.Since(began), want)
			}
		}
		close(release)
		synctest.Wait()
		if got, err := b.Find("a"); got == nil || err != nil || source.asked.Load() != 1 {
			t.Errorf("when it answers: %v, %v, asked %d times", got, err, source.asked.Load())
		}
	})
}

// A reload finds the files half replaced: what was read stays until they are whole.
func TestBook_keepsOverAReloadWhatCannotBeReadAgain(t *testing.T) {
	first, second := tlsOf(makeCertificate(t, nil, newKey(t), nil)), tlsOf(makeCertificate(t, nil, newKey(t), nil))
	c, failing := newClock(), errors.New("the key does not belong to it")
	source := &shelf{give: func() (*tls.Certificate, error) { return first, nil }}
	b := bookOf(2, c, map[string]Source{"a": source, "b": named("b")})
	shown := func() *tls.Certificate {
		got, _ := b.Find("a")
		return got
	}
	if got := shown(); got == nil || &got.Certificate[0][0] != &first.Certificate[0][0] {
		t.Fatalf("%v", got)
	}
	again := func() {
		x := NewIndex()
		x.Add("new", named("c")) // the places differ
		x.Add("a", source)
		b.Replace(x)
	}
	source.give = func() (*tls.Certificate, error) { return nil, failing }
	again()
	if got := shown(); got == nil || &got.Certificate[0][0] != &first.Certificate[0][0] || source.asked.Load() != 2 {
		t.Errorf("half replaced: %v, asked %d times", got, source.asked.Load())
	}
	source.give = func() (*tls.Certificate, error) { return second, nil }
	again()
	if got := shown(); got == nil || &got.Certificate[0][0] != &second.Certificate[0][0] {
		t.Errorf("whole again: %v", got)
	}
	b.Replace(NewIndex())
	if got := shown(); got != nil {
		t.Errorf("of a zone that is gone: %v", got)
	}
}

func TestBook_replacesItsIndexWhileVisitorsCome(t *testing.T) {
	c := newClock()
	a := openAuthority(t, t.TempDir(), newSealer(t), c)
	one, two := NewIndex(), NewIndex()
	two.Add("other.test", Issued{a, "other.test"}) // the places differ
	for _, x := range []*Index{one, two} {
		x.Add("*.test", Issued{a, "*.test"})
		x.Add("b.example", Issued{a, "b.example"})
	}
	b := NewBook(2, c.now)
	b.Replace(one)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := range 100 {
				name := []string{"a.test", "b.example"}[i%2]
				if got, err := b.Find(name); err != nil || got.Leaf.VerifyHostname(name) != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	for i := range 50 {
		b.Replace([]*Index{two, one}[i%2])
	}
	wait.Wait()
	b.Replace(NewIndex())
	if got, err := b.Find("a.test"); got != nil || err != nil {
		t.Errorf("forgotten: %v, %v", got, err)
	}
}
