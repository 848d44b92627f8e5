package main

import (
	"strings"
	"testing"
)

func rounds(cpu ...float64) (out []round) {
	for _, c := range cpu {
		out = append(out, round{CPUMicros: c, AnonymousEach: c, Logged: 1})
	}
	return out
}

var twoMarks = scenario{Name: "x", Marks: []mark{{Against: "nginx", AtMost: 0.65}, {Against: "haproxy", AtMost: 1}}}

func TestJudge_saysReachedOrNot(t *testing.T) {
	r := judge(twoMarks, conditions{}, []outcome{
		{Server: "nginx", Rounds: rounds(20, 20, 40)},
		{Server: "haproxy", Rounds: rounds(5, 10, 20)},
		{Server: "seawall", Rounds: rounds(10, 12, 22)},
	})
	if got := r.Verdicts[0]; got.Outcome != "reached" || got.Figure != (spread{0.55, 0.5, 0.6}) {
		t.Errorf("against nginx: %+v", got)
	}
	if got := r.Verdicts[1]; got.Outcome != "not reached" || got.Figure.Median != 1.2 {
		t.Errorf("against haproxy: %+v", got)
	}
	if page := r.markdown(twoMarks); !strings.Contains(page, "0.55 (0.50 to 0.60) | reached |") || !strings.Contains(page, "| not reached |") {
		t.Errorf("the page does not say so:\n%s", page)
	}
}

func TestJudge_claimsNothingWithoutFigures(t *testing.T) {
	for name, outcomes := range map[string][]outcome{
		"no seawall":     {{Server: "nginx", Rounds: rounds(20)}},
		"no figures":     {{Server: "nginx", Rounds: rounds(20)}, {Server: "seawall", Unable: "does not build"}},
		"nothing at all": nil,
	} {
		for _, v := range judge(twoMarks, conditions{}, outcomes).Verdicts {
			if v.Outcome != "not measured" {
				t.Errorf("%s: %+v", name, v)
			}
		}
	}
	idle := scenario{Idle: true, Marks: []mark{{AtMost: 4096}}}
	if got := judge(idle, conditions{}, nil).Verdicts[0].Outcome; got != "not measured" {
		t.Errorf("idle without figures: %s", got)
	}
	if got := judge(idle, conditions{}, []outcome{{Server: "seawall", Rounds: rounds(5000)}}).Verdicts[0].Outcome; got != "not reached" {
		t.Errorf("idle with 5000 bytes each: %s", got)
	}
}

func TestJudge_doesNotCountALogWithHoles(t *testing.T) {
	logged := scenario{AccessLog: true, Marks: []mark{{Against: "nginx", AtMost: 1}}}
	ours := rounds(1)
	ours[0].Logged = 0.9
	r := judge(logged, conditions{}, []outcome{{Server: "nginx", Rounds: rounds(2)}, {Server: "seawall", Rounds: ours}})
	if r.Verdicts[0].Outcome != "not reached" {
		t.Errorf("a log of 90 %% of the requests counts as %s", r.Verdicts[0].Outcome)
	}
}

func TestJudge_comparesMemoryAndMessagesOfWebSockets(t *testing.T) {
	sockets := scenario{Name: "x", Sockets: true}
	theirs, ours := rounds(4, 4, 4), rounds(6, 6, 6)
	for i := range ours {
		ours[i].AnonymousEach = 12
	}
	r := judge(sockets, conditions{Sockets: 1234, Descriptors: 20000}, []outcome{{Server: "haproxy", Rounds: theirs}, {Server: "seawall", Rounds: ours}})
	if r.Ratios["haproxy"].Median != 1.5 || r.MemoryRatios["haproxy"].Median != 3 {
		t.Errorf("CPU %+v and memory %+v, want 1.5 and 3", r.Ratios, r.MemoryRatios)
	}
	page := r.markdown(sockets)
	for _, want := range []string{"| haproxy | 3.00 (3.00 to 3.00) | 1.50 (1.50 to 1.50) |", "1234 WebSockets", "20000 descriptors", "no mark"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
}

func TestReached_refusesRunsThatAreNotWhatTheySay(t *testing.T) {
	for _, c := range []struct {
		name             string
		hit              bool
		asked, requests  int64
		connections      int64
		wantsToBeRefused bool
	}{
		{"hits", true, 0, 1000, 64, false},
		{"a hit that asked the origin", true, 1, 1000, 64, true},
		{"pass-through", false, 1064, 1000, 64, false},
		{"pass-through answered from a cache", false, 999, 1000, 64, true},
		{"pass-through asked twice", false, 2000, 1000, 64, true},
	} {
		if err := reached(c.hit, c.asked, c.requests, c.connections); (err != nil) != c.wantsToBeRefused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestMarkdown_saysWhenTheMachineWasNotQuiet(t *testing.T) {
	quiet, loud := rounds(1, 1), rounds(1, 1)
	loud[1].Others = 0.42
	const warning = "others used 42 % of the server's core"
	for _, c := range []struct {
		rounds []round
		warned bool
	}{{quiet, false}, {loud, true}} {
		page := judge(twoMarks, conditions{}, []outcome{{Server: "nginx", Rounds: c.rounds}}).markdown(twoMarks)
		if strings.Contains(page, warning) != c.warned {
			t.Errorf("want a warning: %v, got:\n%s", c.warned, page)
		}
	}
}
