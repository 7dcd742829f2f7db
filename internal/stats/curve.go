package stats

import "math"

// ROC is a receiver operating characteristic and the area under it.
type ROC struct {
	AUC    float64    `json:"auc"`
	Points []ROCPoint `json:"points"` // from (0, 0) to (1, 1)
}

// ROCPoint is what is reached when scores of Threshold and above are class 1.
type ROCPoint struct {
	Threshold         float64 `json:"threshold"`
	FalsePositiveRate float64 `json:"falsePositiveRate"`
	TruePositiveRate  float64 `json:"truePositiveRate"`
}

// ROCCurve walks the scores from the highest down, rows of equal score together
// (Fawcett 2006, "An introduction to ROC analysis"). The first threshold lies
// just above every score. Curves of more than limit points are thinned to the
// ones that carry the shape; a limit below 2 keeps all. Errors are those of AUC.
func ROCCurve(s Scored, limit int) (ROC, error) {
	if err := s.checkRanking(); err != nil {
		return ROC{}, err
	}
	r := rank(s.Score)
	var tp, fp float64
	highest := s.Score[r.rows[0]]
	points := []ROCPoint{{Threshold: math.Nextafter(highest, math.Inf(1))}}
	r.thresholds(s, func(threshold, positive, negative float64) {
		tp, fp = tp+positive, fp+negative
		points = append(points, ROCPoint{threshold, fp, tp})
	})
	for i := range points {
		points[i].FalsePositiveRate /= fp
		points[i].TruePositiveRate /= tp
	}
	points = thin(points, limit, func(p ROCPoint) (x, y float64) { return p.FalsePositiveRate, p.TruePositiveRate })
	return ROC{AUC: s.areas().auc, Points: points}, nil
}

// PrecisionRecall is a precision–recall curve and its average precision.
type PrecisionRecall struct {
	AveragePrecision float64                `json:"averagePrecision"`
	BaseRate         float64                `json:"baseRate"` // the precision of scores that tell nothing
	Points           []PrecisionRecallPoint `json:"points"`   // by rising recall, the last 1
}

// PrecisionRecallPoint is what is reached when scores of Threshold and above
// are class 1.
type PrecisionRecallPoint struct {
	Threshold float64 `json:"threshold"`
	Recall    float64 `json:"recall"`
	Precision float64 `json:"precision"`
}

// PrecisionRecallCurve is computed and thinned like ROCCurve. It begins at the
// highest score: the point (0, 1) that scikit-learn puts before it is no
// threshold's. Between points precision does not run straight (Davis and
// Goadrich 2006): draw steps, and take the area from AveragePrecision.
func PrecisionRecallCurve(s Scored, limit int) (PrecisionRecall, error) {
	if err := s.checkRanking(); err != nil {
		return PrecisionRecall{}, err
	}
	r := rank(s.Score)
	var tp, flagged float64
	var points []PrecisionRecallPoint
	r.thresholds(s, func(threshold, positive, negative float64) {
		tp, flagged = tp+positive, flagged+positive+negative
		if flagged > 0 {
			points = append(points, PrecisionRecallPoint{threshold, tp, tp / flagged})
		}
	})
	for i := range points {
		points[i].Recall /= tp
	}
	points = thin(points, limit, func(p PrecisionRecallPoint) (x, y float64) { return p.Recall, p.Precision })
	return PrecisionRecall{AveragePrecision: s.areas().meanPrecision, BaseRate: tp / flagged, Points: points}, nil
}

// thresholds visits each distinct score from the highest down with the weight
// of each class that has it.
func (r ranking) thresholds(s Scored, visit func(threshold, positive, negative float64)) {
	var positive, negative float64
	for k, row := range r.rows {
		if w := s.weight(int(row)); s.Label[row] == 1 {
			positive += w
		} else {
			negative += w
		}
		if r.last[k] {
			visit(s.Score[row], positive, negative)
			positive, negative = 0, 0
		}
	}
}
