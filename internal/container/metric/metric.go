// Package metric measures how well predictions fit labels while a model
// trains: the losses on progress lines and in early stopping. Weights may be
// nil, which counts every row once.
package metric

import (
	"cmp"
	"math"
	"slices"

	"steward/internal/container/parallel"
)

// Progress tells a trainer's caller of the state after a step. Valid is NaN
// without a validation channel. Both are losses of the task: log-loss (nats a
// row) or root mean squared error (units of the label).
type Progress struct {
	Step, Steps  int
	Train, Valid float64
}

// Sigmoid turns a margin (log-odds) into a probability.
func Sigmoid(margin float64) float64 { return 1 / (1 + math.Exp(-margin)) }

// LogLoss is the mean negative log-likelihood of 0/1 labels under margins. It
// takes margins, not probabilities, so that it is exact far from zero too.
func LogLoss(margin, label, weight []float64) float64 {
	return mean(weight, len(label), func(i int) float64 {
		m := margin[i]
		return math.Log1p(math.Exp(-math.Abs(m))) + max(m, 0) - m*label[i]
	})
}

// RMSE is the root of the mean squared error.
func RMSE(predicted, label, weight []float64) float64 {
	return math.Sqrt(mean(weight, len(label), func(i int) float64 {
		d := predicted[i] - label[i]
		return d * d
	}))
}

// Weight is the weight of row i; nil weights are all one.
func Weight(weight []float64, i int) float64 {
	if weight == nil {
		return 1
	}
	return weight[i]
}

// Total is the sum of the weights of n rows.
func Total(weight []float64, n int) float64 {
	if weight == nil {
		return float64(n)
	}
	return parallel.Sum(n, func(from, to int) float64 {
		s := 0.0
		for _, w := range weight[from:to] {
			s += w
		}
		return s
	})
}

func mean(weight []float64, n int, of func(i int) float64) float64 {
	sum := parallel.Sum(n, func(from, to int) float64 {
		s := 0.0
		for i := from; i < to; i++ {
			s += Weight(weight, i) * of(i)
		}
		return s
	})
	return sum / Total(weight, n)
}

// AUC is the area under the ROC curve of scores against 0/1 labels, by the
// weighted rank sum with ties counted half; NaN if one class is absent.
func AUC(score, label, weight []float64) float64 {
	order := make([]int32, len(score))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(score[a], score[b]) })
	var below, above, area float64 // weight of negatives below, of positives seen
	for from := 0; from < len(order); {
		var pos, neg float64
		to := from
		for ; to < len(order) && (to == from || score[order[to]] == score[order[from]]); to++ { // NaN is not even itself
			i := int(order[to])
			w := Weight(weight, i)
			pos += w * label[i]
			neg += w * (1 - label[i])
		}
		area += pos * (below + neg/2)
		below += neg
		above += pos
		from = to
	}
	return area / (above * below)
}
