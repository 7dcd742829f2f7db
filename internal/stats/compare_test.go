package stats_test

import (
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

func TestMcNemarGolden(t *testing.T) {
	chi2, p := stats.McNemar(5, 15)
	require.InDelta(t, 4.05, chi2, 1e-12)
	require.InDelta(t, 0.041389, p, 5e-7)
	for _, c := range []struct {
		b, c    int
		chi2, p float64
	}{{0, 0, 0, 1}, {7, 7, 0, 1}, {0, 1, 0, 1}, {0, 6, 25. / 6, 2. / 64}} {
		chi2, p := stats.McNemar(c.b, c.c)
		require.InDelta(t, c.chi2, chi2, 1e-12)
		require.InDelta(t, c.p, p, 1e-12)
	}
	require.Panics(t, func() { stats.McNemar(-1, 2) })
}

// slowDeLong takes the structural components from all pairs, as in the paper.
func slowDeLong(label, a, b []float64) (delta, stdErr float64) {
	psi := func(x, y float64) float64 {
		switch {
		case x > y:
			return 1
		case x == y:
			return 0.5
		}
		return 0
	}
	var pos, neg []int
	for i, y := range label {
		if y == 1 {
			pos = append(pos, i)
		} else {
			neg = append(neg, i)
		}
	}
	component := func(from, against []int, sign bool) []float64 {
		out := make([]float64, len(from))
		for k, i := range from {
			for _, j := range against {
				x, y := i, j
				if !sign {
					x, y = j, i
				}
				out[k] += (psi(b[x], b[y]) - psi(a[x], a[y])) / float64(len(against))
			}
		}
		return out
	}
	variance := func(v []float64) (mean, s2 float64) {
		for _, x := range v {
			mean += x / float64(len(v))
		}
		for _, x := range v {
			s2 += (x - mean) * (x - mean) / float64(len(v)-1)
		}
		return mean, s2
	}
	delta, v10 := variance(component(pos, neg, true))
	_, v01 := variance(component(neg, pos, false))
	return delta, math.Sqrt(v10/float64(len(pos)) + v01/float64(len(neg)))
}

func TestDeLongMatchesItsDefinition(t *testing.T) {
	for seed := range uint64(10) {
		label, a, b := scores(seed, 200, 1)
		d, err := stats.DeLong(label, a, b)
		require.NoError(t, err)
		delta, stdErr := slowDeLong(label, a, b)
		require.InDelta(t, delta, d.Delta, 1e-12)
		require.InDelta(t, stdErr, d.StdErr, 1e-12)
		require.InDelta(t, d.Delta, d.B-d.A, 1e-12)

		self, err := stats.DeLong(label, a, a)
		require.NoError(t, err)
		require.Zero(t, self.Delta)
		require.Equal(t, 1.0, self.PValue)
	}
	_, err := stats.DeLong([]float64{0, 0, 1}, []float64{1, 2, 3}, []float64{1, 2, 3})
	require.ErrorContains(t, err, "each class needs 2")
}

func TestAUCIntervalCoversTheTruth(t *testing.T) {
	label, a, _ := scores(1000, 40_000, 1)
	truth, err := stats.AUC(a, label)
	require.NoError(t, err)
	covered := 0
	for seed := range uint64(200) {
		label, a, _ := scores(seed, 300, 1)
		lo, hi, err := stats.AUCInterval(a, label, 0.95)
		require.NoError(t, err)
		if lo <= truth && truth <= hi {
			covered++
		}
	}
	require.InDelta(t, 190, covered, 9)
	_, _, err = stats.AUCInterval(a, label, 95)
	require.ErrorContains(t, err, "confidence 95 must lie between 0 and 1")
}

func TestBootstrapAgreesWithDeLong(t *testing.T) {
	label, a, b := scores(1, 1_000, 1)
	closed, err := stats.PairedBootstrap("auc", label, a, b, stats.BootstrapOptions{})
	require.NoError(t, err)
	require.Equal(t, stats.MethodDeLong, closed.Method)
	require.Zero(t, closed.Replicates)

	each := make([]int, len(label)) // every row its own cluster: the same thing
	for i := range each {
		each[i] = -i
	}
	resampled, err := stats.PairedBootstrap("auc", label, a, b, stats.BootstrapOptions{Cluster: each, Seed: 1})
	require.NoError(t, err)
	require.Equal(t, stats.MethodBootstrap, resampled.Method)
	require.Equal(t, 2000, resampled.Replicates)
	require.InDelta(t, closed.Champion, resampled.Champion, 1e-12)
	require.InDelta(t, closed.Delta, resampled.Delta, 1e-12)
	width := closed.High - closed.Low
	require.InDelta(t, closed.Low, resampled.Low, 0.15*width)
	require.InDelta(t, closed.High, resampled.High, 0.15*width)
}

func TestEveryMetricCanBeCompared(t *testing.T) {
	label, a, b := scores(2, 1_000, 3)
	for _, task := range []string{stats.TaskBinary, stats.TaskRegression} {
		for _, metric := range stats.KnownMetrics(task) {
			c, err := stats.PairedBootstrap(metric, label, a, b, stats.BootstrapOptions{Replicates: 200, Seed: 1})
			require.NoError(t, err, metric)
			measure := func(score []float64) float64 {
				s := stats.Scored{Score: score, Label: label}
				m, err := stats.Binary(s, 0.5)
				if task == stats.TaskRegression {
					m, err = stats.Regression(s)
				}
				require.NoError(t, err)
				return m[metric]
			}
			require.InDelta(t, measure(a), c.Champion, 1e-9, metric)
			require.InDelta(t, measure(b), c.Challenger, 1e-9, metric)
			require.InDelta(t, c.Challenger-c.Champion, c.Delta, 1e-12, metric)
			require.Less(t, c.Low, c.Delta, metric)
			require.Greater(t, c.High, c.Delta, metric)
			require.False(t, c.Superior(), "%s: b is the worse model: %+v", metric, c)
			if metric != "recall" && metric != "precision" && metric != "f1" {
				require.False(t, c.NonInferior(1e-6), "%s: %+v", metric, c)
			}
			if metric == "median_absolute_error" {
				continue // the better model is not the one that is right in half of the rows
			}
			better, err := stats.PairedBootstrap(metric, label, b, a, stats.BootstrapOptions{Replicates: 200, Seed: 1})
			require.NoError(t, err)
			require.True(t, better.NonInferior(0.05), metric)
		}
	}
}

func TestBootstrapIsTheSameOnAnyNumberOfCores(t *testing.T) {
	label, a, b := scores(3, 1_000, 1)
	opt := stats.BootstrapOptions{Replicates: 300, Seed: 42}
	many, err := stats.PairedBootstrap("log_loss", label, a, b, opt)
	require.NoError(t, err)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	one, err := stats.PairedBootstrap("log_loss", label, a, b, opt)
	require.NoError(t, err)
	require.Equal(t, many, one)
	opt.Seed++
	other, err := stats.PairedBootstrap("log_loss", label, a, b, opt)
	require.NoError(t, err)
	require.NotEqual(t, many.Low, other.Low)
}

// Rows repeated within clusters carry no news: the interval must not shrink.
func TestClustersWidenTheInterval(t *testing.T) {
	label, a, b := scores(4, 300, 1)
	var l4, a4, b4 []float64
	var cluster []int
	for i := range label {
		for range 4 {
			l4, a4, b4, cluster = append(l4, label[i]), append(a4, a[i]), append(b4, b[i]), append(cluster, i)
		}
	}
	width := func(label, a, b []float64, cluster []int) float64 {
		c, err := stats.PairedBootstrap("brier", label, a, b, stats.BootstrapOptions{Cluster: cluster})
		require.NoError(t, err)
		return c.High - c.Low
	}
	single := width(label, a, b, nil)
	require.InEpsilon(t, single, width(l4, a4, b4, cluster), 0.02)
	require.InEpsilon(t, single/2, width(l4, a4, b4, nil), 0.1)
}

func TestComparisonsThatCannotBeMade(t *testing.T) {
	label, a, b := scores(5, 100, 1)
	nan := append([]float64{math.NaN()}, b[1:]...)
	rare := append([]float64{1}, make([]float64, 99)...)
	for name, c := range map[string]struct {
		metric   string
		label, b []float64
		opt      stats.BootstrapOptions
		want     string
	}{
		"unknown":    {"acc", label, b, stats.BootstrapOptions{}, `metric "acc" is not known`},
		"nan":        {"brier", label, nan, stats.BootstrapOptions{}, "challenger: score of row 0 is NaN"},
		"length":     {"brier", label, b[1:], stats.BootstrapOptions{}, "99 scores, 100 labels"},
		"clusters":   {"brier", label, b, stats.BootstrapOptions{Cluster: []int{1}}, "1 cluster ids for 100 rows"},
		"one":        {"brier", label, b, stats.BootstrapOptions{Cluster: make([]int, 100)}, "1 clusters cannot be resampled"},
		"replicates": {"brier", label, b, stats.BootstrapOptions{Replicates: 3}, "3 bootstrap replicates are too few"},
		"confidence": {"brier", label, b, stats.BootstrapOptions{Confidence: 95}, "confidence 95"},
		"rare":       {"pr_auc", rare, b, stats.BootstrapOptions{}, "too few rows of one class"},
		"one class":  {"auc", make([]float64, 100), b, stats.BootstrapOptions{}, "all labels are of one class"},
	} {
		_, err := stats.PairedBootstrap(c.metric, c.label, a, c.b, c.opt)
		require.ErrorContains(t, err, c.want, name)
	}
}

func BenchmarkPairedBootstrap(b *testing.B) {
	label, x, y := scores(1, 100_000, 1)
	clusters := make([]int, len(label))
	for i := range clusters {
		clusters[i] = i / 3
	}
	for name, run := range map[string]struct {
		metric  string
		cluster []int
	}{"auc": {"auc", nil}, "auc-clusters": {"auc", clusters}, "log_loss": {"log_loss", nil}, "f1": {"f1", nil}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := stats.PairedBootstrap(run.metric, label, x, y, stats.BootstrapOptions{Cluster: run.cluster})
				require.NoError(b, err)
			}
		})
	}
}
