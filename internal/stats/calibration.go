package stats

import (
	"fmt"
	"math"
	"slices"
)

// Ways to cut scores into the bins of a calibration curve.
const (
	EqualWidth = "equal-width" // of [0, 1]
	EqualCount = "equal-count" // at the quantiles of the scores
)

// CalibrationBin holds the rows whose score lies in (From, To]; the first one
// holds From too.
type CalibrationBin struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Count int     `json:"count"` // rows
	// Score is the mean score, Observed the share of class 1; for calibrated
	// scores they are equal. Low and High are Observed's interval.
	Score    float64 `json:"score"`
	Observed float64 `json:"observed"`
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
}

// CalibrationCurve is the reliability diagram of scores that are probabilities
// (DeGroot and Fienberg 1983): bins without rows are left out. Intervals are
// Wilson's at the given confidence, such as 0.95; weighted rows count as many
// as are worth the same (Kish 1965). Weights do not move the edges of
// EqualCount.
func CalibrationCurve(s Scored, bins int, cut string, confidence float64) ([]CalibrationBin, error) {
	if err := s.check(true); err != nil {
		return nil, err
	}
	z, err := normalQuantile(confidence)
	if err != nil {
		return nil, err
	}
	edges, err := scoreEdges(s.Score, bins, cut)
	if err != nil {
		return nil, err
	}
	type sums struct{ weight, squares, score, label float64 }
	held, counts := make([]sums, bins), make([]int, bins)
	for i, p := range s.Score {
		b, w := binOf(p, edges), s.weight(i)
		counts[b]++
		held[b].weight += w
		held[b].squares += w * w
		held[b].score += w * p
		held[b].label += w * s.Label[i]
	}
	var out []CalibrationBin
	for b, h := range held {
		if h.weight == 0 {
			continue
		}
		c := CalibrationBin{From: edges[b], To: edges[b+1], Count: counts[b], Score: h.score / h.weight, Observed: h.label / h.weight}
		c.Low, c.High = wilson(c.Observed, h.weight*h.weight/h.squares, z)
		out = append(out, c)
	}
	return out, nil
}

// scoreEdges are bins+1 edges.
func scoreEdges(score []float64, bins int, cut string) ([]float64, error) {
	switch {
	case bins < 1:
		return nil, fmt.Errorf("%d bins: there must be at least 1, such as 10", bins)
	case cut == EqualWidth:
		return equalEdges(bins), nil
	case cut != EqualCount:
		return nil, fmt.Errorf("cut %q is not known; known are %s, %s", cut, EqualWidth, EqualCount)
	}
	sorted := slices.Sorted(slices.Values(score))
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = interpolate(sorted, float64(i)/float64(bins))
	}
	return edges, nil
}

// equalEdges cut [0, 1] into bins of equal width.
func equalEdges(bins int) []float64 {
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = float64(i) * (1 / float64(bins))
	}
	edges[bins] = 1
	return edges
}

// binOf is the bin (edges[b], edges[b+1]] that holds p, as in scikit-learn's
// calibration_curve.
func binOf(p float64, edges []float64) int {
	b, _ := slices.BinarySearch(edges[1:len(edges)-1], p)
	return b
}

// wilson is the score interval of a share of n rows (Wilson 1927); z is how
// many standard errors it reaches.
func wilson(share, n, z float64) (low, high float64) {
	centre := share + z*z/(2*n)
	half := z * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	scale := 1 + z*z/n
	return max(0, (centre-half)/scale), min(1, (centre+half)/scale)
}

// ScoreBin holds the weight of each class whose score lies in (From, To]; the
// first one holds From too.
type ScoreBin struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Negative float64 `json:"negative"`
	Positive float64 `json:"positive"`
}

// ScoreHistogram counts scores that are probabilities by class, in bins of
// equal width over [0, 1].
func ScoreHistogram(s Scored, bins int) ([]ScoreBin, error) {
	if err := s.check(true); err != nil {
		return nil, err
	}
	edges, err := scoreEdges(s.Score, bins, EqualWidth)
	if err != nil {
		return nil, err
	}
	out := make([]ScoreBin, bins)
	for b := range out {
		out[b].From, out[b].To = edges[b], edges[b+1]
	}
	for i, p := range s.Score {
		if b := &out[binOf(p, edges)]; s.Label[i] == 1 {
			b.Positive += s.weight(i)
		} else {
			b.Negative += s.weight(i)
		}
	}
	return out, nil
}
