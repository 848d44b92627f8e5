package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// load is what one run of wrk reported.
type load struct {
	Requests  int64
	PerSecond float64
	Bytes     float64 // rounded by wrk to three figures
	P50, P99  time.Duration
	Failures  int64         // answers other than 2xx and 3xx, and socket errors
	Generator time.Duration // CPU time wrk itself used
	Elapsed   time.Duration
}

// runLoad keeps connections busy against url for the given time, with one
// thread on the given core. Further arguments are options of wrk.
func runLoad(ctx context.Context, core, connections int, length time.Duration, url string, more ...string) (load, error) {
	args := onCore(core, []string{"wrk", "-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", max(1, int(length.Seconds()))), "--latency"})
	args = append(append(args, more...), url)
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	began := time.Now()
	out, err := command.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("run wrk: %w: %s", err, out)
	}
	result, err := parseWrk(string(out))
	if err != nil {
		return load{}, err
	}
	result.Elapsed = time.Since(began)
	result.Generator = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return result, nil
}

// parseWrk reads the text wrk 4 prints with --latency. A missing figure is an
// error: a zero would read as a splendid latency.
func parseWrk(text string) (load, error) {
	var l load
	var seen int
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		var err error
		switch {
		case len(fields) == 2 && fields[0] == "50%":
			l.P50, err = parseWrkDuration(fields[1])
			seen++
		case len(fields) == 2 && fields[0] == "99%":
			l.P99, err = parseWrkDuration(fields[1])
			seen++
		case len(fields) == 6 && fields[1] == "requests" && fields[2] == "in":
			l.Requests, err = strconv.ParseInt(fields[0], 10, 64)
			if err == nil {
				l.Bytes, err = parseWrkBytes(fields[4])
			}
			seen++
		case len(fields) == 2 && fields[0] == "Requests/sec:":
			l.PerSecond, err = strconv.ParseFloat(fields[1], 64)
			seen++
		case strings.Contains(line, "Socket errors:"), strings.Contains(line, "Non-2xx or 3xx responses:"):
			l.Failures += sumNumbers(fields)
		}
		if err != nil {
			return load{}, fmt.Errorf("read wrk's line %q: %w", strings.TrimSpace(line), err)
		}
	}
	if seen != 4 {
		return load{}, fmt.Errorf("read wrk's report: %d of 4 figures in %q", seen, text)
	}
	return l, nil
}

func sumNumbers(fields []string) (sum int64) {
	for _, field := range fields {
		if n, err := strconv.ParseInt(strings.TrimRight(field, ","), 10, 64); err == nil {
			sum += n
		}
	}
	return sum
}

// parseWrkDuration reads 512.00us, 1.23ms, 2.00s, 1.50m and 0.10h.
func parseWrkDuration(text string) (time.Duration, error) {
	return time.ParseDuration(text)
}

// parseWrkBytes reads 512.00B, 1.23KB, 4.56MB and so on, in steps of 1024.
func parseWrkBytes(text string) (float64, error) {
	unit := 1.0
	number := strings.TrimSuffix(text, "B")
	if at := strings.IndexAny(number, "KMGTP"); at == len(number)-1 && at > 0 {
		for range strings.IndexByte("KMGTP", number[at]) + 1 {
			unit *= 1024
		}
		number = number[:at]
	}
	value, err := strconv.ParseFloat(number, 64)
	return value * unit, err
}
