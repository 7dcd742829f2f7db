// Package fairness measures whether a binary classifier treats one group of
// people, the facet, as it treats the rest.
package fairness

import (
	"fmt"
	"math"
)

// Sample is rows of labels and decisions, both 0 or 1.
type Sample struct {
	Facet            []bool // row belongs to the facet
	Label, Predicted []float64
	Weight           []float64 // nil weighs all rows 1
}

// Bounds of disparate impact: a facet that is chosen less than four fifths as
// often as the rest, or the rest less than four fifths as often as it (US EEOC
// 1978, "Uniform guidelines on employee selection procedures", §4D).
const (
	LeastImpact = 0.8
	MostImpact  = 1.25
)

// Alarming says whether a disparate impact lies outside its bounds.
func Alarming(disparateImpact float64) bool {
	return disparateImpact < LeastImpact || disparateImpact > MostImpact
}

// Measure compares the rest a with the facet d; 0 is fair unless said else.
// What would divide by 0 is left out. Names and definitions are those of Amazon
// SageMaker Clarify ("Measure posttraining data and model bias"), with q the
// share of label 1, q̂ the share of decision 1, n counts and n̂ counts of
// decisions:
//
//	ci    (nₐ−n_d)/(nₐ+n_d), imbalance of rows
//	dpl   qₐ−q_d            dppl  q̂ₐ−q̂_d
//	di    q̂_d/q̂ₐ, disparate impact; 1 is fair, see Alarming
//	ad    accuracy, a−d      rd    recall, a−d
//	dar   precision, a−d     sd    specificity, d−a
//	drr   TN/n̂₀, d−a         dcr   n₀/n̂₀, d−a
//	dca   n₁/n̂₁, a−d         te    FN/FP, d−a
//	ge    generalised entropy Σ((b/b̄)²−1)/2n of benefits b = ŷ−y+1 over all rows
//	      (α=2; Speicher et al. 2018)
//
// and as in fairlearn demographic_parity_difference and _ratio (least by most
// selection rate), and equalized_odds_difference and _ratio, the worse of those
// of the true and the false positive rate (Hardt, Price and Srebro 2016).
func Measure(s Sample) (map[string]float64, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var a, d counts
	for i, facet := range s.Facet {
		group := &a
		if facet {
			group = &d
		}
		group.add(s.Label[i], s.Predicted[i], s.weight(i))
	}
	if a.rows() == 0 || d.rows() == 0 {
		return nil, fmt.Errorf("%g rows of the facet and %g of the rest: both are needed to compare", d.rows(), a.rows())
	}
	m := map[string]float64{
		"ci":   (a.rows() - d.rows()) / (a.rows() + d.rows()),
		"dpl":  a.positive()/a.rows() - d.positive()/d.rows(),
		"dppl": a.selection() - d.selection(),
		"di":   d.selection() / a.selection(),
		"ad":   (a.tp+a.tn)/a.rows() - (d.tp+d.tn)/d.rows(),
		"rd":   a.truePositiveRate() - d.truePositiveRate(),
		"dar":  a.tp/a.chosen() - d.tp/d.chosen(),
		"sd":   a.falsePositiveRate() - d.falsePositiveRate(), // specificity is 1 − it
		"drr":  d.tn/d.refused() - a.tn/a.refused(),
		"dcr":  d.negative()/d.refused() - a.negative()/a.refused(),
		"dca":  a.positive()/a.chosen() - d.positive()/d.chosen(),
		"te":   d.fn/d.fp - a.fn/a.fp,
		"ge":   entropy(a, d),
	}
	parity(m, a, d)
	for name, v := range m {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			delete(m, name)
		}
	}
	return m, nil
}

func parity(m map[string]float64, a, d counts) {
	difference := func(x, y float64) float64 { return math.Abs(x - y) }
	ratio := func(x, y float64) float64 { return min(x, y) / max(x, y) }
	m["demographic_parity_difference"] = difference(a.selection(), d.selection())
	m["demographic_parity_ratio"] = ratio(a.selection(), d.selection())
	tpr := [2]float64{a.truePositiveRate(), d.truePositiveRate()}
	fpr := [2]float64{a.falsePositiveRate(), d.falsePositiveRate()}
	m["equalized_odds_difference"] = max(difference(tpr[0], tpr[1]), difference(fpr[0], fpr[1]))
	m["equalized_odds_ratio"] = min(ratio(tpr[0], tpr[1]), ratio(fpr[0], fpr[1]))
}

// entropy groups the rows by benefit: 2 for FP, 1 for what is right, 0 for FN.
func entropy(a, d counts) float64 {
	n := a.rows() + d.rows()
	twice, once := a.fp+d.fp, a.tp+d.tp+a.tn+d.tn
	mean := (2*twice + once) / n
	return ((4*twice+once)/(mean*mean) - n) / (2 * n)
}

type counts struct{ tp, fp, tn, fn float64 }

func (c *counts) add(label, predicted, weight float64) {
	switch {
	case label == 1 && predicted == 1:
		c.tp += weight
	case label == 1:
		c.fn += weight
	case predicted == 1:
		c.fp += weight
	default:
		c.tn += weight
	}
}

func (c counts) rows() float64              { return c.tp + c.fp + c.tn + c.fn }
func (c counts) positive() float64          { return c.tp + c.fn }
func (c counts) negative() float64          { return c.fp + c.tn }
func (c counts) chosen() float64            { return c.tp + c.fp }
func (c counts) refused() float64           { return c.tn + c.fn }
func (c counts) selection() float64         { return c.chosen() / c.rows() }
func (c counts) truePositiveRate() float64  { return c.tp / c.positive() }
func (c counts) falsePositiveRate() float64 { return c.fp / c.negative() }

func (s Sample) weight(i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[i]
}

func (s Sample) check() error {
	n := len(s.Facet)
	if len(s.Label) != n || len(s.Predicted) != n || (s.Weight != nil && len(s.Weight) != n) {
		return fmt.Errorf("%d rows with a facet, %d labels, %d decisions, %d weights: there must be one of each a row",
			n, len(s.Label), len(s.Predicted), len(s.Weight))
	}
	for i := range n {
		for name, v := range map[string]float64{"label": s.Label[i], "decision": s.Predicted[i]} {
			if v != 0 && v != 1 {
				return fmt.Errorf("%s of row %d is %v: it is 0 or 1", name, i, v)
			}
		}
		if w := s.weight(i); !(w >= 0) || math.IsInf(w, 0) {
			return fmt.Errorf("weight of row %d is %v: a weight is 0 or more", i, w)
		}
	}
	return nil
}
