package stats

import "math"

const (
	calibrationBins = 10    // of ((b−1)/10, b/10], as in Guo et al. 2017, "On calibration of modern neural networks"
	logFloor        = 1e-15 // keeps a confident mistake finite
)

var calibrationEdges = equalEdges(calibrationBins)

// Binary measures a binary classifier: auc, pr_auc, log_loss, log_loss_skill,
// brier, ece, base_rate, mean_score, rows, and at the threshold (score ≥
// threshold is class 1) accuracy, precision, recall and f1. Precision is 0 when
// nothing is predicted positive, as in scikit-learn.
//
// When all labels are of one class the error is a *OneClassError and the
// metrics that are still defined come with it. Any other error, such as a NaN
// score, names the row and comes alone.
func Binary(s Scored, threshold float64) (Metrics, error) {
	if err := s.check(true); err != nil {
		return nil, err
	}
	m := Metrics{"rows": float64(len(s.Label))}
	c := s.confusion(threshold)
	m["accuracy"] = (c.tp + c.tn) / c.all()
	m["base_rate"] = (c.tp + c.fn) / c.all()
	m["precision"] = ratio(c.tp, c.tp+c.fp)
	s.probabilities(m)
	if err := s.twoClasses(); err != nil {
		return m, err
	}
	m["recall"] = ratio(c.tp, c.tp+c.fn)
	m["f1"] = ratio(2*c.tp, 2*c.tp+c.fp+c.fn)
	ranked := rank(s.Score, s.Label)
	m["auc"] = ranked.auc(s.weight)
	m["pr_auc"] = ranked.averagePrecision(s.weight)
	base := m["base_rate"]
	if h := -base*math.Log(base) - (1-base)*math.Log(1-base); h > 0 {
		m["log_loss_skill"] = 1 - m["log_loss"]/h
	}
	return m, nil
}

func ratio(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// probabilities adds log-loss −ln of the probability given to the truth, the
// Brier (1950) score (p−y)², the expected calibration error, and the mean score.
func (s Scored) probabilities(m Metrics) {
	var bins [calibrationBins]struct{ score, label float64 }
	var sum, loss, brier, mean float64
	for i, p := range s.Score {
		w, y := s.weight(i), s.Label[i]
		sum += w
		loss += w * logLoss(p, y)
		brier += w * (p - y) * (p - y)
		mean += w * p
		b := &bins[binOf(p, calibrationEdges)]
		b.score += w * p
		b.label += w * y
	}
	ece := 0.0
	for _, b := range bins {
		ece += math.Abs(b.score - b.label)
	}
	m["log_loss"], m["brier"], m["ece"], m["mean_score"] = loss/sum, brier/sum, ece/sum, mean/sum
}

func logLoss(p, y float64) float64 {
	if y == 0 {
		p = 1 - p
	}
	return -math.Log(max(p, logFloor))
}
