package stats

import (
	"errors"
	"slices"
)

// CBPE estimates, from the scores alone, what Binary would measure if the
// scores were calibrated: a row of score p is positive with probability p, so
// TP = Σ_{ŷ=1} p, FP = Σ_{ŷ=1}(1−p), FN = Σ_{ŷ=0} p, TN = Σ_{ŷ=0}(1−p)
// (confidence-based performance estimation, NannyML). It answers auc, accuracy,
// precision, recall, f1, log_loss, brier, base_rate, mean_score and rows; auc
// is left out when all scores are 0 or all are 1.
//
// It cannot see concept drift, because it believes the model: advisory only.
func CBPE(score []float64, threshold float64) (Metrics, error) {
	zeros := make([]float64, len(score))
	if err := (Scored{Score: score, Label: zeros}).check(true); err != nil {
		return nil, err
	}
	var c confusion
	var loss, brier float64
	for _, p := range score {
		c.add(p, 1, threshold, p)
		c.add(p, 0, threshold, 1-p)
		loss += p*logLoss(p, 1) + (1-p)*logLoss(p, 0)
		brier += p * (1 - p)
	}
	n := float64(len(score))
	m := Metrics{
		"rows": n, "accuracy": (c.tp + c.tn) / n, "precision": ratio(c.tp, c.tp+c.fp),
		"recall": ratio(c.tp, c.tp+c.fn), "f1": ratio(2*c.tp, 2*c.tp+c.fp+c.fn),
		"log_loss": loss / n, "brier": brier / n,
		"base_rate": (c.tp + c.fn) / n, "mean_score": (c.tp + c.fn) / n,
	}
	if auc, err := expectedAUC(score); err == nil {
		m["auc"] = auc
	}
	return m, nil
}

// expectedAUC weighs every row as p of a positive and 1−p of a negative with
// the same score.
func expectedAUC(score []float64) (float64, error) {
	var above, area, negatives float64
	sorted := slices.Sorted(slices.Values(score))
	for i := len(sorted) - 1; i >= 0; {
		var pos, neg float64
		for at := sorted[i]; i >= 0 && sorted[i] == at; i-- {
			pos += at
			neg += 1 - at
		}
		area += neg * (above + pos/2)
		above += pos
		negatives += neg
	}
	if above == 0 || negatives == 0 {
		return 0, errors.New("all scores are certain of one class")
	}
	return area / (above * negatives), nil
}
