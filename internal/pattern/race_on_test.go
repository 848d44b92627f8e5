//go:build race

package pattern

// underRace: the race detector makes sync.Pool forget at random, so that
// allocations say nothing.
const underRace = true
