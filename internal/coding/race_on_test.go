//go:build race

package coding

// underRace: the race detector makes sync.Pool forget at random, so that
// allocations say nothing.
const underRace = true
