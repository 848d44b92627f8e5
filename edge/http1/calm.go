package http1

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// calm gives memory back after a crowd. When thousands of connections fall
// idle at about the same time, the stacks they climbed the ladder with are
// free but stay with the process until the next collection, which an idle
// process may not have for minutes.
type calm struct {
	settled atomic.Int64 // connections that settled or became tunnels since the last release
	pending atomic.Bool
}

const (
	crowd     = 4096            // so many connections that settled, or became tunnels, leave some 16 MiB behind
	calmAfter = 2 * time.Second // the others of the crowd settle, too
	calmEvery = time.Minute     // a release is a collection: not more often
)

// note counts a connection that settled down.
func (c *calm) note() {
	if c.settled.Add(1) < crowd || !c.pending.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(calmAfter, func() {
		c.settled.Store(0)
		debug.FreeOSMemory()
		time.AfterFunc(calmEvery, func() { c.pending.Store(false) })
	})
}
