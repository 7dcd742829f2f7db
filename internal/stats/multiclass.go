package stats

import (
	"fmt"
	"math"
	"slices"
)

// Classified is rows whose answer is one of Classes classes, numbered from 0.
type Classified struct {
	Classes     int
	Probability []float64 // row by row, Classes each, which add up to 1
	Label       []int     // the true class
	Weight      []float64 // nil weighs all rows 1
}

// sumTolerance is how far a row's probabilities may add up from 1: models
// answer in single precision.
const sumTolerance = 1e-3

// Multiclass measures a classifier of k classes, whose answer is the most
// probable one, the first of equals: accuracy, balanced_accuracy (mean recall of
// the classes that occur), precision, recall and F1 as the plain mean over the
// classes that occur or are answered (macro_) and weighted by how often they are
// true (weighted_), 0 where they would be 0/0; log_loss, brier Σ(p−y)² over the
// classes, between 0 and 2 (Brier 1950); macro_auc and weighted_auc of each
// class against the rest (Provost and Domingos 2000), only when every class
// occurs and another does; top_3_accuracy, the share of rows whose class is
// among the three most probable; baseline_accuracy, that of always answering
// the most frequent class; and rows. The definitions are scikit-learn's.
func Multiclass(c Classified) (Metrics, error) { return MulticlassSample(c).Measure() }

// MulticlassSample measures what Multiclass does.
func MulticlassSample(c Classified) Sample { return multiclassSample{c} }

type multiclassSample struct{ Classified }

func (s multiclassSample) Measure() (Metrics, error) {
	m, err := s.prepare(nil)
	if err != nil {
		return nil, err
	}
	out := m.measure(own(m)).defined()
	out["rows"] = float64(len(s.Label))
	return out, nil
}

func (s multiclassSample) task() string { return TaskMulticlass }
func (s multiclassSample) rows() int    { return len(s.Label) }

func (s multiclassSample) prepare(metrics []string) (measurer, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	areas := metrics == nil || slices.Contains(metrics, "macro_auc") || slices.Contains(metrics, "weighted_auc")
	return newMulticlassRows(s.Classified, areas), nil
}

func (s multiclassSample) subset(rows []int) Sample {
	out := Classified{Classes: s.Classes, Label: pick(s.Label, rows), Weight: pick(s.Weight, rows)}
	for _, r := range rows {
		out.Probability = append(out.Probability, s.Probability[r*s.Classes:(r+1)*s.Classes]...)
	}
	return multiclassSample{out}
}

func (c Classified) check() error {
	n := len(c.Label)
	if c.Classes < 2 {
		return fmt.Errorf("%d classes: there must be at least 2", c.Classes)
	}
	if len(c.Probability) != n*c.Classes || (c.Weight != nil && len(c.Weight) != n) {
		return fmt.Errorf("%d labels, %d weights, %d probabilities: each row has one label and %d probabilities",
			n, len(c.Weight), len(c.Probability), c.Classes)
	}
	if n == 0 {
		return fmt.Errorf("no rows to measure")
	}
	for i, y := range c.Label {
		if y < 0 || y >= c.Classes {
			return fmt.Errorf("label of row %d is %d: the %d classes are numbered from 0", i, y, c.Classes)
		}
		sum := 0.0
		for j, p := range c.Probability[i*c.Classes : (i+1)*c.Classes] {
			if !(p >= 0 && p <= 1) {
				return fmt.Errorf("probability of class %d of row %d is %v: it lies between 0 and 1", j, i, p)
			}
			sum += p
		}
		if math.Abs(sum-1) > sumTolerance {
			return fmt.Errorf("probabilities of row %d add up to %v, not 1", i, sum)
		}
	}
	return (Scored{Weight: c.Weight}).checkWeights()
}
