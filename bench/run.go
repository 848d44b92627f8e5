package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// round is one measurement of one server. A message of a WebSocket is a
// request.
type round struct {
	PerSecond     float64 `json:"requests_per_second,omitempty"`
	CPUMicros     float64 `json:"cpu_us_per_request,omitempty"`
	P50Micros     float64 `json:"p50_us,omitempty"`
	P99Micros     float64 `json:"p99_us,omitempty"`
	MemoryKiB     float64 `json:"memory_kib"`            // proportional set size of the whole tree
	ServerBusy    float64 `json:"server_busy,omitempty"` // share of its core the server used
	LoadBusy      float64 `json:"load_busy,omitempty"`   // share of the other core wrk and the origin used
	Others        float64 `json:"others,omitempty"`      // share of the server's core used by anybody else
	Logged        float64 `json:"logged,omitempty"`      // access-log lines per request
	AnonymousEach float64 `json:"anonymous_bytes_each,omitempty"`
	ProportioEach float64 `json:"pss_bytes_each,omitempty"`
	HitCPUMicros  float64 `json:"hit_cpu_us_per_request,omitempty"` // of a 200 beside the 304s
	HitPerSecond  float64 `json:"hit_requests_per_second,omitempty"`
	Crowds        []crowd `json:"crowds,omitempty"`  // in the order of the page
	StartSeconds  float64 `json:"start_s,omitempty"` // until the first handshake is answered
	StartCPU      float64 `json:"start_cpu_s,omitempty"`
	Certificates  int     `json:"certificates,omitempty"`
}

// outcome is what one server came to in one scenario.
type outcome struct {
	Server  string  `json:"server"`
	Version string  `json:"version"`
	Unable  string  `json:"unable,omitempty"` // why there are no figures
	Rounds  []round `json:"rounds"`
}

func (o outcome) column(of func(round) float64) []float64 {
	var values []float64
	for _, r := range o.Rounds {
		values = append(values, of(r))
	}
	return values
}

// bench holds what all scenarios share.
type bench struct {
	rounds               int
	length               time.Duration
	serverCore, loadCore int
	idleConnections      int
	socketConnections    int
	visitors             int    // of a crowd
	certificates         int    // that a server starts with
	crowdObjects         int    // asked for so far; each name is used once
	uploadScript         string // path of wrk's script
	authority            *authority
	identity             *identity
	hostFolder           string   // of further certificates
	made                 []string // of whom, as they are asked for
	seawall, self, goVer string
	root                 bool
	originPort           int
	originPID            int
	wanted               func(name string) bool
	progress             io.Writer
	seawallUnable        string
}

func (b *bench) origin() string { return fmt.Sprintf("127.0.0.1:%d", b.originPort) }

func (b *bench) setup(sc scenario) setup {
	s := setup{Gzip: sc.Gzip, OriginPort: b.originPort, AccessLog: sc.AccessLog, Crowd: len(sc.Crowds) > 0, Root: b.root, Seawall: b.seawall, Self: b.self}
	if sc.TLS {
		s.TLS = b.identity
	}
	return s
}

// run measures one scenario: every server is started and warmed, then all
// take turns in each round, another one first each time.
func (b *bench) run(ctx context.Context, sc scenario) ([]outcome, error) {
	var taking []contender
	for _, c := range contenders {
		if c.takesPart(sc) && b.wanted(c.Name) {
			taking = append(taking, c)
		}
	}
	outcomes := make([]outcome, len(taking))
	running := make([]*instance, len(taking))
	defer func() {
		for _, in := range running {
			if in != nil {
				in.stop()
			}
		}
	}()
	giveUp := func(i int, err error) {
		fmt.Fprintf(b.progress, "%s: %s: %v\n", sc.Name, taking[i].Name, err)
		outcomes[i].Unable, outcomes[i].Rounds = err.Error(), nil
	}
	for i, c := range taking {
		outcomes[i] = outcome{Server: c.Name, Version: versionOf(c, b.goVer)}
		if c.ours() && b.seawallUnable != "" {
			giveUp(i, errors.New(b.seawallUnable))
			continue
		}
		if sc.anew() {
			continue
		}
		var err error
		if running[i], err = start(ctx, c, b.setup(sc), b.serverCore); err == nil {
			err = b.warm(ctx, running[i], sc)
		}
		if err != nil {
			giveUp(i, err)
		}
	}
	for n := range b.rounds {
		for k := range taking {
			i := (k + n) % len(taking)
			if outcomes[i].Unable != "" {
				continue
			}
			var one round
			var err error
			switch {
			case sc.Idle:
				one, err = b.idle(ctx, taking[i], sc)
			case sc.Hosts:
				one, err = b.startUp(ctx, taking[i], sc)
			case sc.Sockets:
				one, err = b.sockets(ctx, taking[i], sc)
			case sc.Handshakes:
				one, err = b.handshakes(ctx, running[i], sc, b.length)
			case len(sc.Crowds) > 0:
				one, err = b.crowds(ctx, running[i], sc)
			case sc.Match, sc.Gzip && sc.Hit:
				one, err = b.conditional(ctx, running[i], sc, n%2 == 0)
			default:
				one, err = b.measure(ctx, running[i], sc)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				giveUp(i, err)
				continue
			}
			outcomes[i].Rounds = append(outcomes[i].Rounds, one)
			fmt.Fprintf(b.progress, "%s round %d %-14s %s\n", sc.Name, n+1, taking[i].Name, one)
		}
	}
	return outcomes, ctx.Err()
}

func (r round) String() (text string) {
	if r.AnonymousEach != 0 {
		text = fmt.Sprintf("%8.0f B anonymous %8.0f B PSS each  ", r.AnonymousEach, r.ProportioEach)
	}
	if r.PerSecond > 0 {
		text += fmt.Sprintf("%9.0f/s %8.2f us CPU  p50 %.0f us  p99 %.0f us  busy %.0f%% load %.0f%% others %.1f%%",
			r.PerSecond, r.CPUMicros, r.P50Micros, r.P99Micros, 100*r.ServerBusy, 100*r.LoadBusy, 100*r.Others)
	}
	if r.HitCPUMicros > 0 {
		text += fmt.Sprintf("  %8.2f us CPU of a 200", r.HitCPUMicros)
	}
	if r.StartSeconds > 0 {
		text += fmt.Sprintf("%6d certificates  %6.2f s  %6.2f s CPU  %7.1f MiB", r.Certificates, r.StartSeconds, r.StartCPU, r.MemoryKiB/1024)
	}
	for _, c := range r.Crowds {
		text += fmt.Sprintf("%5d at the origin, last after %5.0f ms, %4.0f us CPU each, %4d expired  ", c.Asked, c.LastMillis, c.CPUMicros, c.Expired)
	}
	return text
}

// warm brings a server to where its figures no longer change: the object in
// the cache, connections to the origin open, code and tables touched.
func (b *bench) warm(ctx context.Context, in *instance, sc scenario) error {
	if len(sc.Crowds) > 0 {
		_, err := b.crowds(ctx, in, sc)
		return err
	}
	if sc.TLS {
		if err := opensslAgrees(ctx, in.setup.site()); err != nil {
			return err
		}
	}
	if sc.Handshakes {
		_, err := b.handshakes(ctx, in, sc, time.Second)
		return err
	}
	if sc.Hit {
		if err := prime(ctx, in.setup.site(), b.origin(), sc.Path); err != nil {
			return err
		}
	}
	_, err := b.wrk(ctx, in, sc, 2*time.Second)
	if sc.AccessLog {
		in.newLogLines()
	}
	return err
}

// wrk loads a running server.
func (b *bench) wrk(ctx context.Context, in *instance, sc scenario, length time.Duration) (load, error) {
	var script []string
	if sc.Upload {
		script = []string{"-s", b.uploadScript}
	}
	if sc.Match {
		script = []string{"-H", "If-None-Match: " + originTag(sc.Path)}
	}
	if sc.Gzip {
		script = []string{"-H", "Accept-Encoding: gzip"}
	}
	return runLoad(ctx, b.loadCore, sc.Connections, length, in.setup.site().url(sc.Path), script...)
}

// measure loads one running server once.
func (b *bench) measure(ctx context.Context, in *instance, sc scenario) (round, error) {
	var err error
	if sc.Upload {
		err = checkUpload(ctx, in.setup.address())
	} else {
		err = checkAnswer(ctx, in.setup.site(), sc.Path)
	}
	if sc.Gzip && err == nil {
		sc.codedLength, err = checkGzip(ctx, in.setup.address(), sc.Path)
	}
	if err != nil {
		return round{}, err
	}
	return b.observe(in, sc, func() (load, error) { return b.wrk(ctx, in, sc, b.length) })
}

// observe works out what a load costs a server and its origin.
func (b *bench) observe(in *instance, sc scenario, work func() (load, error)) (round, error) {
	pids, err := in.processes()
	if err != nil {
		return round{}, err
	}
	var before, after usage
	if before, err = b.sample(pids); err != nil {
		return round{}, err
	}
	l, err := work()
	if err != nil {
		return round{}, err
	}
	if after, err = b.sample(pids); err != nil {
		return round{}, err
	}
	if err := b.credible(sc, l, after.asked-before.asked); err != nil {
		return round{}, err
	}
	held, err := memoryOf(pids)
	if err != nil {
		return round{}, err
	}
	server, elapsed := after.server-before.server, after.at.Sub(before.at)
	one := round{
		PerSecond:  l.PerSecond,
		CPUMicros:  float64(server.Microseconds()) / float64(l.Requests),
		P50Micros:  float64(l.P50.Nanoseconds()) / 1e3,
		P99Micros:  float64(l.P99.Nanoseconds()) / 1e3,
		MemoryKiB:  float64(held.Proportional) / 1024,
		ServerBusy: float64(server) / float64(elapsed),
		LoadBusy:   float64(l.Generator+after.origin-before.origin) / float64(elapsed),
		Others:     max(0, float64(after.core-before.core-server)/float64(elapsed)),
	}
	if sc.AccessLog {
		one.Logged = float64(in.newLogLines()) / float64(l.Requests)
	}
	return one, nil
}

// credible refuses figures that do not mean what they say.
func (b *bench) credible(sc scenario, l load, asked int64) error {
	if l.Failures > 0 {
		return fmt.Errorf("%d answers or connections of %d requests failed", l.Failures, l.Requests)
	}
	if sc.Match || sc.Gzip {
		if err := allNotModified(l, sc.codedLength); err != nil {
			return err
		}
		return reached(sc.Hit, asked, l.Requests, int64(sc.Connections))
	}
	if sc.Handshakes {
		return reached(true, asked, l.Requests, int64(sc.Connections))
	}
	if l.Requests == 0 || l.Bytes < 0.98*float64(l.Requests)*float64(sizes[sc.Path]) {
		return fmt.Errorf("%d requests came to only %.0f bytes", l.Requests, l.Bytes)
	}
	return reached(sc.Hit, asked, l.Requests, int64(sc.Connections))
}

// usage is what a run is the difference of.
type usage struct {
	at                   time.Time
	server, origin, core time.Duration
	asked                int64
}

func (b *bench) sample(pids []int) (usage, error) {
	asked, err := originServed(b.origin())
	server, err1 := cpuTime(pids)
	origin, err2 := cpuTime([]int{b.originPID})
	core, err3 := coreBusy(b.serverCore)
	return usage{at: time.Now(), server: server, origin: origin, core: core, asked: asked}, errors.Join(err, err1, err2, err3)
}

// newLogLines waits until the access log no longer grows, ten seconds at
// most, since some servers write from a buffer, and counts what was added
// since the last call.
func (in *instance) newLogLines() (lines int64) {
	for range 7 {
		more, end := countLines(in.logFile(), in.logRead)
		if end == in.logRead && lines > 0 {
			break
		}
		lines, in.logRead = lines+more, end
		time.Sleep(1500 * time.Millisecond)
	}
	return lines
}
