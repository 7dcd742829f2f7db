package container

import (
	"fmt"
	"math"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/parallel"
)

// measure scores a data set with the model as it will serve. A score that is not
// finite, which serving would refuse, is an error.
func measure(name string, m model, f *frame.Frame) (string, error) {
	scores := make([]float64, f.Rows())
	parallel.Rows(len(scores), func(_, from, to int) {
		row := make([]float64, len(f.Columns))
		for i := from; i < to; i++ {
			for j := range row {
				row[j] = f.Columns[j][i]
			}
			scores[i] = m.Score(row)
		}
	})
	for i, v := range scores {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return "", fmt.Errorf("channel %s: row %d: the model's score is %v; remove extreme values from the row or scale the features", name, i+1, v)
		}
	}
	if f.Schema.Task == frame.Regression {
		return fmt.Sprintf(" %s-rmse=%.5f", name, metric.RMSE(scores, f.Label, f.Weight)), nil
	}
	margins := make([]float64, len(scores))
	for i, p := range scores {
		p = min(max(p, 1e-15), 1-1e-15)
		margins[i] = math.Log(p / (1 - p))
	}
	text := fmt.Sprintf(" %s-logloss=%.5f", name, metric.LogLoss(margins, f.Label, f.Weight))
	if auc := metric.AUC(scores, f.Label, f.Weight); !math.IsNaN(auc) {
		text += fmt.Sprintf(" %s-auc=%.5f", name, auc)
	}
	return text, nil
}
