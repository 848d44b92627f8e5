package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seawall-edge/seawall/internal/wire"
)

// visit is what a request does: it looks, waits, or asks with what ask does.
// It returns the body that it got.
func visit(z *Zone, key []byte, request *wire.Fields, ask func(f *Flight) ([]byte, error)) ([]byte, error) {
	for range 100 {
		if object, _ := z.Lookup(key, request); object != nil && object.Whole() {
			return object.Body, nil
		}
		f, leads := z.Join(key, request, then, true)
		if f == nil || leads {
			body, err := ask(f)
			if f != nil {
				f.Leave(true)
			}
			return body, err
		}
		<-f.Decided()
		outcome, object, err := f.Outcome()
		switch {
		case outcome == Answered && object.Selects(request):
			body, err := readFrom(f, 0)
			f.Leave(false)
			return body, err
		case outcome == Failed:
			f.Leave(false)
			return nil, err
		}
		f.Leave(false)
	}
	return nil, errors.New("no answer after a hundred tries")
}

func TestFlight_manyAtOnceGetTheBytesOfTheirOwnVariant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, z := open(t, 0)
		var asked atomic.Int64
		const variants, visitors = 3, 24
		for round := range 20 {
			key := fmt.Appendf(nil, "a\x00hexample.com:80/%d", round)
			body := func(variant string) []byte { return append(pattern(30_000), variant...) }
			var all sync.WaitGroup
			for i := range visitors {
				variant := fmt.Sprint(i % variants)
				request := fields("A", variant)
				all.Go(func() {
					got, err := visit(z, key, request, func(f *Flight) ([]byte, error) {
						asked.Add(1)
						epoch, offer := z.Epoch(key), offerOf(lasting("Vary", "A"), request)
						defer epoch.End()
						if f == nil {
							return body(variant), nil
						}
						begin(t, z, f, offer)
						f.Attach()
						defer f.Detach()
						err := bring(f, body(variant), 1000, nil, keepIn(z, key, request, epoch))
						return body(variant), err
					})
					if err != nil || !bytes.Equal(got, body(variant)) {
						t.Errorf("variant %s: %d bytes that end with %q, %v", variant, len(got), got[max(0, len(got)-1):], err)
					}
				})
			}
			all.Wait()
		}
		if n := asked.Load(); n < 20*variants || n >= 20*visitors {
			t.Errorf("asked %d times for %d answers", n, 20*variants)
		}
	})
}

// Whatever becomes of flights, nobody waits for ever, nobody gets what was
// never an answer to its question, and nothing is held in the end. In a bubble
// those who wait for ever are noticed.
func TestCache_whateverManyDoAtOnceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := open(t, 4<<20)
		failure := errors.New("failed")
		var all sync.WaitGroup
		for i := range 32 {
			random := newRandom(i)
			all.Go(func() {
				for range 150 {
					name := string(rune('a' + random.IntN(2)))
					z := c.Zone(name, Bounds{Variants: 3, Waiters: 20})
					d := doing{z: z, key: fmt.Appendf(nil, "%s\x00hexample.com:80/%d.html", name, random.IntN(3)), variant: fmt.Sprint(random.IntN(2)), dice: random.IntN(16)}
					if d.dice == 15 {
						c.Remove(name)
						continue
					}
					body, err := visit(z, d.key, fields("A", d.variant), func(f *Flight) ([]byte, error) { return d.ask(t, f, failure) })
					if err != nil && err != failure && err != errBehind && err != errNobody {
						t.Error(err)
					}
					if mine := d.body(); !bytes.HasPrefix(mine, body) || err == nil && len(body) != len(mine) {
						t.Errorf("%d bytes of another answer, %v", len(body), err)
					}
				}
			})
		}
		all.Wait()
	})
}

// doing is one thing that a request of TestCache_whateverManyDoAtOnceEnds does.
type doing struct {
	z       *Zone
	key     []byte
	variant string
	dice    int
}

var bulk = pattern(60_000)

// body begins with what tells it from every other.
func (d doing) body() []byte { return append(fmt.Appendf(nil, "%s %s ", d.key, d.variant), bulk...) }

func (d doing) ask(t *testing.T, f *Flight, failure error) ([]byte, error) {
	request, epoch, body := fields("A", d.variant), d.z.Epoch(d.key), d.body()
	offer := offerOf(lasting("Vary", "A", "ETag", `"a"`), request)
	defer epoch.End()
	switch d.dice {
	case 0:
		d.z.Invalidate(d.key)
	case 1:
		for _, object := range d.z.Variants(d.key) {
			d.z.Forget(d.key, object)
		}
	case 2:
		d.z.markAlone(d.key, then+1)
	case 3:
		offer.MaxObject = 20_000 // so that it is not stored after all
	}
	if f == nil {
		d.z.Store(d.key, prepared(t, offer, string(body)), request, epoch)
		return body, nil
	}
	switch d.dice {
	case 4:
		return body, nil // it leaves, and the others look again
	case 5:
		f.Release(then)
		return body, nil
	case 6:
		f.Fail(failure)
		return nil, failure
	case 7:
		f.Serve(prepared(t, offer, string(body)))
		return body, nil
	}
	object := begin(t, d.z, f, offer)
	f.Attach()
	done := make(chan error)
	go func() {
		var err error
		if d.dice == 8 {
			err = errors.Join(f.Add(body[:30_000]), failure) // it is cut
		} else {
			err = bring(f, body, 5_000, nil, keepIn(d.z, d.key, request, epoch))
		}
		if err != nil {
			d.z.StoreIncomplete(d.key, object, request, epoch, int64(len(body)))
			f.Break(failure)
		}
		done <- err
	}()
	if d.dice == 9 {
		f.Detach() // its visitor leaves
		<-done
		return body, nil
	}
	got, err := drain(f)
	f.Detach()
	<-done
	return got, err
}

// drain is readFrom for who is attached.
func drain(f *Flight) (body []byte, err error) {
	for {
		data, more, err := f.Read(int64(len(body)))
		switch {
		case err == io.EOF:
			return body, nil
		case err != nil:
			return body, err
		case more != nil:
			<-more
		}
		body = append(body, data...)
	}
}
