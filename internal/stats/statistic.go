package stats

import (
	"cmp"
	"math"
)

// statistic is a metric of fixed rows as a function of their weights; NaN where
// the weights leave it undefined.
type statistic func(weight func(row int) float64) float64

// newStatistic prepares a metric once, so that it can be taken under thousands
// of weightings.
func newStatistic(metric string, s Scored, threshold float64) (statistic, error) {
	if _, err := HigherIsBetter(metric); err != nil {
		return nil, err
	}
	if metrics[metric].task == TaskRegression {
		return newRegressionStatistic(metric, s)
	}
	check := func() error { return s.check(true) }
	switch metric {
	case "auc", "pr_auc":
		check = s.checkRanking
	case "recall", "f1", "log_loss_skill":
		check = func() error { return cmp.Or(s.check(true), s.twoClasses()) }
	}
	if err := check(); err != nil {
		return nil, err
	}
	return newBinaryStatistic(metric, s, threshold), nil
}

func newBinaryStatistic(metric string, s Scored, threshold float64) statistic {
	switch metric {
	case "auc":
		return rank(s.Score, s.Label).auc
	case "pr_auc":
		return rank(s.Score, s.Label).averagePrecision
	case "log_loss":
		return meanOf(s, logLoss)
	case "log_loss_skill":
		return skill(s)
	case "brier":
		return meanOf(s, func(p, y float64) float64 { return (p - y) * (p - y) })
	case "ece":
		return calibrationError(s)
	}
	return confusionStatistic(metric, s, threshold)
}

func newRegressionStatistic(metric string, s Scored) (statistic, error) {
	if err := s.check(false); err != nil {
		return nil, err
	}
	square := func(p, y float64) float64 { return (p - y) * (p - y) }
	switch metric {
	case "mae":
		return meanOf(s, func(p, y float64) float64 { return math.Abs(p - y) }), nil
	case "mse":
		return meanOf(s, square), nil
	case "rmse":
		mse := meanOf(s, square)
		return func(w func(int) float64) float64 { return math.Sqrt(mse(w)) }, nil
	}
	return rSquared(s)
}

// meanOf is the weighted mean of a loss of each row.
func meanOf(s Scored, loss func(score, label float64) float64) statistic {
	losses := make([]float64, len(s.Score))
	for i, p := range s.Score {
		losses[i] = loss(p, s.Label[i])
	}
	return func(weight func(int) float64) float64 {
		sum, n := 0.0, 0.0
		for i, l := range losses {
			w := weight(i)
			sum += w * l
			n += w
		}
		return sum / n
	}
}

func skill(s Scored) statistic {
	loss := meanOf(s, logLoss)
	base := meanOf(s, func(_, y float64) float64 { return y })
	return func(weight func(int) float64) float64 {
		b := base(weight)
		return 1 - loss(weight)/(-b*math.Log(b)-(1-b)*math.Log(1-b))
	}
}

func calibrationError(s Scored) statistic {
	bins := make([]int, len(s.Score))
	gaps := make([]float64, len(s.Score))
	for i, p := range s.Score {
		bins[i], gaps[i] = binOf(p, calibrationEdges), p-s.Label[i]
	}
	return func(weight func(int) float64) float64 {
		var gap [calibrationBins]float64
		n := 0.0
		for i, b := range bins {
			w := weight(i)
			gap[b] += w * gaps[i]
			n += w
		}
		sum := 0.0
		for _, g := range gap {
			sum += math.Abs(g)
		}
		return sum / n
	}
}

func confusionStatistic(metric string, s Scored, threshold float64) statistic {
	outcome := make([]uint8, len(s.Label)) // 2 if flagged, 1 if positive
	for i, y := range s.Label {
		if s.Score[i] >= threshold {
			outcome[i] = 2
		}
		outcome[i] += uint8(y)
	}
	return func(weight func(int) float64) float64 {
		var sums [4]float64
		for i, o := range outcome {
			sums[o] += weight(i)
		}
		c := confusion{tn: sums[0], fn: sums[1], fp: sums[2], tp: sums[3]}
		switch metric {
		case "accuracy":
			return (c.tp + c.tn) / c.all()
		case "precision":
			return ratio(c.tp, c.tp+c.fp)
		case "recall":
			return ratio(c.tp, c.tp+c.fn)
		}
		return ratio(2*c.tp, 2*c.tp+c.fp+c.fn) // f1
	}
}

// rSquared takes its sums around the mean of all rows, so that little is lost
// to cancellation.
func rSquared(s Scored) (statistic, error) {
	m, err := Regression(s)
	if err != nil {
		return nil, err
	}
	centre := -m["bias"]
	for _, p := range s.Score {
		centre += p / float64(len(s.Score))
	}
	return func(weight func(int) float64) float64 {
		var n, sum, squares, residual float64
		for i, y := range s.Label {
			w, d := weight(i), y-centre
			n += w
			sum += w * d
			squares += w * d * d
			residual += w * (y - s.Score[i]) * (y - s.Score[i])
		}
		return 1 - residual/(squares-sum*sum/n)
	}, nil
}
