package origin

import (
	"time"

	"github.com/seawall-edge/seawall/spec"
)

// breaker lets a server rest that failed several requests in a row. After
// its rest the server gets a single request; when that goes well it is
// treated with care: as many requests at a time as went well since, so that
// its return does not knock it down again. It comes back whole after Return,
// at most LongestRest + Return after it answers again.
//
// A breaker does no locking and starts no clock of its own but for the timer
// that its group asks for.
type breaker struct {
	spec  spec.BreakerSpec
	state breakerState
	since time.Time // of the state
	why   string    // the last failure

	inARow int           // failures
	rest   time.Duration // the present or last rest
	until  time.Time     // its end
	room   int64         // while careful: requests at the same time
	timer  *time.Timer
}

type breakerState uint8

const (
	well    breakerState = iota
	resting              // gets nothing
	trial                // gets a single request
	careful              // gets more with each that goes well
)

const (
	unbounded  = int64(1) << 40
	enoughRoom = 64 // so many at the same time are as good as unbounded
	carefulMax = 3  // failures in a row end the care
)

// capacity is how many requests the server may have at the same time.
func (b *breaker) capacity(now time.Time) int64 {
	switch b.state {
	case resting:
		if now.Before(b.until) {
			return 0
		}
		b.become(trial, now)
		return 1
	case trial:
		return 1
	case careful:
		if now.Sub(b.since) >= b.spec.Return.Duration() {
			b.become(well, now)
			return unbounded
		}
		return b.room
	default:
		return unbounded
	}
}

func (b *breaker) become(state breakerState, now time.Time) {
	b.state, b.since = state, now
	switch state {
	case careful:
		b.room = 1
	case well:
		b.rest = 0
	}
}

// succeeded notes a request that the server answered. It reports whether
// there is more room now.
func (b *breaker) succeeded(now time.Time) bool {
	b.inARow = 0
	switch b.state {
	case well:
		return false
	case careful:
		if b.room++; b.room >= enoughRoom {
			b.become(well, now)
		}
	default:
		b.become(careful, now)
		b.room++
	}
	return true
}

// failed notes a request that the server failed. It reports whether the
// server begins to rest.
func (b *breaker) failed(now time.Time, why string) bool {
	b.why = why
	b.inARow++
	limit := b.spec.Failures
	switch b.state {
	case trial:
		limit = 1
	case careful:
		b.room = max(1, b.room/2)
		limit = min(limit, carefulMax)
	case resting:
		return false // one that was on its way when the rest began
	}
	if b.spec.Off || b.inARow < limit {
		return false
	}
	b.trip(now)
	return true
}

// trip begins a rest, twice as long as the one before.
func (b *breaker) trip(now time.Time) {
	b.rest = min(max(b.spec.Rest.Duration(), 2*b.rest), b.spec.LongestRest.Duration())
	b.until = now.Add(b.rest)
	b.inARow = 0
	b.become(resting, now)
}

func (b *breaker) stopTimer() {
	if b.timer != nil {
		b.timer.Stop()
	}
}

func (b *breaker) describe(now time.Time) (state, why string, since time.Time) {
	b.capacity(now) // a rest or the care may just be over
	return [...]string{"well", "resting", "trial", "careful"}[b.state], b.why, b.since
}
