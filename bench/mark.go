package main

import "fmt"

// mark is a promise about Seawall's figure: in proportion to another server's,
// or to that of Seawall's own hit, or, where Against is empty, as it is.
type mark struct {
	Against string
	AtMost  float64
	AtLeast float64 // in place of AtMost, where more is better
	Of      figure  // where it is not what the page is about
}

// ownHit in a mark is the 200 of the same object from the same server.
const ownHit = "its own hit"

// figure is something that was measured, and how marks call it.
type figure struct {
	name, unit string
	of         func(round) float64
}

func cpuMicros(r round) float64     { return r.CPUMicros }
func hitCPUMicros(r round) float64  { return r.HitCPUMicros }
func anonymousEach(r round) float64 { return r.AnonymousEach }
func startSeconds(r round) float64  { return r.StartSeconds }
func perCertificate(r round) float64 {
	return r.StartSeconds * 1e6 / float64(max(1, r.Certificates))
}
func megabytes(r round) float64 { return r.MemoryKiB * 1024 / 1e6 }

var (
	cpuPerRequest = figure{"CPU per request", "us", cpuMicros}
	memoryEach    = figure{"memory of a connection", "bytes in user space", anonymousEach}
	handshakes    = figure{"handshakes per CPU second", "", perCPUSecond}
	startTime     = figure{"time until the first handshake", "s", startSeconds}
	// Not every server starts with as many.
	certificateTime = figure{"time per certificate", "us", perCertificate}
	wholeMemory     = figure{"memory", "MB", megabytes}
)

// subject is what a page compares servers by.
func (s scenario) subject() figure {
	switch {
	case s.Idle:
		return memoryEach
	case s.Handshakes:
		return handshakes
	case s.Hosts:
		return certificateTime
	}
	return cpuPerRequest
}

// verdict is one mark with what was measured.
type verdict struct {
	Mark    string `json:"mark"`
	Figure  spread `json:"figure"`
	Outcome string `json:"outcome"` // reached, not reached, not measured
}

// judge says what came of a mark.
func (r *result) judge(sc scenario, m mark, ours outcome) verdict {
	v := verdict{Mark: m.text(sc), Outcome: "not measured"}
	known := false
	switch {
	case m.Against == ownHit:
		v.Figure, known = r.OwnHit[ours.Server]
	case m.Against != "":
		v.Figure, known = r.Ratios[m.Against]
	default:
		v.Figure, known = summarise(ours.column(m.figure(sc).of)), len(ours.Rounds) > 0
	}
	if known {
		v.Outcome = outcomeOf(m.holds(v.Figure.Median) && complete(sc, ours))
	}
	return v
}

func (m mark) holds(value float64) bool {
	if m.AtLeast > 0 {
		return value >= m.AtLeast
	}
	return value <= m.AtMost
}

func (m mark) figure(sc scenario) figure {
	if m.Of.of == nil {
		return sc.subject()
	}
	return m.Of
}

// text is the mark as a sentence.
func (m mark) text(sc scenario) string {
	limit := fmt.Sprintf("at most %g", m.AtMost)
	if m.AtLeast > 0 {
		limit = fmt.Sprintf("at least %g", m.AtLeast)
	}
	f := m.figure(sc)
	switch {
	case m.Against == ownHit && sc.Gzip:
		return fmt.Sprintf("CPU per compressed answer %s of %s as it is", limit, ownHit)
	case m.Against == ownHit:
		return fmt.Sprintf("CPU per 304 %s of %s", limit, ownHit)
	case m.Against != "":
		return fmt.Sprintf("%s %s of %s", f.name, limit, m.Against)
	}
	return fmt.Sprintf("%s %s %s", f.name, limit, f.unit)
}

func outcomeOf(reached bool) string {
	if reached {
		return "reached"
	}
	return "not reached"
}

// complete says whether an access log was really written: one that drops
// lines is not the same work.
func complete(sc scenario, o outcome) bool {
	return !sc.AccessLog || summarise(o.column(func(r round) float64 { return r.Logged })).Min >= 0.99
}
