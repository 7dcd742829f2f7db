package policy

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// Measured is what gates are judged on: the winner on the test part, and how
// it compares with the champion there. First says that there is no champion.
type Measured struct {
	Test       lifecycle.Evaluation
	Comparison []lifecycle.Comparison
	First      bool
	// Incomparable says why there is no comparison, if there is none.
	Incomparable string
}

// Judge gives every gate's verdict. A missing or undefined measurement is
// inconclusive, which stops a release as a failure does.
func Judge(gates []lifecycle.Gate, m Measured) []lifecycle.Verdict {
	var out []lifecycle.Verdict
	for _, g := range gates {
		switch {
		case g.VsChampion != nil:
			out = append(out, judgeComparison(g, m))
		case g.Slice != "":
			out = append(out, judgeSlices(g, m.Test.Slices))
		default:
			v, ok := m.Test.Metrics[g.Metric]
			out = append(out, judgeValue(g, v, ok))
		}
	}
	return out
}

// Passed tells whether every verdict is a pass, and else names those that are not.
func Passed(verdicts []lifecycle.Verdict) (ok bool, why string) {
	var bad []string
	for _, v := range verdicts {
		if v.Outcome != lifecycle.Pass {
			bad = append(bad, fmt.Sprintf("%s: %s (%s)", v.Gate, v.Outcome, v.Detail))
		}
	}
	return len(bad) == 0 && len(verdicts) > 0, strings.Join(bad, "; ")
}

// GateName is a gate in words, e.g. "auc ≥ 0.65 for each origin".
func GateName(g lifecycle.Gate) string {
	name := g.Metric
	if c := g.VsChampion; c != nil {
		if c.Superior {
			return name + " better than the champion's"
		}
		return fmt.Sprintf("%s at most %g worse than the champion's", name, *c.NonInferior)
	}
	name += bounds(g.Min, g.Max)
	if g.Slice != "" {
		name += " for each " + g.Slice
	}
	return name
}

func bounds(lo, hi *float64) string {
	s := ""
	if lo != nil {
		s += fmt.Sprintf(" ≥ %g", *lo)
	}
	if hi != nil {
		s += fmt.Sprintf(" ≤ %g", *hi)
	}
	return s
}

// Within tells whether v keeps the bounds; a value that is not a number keeps none.
func Within(v float64, lo, hi *float64) bool {
	return !math.IsNaN(v) && (lo == nil || v >= *lo) && (hi == nil || v <= *hi)
}

func judgeValue(g lifecycle.Gate, v float64, measured bool) lifecycle.Verdict {
	out := lifecycle.Verdict{Gate: GateName(g), Outcome: lifecycle.Pass, Detail: fmt.Sprintf("%s %.4f", g.Metric, v)}
	switch {
	case !measured || math.IsNaN(v):
		out.Outcome, out.Detail = lifecycle.Inconclusive, g.Metric+" was not measured"
	case !Within(v, g.Min, g.Max):
		out.Outcome = lifecycle.Failed
	}
	return out
}

func judgeSlices(g lifecycle.Gate, measured []lifecycle.Slice) lifecycle.Verdict {
	out := lifecycle.Verdict{Gate: GateName(g), Outcome: lifecycle.Pass}
	seen, worst, undefined := 0, lifecycle.Slice{}, ""
	for _, s := range measured {
		if s.Column != g.Slice || s.Metric != g.Metric || s.Rows < int64(g.MinRows) {
			continue
		}
		if s.Undefined != "" {
			undefined = fmt.Sprintf("%s=%s: %s", s.Column, s.Value, s.Undefined)
			continue
		}
		if !Within(s.Result, g.Min, g.Max) {
			out.Outcome = lifecycle.Failed
		}
		if seen == 0 || further(s.Result, worst.Result, g) {
			worst = s
		}
		seen++
	}
	if seen > 0 {
		out.Detail = fmt.Sprintf("%d slices, the worst %s=%s with %.4f on %d rows", seen, worst.Column, worst.Value, worst.Result, worst.Rows)
	}
	switch {
	case out.Outcome == lifecycle.Failed:
	case undefined != "":
		out.Outcome, out.Detail = lifecycle.Inconclusive, undefined
	case seen == 0:
		out.Outcome = lifecycle.Inconclusive
		out.Detail = fmt.Sprintf("no value of %s has %d rows", g.Slice, g.MinRows)
	}
	return out
}

// further tells whether a is worse than b in the direction that the gate guards.
func further(a, b float64, g lifecycle.Gate) bool {
	if g.Min != nil {
		return a < b
	}
	return a > b
}

func judgeComparison(g lifecycle.Gate, m Measured) lifecycle.Verdict {
	out := lifecycle.Verdict{Gate: GateName(g), Outcome: lifecycle.Pass, Detail: "first release: no champion to compare with"}
	if m.First {
		return out
	}
	for _, c := range m.Comparison {
		if c.Metric != g.Metric {
			continue
		}
		out.Detail = fmt.Sprintf("%.4f against %.4f, difference %+.4f [%+.4f, %+.4f] on %d rows (%s)",
			c.Challenger, c.Champion, c.Delta, c.Low, c.High, c.Rows, c.Method)
		if !holds(g, c) {
			out.Outcome = lifecycle.Failed
		}
		return out
	}
	out.Outcome, out.Detail = lifecycle.Inconclusive, g.Metric+" was not compared with the champion"
	if m.Incomparable != "" {
		out.Detail += ": " + m.Incomparable
	}
	return out
}

// holds judges the interval of the difference at the end that is worse for the
// challenger.
func holds(g lifecycle.Gate, c lifecycle.Comparison) bool {
	interval := stats.Comparison{Metric: c.Metric, Low: c.Low, High: c.High}
	if g.VsChampion.Superior {
		return interval.Superior()
	}
	return interval.NonInferior(*g.VsChampion.NonInferior)
}

// Lowest keeps the n slices with the lowest results; those without a result
// come first.
func Lowest(all []lifecycle.Slice, n int) []lifecycle.Slice {
	sorted := slices.Clone(all)
	rank := func(s lifecycle.Slice) float64 {
		if s.Undefined != "" {
			return math.Inf(-1)
		}
		return s.Result
	}
	slices.SortStableFunc(sorted, func(a, b lifecycle.Slice) int { return cmp.Compare(rank(a), rank(b)) })
	return sorted[:min(n, len(sorted))]
}
