//go:build race

package edge

// underRace: the race detector makes sync.Pool forget at random, so that
// allocations say nothing.
const underRace = true
