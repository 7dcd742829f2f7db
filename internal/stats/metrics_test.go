package stats_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// The example of scikit-learn's roc_auc_score, average_precision_score and
// brier_score_loss documentation.
var (
	exampleLabel = []float64{0, 0, 1, 1}
	exampleScore = []float64{0.1, 0.4, 0.35, 0.8}
)

func TestBinaryOfAKnownExample(t *testing.T) {
	m, err := stats.Binary(stats.Scored{Score: exampleScore, Label: exampleLabel}, 0.4)
	require.NoError(t, err)
	loss := -(math.Log(0.9) + math.Log(0.6) + math.Log(0.35) + math.Log(0.8)) / 4
	for name, want := range map[string]float64{
		"auc": 0.75, "pr_auc": 0.8333333, "brier": (0.01 + 0.16 + 0.4225 + 0.04) / 4,
		"log_loss": loss, "log_loss_skill": 1 - loss/math.Ln2, "ece": (0.1 + 0.25 + 0.2) / 4,
		"accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1": 0.5, "base_rate": 0.5, "mean_score": 0.4125, "rows": 4,
	} {
		require.InDelta(t, want, m[name], 1e-6, name)
	}
	require.Len(t, m, 20)
}

func TestWeightsActAsRepetition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var weighted, repeated stats.Scored
	for range 200 {
		p, y, w := float64(r.IntN(20))/20, float64(r.IntN(2)), r.IntN(4)
		weighted.Score = append(weighted.Score, p)
		weighted.Label = append(weighted.Label, y)
		weighted.Weight = append(weighted.Weight, float64(w))
		for range w {
			repeated.Score, repeated.Label = append(repeated.Score, p), append(repeated.Label, y)
		}
	}
	a, err := stats.Binary(weighted, 0.5)
	require.NoError(t, err)
	b, err := stats.Binary(repeated, 0.5)
	require.NoError(t, err)
	delete(a, "rows")
	for name := range a {
		require.InDelta(t, b[name], a[name], 1e-9, name)
	}
}

func TestRegressionOfAKnownExample(t *testing.T) {
	s := stats.Scored{Label: []float64{3, -0.5, 2, 7}, Score: []float64{2.5, 0, 2, 8}}
	m, err := stats.Regression(s)
	require.NoError(t, err)
	for name, want := range map[string]float64{"mae": 0.5, "mse": 0.375, "rmse": math.Sqrt(0.375),
		"r2": 0.948608137, "bias": 0.25, "rows": 4} {
		require.InDelta(t, want, m[name], 1e-9, name)
	}
	m, err = stats.Regression(stats.Scored{Label: []float64{1, 1}, Score: []float64{1, 2}})
	require.ErrorIs(t, err, stats.ErrConstantLabel)
	require.Equal(t, 0.5, m["mae"])
	require.NotContains(t, m, "r2")
}

func TestOneClassIsATypedError(t *testing.T) {
	m, err := stats.Binary(stats.Scored{Score: []float64{.2, .7, .1}, Label: []float64{0, 0, 0}}, 0.5)
	require.ErrorIs(t, err, stats.ErrOneClass)
	var one *stats.OneClassError
	require.True(t, errors.As(err, &one))
	require.Equal(t, stats.OneClassError{Positive: 0, Negative: 3}, *one)
	require.ErrorContains(t, err, "0 positive, 3 negative")
	require.InDelta(t, 2./3, m["accuracy"], 1e-12, "what is defined comes with the error")
	require.NotContains(t, m, "auc")

	_, err = stats.AUC([]float64{1, 2}, []float64{1, 1})
	require.ErrorIs(t, err, stats.ErrOneClass)
	_, err = stats.Binary(stats.Scored{Score: []float64{.2, .7}, Label: []float64{0, 1}, Weight: []float64{1, 0}}, .5)
	require.ErrorIs(t, err, stats.ErrOneClass, "a row without weight is not there")
}

func TestBadScoresNameTheRow(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		s    stats.Scored
		want string
	}{
		"nan score":  {stats.Scored{Score: []float64{.1, nan}, Label: []float64{0, 1}}, "score of row 1 is NaN"},
		"range":      {stats.Scored{Score: []float64{.1, 1.5}, Label: []float64{0, 1}}, "score of row 1 is 1.5: a probability"},
		"label":      {stats.Scored{Score: []float64{.1, .5}, Label: []float64{2, 1}}, "label of row 0 is 2"},
		"nan label":  {stats.Scored{Score: []float64{.1, .5}, Label: []float64{nan, 1}}, "label of row 0 is NaN"},
		"length":     {stats.Scored{Score: []float64{.1}, Label: []float64{0, 1}}, "1 scores, 2 labels"},
		"empty":      {stats.Scored{}, "no rows"},
		"weight":     {stats.Scored{Score: []float64{.1, .5}, Label: []float64{0, 1}, Weight: []float64{1, -1}}, "weight of row 1 is -1"},
		"no weight":  {stats.Scored{Score: []float64{.1, .5}, Label: []float64{0, 1}, Weight: []float64{0, 0}}, "all weights are 0"},
		"nan weight": {stats.Scored{Score: []float64{.1, .5}, Label: []float64{0, 1}, Weight: []float64{nan, 0}}, "weight of row 0"},
	} {
		_, err := stats.Binary(c.s, 0.5)
		require.ErrorContains(t, err, c.want, name)
		require.NotErrorIs(t, err, stats.ErrOneClass)
	}
	_, err := stats.Regression(stats.Scored{Score: []float64{math.Inf(1)}, Label: []float64{1}})
	require.ErrorContains(t, err, "score of row 0 is +Inf")
}

func TestDirections(t *testing.T) {
	for name, want := range map[string]bool{"auc": true, "log_loss": false, "rmse": false, "r2": true, "ece": false} {
		got, err := stats.HigherIsBetter(name)
		require.NoError(t, err)
		require.Equal(t, want, got, name)
	}
	_, err := stats.HigherIsBetter("precison")
	require.ErrorContains(t, err, `metric "precison" is not known; known are accuracy, auc,`)
	_, err = stats.HigherIsBetter("rows")
	require.ErrorContains(t, err, "neither")
	require.Equal(t, []string{"mae", "mape", "median_absolute_error", "mse", "pinball_10", "pinball_90", "r2", "rmse"}, stats.KnownMetrics(stats.TaskRegression))
	require.Contains(t, stats.KnownMetrics(stats.TaskBinary), "auc")
	require.Empty(t, stats.KnownMetrics("clustering"))

	m, err := stats.Binary(stats.Scored{Score: exampleScore, Label: exampleLabel}, 0.5)
	require.NoError(t, err)
	for _, name := range stats.KnownMetrics(stats.TaskBinary) {
		require.Contains(t, m, name, "every known metric is measured")
	}
}

// scores are two correlated models of the same rows, a better than b when
// noise is larger.
func scores(seed uint64, n int, noise float64) (label, a, b []float64) {
	r := rand.New(rand.NewPCG(seed, 11))
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for range n {
		x := r.NormFloat64()
		y := 0.0
		if r.Float64() < logistic(x) {
			y = 1
		}
		label = append(label, y)
		a = append(a, logistic(x+0.3*r.NormFloat64()))
		b = append(b, math.Round(1e2*logistic(x+noise*r.NormFloat64()))/1e2)
	}
	return label, a, b
}

func pairwiseAUC(score, label []float64) float64 {
	sum, pairs := 0.0, 0.0
	for i := range score {
		for j := range score {
			if label[i] == 1 && label[j] == 0 {
				pairs++
				if score[i] > score[j] {
					sum++
				} else if score[i] == score[j] {
					sum += 0.5
				}
			}
		}
	}
	return sum / pairs
}

func TestAUCCountsPairs(t *testing.T) {
	for seed := range uint64(20) {
		label, a, b := scores(seed, 150, 1)
		for _, s := range [][]float64{a, b} {
			got, err := stats.AUC(s, label)
			require.NoError(t, err)
			require.InDelta(t, pairwiseAUC(s, label), got, 1e-12)
		}
	}
}

func TestCBPEIsRightForACalibratedModel(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var s stats.Scored
	for range 50_000 {
		p := r.Float64()
		y := 0.0
		if r.Float64() < p {
			y = 1
		}
		s.Score, s.Label = append(s.Score, p), append(s.Label, y)
	}
	real, err := stats.Binary(s, 0.6)
	require.NoError(t, err)
	kept := slices.Clone(s.Score)
	estimate, err := stats.CBPE(s.Score, 0.6)
	require.NoError(t, err)
	require.Equal(t, kept, s.Score, "the input is left alone")
	for name, v := range estimate {
		require.InDelta(t, real[name], v, 0.01, name)
	}
	certain, err := stats.CBPE([]float64{1, 1}, 0.5)
	require.NoError(t, err)
	require.NotContains(t, certain, "auc")
	_, err = stats.CBPE([]float64{.5, math.NaN()}, 0.5)
	require.ErrorContains(t, err, "row 1")
}
