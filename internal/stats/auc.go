package stats

import "slices"

// AUC is the area under the ROC curve: the probability that a row of class 1
// scores above one of class 0, ties counting half (Hanley and McNeil 1982). All
// labels of one class is a *OneClassError; a NaN score or a label other than 0
// and 1 names the row. Scores need not be probabilities.
func AUC(score, label []float64) (float64, error) {
	s := Scored{Score: score, Label: label}
	if err := s.checkRanking(); err != nil {
		return 0, err
	}
	return s.areas().auc, nil
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

// ranking is the rows of a scored set from the highest score to the lowest.
type ranking struct {
	rows []int32
	last []bool // by rank: the next row scores lower
}

func rank(score []float64) ranking {
	type scored struct {
		score float64
		row   int32
	}
	n := len(score)
	sorted := make([]scored, n)
	for i, p := range score {
		sorted[i] = scored{p, int32(i)}
	}
	slices.SortFunc(sorted, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return int(a.row - b.row)
	})
	r := ranking{rows: make([]int32, n), last: make([]bool, n)}
	for k, s := range sorted {
		r.rows[k] = s.row
		r.last[k] = k == n-1 || s.score != sorted[k+1].score
	}
	return r
}

// areas adds up the areas under both curves from the highest score down.
type areas struct {
	above, below       float64 // weight of each class so far
	tiedUp, tiedDown   float64 // of those with the score at hand
	pairs, precisions  float64
	auc, meanPrecision float64
}

// notNothing keeps the precision of no row at all from being 0/0.
const notNothing = 1e-300

// add takes the next rows. What the AUC adds up is the weight of pairs that are
// in order. The area under the precision–recall curve is the step sum
// Σ(Rₙ−Rₙ₋₁)·Pₙ, which, unlike the trapezoid, is not optimistic (Davis and
// Goadrich 2006).
func (a *areas) add(label, weight []float64, last []bool) {
	s := *a
	label, last = label[:len(weight)], last[:len(weight)] // spares the loop its checks
	for k, w := range weight {
		up := w * label[k]
		s.tiedUp += up
		s.tiedDown += w - up
		if last[k] {
			s.pairs += s.tiedDown * (s.above + s.tiedUp/2)
			s.above += s.tiedUp
			s.below += s.tiedDown
			s.precisions += s.tiedUp * s.above / (s.above + s.below + notNothing)
			s.tiedUp, s.tiedDown = 0, 0
		}
	}
	*a = s
}

// finish sets both areas, NaN when a class has no weight.
func (a *areas) finish() {
	a.auc = a.pairs / (a.above * a.below)
	a.meanPrecision = a.precisions / a.above
}

// areas are those of the rows under their own weights.
func (s Scored) areas() areas {
	b := newBinaryRows(s, 0)
	sums := b.sum(own(b))
	return sums.areas
}
