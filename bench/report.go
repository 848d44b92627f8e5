package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// conditions are what a reader needs to judge or repeat the figures. They
// name no host and no path.
type conditions struct {
	Command      string `json:"command"`
	Date         string `json:"date"`
	Kernel       string `json:"kernel"`
	Processor    string `json:"processor"`
	Cores        int    `json:"cores"`
	Wrk          string `json:"wrk"`
	ServerCore   int    `json:"server_core"`
	LoadCore     int    `json:"load_core"`
	Rounds       int    `json:"rounds"`
	Seconds      int    `json:"seconds"`
	Idle         int    `json:"idle_connections"`
	Certificates int    `json:"certificates"`
	Sockets      int    `json:"websockets"`
	Visitors     int    `json:"visitors"`
	// Descriptors is the limit of open files that every process has.
	Descriptors uint64 `json:"descriptors"`
}

// result is one scenario as written to disk.
type result struct {
	Scenario   string            `json:"scenario"`
	Title      string            `json:"title"`
	Conditions conditions        `json:"conditions"`
	Outcomes   []outcome         `json:"outcomes"`
	Ratios     map[string]spread `json:"seawall_to_server"`
	// MemoryRatios are those of the memory of a WebSocket; there, Ratios are
	// those of CPU time.
	MemoryRatios map[string]spread `json:"seawall_to_server_memory,omitempty"`
	// OwnHit is a server's 304 in proportion to its own 200.
	OwnHit map[string]spread `json:"not_modified_to_own_hit,omitempty"`
	// LastRatios are those of the time until the last visitor of a crowd has
	// its answer, in the order of the page; there are no Ratios then.
	LastRatios map[string][]spread `json:"seawall_to_server_last_answer,omitempty"`
	Verdicts   []verdict           `json:"marks"`
}

// judge works out ratios and marks.
func judge(sc scenario, c conditions, outcomes []outcome) result {
	out := result{Scenario: sc.Name, Title: sc.Title, Conditions: c, Outcomes: outcomes}
	var ours outcome
	for _, o := range outcomes {
		if o.Server == "seawall" {
			ours = o
		}
	}
	compare := func(of func(round) float64) map[string]spread {
		all := map[string]spread{}
		for _, o := range outcomes {
			if r := ratios(ours.column(of), o.column(of)); o.Server != "seawall" && len(r) > 0 {
				all[o.Server] = summarise(r)
			}
		}
		return all
	}
	if len(sc.Crowds) > 0 {
		out.judgeCrowds(sc, ours)
		return out
	}
	out.Ratios = compare(sc.subject().of)
	if sc.Match || sc.Gzip && sc.Hit {
		out.OwnHit = map[string]spread{}
		for _, o := range outcomes {
			if r := ratios(o.column(cpuMicros), o.column(hitCPUMicros)); len(r) > 0 {
				out.OwnHit[o.Server] = summarise(r)
			}
		}
	}
	if sc.Sockets {
		out.MemoryRatios = compare(anonymousEach)
	}
	for _, m := range sc.Marks {
		out.Verdicts = append(out.Verdicts, out.judge(sc, m, ours))
	}
	return out
}

// markdown is the page for people.
func (r result) markdown(sc scenario) string {
	var w strings.Builder
	c := r.Conditions
	fmt.Fprintf(&w, "# %s: %s\n\n`%s`, %s. %s, %s, %d cores. Servers on core %d, %s and the origin on core %d. ",
		r.Scenario, r.Title, c.Command, c.Date, c.Kernel, c.Processor, c.Cores, c.ServerCore, c.Wrk, c.LoadCore)
	fmt.Fprintf(&w, "%d rounds, ", c.Rounds)
	switch {
	case sc.Idle:
		fmt.Fprintf(&w, "%d connections each.", c.Idle)
	case sc.Hosts:
		fmt.Fprintf(&w, "started anew in each, in turns, with %d certificates.", c.Certificates)
	case sc.Handshakes:
		fmt.Fprintf(&w, "%d s each, in turns, from a generator in this program.", c.Seconds)
	case sc.Sockets:
		fmt.Fprintf(&w, "%d WebSockets each, memory first, then %d s of messages from a generator in this program. Every process may open %d descriptors.",
			c.Sockets, c.Seconds, c.Descriptors)
	case len(sc.Crowds) > 0:
		fmt.Fprintf(&w, "%d visitors each, whose connections are open before; from the first request sent to the last answer complete, in turns.", c.Visitors)
	case sc.Match:
		fmt.Fprintf(&w, "%d s of 304 and %d s of 200 each, in turns.", c.Seconds, c.Seconds)
	default:
		fmt.Fprintf(&w, "%d s each, in turns.", c.Seconds)
	}
	w.WriteString(" Median of the rounds (lowest to highest).\n\n")
	r.figureTable(&w, sc)
	if worst := r.noise(); worst > 0.1 {
		fmt.Fprintf(&w, "\nThe machine was not quiet: in one run others used %.0f %% of the server's core.\n", 100*worst)
	}
	r.ratioTable(&w, sc)
	r.markTable(&w)
	if sc.Remark != "" {
		fmt.Fprintf(&w, "\n%s\n", sc.Remark)
	}
	w.WriteString("\n")
	for _, c := range contenders {
		if c.takesPart(sc) {
			fmt.Fprintf(&w, "- %s: %s.\n", c.Name, c.Note)
		}
	}
	return w.String()
}

// noise is the largest share of the server's core that anybody else used.
func (r result) noise() (worst float64) {
	for _, o := range r.Outcomes {
		for _, one := range o.Rounds {
			worst = max(worst, one.Others)
		}
	}
	return worst
}

// format writes a median with its extremes, in multiples of unit.
func (s spread) format(verb string, unit float64) string {
	return fmt.Sprintf(verb+" ("+verb+" to "+verb+")", s.Median*unit, s.Min*unit, s.Max*unit)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// write puts the page and the figures behind it into a folder.
func (r result) write(sc scenario, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	figures, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("write %s: %w", r.Scenario, err)
	}
	if err := os.WriteFile(filepath.Join(folder, r.Scenario+".json"), append(figures, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, r.Scenario+".md"), []byte(r.markdown(sc)), 0o644)
}
