package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

// bring lets a body arrive in pieces and finishes it with the last of them.
func bring(f *Flight, body []byte, piece int, trailers *wire.Fields, store func(*Object) bool) error {
	for len(body) > piece {
		if err := f.Add(body[:piece]); err != nil {
			return err
		}
		body = body[piece:]
	}
	return f.Finish(body, trailers, store)
}

func TestFlight_aSlowReaderHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, z := open(t, 0)
		body := pattern(500_000)
		f := lead(t, z, page, fields())
		begin(t, z, f, offerOf(lasting(), fields()))
		start := time.Now()
		results := make(chan error, 3)
		read := func(pause time.Duration) {
			f := follow(t, z, page, fields())
			f.Attach()
			go func() {
				defer f.Leave(false)
				defer f.Detach()
				for at := 0; ; {
					time.Sleep(pause)
					data, more, err := f.Read(int64(at))
					switch {
					case err != nil:
						if err == io.EOF && at == len(body) {
							err = nil
						}
						results <- err
						return
					case more != nil:
						<-more
						continue
					}
					data = data[:min(len(data), 10_000)]
					if !bytes.Equal(data, body[at:at+len(data)]) {
						results <- fmt.Errorf("wrong bytes at %d", at)
						return
					}
					at += len(data)
				}
			}()
		}
		read(0)
		read(0)
		read(time.Hour)
		if err := bring(f, body, 1000, nil, keepIn(z, page, fields(), asked(t, z, page))); err != nil {
			t.Fatal(err)
		}
		f.Leave(true)
		for range 2 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("the others waited for %v", took)
		}
		if err := <-results; err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 50*time.Hour {
			t.Errorf("the slow one was not slow: %v", took)
		}
		synctest.Wait()
	})
}

func TestFlight_whoComesWhileTheBodyArrivesGetsAllOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, z := open(t, 0)
		body := pattern(100_000)
		f := lead(t, z, page, fields())
		offer := offerOf(lasting(), fields())
		offer.Length = int64(len(body))
		begin(t, z, f, offer)
		results := make(chan error, 20)
		for i := range 20 {
			late := follow(t, z, page, fields())
			go func() {
				defer late.Leave(false)
				<-late.Decided()
				outcome, object, _ := late.Outcome()
				got, err := readFrom(late, 0)
				if outcome != Answered || object == nil || late.Length() != 100_000 || !bytes.Equal(got, body) {
					err = fmt.Errorf("the one after %d pieces: outcome %d, length %d, %d bytes, %v", i, outcome, late.Length(), len(got), err)
				}
				results <- err
			}()
			synctest.Wait()
			if i < 19 {
				_ = f.Add(body[i*5000 : (i+1)*5000])
			} else {
				_ = f.Finish(body[i*5000:], nil, keepIn(z, page, fields(), asked(t, z, page)))
			}
		}
		f.Leave(true)
		for range 20 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if found(z, page, fields()) != string(body) {
			t.Error("it is not stored")
		}
	})
}

func TestFlight_readSaysWhereItIs(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields())
	begin(t, z, f, offerOf(lasting(), fields()))
	f.Attach()
	data, more, err := f.Read(0)
	if data != nil || more == nil || err != nil {
		t.Fatalf("before a byte has come: %q, %v, %v", data, more, err)
	}
	_, again, _ := f.Read(0)
	_ = f.Add([]byte("hello"))
	for _, c := range []<-chan struct{}{more, again} {
		select {
		case <-c:
		default:
			t.Error("one who waits was not told of more")
		}
	}
	if data, _, _ = f.Read(2); string(data) != "llo" || cap(data) != 3 {
		t.Errorf("%q, with room for %d that others could write into", data, cap(data))
	}
	_ = f.Add([]byte(" you"))
	if string(data) != "llo" {
		t.Errorf("what was read has changed to %q", data)
	}
	if _, more, err = f.Read(20); more == nil || err != nil {
		t.Errorf("beyond what has come: %v", err) // a range that begins there
	}
	_ = f.Finish(nil, nil, func(*Object) bool { return true })
	if _, _, err = f.Read(9); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if data, _, err = f.Read(0); string(data) != "hello you" || err != nil {
		t.Errorf("again from the beginning: %q, %v", data, err)
	}
	f.Detach()
	f.Leave(true)
}

func TestFinish_storesBeforeTheLastByteCanBeRead(t *testing.T) {
	for _, known := range []int64{9, -1} {
		c, z := open(t, 0)
		f := lead(t, z, page, fields())
		offer := offerOf(lasting(), fields())
		offer.Length = known
		begin(t, z, f, offer)
		f.Attach()
		_ = f.Add([]byte("hello"))
		when, called := asked(t, z, page), false
		err := f.Finish([]byte(" you"), nil, func(object *Object) bool {
			called = true
			// Nobody can read meanwhile, so this is what everybody has seen.
			if f.ended || len(f.body) != 5 || c.collecting.Load() != 0 {
				t.Errorf("ended %v, %d bytes can be read, %d counted", f.ended, len(f.body), c.collecting.Load())
			}
			if f.mu.TryLock() {
				t.Error("somebody could read meanwhile")
			}
			return z.Store(page, object, fields(), when)
		})
		if err != nil || !called || found(z, page, fields()) != "hello you" || f.Stored() != seawall.StoreStored {
			t.Errorf("%v, called %v, stored %q, %s", err, called, found(z, page, fields()), f.Stored())
		}
		if data, _, _ := f.Read(0); string(data) != "hello you" {
			t.Errorf("%q", data)
		}
		f.Detach()
		f.Leave(true)
	}
}

// Whoever has read an answer to its end finds it stored.
func TestFinish_whoHasReadItAllFindsItStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, z := open(t, 0)
		body := pattern(40_000)
		for range 50 {
			when := asked(t, z, page)
			f := lead(t, z, page, fields())
			offer := offerOf(lasting(), fields())
			offer.Length = int64(len(body))
			begin(t, z, f, offer)
			done := make(chan bool)
			for range 4 {
				g := follow(t, z, page, fields())
				g.Attach()
				go func() {
					at := int64(0)
					for at < offer.Length {
						data, more, _ := g.Read(at)
						if more != nil {
							<-more
						}
						at += int64(len(data))
					}
					object, _ := z.Lookup(page, fields())
					g.Detach()
					g.Leave(false)
					done <- object != nil && bytes.Equal(object.Body, body)
				}()
			}
			_ = bring(f, body, 7000, nil, keepIn(z, page, fields(), when))
			for range 4 {
				if !<-done {
					t.Fatal("it was read whole and is not stored")
				}
			}
			f.Leave(true)
			z.Invalidate(page)
		}
	})
}

func TestFinish_whatIsNotKeptIsReadAllTheSame(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields())
	begin(t, z, f, offerOf(lasting(), fields()))
	when := asked(t, z, page)
	z.Invalidate(page)
	_ = bring(f, []byte("hello"), 2, nil, keepIn(z, page, fields(), when))
	if body, err := readFrom(f, 0); string(body) != "hello" || err != nil || found(z, page, fields()) != "" || f.Stored() != seawall.StoreUndecided {
		t.Errorf("%q, %v; stored %q, %s", body, err, found(z, page, fields()), f.Stored())
	}
	f.Leave(true)
}

func TestFinish_bringsTrailers(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields())
	begin(t, z, f, offerOf(lasting(), fields()))
	if f.Length() != -1 || f.Trailers() != nil {
		t.Error("trailers before the end")
	}
	trailers := fields("X-Sum", "1")
	_ = bring(f, []byte("hello"), 2, trailers, keepIn(z, page, fields(), asked(t, z, page)))
	if object, _ := z.Lookup(page, fields()); f.Trailers() != trailers || object.Trailers != trailers {
		t.Error("they are lost")
	}
	f.Leave(true)
}

func TestBreak_tellsEverybodyWhereItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, z := open(t, 0)
		failure := errors.New("cut")
		f := lead(t, z, page, fields())
		begin(t, z, f, offerOf(lasting(), fields()))
		g := follow(t, z, page, fields())
		type end struct {
			body string
			err  error
		}
		ends := make(chan end)
		go func() {
			body, err := readFrom(g, 0)
			ends <- end{string(body), err}
		}()
		_ = f.Add([]byte("hel"))
		synctest.Wait()
		if c.collecting.Load() == 0 {
			t.Error("nothing is counted while it arrives")
		}
		f.Break(failure)
		if got := <-ends; got.body != "hel" || got.err != failure {
			t.Errorf("%q, %v", got.body, got.err)
		}
		if body, err := readFrom(f, 0); string(body) != "hel" || err != failure {
			t.Errorf("who comes too late: %q, %v", body, err)
		}
		lead(t, z, page, fields()).Leave(true) // nobody joins it any more
		g.Leave(false)
		f.Leave(true)
	})
}

// Who has seen that an answer is cut asks again at once, and must not be given
// the same half. It is a race, so it is run often: each time both run towards
// the place.
func TestBreak_isNotJoinedByWhoHasSeenIt(t *testing.T) {
	_, z := open(t, 0)
	failure := errors.New("cut")
	for range 20_000 {
		f := lead(t, z, page, fields())
		begin(t, z, f, offerOf(lasting(), fields()))
		g := follow(t, z, page, fields())
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Break(failure)
			f.Leave(true)
		}()
		if _, err := readFrom(g, 0); err != failure {
			t.Fatalf("the answer ends with %v", err)
		}
		next, leads := z.Join(page, fields(), then, true)
		next.Leave(leads)
		g.Leave(false)
		<-done
		if !leads {
			t.Fatal("the broken flight is joined")
		}
	}
}

func TestServe_givesAllAStoredAnswer(t *testing.T) {
	_, z := open(t, 0)
	object := store(t, z, page, lasting(), fields(), "hello")
	object.Trailers = fields("X-Sum", "1")
	f := lead(t, z, page, fields())
	g := follow(t, z, page, fields())
	f.Serve(object)
	outcome, got, _ := g.Outcome()
	body, err := readFrom(g, 1)
	if outcome != Answered || got != object || string(body) != "ello" || err != nil || g.Length() != 5 || g.Trailers() != object.Trailers {
		t.Errorf("outcome %d, %q, %v, length %d", outcome, body, err, g.Length())
	}
	g.Leave(false)
	f.Leave(true)
}
