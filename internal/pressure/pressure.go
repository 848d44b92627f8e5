// Package pressure knows how near a process is to its limits of memory and
// descriptors, so that it can turn work away before the kernel ends it.
//
// A Watch looks at both twice a second, from files that it keeps open: when
// descriptors have run out, nothing can be opened any more. It only tells; what
// to turn away or to drop is its owner's. Linux only.
package pressure

// Level is how much has to be given up.
type Level uint8

const (
	Normal Level = iota
	Shed         // take on nothing new
	Drop         // give up what is idle as well
)

// String returns the word used in logs, metrics and status pages.
func (l Level) String() string { return [...]string{"normal", "shed", "drop"}[l] }

// Reading is what a process holds and may hold. A limit of 0 is not known.
type Reading struct {
	// Memory is what the process has in memory and the kernel cannot drop, in
	// bytes: anonymous and shared pages, not those of files. Buffers of its
	// sockets, which are the kernel's, are not in it.
	Memory, MemoryLimit int64
	// Descriptors is the number of open ones.
	Descriptors, DescriptorLimit int64
}

// MemoryShare returns the used part of the limit, 1 when it is reached and 0
// when there is no limit.
func (r Reading) MemoryShare() float64 { return share(r.Memory, r.MemoryLimit) }

// DescriptorShare returns the same for descriptors.
func (r Reading) DescriptorShare() float64 { return share(r.Descriptors, r.DescriptorLimit) }

func share(used, limit int64) float64 {
	if limit <= 0 {
		return 0
	}
	return float64(used) / float64(limit)
}

// marks says at which shares of a limit a level begins, and below which it
// ends: between the two a process stays where it is, or it would be thrown to
// and fro.
var marks = [...]struct {
	level                     Level
	memory, descriptors       float64
	memoryEnd, descriptorsEnd float64
}{
	{Drop, 0.93, 0.99, 0.88, 0.96},
	{Shed, 0.85, 0.97, 0.80, 0.94},
}

// next returns the level that follows on one at a reading.
func next(now Level, r Reading) Level {
	for _, m := range marks {
		memory, descriptors := m.memory, m.descriptors
		if now >= m.level {
			memory, descriptors = m.memoryEnd, m.descriptorsEnd
		}
		if r.MemoryShare() >= memory || r.DescriptorShare() >= descriptors {
			return m.level
		}
	}
	return Normal
}
