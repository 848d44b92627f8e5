package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge"
	"github.com/seawall-edge/seawall/edge/journal"
)

// ruleCommand is `seawall rule`.
type ruleCommand struct {
	Test ruleTestCommand `cmd:"" help:"Replay kept requests against a changed configuration and list what would become different."`
}

// ruleTestCommand is `seawall rule test`. Of a request a log knows its
// address, host, target, method, agent and referer; conditions about other
// fields do not hold in a replay.
type ruleTestCommand struct {
	File string `arg:"" placeholder:"FILE" help:"The changed configuration."`
	Log  string `required:"" placeholder:"EVENTS" help:"An access log in JSON (access_log.format: json), the state directory of a running program, or - for standard input."`
	All  bool   `help:"List every request, not the first three of each kind."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// difference is requests that would become something else in the same way.
type difference struct {
	Was      string   `json:"was"`
	Would    string   `json:"would"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"`
}

// replay is what a replay has found.
type replay struct {
	Requests    int          `json:"requests"`
	Same        int          `json:"same"`
	Skipped     int          `json:"skipped"` // that ended before they had a host, or could not be read
	Differences []difference `json:"differences"`
}

// Run replays the log.
func (r ruleTestCommand) Run(p *program) error {
	c, _, err := source{File: r.File}.load()
	var wrong complaints
	if errors.As(err, &wrong) {
		fmt.Fprintln(p.stderr, wrong)
		return errSaid
	}
	if err != nil {
		return err
	}
	rehearsal, err := edge.NewRehearsal(c.Zones, c.Node.Access, c.Node.Lists, openPlacesOnce(c.Node.Places), c.Cache.Off)
	if err != nil {
		return err
	}
	lines, done, err := r.open()
	if err != nil {
		return err
	}
	defer done()
	found, err := r.replay(rehearsal, lines)
	if err != nil {
		return err
	}
	if r.JSON {
		return printJSON(p.stdout, found)
	}
	return found.print(p.stdout)
}

// open opens the log, of whichever kind it is.
func (r ruleTestCommand) open() (lines iter.Seq2[int, journal.ReadLine], done func(), err error) {
	if r.Log == "-" {
		return journal.Read(os.Stdin), func() {}, nil
	}
	info, err := os.Stat(r.Log)
	if err != nil {
		return nil, nil, fmt.Errorf("the log cannot be read: %w", err)
	}
	if info.IsDir() {
		lines, err = journal.ReadStore(journalDir(r.Log))
		return lines, func() {}, err
	}
	file, err := os.Open(r.Log)
	if err != nil {
		return nil, nil, fmt.Errorf("the log cannot be read: %w", err)
	}
	return journal.Read(file), func() { _ = file.Close() }, nil
}

func (r ruleTestCommand) replay(rehearsal *edge.Rehearsal, lines iter.Seq2[int, journal.ReadLine]) (replay, error) {
	found := replay{Differences: []difference{}}
	kinds := map[[2]string]*difference{}
	for number, line := range lines {
		if line.Err != nil && number == 1 {
			return found, fmt.Errorf("line 1 is no request in JSON: %w; use an access log with access_log.format: json", line.Err)
		}
		found.Requests++
		question, ok := questionOf(line.Record)
		if line.Err != nil || !ok {
			found.Skipped++
			continue
		}
		outcome, err := rehearsal.Outcome(question)
		if err != nil {
			found.Skipped++
			continue
		}
		was, would := wasOf(line.Record), wouldOf(outcome)
		if was == would {
			found.Same++
			continue
		}
		kind := kinds[[2]string{was, would}]
		if kind == nil {
			kind = &difference{Was: was, Would: would}
			kinds[[2]string{was, would}] = kind
		}
		if kind.Count++; r.All || kind.Count <= 3 {
			kind.Examples = append(kind.Examples, fmt.Sprintf("%s %s of %s (%s)", question.Method, question.URL, line.Client, line.ID))
		}
	}
	for _, kind := range kinds {
		found.Differences = append(found.Differences, *kind)
	}
	slices.SortFunc(found.Differences, func(a, b difference) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Was, b.Was), strings.Compare(a.Would, b.Would))
	})
	return found, nil
}

// questionOf makes the request anew, as far as a log knows it.
func questionOf(r journal.Record) (edge.Question, bool) {
	if r.Host == "" || r.Target == "" || r.Rung == seawall.RungDoor.String() || slices.Contains(r.Cut, "target") || slices.Contains(r.Cut, "host") {
		return edge.Question{}, false
	}
	from, err := netip.ParseAddr(r.Client)
	if err != nil {
		whole, err := netip.ParsePrefix(r.Client) // a log that keeps networks alone
		if err != nil {
			return edge.Question{}, false
		}
		from = whole.Addr()
	}
	q := edge.Question{Method: r.Method, URL: "http://" + r.Host + r.Target, From: from, JA4: r.JA4, Status: r.Status, Now: r.Time}
	if r.Secure {
		q.URL = "https" + strings.TrimPrefix(q.URL, "http")
	}
	for _, field := range [][2]string{{"User-Agent", r.UserAgent}, {"Referer", r.Referer}} {
		if field[1] != "" {
			q.Fields = append(q.Fields, field[0]+": "+field[1])
		}
	}
	return q, true
}

// wasOf says what became of a request, in the words of wouldOf.
func wasOf(r journal.Record) string {
	rules := ""
	if r.Rule != "" {
		rules = " (" + r.Rule + ")"
	}
	switch r.Rung {
	case seawall.RungZone.String(), seawall.RungClient.String(), seawall.RungMaintenance.String(), seawall.RungNormalise.String(), seawall.RungAccess.String():
		return fmt.Sprintf("refused with %d, %s%s", r.Status, r.Reason, rules)
	case seawall.RungRules.String():
		return fmt.Sprintf("answered by a rule with %d%s", r.Status, rules)
	}
	return "passed on to cache and origin" + rules
}

func wouldOf(o edge.Outcome) string {
	rules := ""
	if o.Rules != "" {
		rules = " (" + o.Rules + ")"
	}
	switch {
	case o.Reason != seawall.ReasonNone:
		return fmt.Sprintf("refused with %d, %s%s", o.Status, o.Reason, rules)
	case o.Rung == seawall.RungRules:
		return fmt.Sprintf("answered by a rule with %d%s", o.Status, rules)
	}
	return "passed on to cache and origin" + rules
}

func (r replay) print(w io.Writer) error {
	different := r.Requests - r.Same - r.Skipped
	fmt.Fprintf(w, "%d requests: %d would be as they were, %d different, %d could not be replayed.\n", r.Requests, r.Same, different, r.Skipped)
	for _, d := range r.Differences {
		fmt.Fprintf(w, "\n%d were %s\n%*s would be %s\n", d.Count, printableLine(d.Was), len(fmt.Sprint(d.Count)), "", printableLine(d.Would))
		for _, example := range d.Examples {
			fmt.Fprintf(w, "    %s\n", printableLine(example))
		}
		if more := d.Count - len(d.Examples); more > 0 {
			fmt.Fprintf(w, "    and %d more\n", more)
		}
	}
	return nil
}
