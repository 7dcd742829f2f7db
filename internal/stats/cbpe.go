package stats

import "fmt"

// CBPE estimates, from the scores alone, what Binary would measure if the
// scores were calibrated: CalibratedCBPE with the scores as probabilities.
func CBPE(score []float64, threshold float64) (Metrics, error) {
	return CalibratedCBPE(score, score, threshold)
}

// CalibratedCBPE estimates what Binary would measure: a row of probability p,
// such as a Calibrator's, is positive with probability p, so that TP =
// Σ_{ŷ=1} p, FP = Σ_{ŷ=1}(1−p), FN = Σ_{ŷ=0} p, TN = Σ_{ŷ=0}(1−p)
// (confidence-based performance estimation, NannyML), where ŷ is decided and
// rows are ranked by the score. It answers auc, accuracy, balanced_accuracy,
// mcc, precision, recall, specificity, f0_5, f1, f2, log_loss, brier,
// base_rate, mean_score and rows, without those that are undefined.
//
// It cannot see concept drift, because it believes the model: advisory only.
func CalibratedCBPE(score, probability []float64, threshold float64) (Metrics, error) {
	if len(score) != len(probability) {
		return nil, fmt.Errorf("%d scores and %d probabilities: there must be one of each a row", len(score), len(probability))
	}
	zeros := make([]float64, len(score))
	if err := (Scored{Score: score, Label: zeros}).check(true); err != nil {
		return nil, err
	}
	if err := (Scored{Score: probability, Label: zeros}).check(true); err != nil {
		return nil, err
	}
	var c confusion
	var loss, brier, mean float64
	for i, s := range score {
		p := probability[i]
		c.add(s, 1, threshold, p)
		c.add(s, 0, threshold, 1-p)
		loss += p*logLoss(s, 1) + (1-p)*logLoss(s, 0)
		brier += p*(1-s)*(1-s) + (1-p)*s*s
		mean += s
	}
	n := float64(len(score))
	m := c.metrics()
	m["rows"], m["log_loss"], m["brier"] = n, loss/n, brier/n
	m["base_rate"], m["mean_score"] = (c.tp+c.fn)/n, mean/n
	m["auc"] = expectedAUC(score, probability)
	return m.defined(), nil
}

// expectedAUC weighs every row as p of a positive and 1−p of a negative with
// the same score.
func expectedAUC(score, probability []float64) float64 {
	r := rank(score)
	ones := make([]float64, len(score))
	for k := range ones {
		ones[k] = 1
	}
	var a areas
	a.add(pick(probability, rowsOf(r)), ones, r.last)
	a.finish()
	return a.auc
}

func rowsOf(r ranking) []int {
	out := make([]int, len(r.rows))
	for k, row := range r.rows {
		out[k] = int(row)
	}
	return out
}
