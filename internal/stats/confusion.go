package stats

import "fmt"

// Confusion counts the rows (their weights) of a binary classifier by what was
// said and what was true.
type Confusion struct {
	TruePositive  float64 `json:"truePositive"`
	FalsePositive float64 `json:"falsePositive"`
	TrueNegative  float64 `json:"trueNegative"`
	FalseNegative float64 `json:"falseNegative"`
}

// ConfusionAt counts with scores of threshold and above as class 1. Errors are
// those of Binary.
func ConfusionAt(s Scored, threshold float64) (Confusion, error) {
	if err := s.check(true); err != nil {
		return Confusion{}, err
	}
	c := s.confusion(threshold)
	return Confusion{TruePositive: c.tp, FalsePositive: c.fp, TrueNegative: c.tn, FalseNegative: c.fn}, nil
}

type confusion struct{ tp, fp, tn, fn float64 }

func (c confusion) all() float64 { return c.tp + c.fp + c.tn + c.fn }

func (c *confusion) add(score, label, threshold, weight float64) {
	switch {
	case score >= threshold && label == 1:
		c.tp += weight
	case score >= threshold:
		c.fp += weight
	case label == 1:
		c.fn += weight
	default:
		c.tn += weight
	}
}

func (s Scored) confusion(threshold float64) confusion {
	var c confusion
	for i := range s.Label {
		c.add(s.Score[i], s.Label[i], threshold, s.weight(i))
	}
	return c
}

// ConfusionMatrix counts the rows (their weights; nil weighs all 1) of k
// classes: row i, column j holds those of class i that were said to be j.
// Classes are numbered from 0; another number is an error that names the row.
func ConfusionMatrix(truth, predicted []int, classes int, weight []float64) ([][]float64, error) {
	if len(truth) != len(predicted) || (weight != nil && len(weight) != len(truth)) {
		return nil, fmt.Errorf("%d true classes, %d predicted, %d weights: there must be one of each a row",
			len(truth), len(predicted), len(weight))
	}
	if err := (Scored{Weight: weight}).checkWeights(); err != nil {
		return nil, err
	}
	out := make([][]float64, max(classes, 0))
	for i := range out {
		out[i] = make([]float64, classes)
	}
	for i, y := range truth {
		for _, c := range []int{y, predicted[i]} {
			if c < 0 || c >= classes {
				return nil, fmt.Errorf("class of row %d is %d: the %d classes are numbered from 0", i, c, classes)
			}
		}
		out[y][predicted[i]] += (Scored{Weight: weight}).weight(i)
	}
	return out, nil
}
