package caching_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// An exception is a test that need not pass, and why.
type exception struct{ id, reason string }

const notBuilt = "not built yet"

// readExceptions reads lines of an ID and a reason.
func readExceptions(text string) (list []exception, err error) {
	for number, line := range numbered(text) {
		id, reason, _ := strings.Cut(line, " ")
		reason = strings.TrimSpace(reason)
		if reason == "" {
			return nil, fmt.Errorf("line %d: %s is excepted without a reason", number, id)
		}
		if slices.ContainsFunc(list, func(e exception) bool { return e.id == id }) {
			return nil, fmt.Errorf("line %d: %s is excepted already", number, id)
		}
		list = append(list, exception{id, reason})
	}
	return list, nil
}

// numbered goes through the lines of a text but for comments and empty ones.
func numbered(text string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i, line := range strings.Split(text, "\n") {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "#") && !yield(i+1, line) {
				return
			}
		}
	}
}

// gate returns what stands against a report, nothing where all is well. What
// is excepted must fail, so that the list of exceptions is exact.
func (r *report) gate(exceptions []exception) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	excepted := map[string]bool{}
	for _, e := range exceptions {
		excepted[e.id] = true
		if d, known := r.find(e.id); !known {
			complain("%s is excepted, and there is no such test", e.id)
		} else if d.Kind == "check" {
			complain("%s is excepted, and may be as it likes: it is a check", e.id)
		}
	}
	counts := map[string]int{}
	for d := range r.tests {
		counts[d.Kind]++
		v, why := r.judge(d)
		switch {
		case v == missing || v == harnessFailed:
			complain("%s has no result (%s)", d.ID, v)
		case d.Kind == "check":
		case excepted[d.ID] && v.good():
			complain("%s is excepted and passes: take it off the list", d.ID)
		case !excepted[d.ID] && !v.good():
			complain("%s (%s): %s: %s", d.ID, d.Kind, v, stable(why))
		}
	}
	for _, kind := range []string{"required", "optimal", "check"} {
		if counts[kind] == 0 {
			complain("there is no test of kind %s", kind)
		}
	}
	return problems
}

// writeExceptions writes the list that would let this report pass the gate.
// Reasons that are known stay.
func (r *report) writeExceptions(known []exception) string {
	var b strings.Builder
	b.WriteString("# Tests of the kinds required and optimal that do not pass, each with the reason.\n" +
		"# The list is exact: whoever makes one of them pass takes it off.\n")
	for d := range r.tests {
		if v, _ := r.judge(d); d.Kind == "check" || v.good() {
			continue
		}
		reason := notBuilt
		if i := slices.IndexFunc(known, func(e exception) bool { return e.id == d.ID }); i >= 0 {
			reason = known[i].reason
		}
		fmt.Fprintf(&b, "%s %s\n", d.ID, reason)
	}
	return b.String()
}

// scoreboard writes the totals, and then a line for every test.
func (r *report) scoreboard() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the public HTTP caching suite says of the real command with default settings.\n# Written by %s\n\n", rewrite)
	counts := map[string]map[verdict]int{"required": {}, "optimal": {}, "check": {}}
	all := map[string]int{}
	for d := range r.tests {
		v, _ := r.judge(d)
		counts[d.Kind][v]++
		all[d.Kind]++
	}
	for _, kind := range []string{"required", "optimal"} {
		fmt.Fprintf(&b, "%-9s%d passed of %d\n", kind, counts[kind][passed], all[kind])
	}
	checks := counts["check"]
	fmt.Fprintf(&b, "%-9s%d yes, %d no, %d neither\n", "check", checks[yes], checks[no], all["check"]-checks[yes]-checks[no])
	for _, g := range r.Groups {
		fmt.Fprintf(&b, "\n# %s: %s\n", g.ID, g.Name)
		for _, d := range g.Tests {
			v, why := r.judge(d)
			b.WriteString(strings.TrimRight(fmt.Sprintf("%-14s%-9s%s  %s", v, d.Kind, d.ID, stable(why)), " ") + "\n")
		}
	}
	return b.String()
}

// What is another in every run.
var volatile = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "{uuid}"},
	{regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*, \d\d[- ][A-Z][a-z]{2}[- ]\d{2,4} \d\d:\d\d:\d\d GMT`), "{date}"},
	{regexp.MustCompile(`\b127(\.\d+){3}:\d+`), "{address}"},
	{regexp.MustCompile(`((?i:\bheader age) is "?)\d+`), "$1{age}"},
	{regexp.MustCompile(`\b\d{13}\b`), "{milliseconds}"},
	{regexp.MustCompile(`\s+`), " "},
}

// stable takes out of a message what is another in every run.
func stable(message string) string {
	for _, v := range volatile {
		message = v.pattern.ReplaceAllString(message, v.name)
	}
	return message
}

// differences lists lines that only one of two texts has.
func differences(committed, now string) (lines []string) {
	if committed == now {
		return nil
	}
	was, is := strings.Split(committed, "\n"), strings.Split(now, "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			lines = append(lines, "- "+line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			lines = append(lines, "+ "+line)
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "the same lines, but repeated or in another order")
	}
	return lines
}
