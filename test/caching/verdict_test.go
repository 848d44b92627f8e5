package caching_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// report is what the driver writes: the suite's tests in the suite's order,
// and what came of each.
type report struct {
	Groups  []group
	Results map[string]result
}

type group struct {
	ID, Name string
	Tests    []definition
}

type definition struct {
	ID    string
	Kind  string   // required, optimal or check
	Needs []string // the tests without which this one says nothing
}

// result is true in JSON where the test held, or else what kind of failure it
// was and a message. Assertion and Setup are the suite's own kinds.
type result struct {
	held             bool
	failure, message string
}

func (r *result) UnmarshalJSON(text []byte) error {
	*r = result{}
	if err := json.Unmarshal(text, &r.held); err == nil {
		return nil
	}
	var pair []string
	if err := json.Unmarshal(text, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("%s is no result of a test: %w", text, err)
	}
	r.failure, r.message = pair[0], pair[1]
	return nil
}

func readReport(text []byte) (*report, error) {
	r := &report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	seen := map[string]bool{}
	var problems []error
	for d := range r.tests {
		if seen[d.ID] {
			problems = append(problems, fmt.Errorf("two tests are called %s", d.ID))
		}
		seen[d.ID] = true
		if !strings.Contains(" required optimal check ", " "+d.Kind+" ") {
			problems = append(problems, fmt.Errorf("%s is of an unknown kind, %q", d.ID, d.Kind))
		}
	}
	for id := range r.Results {
		if !seen[id] {
			problems = append(problems, fmt.Errorf("a result of %s, which is no test", id))
		}
	}
	return r, errors.Join(problems...)
}

// tests goes through the tests of all groups.
func (r *report) tests(yield func(definition) bool) {
	for _, g := range r.Groups {
		for _, d := range g.Tests {
			if !yield(d) {
				return
			}
		}
	}
}

func (r *report) find(id string) (definition, bool) {
	for d := range r.tests {
		if d.ID == id {
			return d, true
		}
	}
	return definition{}, false
}

// A verdict is what the suite's display would show (determineTestResult in its
// lib/display.mjs).
type verdict string

const (
	passed           verdict = "pass"
	failed           verdict = "fail"
	optionalFailed   verdict = "optional fail"
	yes              verdict = "yes"
	no               verdict = "no"
	setupFailed      verdict = "setup failed" // what was to be tested did not come about
	retried          verdict = "retried"      // the proxy asked the origin twice
	dependencyFailed verdict = "not tested"   // something else failed first
	missing          verdict = "missing"      // the test was not run, or did not end
	harnessFailed    verdict = "harness failed"
)

func (v verdict) good() bool { return v == passed || v == yes }

// judge returns the verdict of a test, and why when it is not a good one.
func (r *report) judge(d definition) (v verdict, why string) {
	if _, known := r.Results[d.ID]; !known {
		return missing, ""
	}
	for _, id := range d.Needs {
		needed, known := r.find(id)
		if known {
			v, _ = r.judge(needed)
		}
		if !known || !v.good() {
			return dependencyFailed, "needs " + id
		}
	}
	return r.judgeAlone(d)
}

// judgeAlone is judge for a test whose dependencies do not count.
func (r *report) judgeAlone(d definition) (verdict, string) {
	result, known := r.Results[d.ID]
	switch {
	case !known:
		return missing, ""
	case result.failure == "Setup" && result.message == "retry":
		return retried, ""
	case result.failure == "Setup":
		return setupFailed, result.message
	case !result.held && result.failure == "":
		return harnessFailed, ""
	}
	ends := map[string][2]verdict{"required": {passed, failed}, "optimal": {passed, optionalFailed}, "check": {yes, no}}[d.Kind]
	if result.held {
		return ends[0], ""
	}
	return ends[1], result.message
}
