package main

import (
	"os"
	"slices"
	"testing"
)

func TestParseProcessStat_readsPastANameWithBrackets(t *testing.T) {
	got, err := parseProcessStat("4242 (a (b) c) S 17 4242 4242 0 -1 4194560 100 0 3 0 250 75 9 9 20 0 1 0 12345 1000 200")
	if err != nil {
		t.Fatal(err)
	}
	if want := (processStat{Parent: 17, Ticks: 325}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseProcessStat_refusesWhatIsNone(t *testing.T) {
	for _, text := range []string{"", "1 (x", "1 (x) S 1 2", "1 (x) S a 1 1 0 -1 0 0 0 0 0 1 1 0", "1 (x) S 1 1 1 0 -1 0 0 0 0 0 x 1 0"} {
		if _, err := parseProcessStat(text); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}

func TestParseSmaps_readsBothFigures(t *testing.T) {
	got, err := parseSmaps("00400000-7fff ---p 00000000 00:00 0 [rollup]\nRss:  900 kB\nPss:   500 kB\nPss_Dirty:  1 kB\nAnonymous:   300 kB\n")
	if want := (memory{Proportional: 500 << 10, Anonymous: 300 << 10}); err != nil || got != want {
		t.Errorf("got %+v and %v, want %+v", got, err, want)
	}
	if _, err := parseSmaps("Pss: 500 kB\n"); err == nil {
		t.Error("no error without the anonymous figure")
	}
}

func TestTree_findsThisProcessUnderItsParent(t *testing.T) {
	pids, err := tree([]int{os.Getppid()})
	if err != nil || !slices.Contains(pids, os.Getpid()) {
		t.Errorf("tree of the parent is %v with %v, want %d in it", pids, err, os.Getpid())
	}
	if spent, err := cpuTime([]int{os.Getpid()}); err != nil || spent < 0 {
		t.Errorf("CPU time of this process: %v, %v", spent, err)
	}
	const nobody = 1 << 30 // above every process number
	if spent, err := cpuTime([]int{nobody, os.Getpid()}); err != nil || spent < 0 {
		t.Errorf("CPU time of this process and one that has ended: %v, %v", spent, err)
	}
	if _, err := cpuTime([]int{nobody}); err == nil {
		t.Error("all have ended, and there is CPU time")
	}
	if held, err := memoryOf([]int{os.Getpid()}); err != nil || held.Anonymous == 0 {
		t.Errorf("memory of this process: %+v, %v", held, err)
	}
}
