package stats

import (
	"cmp"
	"slices"
)

// AUC is the area under the ROC curve: the probability that a row of class 1
// scores above one of class 0, ties counting half (Hanley and McNeil 1982). All
// labels of one class is a *OneClassError; a NaN score or a label other than 0
// and 1 names the row. Scores need not be probabilities.
func AUC(score, label []float64) (float64, error) {
	s := Scored{Score: score, Label: label}
	if err := s.checkRanking(); err != nil {
		return 0, err
	}
	return rank(score, label).auc(s.weight), nil
}

// checkRanking allows any finite score, unlike check(true).
func (s Scored) checkRanking() error {
	if err := s.check(false); err != nil {
		return err
	}
	if err := (Scored{Score: s.Label, Label: s.Label}).check(true); err != nil {
		return err
	}
	return s.twoClasses()
}

// ranking is the rows of a scored set from the highest score to the lowest,
// sorted once so that an area can be taken again under other weights.
type ranking struct {
	rows     []int32
	positive []bool // by rank
	last     []bool // by rank: the next row scores lower
}

func rank(score, label []float64) ranking {
	n := len(score)
	r := ranking{rows: make([]int32, n), positive: make([]bool, n), last: make([]bool, n)}
	for i := range r.rows {
		r.rows[i] = int32(i)
	}
	slices.SortFunc(r.rows, func(a, b int32) int {
		if d := cmp.Compare(score[b], score[a]); d != 0 {
			return d
		}
		return cmp.Compare(a, b)
	})
	for k, row := range r.rows {
		r.positive[k] = label[row] == 1
		r.last[k] = k == n-1 || score[row] != score[r.rows[k+1]]
	}
	return r
}

// groups visits rows of equal score together: the weight of each class in it.
func (r ranking) groups(weight func(row int) float64, visit func(positive, negative float64)) {
	var pos, neg float64
	for k, row := range r.rows {
		if w := weight(int(row)); r.positive[k] {
			pos += w
		} else {
			neg += w
		}
		if r.last[k] {
			visit(pos, neg)
			pos, neg = 0, 0
		}
	}
}

// auc is NaN when a class has no weight.
func (r ranking) auc(weight func(row int) float64) float64 {
	var above, area, negatives float64
	r.groups(weight, func(pos, neg float64) {
		area += neg * (above + pos/2)
		above += pos
		negatives += neg
	})
	return area / (above * negatives)
}

// averagePrecision is the area under the precision–recall curve as the step sum
// Σ(Rₙ−Rₙ₋₁)·Pₙ, which, unlike the trapezoid, is not optimistic (Davis and
// Goadrich 2006). It is NaN when no positive row has weight.
func (r ranking) averagePrecision(weight func(row int) float64) float64 {
	var tp, all, sum float64
	r.groups(weight, func(pos, neg float64) {
		tp += pos
		all += pos + neg
		if all > 0 {
			sum += pos * tp / all
		}
	})
	return sum / tp
}
