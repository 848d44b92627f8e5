package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"
)

// keepBusy has so many workers do one thing after another for the given time.
// The load's requests are the things done.
func keepBusy(ctx context.Context, workers int, length time.Duration, work func(worker int) error) (load, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began, spent := time.Now(), ownTime()
	waits, failures := make([][]time.Duration, workers), make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			sent := time.Now()
			for ctx.Err() == nil && sent.Sub(began) < length {
				if failures[w] = work(w); failures[w] != nil {
					cancel()
					return
				}
				now := time.Now()
				waits[w] = append(waits[w], now.Sub(sent))
				sent = now
			}
		})
	}
	all.Wait()
	elapsed, generator := time.Since(began), ownTime()-spent
	done := slices.Concat(waits...)
	if err := errors.Join(failures...); err != nil || len(done) == 0 {
		return load{}, fmt.Errorf("%d went well: %w", len(done), errors.Join(err, ctx.Err()))
	}
	slices.Sort(done)
	return load{
		Requests: int64(len(done)), PerSecond: float64(len(done)) / elapsed.Seconds(),
		P50: done[len(done)/2], P99: done[len(done)*99/100], Generator: generator, Elapsed: elapsed,
	}, nil
}

// ownTime is the CPU time of this program so far.
func ownTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
