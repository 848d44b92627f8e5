package main

import (
	"slices"
	"testing"
)

func TestChoose_takesPagesByTheirWholeName(t *testing.T) {
	chosen, err := choose([]string{"upload-1m", "hit-1k"})
	if err != nil || len(chosen) != 2 || chosen[0].Name != "hit-1k" || chosen[1].Name != "upload-1m" {
		t.Errorf("got %v, %v", chosen, err)
	}
	if all, err := choose(nil); err != nil || len(all) != len(scenarios) {
		t.Errorf("no names choose %d of %d pages, %v", len(all), len(scenarios), err)
	}
	if _, err := choose([]string{"hit-1k", "hit"}); err == nil {
		t.Error("no error for a page that is not there")
	}
}

func TestScenarios_nameServersThatExist(t *testing.T) {
	pages := map[string]bool{}
	for _, s := range scenarios {
		pages[s.Name] = true
		taking := map[string]bool{}
		for _, c := range contenders {
			taking[c.Name] = c.takesPart(s)
		}
		for _, name := range append(slices.Clone(s.Servers), "seawall") {
			if !taking[name] {
				t.Errorf("%s: %s does not take part", s.Name, name)
			}
		}
		marks := slices.Clone(s.Marks)
		for _, f := range s.Crowds {
			marks = append(marks, f.Last)
		}
		for _, m := range marks {
			if m.Against != "" && m.Against != ownHit && !taking[m.Against] {
				t.Errorf("%s: a mark against %s, who does not take part", s.Name, m.Against)
			}
		}
	}
	for _, c := range contenders {
		for _, name := range c.OnlyIn {
			if !pages[name] {
				t.Errorf("%s takes part in %q, which is no page", c.Name, name)
			}
		}
	}
}

func TestSocketsWithin_leavesAProxyTwoDescriptorsEach(t *testing.T) {
	for limit, want := range map[uint64]int{20000: 9750, 1024: 262, 100: 1, 1 << 63: 524038} {
		if got := socketsWithin(limit); got != want {
			t.Errorf("limit %d: %d, want %d", limit, got, want)
		}
	}
}
