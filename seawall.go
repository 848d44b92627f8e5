// Package seawall holds the nouns that both planes speak.
//
// It is the vocabulary of the program: what a zone is called, what happened
// to a request and why. It has no I/O, no clock and no goroutine, and it
// imports the standard library alone. Read it first, then the ladder in
// package edge.
package seawall

// Version is the version of this program. The build may replace it
// (-ldflags "-X github.com/seawall-edge/seawall.Version=...").
var Version = "0.1.0-dev"

// ZoneNone is the zone of a request that was refused before it had one.
const ZoneNone = "none"
