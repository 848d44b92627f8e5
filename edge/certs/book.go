package certs

import (
	"container/list"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

const (
	afterFailure = 5 * time.Second // until a source that failed is asked again
	afterSame    = time.Minute     // until one that gave an old certificate again is
	patience     = 5 * time.Second // for a source; a disk that hangs must not hold visitors for longer
)

// A Book holds the certificates that visitors ask for, of all that an Index
// knows. It is safe for any number of goroutines.
type Book struct {
	limit int
	now   func() time.Time
	index atomic.Pointer[Index] // swapped with mu held

	mu    sync.Mutex              // guards what follows and the pages; never held while a source is asked
	pages map[int32]*list.Element // by the place in index, so that a wildcard has one for all its names
	order *list.List              // of *page, last used first
}

// A page is what is known of one certificate.
type page struct {
	place       int32
	name        string // by which it was found first
	source      Source
	certificate *tls.Certificate // the last that was loaded
	end         time.Time        // of its validity
	err         error            // of the last load; nil: it went well
	again       time.Time        // when to load again
	loading     chan struct{}    // closed when the load has ended; nil: nobody loads
	since       time.Time        // when it began
}

// valid reports whether there is a certificate to show.
func (p *page) valid(now time.Time) bool { return p.certificate != nil && now.Before(p.end) }

// NewBook returns a Book that holds at most limit certificates, at least one,
// and an empty Index.
func NewBook(limit int, now func() time.Time) *Book {
	b := &Book{limit: max(limit, 1), now: now, order: list.New()}
	b.Replace(NewIndex())
	return b
}

// Replace exchanges the index. What was loaded from a source that the new one
// has for the same name is loaded again when it is next asked for, and stays
// while that fails: files may be half replaced at this moment.
func (b *Book) Replace(x *Index) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, old := b.now(), b.order
	b.index.Store(x)
	b.pages, b.order = map[int32]*list.Element{}, list.New()
	for element := old.Front(); element != nil; element = element.Next() {
		was := element.Value.(*page)
		place := x.find(was.name)
		if place < 0 || b.pages[place] != nil || !was.valid(now) || !reflect.DeepEqual(x.sources[place], was.source) {
			continue
		}
		b.pages[place] = b.order.PushBack(&page{place: place, name: was.name, source: x.sources[place], certificate: was.certificate, end: was.end})
	}
}

// Find returns the certificate for a name; nil if the index has none.
//
// Who comes first has it loaded and others wait, none for more than five
// seconds. When two thirds of its lifetime
// are over one visitor waits for the new one and others have the old one,
// which also stays while loading fails, as long as it is valid. A failure is
// remembered for five seconds.
func (b *Book) Find(name string) (*tls.Certificate, error) {
	for {
		index := b.index.Load()
		place := index.find(name)
		if place < 0 {
			return nil, nil // most scans end here, without a lock
		}
		b.mu.Lock()
		if b.index.Load() == index { // else the place is one of an index that is gone
			return b.take(b.page(index, place, name))
		}
		b.mu.Unlock()
	}
}

// take returns the certificate of a page, loading it if need be. It is called
// with mu held and releases it.
func (b *Book) take(p *page) (*tls.Certificate, error) {
	now := b.now()
	valid := p.valid(now)
	switch {
	case valid && (now.Before(p.again) || p.loading != nil):
		certificate := p.certificate
		b.mu.Unlock()
		return certificate, nil
	case p.loading != nil && now.Sub(p.since) >= patience:
		b.mu.Unlock()
		return nil, errHangs
	case p.loading != nil:
		loading := p.loading
		b.mu.Unlock()
		return b.await(p, loading)
	case !valid && p.err != nil && now.Before(p.again):
		err := p.err
		b.mu.Unlock()
		return nil, err
	}
	loading := make(chan struct{})
	p.loading, p.since = loading, now
	b.mu.Unlock()
	go b.load(p)
	return b.await(p, loading)
}

var errHangs = errors.New("load certificate: its source does not answer")

// await waits for a load that is going on.
func (b *Book) await(p *page, loading <-chan struct{}) (*tls.Certificate, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	late := false
	select {
	case <-loading:
	case <-timer.C:
		late = true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.now(); !late || p.valid(now) {
		return p.outcome(now)
	}
	return nil, errHangs
}

// outcome is what a visitor gets who waited for a load.
func (p *page) outcome(now time.Time) (*tls.Certificate, error) {
	if p.valid(now) {
		return p.certificate, nil
	}
	if p.err == nil {
		return nil, errors.New("load certificate: it expired meanwhile")
	}
	return nil, p.err
}

// load asks the source, without mu; the page is marked as loading.
func (b *Book) load(p *page) {
	var fresh *tls.Certificate
	var err error
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("load certificate: its source panicked: %v", problem) // nobody may wait for ever
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		p.settle(fresh, err, b.now())
		b.shrink()
	}()
	fresh, err = ask(p.source)
}

// ask returns a certificate that has its Leaf.
func ask(s Source) (*tls.Certificate, error) {
	c, err := s.Certificate()
	switch {
	case err != nil:
		return nil, fmt.Errorf("load certificate: %w", err)
	case c == nil || len(c.Certificate) == 0:
		return nil, errors.New("load certificate: the source gave none")
	case c.Leaf != nil:
		return c, nil
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	with := *c // the source may hold on to its own
	with.Leaf = leaf
	return &with, nil
}

// settle writes down how a load ended.
func (p *page) settle(fresh *tls.Certificate, err error, now time.Time) {
	close(p.loading)
	p.loading = nil
	if err == nil && !now.Before(fresh.Leaf.NotAfter) {
		err = fmt.Errorf("load certificate: it expired on %s", fresh.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	if p.err = err; err != nil {
		p.again = now.Add(afterFailure)
		return
	}
	begin, end := fresh.Leaf.NotBefore, fresh.Leaf.NotAfter
	p.certificate, p.end = fresh, end
	p.again = begin.Add(end.Sub(begin) / 3 * 2)
	if soon := now.Add(afterSame); p.again.Before(soon) {
		p.again = soon // past its two thirds already: not at every handshake
	}
}

// page returns the page of a place in the index, as the last used. mu is held.
func (b *Book) page(index *Index, place int32, name string) *page {
	if element := b.pages[place]; element != nil {
		b.order.MoveToFront(element)
		return element.Value.(*page)
	}
	p := &page{place: place, name: name, source: index.sources[place]}
	b.pages[place] = b.order.PushFront(p)
	b.shrink()
	return p
}

// shrink drops what was not used for longest. A page that is being loaded
// stays, for the next visitor would load it a second time; when all of them
// are, there is one for each waiting visitor, and shrink is called again as
// they end. mu is held.
func (b *Book) shrink() {
	for element := b.order.Back(); element != nil && b.order.Len() > b.limit; {
		p, before := element.Value.(*page), element.Prev()
		if p.loading == nil && element != b.order.Front() { // the front is about to be used
			b.order.Remove(element)
			delete(b.pages, p.place)
		}
		element = before
	}
}
