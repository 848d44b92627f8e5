package cache

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seawall-edge/seawall"
)

const gulp = 64 << 10

// large begins a flight for an answer that turns out to be too large to be
// stored after so many bytes.
func large(t testing.TB, z *Zone, most int64) *Flight {
	t.Helper()
	f := lead(t, z, page, fields())
	offer := offerOf(lasting(), fields())
	offer.MaxObject = most
	begin(t, z, f, offer)
	return f
}

// ahead is how far a flight's body is ahead of its fastest reader.
func (f *Flight) ahead() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.base + int64(len(f.body)) - f.fastest
}

func TestFlight_whatIsTooLargeToBeStoredPassesThroughAWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, z := open(t, 0)
		body := pattern(20 << 20)
		f := large(t, z, 3<<20)
		f.Attach()
		follow(t, z, page, fields()) // one who has joined and reads nothing before the end
		ended := make(chan error)
		go func() {
			ended <- bring(f, body, gulp, fields("X-Sum", "1"), func(*Object) bool { t.Error("it is stored"); return true })
		}()
		for at := 0; ; {
			synctest.Wait() // the origin sends what it can
			f.mu.Lock()
			held := cap(f.body)
			f.mu.Unlock()
			if ahead := f.ahead(); at > 3<<20 && ahead > window+gulp {
				t.Fatalf("it is %d bytes ahead of who reads", ahead)
			}
			if at > 6<<20 && (held > 3*window+gulp || c.collecting.Load() != 0) {
				t.Fatalf("%d bytes are held, %d counted", held, c.collecting.Load())
			}
			data, more, err := f.Read(int64(at))
			if err == io.EOF && at == len(body) {
				break
			}
			if err != nil || more != nil {
				t.Fatalf("at %d: %v", at, err)
			}
			data = data[:min(len(data), 100_000)]
			if !bytes.Equal(data, body[at:at+len(data)]) {
				t.Fatalf("wrong bytes at %d", at)
			}
			at += len(data)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if f.Stored() != seawall.StoreTooLarge || f.Trailers() == nil {
			t.Errorf("%s, trailers %v", f.Stored(), f.Trailers())
		}
		if _, _, err := f.Read(0); err != errBehind {
			t.Errorf("from the beginning, when most of it has gone: %v", err)
		}
		if found(z, page, fields()) != "" {
			t.Error("it is stored")
		}
		f.Detach()
		f.Leave(false)
		f.Leave(true)
	})
}

func TestFlight_nobodyJoinsWhatIsTooLargeToBeStored(t *testing.T) {
	_, z := open(t, 0)
	f := large(t, z, gulp)
	f.Attach()
	_ = f.Add(make([]byte, gulp))
	follow(t, z, page, fields()).Leave(false)
	_ = f.Add(make([]byte, 1))
	lead(t, z, page, fields()).Leave(true)
	f.Detach()
	f.Break(errNobody)
	f.Leave(true)
}

// The fastest sets the pace; who is more than a window behind is cut.
func TestFlight_theFastestSetsThePaceOfALargeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, z := open(t, 0)
		body := pattern(12 << 20)
		f := large(t, z, gulp)
		start := time.Now()
		type end struct {
			n    int
			took time.Duration
			err  error
		}
		read := func(pause time.Duration) <-chan end {
			f.Attach()
			done := make(chan end, 1)
			go func() {
				defer f.Detach()
				for at := 0; ; {
					data, more, err := f.Read(int64(at))
					if err != nil {
						done <- end{at, time.Since(start), err}
						return
					}
					if more != nil {
						<-more
						continue
					}
					data = data[:min(len(data), gulp)]
					if !bytes.Equal(data, body[at:at+len(data)]) {
						done <- end{at, 0, errors.New("wrong bytes")}
						return
					}
					at += len(data)
					time.Sleep(pause)
				}
			}()
			return done
		}
		fast, near, slow := read(time.Second), read(time.Second+time.Millisecond), read(time.Minute)
		go func() { _ = bring(f, body, gulp, nil, func(*Object) bool { return true }) }()
		pieces := len(body) / gulp
		if got := <-fast; got.n != len(body) || got.err != io.EOF || got.took != time.Duration(pieces)*time.Second {
			t.Errorf("the fastest: %+v", got)
		}
		if got := <-near; got.n != len(body) || got.err != io.EOF {
			t.Errorf("one who is a little slower: %+v", got)
		}
		got := <-slow
		if got.err != errBehind || got.n == 0 || got.n >= len(body) {
			t.Errorf("the slow one: %+v", got)
		}
		if r, ok := got.err.(interface{ Reason() seawall.Reason }); !ok || r.Reason() != seawall.ReasonVisitorSlow || got.err.Error() == "" {
			t.Errorf("%v is not the visitor's doing", got.err)
		}
		synctest.Wait()
		f.Leave(true)
	})
}

func TestFlight_aLargeAnswerEndsWhenNobodyReadsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, z := open(t, 0)
		f := large(t, z, 2<<20)
		f.Attach()
		f.Attach()
		ended := make(chan error, 1)
		go func() {
			err := bring(f, make([]byte, 50<<20), gulp, nil, func(*Object) bool { t.Error("it is stored"); return true })
			f.Break(err)
			ended <- err
		}()
		synctest.Wait()
		if c.collecting.Load() != 2<<20 {
			t.Errorf("%d bytes are counted while %d are held", c.collecting.Load(), 2<<20)
		}
		f.Detach()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("it ends while somebody reads: %v", err)
		default:
		}
		f.Detach()
		if err := <-ended; err != errNobody {
			t.Error(err)
		}
		f.Leave(true)
	})
}

func TestFinish_ofALargeAnswerThatNobodyReadsFails(t *testing.T) {
	_, z := open(t, 0)
	f := large(t, z, 4)
	_ = f.Add([]byte("1234"))
	err := f.Finish([]byte("5"), nil, func(*Object) bool { t.Error("it is stored"); return true })
	if err != errNobody || f.Stored() != seawall.StoreTooLarge {
		t.Errorf("%v, %s", err, f.Stored())
	}
	f.Break(err)
	f.Leave(true)
}

// Between joining and reading nobody reads, but somebody will.
func TestFlight_aLargeAnswerWaitsForWhoHasJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, z := open(t, 0)
		body := pattern(9 << 20)
		f := large(t, z, gulp)
		f.Attach() // the leader
		follow(t, z, page, fields())
		ended := make(chan error)
		go func() { ended <- bring(f, body, gulp, nil, func(*Object) bool { return true }) }()
		synctest.Wait()
		f.Detach() // the leader's visitor leaves before the other begins
		f.Leave(true)
		synctest.Wait()
		got, err := readFrom(f, 0)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		f.Leave(false)
	})
}

func TestFlight_aLargeAnswerEndsWhenWhoHasJoinedLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, z := open(t, 0)
		f := large(t, z, gulp)
		follow(t, z, page, fields())
		ended := make(chan error, 1)
		go func() {
			err := bring(f, make([]byte, 9<<20), gulp, nil, func(*Object) bool { return true })
			f.Break(err)
			ended <- err
		}()
		synctest.Wait()
		f.Leave(false)
		if err := <-ended; err != errNobody {
			t.Error(err)
		}
		f.Leave(true)
	})
}

// Where the budget for bodies on their way is used up, answers pass as if
// they were too large.
func TestFlight_withoutBudgetAnAnswerPassesUnstored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, z := open(t, 4<<20)
		c.collecting.Add(1<<20 - gulp) // others'
		defer c.collecting.Add(gulp - 1<<20)
		body := pattern(5 << 20)
		f := large(t, z, 16<<20)
		ended := make(chan error)
		f.Attach()
		go func() {
			ended <- bring(f, body, gulp, nil, func(*Object) bool { t.Error("it is stored"); return true })
		}()
		got, err := readFrom(f, 0)
		if err != nil || !bytes.Equal(got, body) || f.Stored() != seawall.StoreUndecided {
			t.Errorf("%d bytes, %v, %s", len(got), err, f.Stored())
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		f.Detach()
		f.Leave(true)
	})
}

// What came of an answer that is not stored is not held twice.
func TestFlight_whatIsNotStoredIsHeldByTheFlightAlone(t *testing.T) {
	_, z := open(t, 0)
	f := large(t, z, gulp)
	f.Attach()
	_ = f.Add(make([]byte, gulp))
	_ = f.Add(make([]byte, 1))
	if _, object, _ := f.Outcome(); object.Body != nil {
		t.Errorf("%d bytes", len(object.Body))
	}
	f.Detach()
	f.Break(errNobody)
	f.Leave(true)
}
