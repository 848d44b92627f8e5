package main

import "slices"

// spread is what rounds of one figure come to. The median is quoted; the
// extremes say how far to trust it.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// summarise returns the zero spread for no values.
func summarise(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// ratios divides round by round, so that whatever slowed the machine in one
// round slowed both sides of its ratio. A round that either side lacks, or
// whose divisor is zero, gives no ratio.
func ratios(ours, theirs []float64) []float64 {
	var out []float64
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] > 0 {
			out = append(out, ours[i]/theirs[i])
		}
	}
	return out
}
