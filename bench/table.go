package main

import (
	"fmt"
	"strings"
)

// column is one figure of all servers.
type column struct {
	title  string
	format string
	unit   float64 // what one of it is worth on the page
	of     func(round) float64
}

// columns says what a page shows, in the order of what it is about.
func columns(sc scenario) []column {
	anonymous := column{"anonymous bytes each", "%.0f", 1, anonymousEach}
	proportional := column{"proportional set, bytes each", "%.0f", 1, func(r round) float64 { return r.ProportioEach }}
	server := func(title string) column {
		return column{title, "%.1f", 1. / 1024, func(r round) float64 { return r.MemoryKiB }}
	}
	perSecond := func(title string) column {
		return column{title, "%.0f", 1, func(r round) float64 { return r.PerSecond }}
	}
	p50 := column{"p50 us", "%.0f", 1, func(r round) float64 { return r.P50Micros }}
	p99 := column{"p99 us", "%.0f", 1, func(r round) float64 { return r.P99Micros }}
	busy := column{"server's core busy", "%.0f %%", 100, func(r round) float64 { return r.ServerBusy }}
	loadBusy := func(title string) column {
		return column{title, "%.0f %%", 100, func(r round) float64 { return r.LoadBusy }}
	}
	others := column{"others on server's core", "%.1f %%", 100, func(r round) float64 { return r.Others }}
	switch {
	case sc.Hosts:
		return []column{{"certificates", "%.0f", 1, func(r round) float64 { return float64(r.Certificates) }}, {"first handshake after s", "%.2f", 1, startSeconds},
			{"us/certificate", "%.1f", 1, perCertificate}, {"CPU s until then", "%.2f", 1, func(r round) float64 { return r.StartCPU }}, {"memory MB", "%.1f", 1, megabytes}}
	case sc.Handshakes:
		return []column{perSecond("handshakes/s"), {"CPU us/handshake", "%.1f", 1, cpuMicros}, {"handshakes/CPU s", "%.0f", 1, perCPUSecond}, p50, p99,
			server("memory MiB"), busy, loadBusy("generator busy"), others}
	case sc.Idle:
		return []column{anonymous, proportional, server("whole server MiB")}
	case sc.Sockets:
		return []column{anonymous, proportional, server("whole server MiB, idle"), perSecond("messages/s"),
			{"CPU us/message", "%.2f", 1, cpuMicros}, p50, p99, busy, loadBusy("generator and origin busy"), others}
	}
	if len(sc.Crowds) > 0 {
		return append(crowdColumns(sc), server("memory MiB"), others)
	}
	if sc.Gzip && sc.Hit {
		return []column{perSecond("gzip/s"), {"CPU us/gzip", "%.2f", 1, cpuMicros},
			{"plain/s", "%.0f", 1, func(r round) float64 { return r.HitPerSecond }}, {"CPU us/plain", "%.2f", 1, hitCPUMicros},
			{"gzip to own plain, CPU", "%.2f", 1, func(r round) float64 { return r.CPUMicros / r.HitCPUMicros }},
			p50, p99, server("memory MiB"), busy, loadBusy("wrk and origin busy"), others}
	}
	if sc.Match {
		return []column{perSecond("304/s"), {"CPU us/304", "%.2f", 1, cpuMicros},
			{"200/s", "%.0f", 1, func(r round) float64 { return r.HitPerSecond }}, {"CPU us/200", "%.2f", 1, hitCPUMicros},
			{"304 to own 200, CPU", "%.2f", 1, func(r round) float64 { return r.CPUMicros / r.HitCPUMicros }},
			p50, p99, server("memory MiB"), busy, loadBusy("wrk and origin busy"), others}
	}
	all := []column{perSecond("requests/s"), {"CPU us/request", "%.2f", 1, cpuMicros}, p50, p99,
		server("memory MiB"), busy, loadBusy("wrk and origin busy"), others}
	if sc.AccessLog {
		all = append(all, column{"log lines/request", "%.3f", 1, func(r round) float64 { return r.Logged }})
	}
	return all
}

func (r result) figureTable(w *strings.Builder, sc scenario) {
	all := columns(sc)
	w.WriteString("| server |")
	for _, c := range all {
		fmt.Fprintf(w, " %s |", c.title)
	}
	w.WriteString("\n|---|" + strings.Repeat("---|", len(all)) + "\n")
	for _, o := range r.Outcomes {
		fmt.Fprintf(w, "| %s %s |", o.Server, o.Version)
		if o.Unable != "" {
			fmt.Fprintf(w, " no figures: %s |\n", firstLine(o.Unable))
			continue
		}
		for _, c := range all {
			fmt.Fprintf(w, " %s |", summarise(o.column(c.of)).format(c.format, c.unit))
		}
		w.WriteString("\n")
	}
}

func (r result) ratioTable(w *strings.Builder, sc scenario) {
	if len(sc.Crowds) > 0 {
		r.crowdRatioTable(w, sc)
		return
	}
	if sc.Sockets {
		w.WriteString("\n| Seawall in proportion to | memory of an idle WebSocket | CPU of a message |\n|---|---|---|\n")
	} else {
		w.WriteString("\n| Seawall in proportion to | median of the rounds' ratios |\n|---|---|\n")
	}
	for _, o := range r.Outcomes {
		ratio, ok := r.Ratios[o.Server]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "| %s |", o.Server)
		if sc.Sockets {
			fmt.Fprintf(w, " %s |", r.MemoryRatios[o.Server].format("%.2f", 1))
		}
		fmt.Fprintf(w, " %s |\n", ratio.format("%.2f", 1))
	}
}

func (r result) markTable(w *strings.Builder) {
	if len(r.Verdicts) == 0 {
		w.WriteString("\nThere is no mark for this page; the figures stand beside each other.\n")
		return
	}
	w.WriteString("\n| mark | measured | |\n|---|---|---|\n")
	for _, v := range r.Verdicts {
		figure := "-"
		if v.Outcome != "not measured" {
			figure = v.Figure.format("%.2f", 1)
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", v.Mark, figure, v.Outcome)
	}
}
