package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// AUCComparison is DeLong's test of two scores of the same rows.
type AUCComparison struct {
	A, B   float64 // the two areas
	Delta  float64 // B − A
	StdErr float64 // of Delta
	Z      float64
	PValue float64 // two-sided
}

// DeLong compares the areas under two correlated ROC curves (DeLong, DeLong and
// Clarke-Pearson 1988) in n·log n by mid-ranks (Sun and Xu 2014). Each class
// needs two rows; all labels of one class is a *OneClassError.
func DeLong(label, a, b []float64) (AUCComparison, error) {
	pa, err := placements(a, label)
	if err != nil {
		return AUCComparison{}, err
	}
	pb, err := placements(b, label)
	if err != nil {
		return AUCComparison{}, err
	}
	out := AUCComparison{A: pa.auc, B: pb.auc, Delta: pb.auc - pa.auc}
	v := varianceOfDifference(pa.positive, pb.positive)/float64(len(pa.positive)) +
		varianceOfDifference(pa.negative, pb.negative)/float64(len(pa.negative))
	out.StdErr = math.Sqrt(v)
	switch {
	case out.StdErr > 0:
		out.Z = out.Delta / out.StdErr
		out.PValue = 2 * distuv.UnitNormal.Survival(math.Abs(out.Z))
	case out.Delta == 0:
		out.PValue = 1
	}
	return out, nil
}

// AUCInterval is DeLong's interval of one area at the given confidence (such as
// 0.95), within [0, 1].
func AUCInterval(score, label []float64, confidence float64) (lo, hi float64, err error) {
	z, err := normalQuantile(confidence)
	if err != nil {
		return 0, 0, err
	}
	p, err := placements(score, label)
	if err != nil {
		return 0, 0, err
	}
	v := varianceOf(p.positive)/float64(len(p.positive)) + varianceOf(p.negative)/float64(len(p.negative))
	half := z * math.Sqrt(v)
	return max(0, p.auc-half), min(1, p.auc+half), nil
}

// normalQuantile is how many standard errors a two-sided interval reaches.
func normalQuantile(confidence float64) (float64, error) {
	if !(confidence > 0 && confidence < 1) {
		return 0, fmt.Errorf("confidence %v must lie between 0 and 1, such as 0.95", confidence)
	}
	return distuv.UnitNormal.Quantile((1 + confidence) / 2), nil
}

// placement holds, for each row, the share of the other class it is placed
// right of (ties half); both means are the AUC.
type placement struct {
	auc                float64
	positive, negative []float64
}

func placements(score, label []float64) (placement, error) {
	s := Scored{Score: score, Label: label}
	if err := s.checkRanking(); err != nil {
		return placement{}, err
	}
	var pos, neg []float64
	for i, y := range label {
		if y == 1 {
			pos = append(pos, score[i])
		} else {
			neg = append(neg, score[i])
		}
	}
	if len(pos) < 2 || len(neg) < 2 {
		return placement{}, fmt.Errorf("%d positive and %d negative rows: each class needs 2 for an interval", len(pos), len(neg))
	}
	all, inPos, inNeg := midranks(score), midranks(pos), midranks(neg)
	var p placement
	i, j := 0, 0
	for row, y := range label {
		if y == 1 {
			p.positive = append(p.positive, (all[row]-inPos[i])/float64(len(neg)))
			p.auc += p.positive[i] / float64(len(pos))
			i++
		} else {
			p.negative = append(p.negative, 1-(all[row]-inNeg[j])/float64(len(pos)))
			j++
		}
	}
	return p, nil
}

// midranks are the ranks from 1, ties sharing their middle.
func midranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	ranks := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			ranks[order[k]] = float64(i+j+1) / 2
		}
		i = j
	}
	return ranks
}

func varianceOf(v []float64) float64 {
	m := noMoments()
	m.add(v)
	return m.variance()
}

func varianceOfDifference(a, b []float64) float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = b[i] - a[i]
	}
	return varianceOf(d)
}
