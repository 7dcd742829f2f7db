package stats

import (
	"math"
	"slices"
	"sort"
)

// Calibrator turns scores into probabilities. It was fitted on rows whose truth
// is known, by FitIsotonic or FitPlatt; its fields are its whole state.
type Calibrator struct {
	// Scores and Probabilities are the knots of a rising line, flat outside.
	Scores        []float64 `json:"scores,omitempty"`
	Probabilities []float64 `json:"probabilities,omitempty"`
	// Slope and Intercept are those of 1/(1+exp(Slope·score+Intercept)), used
	// when there are no knots.
	Slope     float64 `json:"slope,omitempty"`
	Intercept float64 `json:"intercept,omitempty"`
}

// Probability is the calibrated probability of a score.
func (c Calibrator) Probability(score float64) float64 {
	n := len(c.Scores)
	if n == 0 {
		return 1 / (1 + math.Exp(c.Slope*score+c.Intercept))
	}
	i := sort.SearchFloat64s(c.Scores, score)
	switch i {
	case 0:
		return c.Probabilities[0]
	case n:
		return c.Probabilities[n-1]
	}
	share := (score - c.Scores[i-1]) / (c.Scores[i] - c.Scores[i-1])
	return c.Probabilities[i-1] + share*(c.Probabilities[i]-c.Probabilities[i-1])
}

// FitIsotonic finds the rising steps closest to the labels in squares, by
// pooling neighbours that are out of order (Ayer et al. 1955), and joins them
// by lines as scikit-learn's IsotonicRegression does. It needs many rows;
// FitPlatt needs few. Errors are those of AUC.
func FitIsotonic(s Scored) (Calibrator, error) {
	if err := s.checkRanking(); err != nil {
		return Calibrator{}, err
	}
	type block struct{ low, high, weight, mean float64 }
	var blocks []block
	r := rank(s.Score)
	var weight, positive float64
	for k, row := range slices.Backward(r.rows) {
		w := s.weight(int(row))
		weight, positive = weight+w, positive+w*s.Label[row]
		if k > 0 && !r.last[k-1] {
			continue // the next higher one ties
		}
		if weight == 0 {
			continue
		}
		b := block{s.Score[row], s.Score[row], weight, positive / weight}
		weight, positive = 0, 0
		for n := len(blocks); n > 0 && blocks[n-1].mean >= b.mean; n = len(blocks) {
			last := blocks[n-1]
			sum := last.weight + b.weight
			b = block{last.low, b.high, sum, (last.mean*last.weight + b.mean*b.weight) / sum}
			blocks = blocks[:n-1]
		}
		blocks = append(blocks, b)
	}
	var c Calibrator
	for _, b := range blocks {
		c.Scores, c.Probabilities = append(c.Scores, b.low), append(c.Probabilities, b.mean)
		if b.high > b.low {
			c.Scores, c.Probabilities = append(c.Scores, b.high), append(c.Probabilities, b.mean)
		}
	}
	return c, nil
}

// FitPlatt fits 1/(1+exp(A·score+B)) by maximum likelihood (Platt 1999), labels
// drawn in to (N₊+1)/(N₊+2) and 1/(N₋+2), by Newton's method with halved steps
// (Lin, Lin and Weng 2007). Errors are those of AUC.
func FitPlatt(s Scored) (Calibrator, error) {
	if err := s.checkRanking(); err != nil {
		return Calibrator{}, err
	}
	var positive, negative float64
	for i, y := range s.Label {
		positive += s.weight(i) * y
		negative += s.weight(i) * (1 - y)
	}
	high, low := (positive+1)/(positive+2), 1/(negative+2)
	target := func(i int) float64 { return low + s.Label[i]*(high-low) }
	loss := func(a, b float64) float64 {
		sum := 0.0
		for i, f := range s.Score {
			z := a*f + b
			// −t·ln p − (1−t)·ln(1−p), without overflow
			sum += s.weight(i) * (max(z, 0) + math.Log1p(math.Exp(-math.Abs(z))) - (1-target(i))*z)
		}
		return sum
	}
	c := Calibrator{Intercept: math.Log((negative + 1) / (positive + 1))}
	best := loss(c.Slope, c.Intercept)
	for range 100 {
		var ga, gb, aa, ab, bb float64
		for i, f := range s.Score {
			p := c.Probability(f)
			g, h := s.weight(i)*(target(i)-p), s.weight(i)*p*(1-p)
			ga, gb = ga+g*f, gb+g
			aa, ab, bb = aa+h*f*f, ab+h*f, bb+h
		}
		aa, bb = aa+1e-12, bb+1e-12
		det := aa*bb - ab*ab
		da, db := -(bb*ga-ab*gb)/det, -(aa*gb-ab*ga)/det
		if math.Abs(ga)+math.Abs(gb) < 1e-9 {
			break
		}
		step := 1.0
		for ; step > 1e-10; step /= 2 {
			if l := loss(c.Slope+step*da, c.Intercept+step*db); l < best {
				best, c.Slope, c.Intercept = l, c.Slope+step*da, c.Intercept+step*db
				break
			}
		}
		if step <= 1e-10 {
			break // as low as it gets
		}
	}
	return c, nil
}
