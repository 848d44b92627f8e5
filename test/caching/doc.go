// Package caching is the gate of the public HTTP caching suite: what a shared
// cache must do (required), what a good one does (optimal) and what each does
// as it likes (check).
//
// Others wrote the suite, and other caches are measured by it, so that what it
// says about ours is not our own opinion of it. The real command runs with
// default settings between the suite's origin and the suite's client. Every
// required and optimal test must pass but those that testdata/exceptions.txt
// lists with a reason, and testdata/scoreboard.txt, with a line for every
// test, must be what was just seen: who changes what the cache does sees there
// what that changes.
//
//	go test -count=1 ./test/caching                                                         the gate
//	SEAWALL_WRITE_SCOREBOARD=1 go test -count=1 -run TestSuite ./test/caching               writes the scoreboard
//	SEAWALL_WRITE_SCOREBOARD=exceptions go test -count=1 -run TestSuite ./test/caching      and the exceptions, too
//	go test -count=1 -v -run TestSuite ./test/caching -args -id freshness-max-age           one test, with its dump
//
// The suite comes as npm packages. testdata/packages.txt pins them by hash;
// they are kept in the user's cache directory and checked at every run.
//
// SEAWALL_BINARY names a program to use instead of building one.
package caching
