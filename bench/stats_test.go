package main

import (
	"slices"
	"testing"
)

func TestSummarise_takesTheMiddle(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   spread
	}{
		{"none", nil, spread{}},
		{"one", []float64{4}, spread{4, 4, 4}},
		{"odd, unsorted", []float64{9, 1, 5}, spread{5, 1, 9}},
		{"even", []float64{4, 1, 3, 2}, spread{2.5, 1, 4}},
	} {
		if got := summarise(c.values); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRatios_divideRoundByRound(t *testing.T) {
	got := ratios([]float64{1, 4, 9, 16}, []float64{2, 0, 3})
	if want := []float64{0.5, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
