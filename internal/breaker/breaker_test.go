package breaker

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var usual = Config{Failures: 3, Rest: time.Second, Longest: 4 * time.Second, Return: 10 * time.Second}

// story is a Breaker and its clock.
type story struct {
	Breaker
	now  time.Time
	told bool // what the last step reported
}

func newStory(c Config) *story { return &story{Breaker: New(c), now: time.Unix(1e9, 0)} }

// do makes steps: s success, f failure, r Resume, and what time.ParseDuration
// takes as a pause. After each the capacity is asked for, as requests do.
func (s *story) do(t *testing.T, steps ...string) *story {
	t.Helper()
	for _, step := range steps {
		switch step {
		case "s":
			s.told = s.Succeeded(s.now)
		case "f":
			s.told = s.Failed(s.now, "refused")
		case "r":
			s.Resume(s.now)
		default:
			d, err := time.ParseDuration(step)
			if err != nil {
				t.Fatal(err)
			}
			s.now = s.now.Add(d)
		}
		s.Capacity(s.now)
	}
	return s
}

func TestBreaker_goesFromStateToState(t *testing.T) {
	well := []string{}
	resting := []string{"f", "f", "f"}
	trial := []string{"f", "f", "f", "1s"}
	careful := []string{"f", "f", "f", "1s", "s"}
	for _, c := range []struct {
		name     string
		given    []string
		steps    []string
		state    State
		capacity int64
		told     bool
	}{
		{"well, a success", well, []string{"s"}, Well, Unbounded, false},
		{"well, too few failures", well, []string{"f", "f"}, Well, Unbounded, false},
		{"well, failures not in a row", well, []string{"f", "f", "s", "f", "f"}, Well, Unbounded, false},
		{"well, enough failures", well, []string{"f", "f", "f"}, Resting, 0, true},
		{"well, resumed", well, []string{"r"}, Careful, 1, false},
		{"resting, a late failure", resting, []string{"f"}, Resting, 0, false},
		{"resting, many late failures", resting, []string{"f", "f", "f", "f", "999ms", "f"}, Resting, 0, false},
		{"resting, a success from before", resting, []string{"s"}, Careful, 2, true},
		{"resting, resumed", resting, []string{"r"}, Careful, 1, true},
		{"resting, not long enough", resting, []string{"999ms"}, Resting, 0, true},
		{"resting, long enough", resting, []string{"1s"}, Trial, 1, true},
		{"resting, late failures do not lengthen it", resting, []string{"900ms", "f", "f", "f", "100ms"}, Trial, 1, false},
		{"trial, a success", trial, []string{"s"}, Careful, 2, true},
		{"trial, a failure", trial, []string{"f"}, Resting, 0, true},
		{"trial, resumed", trial, []string{"r"}, Careful, 1, true},
		{"trial, nothing for long", trial, []string{"3999ms"}, Trial, 1, true},
		{"trial, one that takes long", trial, []string{"4s"}, Trial, 2, true},
		{"trial, three that take long", trial, []string{"12s"}, Trial, 4, true},
		{"trial, one that took long fails", trial, []string{"12s", "f"}, Resting, 0, true},
		{"careful, successes", careful, []string{"s", "s", "s"}, Careful, 5, true},
		{"careful, very many", careful, repeat("s", 98), Careful, 100, true},
		{"careful, a failure", careful, []string{"s", "s", "s", "s", "f"}, Careful, 3, false},
		{"careful, many that fail together", careful, []string{"s", "s", "s", "s", "f", "f", "f", "f", "100ms", "f"}, Careful, 3, false},
		{"careful, successes from before a failure", careful, []string{"s", "s", "s", "s", "f", "s", "s", "s"}, Careful, 3, false},
		{"careful, growing slowly after a failure", careful, []string{"s", "s", "s", "s", "f", "125ms", "s", "s"}, Careful, 3, false},
		{"careful, grown after a failure", careful, []string{"s", "s", "s", "s", "f", "125ms", "s", "s", "s"}, Careful, 4, true},
		{"careful, failures one after the other", careful, []string{"f", "125ms", "f", "125ms", "f"}, Resting, 0, true},
		{"careful, a success between failures", careful, []string{"f", "125ms", "f", "125ms", "s", "f", "125ms", "f"}, Careful, 1, false},
		{"careful, resumed", careful, []string{"s", "s", "s", "s", "r"}, Careful, 1, true},
		{"careful, not long enough", careful, []string{"9999ms"}, Careful, 2, true},
		{"careful, long enough", careful, []string{"10s"}, Well, Unbounded, true},
		{"careful, long enough in spite of a failure", careful, []string{"9s", "f", "1s"}, Well, Unbounded, false},
		{"well again, failures in a row all the same", careful, []string{"f", "10s", "f", "f"}, Resting, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStory(usual).do(t, c.given...).do(t, c.steps...)
			if state, _, _ := s.Describe(s.now); state != c.state {
				t.Errorf("%s, want %s", state, c.state)
			}
			if n := s.Capacity(s.now); n != c.capacity {
				t.Errorf("room for %d, want %d", n, c.capacity)
			}
			if s.told != c.told {
				t.Errorf("the last step reported %v", s.told)
			}
		})
	}
}

func repeat(step string, n int) (steps []string) {
	for range n {
		steps = append(steps, step)
	}
	return steps
}

func TestBreaker_restsTwiceAsLongEachTimeUpToALimit(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		want   []time.Duration
	}{
		{"usual", usual, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second}},
		{"longest between two", Config{Failures: 3, Rest: time.Second, Longest: 3 * time.Second}, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second}},
		{"longest is the shorter one", Config{Failures: 3, Rest: time.Second, Longest: time.Millisecond}, []time.Duration{time.Millisecond, time.Millisecond}},
	} {
		s := newStory(c.config).do(t, "f", "f", "f")
		for i, want := range c.want {
			length, until := s.Rest()
			if length != want || !until.Equal(s.now.Add(want)) {
				t.Errorf("%s: rest %d takes %v until %v, want %v", c.name, i, length, until.Sub(s.now), want)
			}
			s.do(t, want.String(), "f")
		}
	}
	// A server that was well for a while begins with the first rest again, one
	// that fails in its return does not.
	s := newStory(usual).do(t, "f", "f", "f", "1s", "f", "2s", "s")
	again := *s
	again.do(t, "f", "1s", "f", "1s", "f")
	if length, _ := again.Rest(); length != 4*time.Second {
		t.Errorf("after it failed while it returned it rests for %v", length)
	}
	s.do(t, "10s", "f", "f", "f")
	if length, _ := s.Rest(); length != time.Second {
		t.Errorf("after it was well it rests for %v", length)
	}
}

func TestBreaker_neverRestsWhenItIsOff(t *testing.T) {
	config := usual
	config.Off = true
	s := newStory(config).do(t, repeat("f", 1000)...).do(t, "r", "f", "1s", "f", "s", "f", "f")
	if state, _, _ := s.Describe(s.now); state != Well || s.Capacity(s.now) != Unbounded {
		t.Errorf("%s, room for %d", state, s.Capacity(s.now))
	}
}

func TestBreaker_saysHowItIs(t *testing.T) {
	s := newStory(usual)
	if !s.Quiet() {
		t.Error("a new one has something to say")
	}
	s.do(t, "1s", "f")
	if state, why, _ := s.Describe(s.now); state != Well || why != "refused" || s.Quiet() {
		t.Errorf("%s, %q, quiet: %v", state, why, s.Quiet())
	}
	began := s.now
	s.do(t, "1s", "f", "f")
	if state, why, since := s.Describe(s.now); state.String() != "resting" || why != "refused" || !since.Equal(began.Add(time.Second)) {
		t.Errorf("%s, %q, since %v", state, why, since.Sub(began))
	}
	// What nobody asked for is seen all the same.
	s.now = s.now.Add(time.Minute)
	if state, _, _ := s.Describe(s.now); state.String() != "trial" || s.Quiet() {
		t.Errorf("a minute later: %s", state)
	}
	s.do(t, "s")
	if state, _, _ := s.Describe(s.now); state.String() != "careful" || s.Quiet() {
		t.Error(state)
	}
	s.do(t, "10s")
	if state, _, _ := s.Describe(s.now); state.String() != "well" || !s.Quiet() {
		t.Errorf("%s, quiet: %v", state, s.Quiet())
	}
}

// TestBreaker_keepsItsPromises lets servers of all kinds live through random
// stories and looks at every step.
func TestBreaker_keepsItsPromises(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		c := Config{
			Failures: 1 + random.IntN(12), Rest: time.Duration(1+random.IntN(3000)) * time.Millisecond,
			Return: time.Duration(1+random.IntN(20)) * time.Second, Off: random.IntN(8) == 0,
		}
		c.Longest = c.Rest * time.Duration(1+random.IntN(10))
		if err := live(c, random); err != nil {
			t.Fatalf("seed %d, %+v: %v", seed, c, err)
		}
	}
}

// live is one story of a server that fails for some time and then answers
// everything.
func live(c Config, random *rand.Rand) error {
	b := New(c)
	now := time.Unix(1e9, 0)
	successes := int64(0) // since the last rest began
	check := func() error {
		n := b.Capacity(now)
		state, _, _ := b.Describe(now)
		switch {
		case n < 0:
			return fmt.Errorf("room for %d", n)
		case state == Careful && n > 1+successes:
			return fmt.Errorf("room for %d after %d successes", n, successes)
		case state == Well && n != Unbounded || (n == 0) != (state == Resting):
			return fmt.Errorf("%s with room for %d", state, n)
		case c.Off && state != Well:
			return fmt.Errorf("%s though it is off", state)
		}
		length, until := b.Rest()
		if state == Resting && (length > c.Longest || !now.Before(until) || until.Sub(now) > length) {
			return fmt.Errorf("rests for %v until %v from now", length, until.Sub(now))
		}
		return nil
	}
	for range random.IntN(200) {
		now = now.Add(time.Duration(random.ExpFloat64() * float64(c.Rest) / 4))
		state, _, _ := b.Describe(now)
		room := b.Capacity(now)
		switch k := random.IntN(10); {
		case k < 2:
			successes++
			if more := b.Succeeded(now); more != (b.Capacity(now) > room) {
				return fmt.Errorf("says %v about more room after a success in %s: %d, %d before", more, state, b.Capacity(now), room)
			}
		case k < 9:
			rests := b.Failed(now, "x")
			after, _, _ := b.Describe(now)
			if rests != (state != Resting && after == Resting) {
				return fmt.Errorf("says %v about a rest, is %s after %s", rests, after, state)
			}
			if rests {
				successes = 0
			}
		case !c.Off:
			b.Resume(now)
			successes = 0
		}
		if err := check(); err != nil {
			return err
		}
	}
	// From here on it answers whatever it gets.
	end := now.Add(c.Longest)
	for b.Capacity(now) == 0 {
		if now.After(end) {
			return fmt.Errorf("still rests after %v", c.Longest)
		}
		now = now.Add(c.Rest / 7)
	}
	b.Succeeded(now)
	successes++
	for first := now; now.Sub(first) < c.Return; {
		now = now.Add(time.Duration(random.Int64N(int64(c.Return)/4 + 1)))
		b.Succeeded(now)
		successes++
		if err := check(); err != nil {
			return err
		}
	}
	if state, _, _ := b.Describe(now); state != Well || !b.Quiet() {
		return fmt.Errorf("%s in the end, quiet: %v", state, b.Quiet())
	}
	return nil
}

func TestBreaker_isNotKnockedDownByACrowd(t *testing.T) {
	// The server fails what is more than it can take, at once or after a
	// while; a crowd sends as much as it may.
	for _, c := range []struct {
		can     int
		fails   time.Duration // after this
		answers time.Duration
	}{
		{1, 0, 50 * time.Millisecond}, {4, 0, 50 * time.Millisecond}, {16, 0, 50 * time.Millisecond}, {100, 0, 50 * time.Millisecond},
		{4, 20 * time.Millisecond, 50 * time.Millisecond}, {100, 50 * time.Millisecond, 50 * time.Millisecond}, {30, 0, 500 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			s := newStory(usual).do(t, "f", "f", "f", "1s")
			type request struct {
				ends time.Time
				good bool
			}
			var inFlight []request
			good, bad := 0, 0
			for end := s.now.Add(usual.Return); s.now.Before(end); s.now = s.now.Add(time.Millisecond) {
				left := inFlight[:0]
				for _, r := range inFlight {
					switch {
					case s.now.Before(r.ends):
						left = append(left, r)
					case r.good:
						good++
						s.Succeeded(s.now)
					default:
						bad++
						s.Failed(s.now, "too many")
					}
				}
				inFlight = left
				busy := 0
				for _, r := range inFlight {
					if r.good {
						busy++
					}
				}
				for int64(len(inFlight)) < min(1000, s.Capacity(s.now)) {
					r := request{s.now.Add(c.answers), busy < c.can}
					if busy++; !r.good {
						r.ends = s.now.Add(c.fails)
					}
					inFlight = append(inFlight, r)
				}
				if state, _, _ := s.Describe(s.now); state == Resting {
					t.Fatalf("down again after %d answers and %d failures", good, bad)
				}
			}
			// Half of what it can do at least, and few pay for finding that out.
			if could := int(usual.Return/c.answers) * c.can; good < could/2 || bad > good/2 {
				t.Errorf("%d of %d answered, %d failed", good, could, bad)
			}
		})
	}
}
