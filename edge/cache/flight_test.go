package cache

import (
	"bytes"
	"errors"
	"testing"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/internal/wire"
)

func TestFlight_hasOneLeader(t *testing.T) {
	c, z := open(t, 0)
	f := lead(t, z, page, fields())
	for range 3 {
		if follow(t, z, page, fields()) != f {
			t.Error("they wait for different things")
		}
	}
	if f.Waiting() != 3 || c.Stats().Waiting != 3 {
		t.Errorf("%d wait, %d in all", f.Waiting(), c.Stats().Waiting)
	}
	if _, waiting := z.Stats(); waiting != 3 {
		t.Errorf("%d wait in the zone", waiting)
	}
	other := lead(t, z, []byte("a\x00hexample.com:80/other"), fields())
	other.Leave(true)
	for range 3 {
		f.Leave(false)
	}
	f.Leave(true)
	if f.Waiting() != 0 {
		t.Errorf("%d wait", f.Waiting())
	}
}

func TestFlight_whoMayNotLeadFollowsOrGoesAlone(t *testing.T) {
	_, z := open(t, 0)
	if f, leads := z.Join(page, fields(), then, false); f != nil || leads {
		t.Error("it leads although it may not")
	}
	f := lead(t, z, page, fields())
	if got, leads := z.Join(page, fields(), then, false); got != f || leads {
		t.Error("it does not follow")
	}
	f.Leave(false)
	f.Leave(true)
}

// As long as nobody knows what selects, all wait for one; then those alone
// who will get the same.
func TestFlight_joinsByKeyAndByWhatSelects(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields("A", "1"))
	if follow(t, z, page, fields("A", "2")) != f {
		t.Error("nothing is known yet")
	}
	f.Leave(false)
	f.Leave(true)
	store(t, z, page, lasting("Vary", "A"), fields("A", "1"), "x")
	one, two, none := lead(t, z, page, fields("A", "1")), lead(t, z, page, fields("A", "2")), lead(t, z, page, fields())
	for want, request := range map[*Flight]*wire.Fields{one: fields("A", "1", "B", "9"), two: fields("a", "2"), none: fields("B", "2")} {
		if follow(t, z, page, request) != want {
			t.Errorf("%q waits for something else", request.Lines())
		}
		want.Leave(false)
		want.Leave(true)
	}
}

// As soon as it is known that an answer is for others, those who need another
// wait for a question of their own, although nothing is stored yet.
func TestFlight_whoNeedsAnotherVariantDoesNotJoinInVain(t *testing.T) {
	_, z := open(t, 0)
	one := lead(t, z, page, fields("A", "1", "B", "1"))
	if follow(t, z, page, fields("A", "2")) != one {
		t.Error("nothing is known yet")
	}
	begin(t, z, one, offerOf(lasting("Vary", "A"), fields("A", "1", "B", "1")))
	one.Leave(false)
	if follow(t, z, page, fields("A", "1", "B", "2")) != one {
		t.Error("the answer fits, but it is not waited for")
	}
	one.Leave(false)
	two := lead(t, z, page, fields("A", "2", "B", "1"))
	if follow(t, z, page, fields("A", "2", "B", "2")) != two {
		t.Error("two ask for one variant")
	}
	two.Leave(false)
	// The origin says something else about this one.
	begin(t, z, two, offerOf(lasting("Vary", "A, B"), fields("A", "2", "B", "1")))
	three := lead(t, z, page, fields("A", "2", "B", "2"))
	if follow(t, z, page, fields("A", "2", "B", "2")) != three || follow(t, z, page, fields("A", "2", "B", "1")) != two {
		t.Error("they wait for the wrong one")
	}
	three.Leave(false)
	two.Leave(false)
	// The third says what the first has said, and means somebody else: there
	// is no end to asking who asks for what, so nobody goes on for ever.
	begin(t, z, three, offerOf(lasting("Vary", "A"), fields("A", "9")))
	if f, _ := z.Join(page, fields("A", "2", "B", "2"), then, true); f != nil {
		t.Error("it waits for what it cannot use")
	}
	for _, f := range []*Flight{one, two, three} {
		_ = f.Finish([]byte("x"), nil, func(*Object) bool { return true })
		f.Leave(true)
	}
}

func TestFlight_everyEndingIsToldToAll(t *testing.T) {
	failure := errors.New("no answer")
	stored := &Object{Status: 200, Body: []byte("stored")}
	for _, c := range []struct {
		name string
		end  func(z *Zone, f *Flight)
		want Outcome
		err  error
		body string
	}{
		{"answered", func(z *Zone, f *Flight) {
			begin(t, z, f, offerOf(lasting(), fields()))
			_ = f.Finish([]byte("hello"), nil, func(*Object) bool { return true })
		}, Answered, nil, "hello"},
		{"released", func(_ *Zone, f *Flight) { f.Release(then) }, Released, nil, ""},
		{"failed", func(_ *Zone, f *Flight) { f.Fail(failure) }, Failed, failure, ""},
		{"the leader leaves", func(*Zone, *Flight) {}, Again, nil, ""},
		{"served", func(_ *Zone, f *Flight) { f.Serve(stored) }, Answered, nil, "stored"},
		{"served, then released", func(_ *Zone, f *Flight) { f.Serve(stored); f.Release(then) }, Answered, nil, "stored"},
		{"failed, then released", func(_ *Zone, f *Flight) { f.Fail(failure); f.Release(then) }, Failed, failure, ""},
		{"released, then failed", func(_ *Zone, f *Flight) { f.Release(then); f.Fail(failure) }, Released, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, z := open(t, 0)
			f := lead(t, z, page, fields())
			follow(t, z, page, fields())
			select {
			case <-f.Decided():
				t.Error("decided before anything has happened")
			default:
			}
			if outcome, _, _ := f.Outcome(); outcome != Undecided {
				t.Errorf("outcome %d", outcome)
			}
			c.end(z, f)
			f.Leave(true)
			select {
			case <-f.Decided():
			default:
				t.Fatal("nobody is told")
			}
			outcome, object, err := f.Outcome()
			if outcome != c.want || err != c.err || (object != nil) != (c.want == Answered) {
				t.Errorf("outcome %d, %v, %v", outcome, object, err)
			}
			if object != nil {
				if body, err := readFrom(f, 0); string(body) != c.body || err != nil {
					t.Errorf("%q, %v", body, err)
				}
			}
			f.Leave(false)
			next, leads := z.Join(page, fields(), then+aloneFor, true)
			if next == f || !leads && c.want != Released {
				t.Error("it can still be joined")
			}
			if next != nil {
				next.Leave(true)
			}
		})
	}
}

func TestFlight_aLeaderWhoLeavesTwiceChangesNothing(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields())
	f.Leave(true)
	f.Leave(true)
	if outcome, _, _ := f.Outcome(); outcome != Again {
		t.Errorf("outcome %d", outcome)
	}
	f = lead(t, z, page, fields())
	begin(t, z, f, offerOf(lasting(), fields()))
	f.Leave(true)
	if outcome, _, _ := f.Outcome(); outcome != Answered {
		t.Errorf("a body on its way has lost its leader: outcome %d", outcome)
	}
	if follow(t, z, page, fields()) != f {
		t.Error("it cannot be joined without its leader")
	}
	_ = f.Finish([]byte("hello"), nil, func(*Object) bool { return true })
	f.Leave(true)
	if body, err := readFrom(f, 0); string(body) != "hello" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	f.Leave(false)
}

func TestFlight_theLastOfThoseWhoMayWaitIsTheLast(t *testing.T) {
	c, z := open(t, 0)
	c.Zone("a", Bounds{Variants: 1, Waiters: 2})
	f := lead(t, z, page, fields())
	follow(t, z, page, fields())
	follow(t, z, page, fields())
	if got, _ := z.Join(page, fields(), then, true); got != nil {
		t.Error("a third waits")
	}
	other := c.Zone("b", Bounds{Variants: 1, Waiters: 1})
	g := lead(t, other, on("b", ""), fields())
	follow(t, other, on("b", ""), fields()).Leave(false)
	g.Leave(true)
	f.Leave(false)
	follow(t, z, page, fields()).Leave(false)
	f.Leave(false)
	f.Leave(true)
	c.Zone("a", Bounds{})
	f = lead(t, z, page, fields())
	if got, _ := z.Join(page, fields(), then, true); got != nil {
		t.Error("one waits where nobody may")
	}
	f.Leave(true)
}

func TestFlight_aZoneWithFewMayWaitWhereTooManyDo(t *testing.T) {
	c, z := open(t, 0)
	f := lead(t, z, page, fields())
	c.waiting.Add(mostWaiting) // of other zones
	for range fewWaiting {
		follow(t, z, page, fields())
	}
	if got, _ := z.Join(page, fields(), then, true); got != nil {
		t.Error("it is let in beyond the few")
	}
	c.waiting.Add(-fewWaiting - 1)
	follow(t, z, page, fields())
	if got, _ := z.Join(page, fields(), then, true); got != nil {
		t.Error("it is let in beyond the most")
	}
	for range fewWaiting + 1 {
		f.Leave(false)
	}
	c.waiting.Add(fewWaiting + 1 - mostWaiting)
	f.Leave(true)
}

func TestRelease_nobodyWaitsForAWhileWhereSomebodyHasWaitedInVain(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields())
	follow(t, z, page, fields())
	f.Release(then)
	f.Leave(false)
	f.Leave(true)
	z.cache.outlook.was(page, true) // it is not the neighbours that keep them from waiting
	for _, now := range []Moment{0, then, then + aloneFor - 1} {
		if got, _ := z.Join(page, fields(), now, true); got != nil {
			t.Errorf("they wait at %d", now)
		}
	}
	if _, result := z.Lookup(page, fields()); result != seawall.CacheMissURI {
		t.Errorf("the mark alone is %s", result)
	}
	f, leads := z.Join(page, fields(), then+aloneFor, true)
	if f == nil || !leads {
		t.Fatal("they never wait again")
	}
	f.Leave(true)
	store(t, z, page, lasting(), fields(), "x")
	lead(t, z, page, fields()).Leave(true) // an answer that is kept takes the mark away
}

func TestRelease_keepsWhatIsStored(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, page, lasting(), fields(), "x")
	f := lead(t, z, page, fields())
	follow(t, z, page, fields())
	f.Release(then)
	f.Leave(false)
	if found(z, page, fields()) != "x" {
		t.Error("the mark has taken its place")
	}
}

func TestRelease_doesNotMarkWhereNobodyHasWaited(t *testing.T) {
	_, z := open(t, 0)
	f := lead(t, z, page, fields())
	f.Release(then)
	z.cache.outlook.was(page, true)
	lead(t, z, page, fields()).Leave(true)
}

// A 304 that was served to all is no reason to let them ask for themselves.
func TestRelease_afterAnAnswerForAllMarksNothing(t *testing.T) {
	_, z := open(t, 0)
	object := store(t, z, page, lasting(), fields(), "x")
	f := lead(t, z, page, fields())
	follow(t, z, page, fields())
	f.Serve(object)
	f.Release(then)
	f.Leave(false)
	f.Leave(true)
	if !z.cache.outlook.good(page) {
		t.Error("the neighbours suffer")
	}
	lead(t, z, page, fields()).Leave(true)
}

func TestInvalidate_nobodyJoinsWhatWasAskedBeforeWhateverItIsCalled(t *testing.T) {
	_, z := open(t, 0)
	first := lead(t, z, page, fields("A", "1")) // nothing is known: all wait for it
	begin(t, z, first, offerOf(lasting("Vary", "A"), fields("A", "1")))
	second := lead(t, z, page, fields("A", "2"))
	z.Invalidate(page)
	young := lead(t, z, page, fields("A", "1"))
	begin(t, z, young, offerOf(lasting("Vary", "A"), fields("A", "1"))) // now it is known again what selects
	lead(t, z, page, fields("A", "2")).Leave(true)
	second.Leave(true)
	for _, f := range []*Flight{first, young} {
		f.Break(errNobody)
		f.Leave(true)
	}
}

// RFC 9111, 4.4.
func TestInvalidate_laterRequestsDoNotJoinEarlierQuestions(t *testing.T) {
	_, z := open(t, 0)
	store(t, z, page, lasting("Vary", "A"), fields("A", "1"), "x")
	when := asked(t, z, page)
	old := lead(t, z, page, fields("A", "1"))
	elsewhere := lead(t, z, []byte("a\x00hexample.com:80/dir/page.htm"), fields())
	z.Invalidate(page)
	young := lead(t, z, page, fields("A", "1"))
	if follow(t, z, page, fields("A", "1")) != young {
		t.Error("it waits for an answer from before the change")
	}
	young.Leave(false)
	begin(t, z, old, offerOf(lasting("Vary", "A"), fields("A", "1")))
	_ = old.Finish([]byte("old"), nil, keepIn(z, page, fields("A", "1"), when))
	if found(z, page, fields("A", "1")) != "" {
		t.Error("the old answer is kept")
	}
	if follow(t, z, page, fields("A", "1")) != young {
		t.Error("the end of the old flight took the young one along")
	}
	young.Leave(false)
	old.Leave(true)
	young.Leave(true)
	if follow(t, z, []byte("a\x00hexample.com:80/dir/page.htm"), fields()) != elsewhere {
		t.Error("another key's flight was ended")
	}
	elsewhere.Leave(false)
	elsewhere.Leave(true)
}

func TestRemove_aNewZoneDoesNotJoinTheOldOnesFlights(t *testing.T) {
	c, z := open(t, 0)
	old := lead(t, z, page, fields())
	follow(t, z, page, fields())
	c.Remove("a")
	fresh := c.Zone("a", Bounds{Variants: 1, Waiters: 9})
	young := lead(t, fresh, page, fields())
	begin(t, z, old, offerOf(lasting(), fields()))
	_ = old.Finish([]byte("old"), nil, keepIn(z, page, fields(), asked(t, z, page)))
	if body, _ := readFrom(old, 0); !bytes.Equal(body, []byte("old")) || found(fresh, page, fields()) != "" {
		t.Errorf("%q; the new zone has %q", body, found(fresh, page, fields()))
	}
	old.Leave(false)
	old.Leave(true)
	if follow(t, fresh, page, fields()) != young {
		t.Error("the old flight took the young one along")
	}
	young.Leave(false)
	young.Leave(true)
	if _, waiting := z.Stats(); waiting != 0 {
		t.Errorf("%d wait in the zone that is gone", waiting)
	}
}
