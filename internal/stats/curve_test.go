package stats_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// The examples of scikit-learn's roc_curve and precision_recall_curve.
func TestCurvesOfAKnownExample(t *testing.T) {
	s := stats.Scored{Score: exampleScore, Label: exampleLabel}
	roc, err := stats.ROCCurve(s, 0)
	require.NoError(t, err)
	require.Equal(t, []stats.ROCPoint{
		{Threshold: math.Nextafter(0.8, 1)}, {Threshold: 0.8, TruePositiveRate: 0.5},
		{Threshold: 0.4, FalsePositiveRate: 0.5, TruePositiveRate: 0.5},
		{Threshold: 0.35, FalsePositiveRate: 0.5, TruePositiveRate: 1},
		{Threshold: 0.1, FalsePositiveRate: 1, TruePositiveRate: 1}}, roc.Points)
	require.Equal(t, 0.75, roc.AUC)

	pr, err := stats.PrecisionRecallCurve(s, 0)
	require.NoError(t, err)
	require.Equal(t, []stats.PrecisionRecallPoint{
		{Threshold: 0.8, Recall: 0.5, Precision: 1}, {Threshold: 0.4, Recall: 0.5, Precision: 0.5},
		{Threshold: 0.35, Recall: 1, Precision: 2. / 3}, {Threshold: 0.1, Recall: 1, Precision: 0.5}}, pr.Points)
	require.InDelta(t, 0.8333333, pr.AveragePrecision, 1e-6)
	require.Equal(t, 0.5, pr.BaseRate)
}

// A thinned curve must enclose the area of the whole one and end where it ends.
func TestThinnedCurvesKeepTheirShape(t *testing.T) {
	label, a, b := scores(7, 20_000, 1)
	for _, score := range [][]float64{a, b} {
		s := stats.Scored{Score: score, Label: label}
		whole, err := stats.ROCCurve(s, 0)
		require.NoError(t, err)
		thinned, err := stats.ROCCurve(s, 100)
		require.NoError(t, err)
		require.LessOrEqual(t, len(thinned.Points), 100)
		require.Equal(t, whole.Points[0], thinned.Points[0])
		require.Equal(t, stats.ROCPoint{Threshold: whole.Points[len(whole.Points)-1].Threshold,
			FalsePositiveRate: 1, TruePositiveRate: 1}, thinned.Points[len(thinned.Points)-1])
		area := func(points []stats.ROCPoint) float64 {
			sum := 0.0
			for i := 1; i < len(points); i++ {
				p, q := points[i-1], points[i]
				require.LessOrEqual(t, p.FalsePositiveRate, q.FalsePositiveRate)
				require.LessOrEqual(t, p.TruePositiveRate, q.TruePositiveRate)
				require.Greater(t, p.Threshold, q.Threshold)
				sum += (q.FalsePositiveRate - p.FalsePositiveRate) * (p.TruePositiveRate + q.TruePositiveRate) / 2
			}
			return sum
		}
		require.InDelta(t, whole.AUC, area(whole.Points), 1e-9)
		require.InDelta(t, whole.AUC, area(thinned.Points), 0.001)

		pr, err := stats.PrecisionRecallCurve(s, 50)
		require.NoError(t, err)
		require.LessOrEqual(t, len(pr.Points), 50)
		require.Equal(t, 1.0, pr.Points[len(pr.Points)-1].Recall)
		_, err = json.Marshal([]any{thinned, pr})
		require.NoError(t, err)
	}
}

func TestCurvesOfWeightedRowsAreThoseOfRepeatedOnes(t *testing.T) {
	weighted := stats.Scored{Score: exampleScore, Label: exampleLabel, Weight: []float64{2, 1, 3, 0}}
	repeated := stats.Scored{Score: []float64{.1, .1, .4, .35, .35, .35}, Label: []float64{0, 0, 0, 1, 1, 1}}
	w, err := stats.PrecisionRecallCurve(weighted, 0)
	require.NoError(t, err)
	r, err := stats.PrecisionRecallCurve(repeated, 0)
	require.NoError(t, err)
	require.Equal(t, r, w)
	a, err := stats.ROCCurve(weighted, 0)
	require.NoError(t, err)
	b, err := stats.ROCCurve(repeated, 0)
	require.NoError(t, err)
	require.Equal(t, b.Points[1:], a.Points[2:], "a row without weight moves nothing")
	_, err = stats.ROCCurve(stats.Scored{Score: exampleScore, Label: make([]float64, 4)}, 0)
	require.ErrorIs(t, err, stats.ErrOneClass)
}

func TestCalibrationCurve(t *testing.T) {
	s := stats.Scored{Score: []float64{0, 0.1, 0.2, 0.5, 0.51, 1}, Label: []float64{0, 1, 0, 1, 0, 1}}
	got, err := stats.CalibrationCurve(s, 2, stats.EqualWidth, 0.95)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, 4, got[0].Count, "a score of 0.5 belongs to (0, 0.5]")
	require.InDelta(t, 0.2, got[0].Score, 1e-12)
	require.InDelta(t, 0.5, got[0].Observed, 1e-12)
	// SciPy: binomtest(2, 4).proportion_ci(0.95, method="wilson")
	require.InDelta(t, 0.150039, got[0].Low, 1e-6)
	require.InDelta(t, 0.849961, got[0].High, 1e-6)

	got, err = stats.CalibrationCurve(s, 3, stats.EqualCount, 0.95)
	require.NoError(t, err)
	for _, b := range got {
		require.Equal(t, 2, b.Count)
	}
	require.Equal(t, 0.0, got[0].From)
	require.Equal(t, 1.0, got[2].To)

	s.Weight = []float64{1, 1, 1, 1, 0, 0}
	got, err = stats.CalibrationCurve(s, 2, stats.EqualWidth, 0.95)
	require.NoError(t, err)
	require.Len(t, got, 1, "a bin without weight is left out")

	for want, run := range map[string]func() error{
		"0 bins":                     func() error { _, err := stats.CalibrationCurve(s, 0, stats.EqualWidth, 0.95); return err },
		`cut "deciles" is not known`: func() error { _, err := stats.CalibrationCurve(s, 9, "deciles", 0.95); return err },
		"confidence 95":              func() error { _, err := stats.CalibrationCurve(s, 9, stats.EqualCount, 95); return err },
		"-1 bins":                    func() error { _, err := stats.ScoreHistogram(s, -1); return err },
	} {
		require.ErrorContains(t, run(), want)
	}
}

// The calibration error is the mean gap of the curve.
func TestCalibrationErrorIsTheGapOfTheCurve(t *testing.T) {
	label, a, b := scores(8, 5_000, 1)
	for _, score := range [][]float64{a, b} {
		s := stats.Scored{Score: score, Label: label}
		m, err := stats.Binary(s, 0.5)
		require.NoError(t, err)
		curve, err := stats.CalibrationCurve(s, 10, stats.EqualWidth, 0.95)
		require.NoError(t, err)
		gap := 0.0
		for _, c := range curve {
			gap += float64(c.Count) * math.Abs(c.Score-c.Observed) / float64(len(label))
		}
		require.InDelta(t, m["ece"], gap, 1e-12)
	}
}

func TestScoreHistogram(t *testing.T) {
	s := stats.Scored{Score: []float64{0, 0.1, 0.9, 0.25}, Label: []float64{0, 1, 1, 0}, Weight: []float64{1, 2, 3, 4}}
	got, err := stats.ScoreHistogram(s, 4)
	require.NoError(t, err)
	require.Equal(t, []stats.ScoreBin{{From: 0, To: 0.25, Negative: 5, Positive: 2}, {From: 0.25, To: 0.5},
		{From: 0.5, To: 0.75}, {From: 0.75, To: 1, Positive: 3}}, got)
}

func TestConfusion(t *testing.T) {
	c, err := stats.ConfusionAt(stats.Scored{Score: exampleScore, Label: exampleLabel, Weight: []float64{1, 2, 3, 4}}, 0.4)
	require.NoError(t, err)
	require.Equal(t, stats.Confusion{TruePositive: 4, FalsePositive: 2, TrueNegative: 1, FalseNegative: 3}, c)

	m, err := stats.ConfusionMatrix([]int{0, 1, 2, 2}, []int{0, 2, 2, 1}, 3, []float64{1, 1, 0.5, 2})
	require.NoError(t, err)
	require.Equal(t, [][]float64{{1, 0, 0}, {0, 0, 1}, {0, 2, 0.5}}, m)
	_, err = stats.ConfusionMatrix([]int{0, 3}, []int{0, 0}, 3, nil)
	require.ErrorContains(t, err, "class of row 1 is 3: the 3 classes are numbered from 0")
	_, err = stats.ConfusionMatrix([]int{0}, []int{0, 0}, 3, nil)
	require.ErrorContains(t, err, "1 true classes, 2 predicted")
}
