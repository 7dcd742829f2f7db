package stats

import (
	"math"
	"slices"
)

const (
	calibrationBins = 10 // of ((b−1)/10, b/10], as in Guo et al. 2017, "On calibration of modern neural networks"

	// logFloor keeps a confident mistake finite: 2⁻⁵², as in scikit-learn.
	logFloor = 0x1p-52
)

var calibrationEdges = equalEdges(calibrationBins)

// twoClassMetrics are those that labels of one class leave undefined.
var twoClassMetrics = []string{"auc", "pr_auc", "recall", "specificity", "balanced_accuracy", "mcc",
	"f1", "f0_5", "f2", "log_loss_skill", "baseline_log_loss"}

// rankMetrics are those for which scores need not be probabilities.
var rankMetrics = []string{"auc", "pr_auc"}

// Binary measures a binary classifier. Of the scores: auc, pr_auc, log_loss,
// brier (Brier 1950), ece (mean gap between score and share of class 1 over ten
// bins, Naeini, Cooper and Hauskrecht 2015) and mean_score. At the threshold
// (score ≥ threshold is class 1): accuracy, balanced_accuracy, mcc (Matthews
// 1975), precision, recall, specificity, f0_5, f1 and f2 (van Rijsbergen 1979).
// Precision is 0 when nothing is predicted positive, and so is mcc when a row or
// column of the confusion matrix is empty, as in scikit-learn. Of the labels:
// rows, base_rate, and what the best constant answer reaches, baseline_accuracy
// and baseline_log_loss; log_loss_skill is 1 − log_loss/baseline_log_loss.
//
// When all labels are of one class the error is a *OneClassError and the
// metrics that are still defined come with it. Any other error, such as a NaN
// score, names the row and comes alone.
func Binary(s Scored, threshold float64) (Metrics, error) {
	return BinarySample(s, threshold).Measure()
}

// BinarySample measures what Binary does.
func BinarySample(s Scored, threshold float64) Sample { return binarySample{s, threshold} }

type binarySample struct {
	Scored
	threshold float64
}

func (s binarySample) Measure() (Metrics, error) {
	if err := s.check(true); err != nil {
		return nil, err
	}
	rows := newBinaryRows(s.Scored, s.threshold)
	m := rows.measure(own(rows))
	m["rows"] = float64(len(s.Label))
	if err := s.twoClasses(); err != nil {
		for _, name := range twoClassMetrics {
			delete(m, name)
		}
		return m.defined(), err
	}
	return m.defined(), nil
}

func (s binarySample) task() string { return TaskBinary }
func (s binarySample) rows() int    { return len(s.Label) }

func (s binarySample) prepare(metrics []string) (measurer, error) {
	check := func() error { return s.check(true) }
	if !slices.ContainsFunc(metrics, func(m string) bool { return !slices.Contains(rankMetrics, m) }) {
		check = s.checkRanking
	}
	if err := check(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(metrics, func(m string) bool { return slices.Contains(twoClassMetrics, m) }) {
		if err := s.twoClasses(); err != nil {
			return nil, err
		}
	}
	return newBinaryRows(s.Scored, s.threshold), nil
}

func (s binarySample) subset(rows []int) Sample {
	return binarySample{s.Scored.subset(rows), s.threshold}
}

// metrics are those of the confusion matrix; NaN where a class has no weight.
func (c confusion) metrics() Metrics {
	recall, specificity := c.tp/(c.tp+c.fn), c.tn/(c.tn+c.fp)
	return Metrics{
		"accuracy": (c.tp + c.tn) / c.all(), "precision": ratio(c.tp, c.tp+c.fp),
		"recall": recall, "specificity": specificity, "balanced_accuracy": (recall + specificity) / 2,
		"f1": c.f(1), "f0_5": c.f(0.5), "f2": c.f(2), "mcc": c.mcc(),
	}
}

// f weighs recall beta times as much as precision.
func (c confusion) f(beta float64) float64 {
	b := beta * beta
	return ratio((1+b)*c.tp, (1+b)*c.tp+b*c.fn+c.fp)
}

func (c confusion) mcc() float64 {
	root := math.Sqrt(c.tp+c.fp) * math.Sqrt(c.tp+c.fn) * math.Sqrt(c.tn+c.fp) * math.Sqrt(c.tn+c.fn)
	return ratio(c.tp*c.tn-c.fp*c.fn, root)
}

func ratio(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// logLoss is −ln of the probability given to the truth.
func logLoss(p, y float64) float64 {
	if y == 0 {
		p = 1 - p
	}
	return -math.Log(max(p, logFloor))
}
