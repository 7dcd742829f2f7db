package stats_test

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// randomSamples are one of each task: as they are, their rows in another order,
// and with rows repeated instead of weighted.
func randomSamples(seed uint64, n int) (weighted, shuffled, repeated map[string]stats.Sample) {
	r := rand.New(rand.NewPCG(seed, 77))
	var s stats.Scored
	var c stats.Classified
	var q stats.Ranked
	c.Classes = 3
	for i := range n {
		w := float64(1 + r.IntN(3))
		s.Score, s.Weight = append(s.Score, float64(r.IntN(50))/50), append(s.Weight, w)
		s.Label = append(s.Label, float64(i%2))
		a, b := r.Float64(), r.Float64()
		c.Probability = append(c.Probability, a*b, a*(1-b), 1-a)
		c.Label = append(c.Label, i%3)
		q.Query, q.Gain, q.Score = append(q.Query, i/8), append(q.Gain, float64(i%4)), append(q.Score, r.Float64())
	}
	c.Weight = s.Weight
	build := func(rows []int, keepWeight bool) map[string]stats.Sample {
		var s2 stats.Scored
		c2 := stats.Classified{Classes: 3}
		var q2 stats.Ranked
		for _, i := range rows {
			s2.Score, s2.Label = append(s2.Score, s.Score[i]), append(s2.Label, s.Label[i])
			c2.Probability, c2.Label = append(c2.Probability, c.Probability[3*i:3*i+3]...), append(c2.Label, c.Label[i])
			q2.Query, q2.Score, q2.Gain = append(q2.Query, q.Query[i]), append(q2.Score, q.Score[i]), append(q2.Gain, q.Gain[i])
			if keepWeight {
				s2.Weight, c2.Weight = append(s2.Weight, s.Weight[i]), append(c2.Weight, s.Weight[i])
			}
		}
		return map[string]stats.Sample{"binary": stats.BinarySample(s2, 0.5), "regression": stats.RegressionSample(s2),
			"multiclass": stats.MulticlassSample(c2), "ranking": stats.RankingSample(q2)}
	}
	var all, copies []int
	for i := range n {
		all = append(all, i)
		for range int(s.Weight[i]) {
			copies = append(copies, i)
		}
	}
	return build(all, true), build(r.Perm(n), true), build(copies, false)
}

func TestNeitherOrderNorRepetitionMatters(t *testing.T) {
	for seed := range uint64(10) {
		weighted, shuffled, repeated := randomSamples(seed, 160)
		for task, sample := range weighted {
			want, err := sample.Measure()
			require.NoError(t, err)
			require.Subset(t, keys(want), stats.KnownMetrics(task), "every known metric is measured")
			got, err := shuffled[task].Measure()
			require.NoError(t, err)
			require.InDeltaMapValues(t, want, got, 1e-9, task)
			if task == "ranking" {
				continue // a repeated row changes the ranks
			}
			got, err = repeated[task].Measure()
			require.NoError(t, err)
			delete(want, "rows")
			delete(got, "rows")
			require.InDeltaMapValues(t, want, got, 1e-9, task)
		}
	}
}

func keys(m stats.Metrics) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestIntervalsOfEveryTask(t *testing.T) {
	_, _, samples := randomSamples(3, 400)
	for task, sample := range samples {
		opt := stats.BootstrapOptions{Replicates: 200, Seed: 5}
		names := stats.KnownMetrics(task)
		got, err := stats.Intervals(sample, names, opt)
		require.NoError(t, err, task)
		m, err := sample.Measure()
		require.NoError(t, err)
		for i, v := range got {
			require.Equal(t, names[i], v.Metric)
			require.InDelta(t, m[v.Metric], v.Value, 1e-9, v.Metric)
			require.LessOrEqual(t, v.Low, v.High, v.Metric)
			if v.Metric != "ece" && v.Metric != "top_3_accuracy" { // biased by resampling; always 1 of 3
				require.Less(t, v.Low, v.Value, v.Metric)
				require.Greater(t, v.High, v.Value, v.Metric)
			}
		}
		before := runtime.GOMAXPROCS(1)
		again, err := stats.Intervals(sample, names, opt)
		runtime.GOMAXPROCS(before)
		require.NoError(t, err)
		require.Equal(t, got, again, "on any number of cores")

		same, err := stats.Compare(sample, sample, names, opt)
		require.NoError(t, err)
		for _, c := range same {
			require.Zero(t, c.Delta)
			require.Zero(t, c.High-c.Low, "%s of one model twice", c.Metric)
			require.True(t, c.NonInferior(1e-9))
			require.False(t, c.Superior())
		}
	}
	_, err := stats.Compare(samples["binary"], samples["regression"], nil, stats.BootstrapOptions{})
	require.ErrorContains(t, err, "a binary model cannot be compared with a regression model")
	_, err = stats.Intervals(samples["binary"], []string{"rmse"}, stats.BootstrapOptions{})
	require.ErrorContains(t, err, "metric rmse is not one of a binary model")
	_, err = stats.Intervals(samples["ranking"], []string{"map"}, stats.BootstrapOptions{Cluster: make([]int, 10000)})
	require.Error(t, err)
}

// The interval must hold the truth as often as it says.
func TestIntervalsCoverTheTruth(t *testing.T) {
	label, score, _ := scores(1000, 40_000, 1)
	truth, err := stats.Binary(stats.Scored{Score: score, Label: label}, 0.5)
	require.NoError(t, err)
	names, covered := []string{"auc", "log_loss", "f1"}, map[string]int{}
	for seed := range uint64(200) {
		label, score, _ := scores(seed, 300, 1)
		sample := stats.BinarySample(stats.Scored{Score: score, Label: label}, 0.5)
		got, err := stats.Intervals(sample, names, stats.BootstrapOptions{Replicates: 400, Seed: seed})
		require.NoError(t, err)
		for _, v := range got {
			if v.Low <= truth[v.Metric] && truth[v.Metric] <= v.High {
				covered[v.Metric]++
			}
		}
	}
	for _, name := range names {
		require.InDelta(t, 190, covered[name], 10, name)
	}
}

func TestSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	label, score, _ := scores(9, 6_000, 1)
	values := make([]string, len(label))
	for i := range values {
		values[i] = string(rune('a' + i%10))
		if values[i] == "j" {
			score[i] = r.Float64() // this slice is told nothing
		}
	}
	values[0] = "rare"
	got, err := stats.Slices(stats.BinarySample(stats.Scored{Score: score, Label: label}, 0.5), values, "auc", stats.SliceOptions{})
	require.NoError(t, err)
	require.Len(t, got, 11)
	for _, s := range got {
		switch s.Value {
		case "rare":
			require.Nil(t, s.Interval)
			require.Equal(t, "1 rows are fewer than 200", s.Inconclusive)
		default:
			require.Equal(t, s.Value == "j", s.Worse, "%+v", s.Interval)
			require.InDelta(t, 0.995, s.Interval.Confidence, 1e-12, "ten at 95 % together")
		}
	}
	_, err = stats.Slices(stats.BinarySample(stats.Scored{Score: score, Label: label}, 0.5), values[1:], "auc", stats.SliceOptions{})
	require.ErrorContains(t, err, "5999 values to slice 6000 rows by")
}

func TestBadAnswersNameTheRow(t *testing.T) {
	for want, sample := range map[string]stats.Sample{
		"label of row 1 is 3: the 3 classes": stats.MulticlassSample(stats.Classified{Classes: 3, Label: []int{0, 3}, Probability: []float64{1, 0, 0, 0, 0, 1}}),
		"probabilities of row 0 add up to":   stats.MulticlassSample(stats.Classified{Classes: 2, Label: []int{0}, Probability: []float64{1, 0.5}}),
		"class 1 of row 0 is -0.5":           stats.MulticlassSample(stats.Classified{Classes: 2, Label: []int{0}, Probability: []float64{1, -0.5}}),
		"each row has one label and 2":       stats.MulticlassSample(stats.Classified{Classes: 2, Label: []int{0}, Probability: []float64{1}}),
		"gain of row 1 is -1":                stats.RankingSample(stats.Ranked{Query: []int{0, 0}, Score: []float64{1, 2}, Gain: []float64{1, -1}}),
		"none of 1 queries has a relevant":   stats.RankingSample(stats.Ranked{Query: []int{0}, Score: []float64{1}, Gain: []float64{0}}),
		"weight of row 1 is 2":               stats.RankingSample(stats.Ranked{Query: []int{0, 0}, Score: []float64{1, 2}, Gain: []float64{1, 1}, Weight: []float64{1, 2}}),
	} {
		_, err := sample.Measure()
		require.ErrorContains(t, err, want)
		require.False(t, strings.Contains(err.Error(), "%!"))
	}
}
