// Package breaker decides how many requests a server may have at a time, from
// how those before went.
//
// It knows nothing of requests or servers, takes the time as an argument and
// does no locking: whoever has a server has its Breaker under the same lock.
package breaker

import "time"

// Config says when a rest begins and how long it takes.
type Config struct {
	Off      bool          // never rests
	Failures int           // in a row before a rest
	Rest     time.Duration // the first rest; each further one is twice as long
	Longest  time.Duration // rest
	Return   time.Duration // for which it is treated with care afterwards
}

// Breaker lets a server rest that failed several requests in a row. After
// its rest the server gets a single request; when that goes well it is
// treated with care: as many requests at a time as went well since, so that
// its return does not knock it down again. One that fails in that time halves
// them, and shows how much is too much: from then on they grow by one each
// time that as many went well as it gets. It comes back whole after Return,
// at most Longest + Return after it answers again.
//
// The circuit breaker pattern (Nygard, Release It!, 2007) calls the states
// closed, open and half-open.
type Breaker struct {
	config Config
	state  State
	since  time.Time // of the state
	why    string    // the last failure

	inARow int           // failures
	rest   time.Duration // the present or last rest
	until  time.Time     // its end

	// While careful.
	room   int64     // requests at the same time
	shaken time.Time // when one failed last and halved the room; zero: none did
	grown  int64     // requests that went well since the room changed
}

// State is how a server is.
type State uint8

// The states.
const (
	Well    State = iota
	Resting       // gets nothing
	Trial         // gets a single request, and another one each Longest
	Careful       // gets more with each that goes well
)

// String returns the word that `seawall status` shows.
func (s State) String() string { return [...]string{"well", "resting", "trial", "careful"}[s] }

// Unbounded is the capacity of a server that is well.
const Unbounded = int64(1) << 40

const (
	carefulMax = 3 // failures in a row end the care
	// What fails within this part of the first rest counts as one failure
	// while careful: too many at a time fail together.
	together = 8
)

// New makes a Breaker for a server that is well.
func New(config Config) Breaker { return Breaker{config: config} }

// Capacity is how many requests the server may have at the same time.
func (b *Breaker) Capacity(now time.Time) int64 {
	switch b.state {
	case Resting:
		if now.Before(b.until) {
			return 0
		}
		b.become(Trial, now)
		return 1
	case Trial:
		if b.config.Longest <= 0 {
			return 1
		}
		// A visitor who sends his request slowly must not hold up all others.
		return 1 + int64(now.Sub(b.since)/b.config.Longest)
	case Careful:
		if now.Sub(b.since) >= b.config.Return {
			b.become(Well, now)
			return Unbounded
		}
		return b.room
	default:
		return Unbounded
	}
}

func (b *Breaker) become(state State, now time.Time) {
	b.state, b.since = state, now
	switch state {
	case Careful:
		b.room, b.shaken, b.grown = 1, time.Time{}, 0
	case Well:
		b.rest = 0
	}
}

// Succeeded notes a request that the server answered. It reports whether
// there is more room now.
func (b *Breaker) Succeeded(now time.Time) bool {
	b.inARow = 0
	switch b.state {
	case Well:
		return false
	case Careful:
		if b.isShaken(now) {
			return false // one that was on its way when the room was halved
		}
		if b.grown++; !b.shaken.IsZero() && b.grown < b.room {
			return false
		}
		b.room, b.grown = b.room+1, 0
	default:
		b.become(Careful, now)
		b.room++
	}
	return true
}

// Failed notes a request that the server failed. It reports whether the
// server begins to rest.
func (b *Breaker) Failed(now time.Time, why string) bool {
	b.why = why
	if b.state == Careful && b.isShaken(now) {
		return false
	}
	b.inARow++
	limit := b.config.Failures
	switch b.state {
	case Trial:
		limit = 1
	case Careful:
		b.room, b.shaken, b.grown = max(1, b.room/2), now, 0
		limit = min(limit, carefulMax)
	case Resting:
		return false // one that was on its way when the rest began
	}
	if b.config.Off || b.inARow < limit {
		return false
	}
	b.trip(now)
	return true
}

// isShaken reports whether what ends now had begun before the room was halved.
func (b *Breaker) isShaken(now time.Time) bool {
	return !b.shaken.IsZero() && now.Sub(b.shaken) < b.config.Rest/together
}

// trip begins a rest, twice as long as the one before.
func (b *Breaker) trip(now time.Time) {
	b.rest = min(max(b.config.Rest, 2*b.rest), b.config.Longest)
	b.until = now.Add(b.rest)
	b.inARow = 0
	b.become(Resting, now)
}

// Resume ends whatever state there is with care: something else than a
// request has shown that the server is back.
func (b *Breaker) Resume(now time.Time) {
	if b.config.Off {
		return
	}
	b.inARow = 0
	b.become(Careful, now)
}

// Quiet reports whether the server is well and its last request, too.
func (b *Breaker) Quiet() bool { return b.state == Well && b.inARow == 0 }

// Rest returns how long the present or last rest is and when it ends.
func (b *Breaker) Rest() (length time.Duration, until time.Time) { return b.rest, b.until }

// Describe returns the state, the last failure and since when the state lasts.
func (b *Breaker) Describe(now time.Time) (state State, why string, since time.Time) {
	b.Capacity(now) // a rest or the care may just be over
	return b.state, b.why, b.since
}
