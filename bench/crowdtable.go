package main

import (
	"fmt"
	"strings"
)

// crowdFigure returns one figure of the crowd in the given place.
func crowdFigure(place int, of func(crowd) float64) func(round) float64 {
	return func(r round) float64 { return of(r.Crowds[place]) }
}

func lastMillis(c crowd) float64     { return c.LastMillis }
func originRequests(c crowd) float64 { return float64(c.Asked) }
func expiredAnswers(c crowd) float64 { return float64(c.Expired) }

// crowdColumns shows the crowds of a page one after another.
func crowdColumns(sc scenario) (all []column) {
	for i, f := range sc.Crowds {
		all = append(all,
			column{f.Name + ": origin requests", "%.0f", 1, crowdFigure(i, originRequests)},
			column{"last answer ms", "%.0f", 1, crowdFigure(i, lastMillis)},
			column{"CPU us/visitor", "%.0f", 1, crowdFigure(i, func(c crowd) float64 { return c.CPUMicros })})
		if f.Stored {
			all = append(all, column{"expired answers", "%.0f", 1, crowdFigure(i, expiredAnswers)})
		}
	}
	return all
}

// judgeCrowds works out ratios and marks of a page of crowds.
func (r *result) judgeCrowds(sc scenario, ours outcome) {
	r.Ratios, r.LastRatios = map[string]spread{}, map[string][]spread{}
	for _, o := range r.Outcomes {
		for i := range sc.Crowds {
			last := crowdFigure(i, lastMillis)
			if all := ratios(ours.column(last), o.column(last)); o.Server != ours.Server && len(all) > 0 {
				r.LastRatios[o.Server] = append(r.LastRatios[o.Server], summarise(all))
			}
		}
	}
	for i, f := range sc.Crowds {
		if f.Asked > 0 {
			v := verdict{Mark: fmt.Sprintf("%s: origin requests at most %d in every round, and no expired answer", f.Name, f.Asked), Outcome: "not measured"}
			if len(ours.Rounds) > 0 {
				v.Figure = summarise(ours.column(crowdFigure(i, originRequests)))
				expired := summarise(ours.column(crowdFigure(i, expiredAnswers)))
				v.Outcome = outcomeOf(v.Figure.Max <= float64(f.Asked) && expired.Max == 0)
			}
			r.Verdicts = append(r.Verdicts, v)
		}
		if f.Last.Against != "" {
			v := verdict{Mark: fmt.Sprintf("%s: time until the last answer at most %g of %s", f.Name, f.Last.AtMost, f.Last.Against), Outcome: "not measured"}
			if all := r.LastRatios[f.Last.Against]; len(all) > 0 {
				v.Figure = all[i]
				v.Outcome = outcomeOf(v.Figure.Median <= f.Last.AtMost)
			}
			r.Verdicts = append(r.Verdicts, v)
		}
	}
}

func (r result) crowdRatioTable(w *strings.Builder, sc scenario) {
	w.WriteString("\n| Seawall's time until the last answer in proportion to |")
	for _, f := range sc.Crowds {
		fmt.Fprintf(w, " %s |", f.Name)
	}
	w.WriteString("\n|---|" + strings.Repeat("---|", len(sc.Crowds)) + "\n")
	for _, o := range r.Outcomes {
		if len(r.LastRatios[o.Server]) == 0 {
			continue
		}
		fmt.Fprintf(w, "| %s |", o.Server)
		for _, ratio := range r.LastRatios[o.Server] {
			fmt.Fprintf(w, " %s |", ratio.format("%.2f", 1))
		}
		w.WriteString("\n")
	}
}
