package stats_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// A model that exaggerates is estimated rightly once it has been calibrated.
func TestCalibrationMendsTheEstimate(t *testing.T) {
	label, score, _ := scores(21, 20_000, 1)
	for i, p := range score {
		score[i] = p * p * p / (p*p*p + (1-p)*(1-p)*(1-p))
	}
	reference := stats.Scored{Score: score[:10_000], Label: label[:10_000]}
	real, err := stats.Binary(stats.Scored{Score: score[10_000:], Label: label[10_000:]}, 0.5)
	require.NoError(t, err)
	raw, err := stats.CBPE(score[10_000:], 0.5)
	require.NoError(t, err)
	require.Greater(t, math.Abs(raw["auc"]-real["auc"]), 0.1)
	for _, fit := range []func(stats.Scored) (stats.Calibrator, error){stats.FitIsotonic, stats.FitPlatt} {
		c, err := fit(reference)
		require.NoError(t, err)
		p := make([]float64, 10_000)
		for i := range p {
			p[i] = c.Probability(score[10_000+i])
		}
		estimate, err := stats.CalibratedCBPE(score[10_000:], p, 0.5)
		require.NoError(t, err)
		for _, name := range []string{"auc", "accuracy", "f1", "precision", "recall"} {
			require.InDelta(t, real[name], estimate[name], 0.03, name)
		}
		for x := 0.0; x < 1; x += 0.01 {
			require.LessOrEqual(t, c.Probability(x), c.Probability(x+0.01)+1e-12, "rising")
		}
		_, err = fit(stats.Scored{Score: []float64{.1, .2}, Label: []float64{1, 1}})
		require.ErrorIs(t, err, stats.ErrOneClass)
	}
	_, err = stats.CalibratedCBPE([]float64{.5}, []float64{1.5}, 0.5)
	require.ErrorContains(t, err, "row 0 is 1.5")
}

func TestMaturityCurve(t *testing.T) {
	nan := math.NaN()
	age := []float64{100, 100, 100, 100, 10, 10}
	delay := []float64{5, 20, 50, nan, 5, nan}
	curve, err := stats.MaturityCurve(age, delay, []float64{10, 30, 60, 1000})
	require.NoError(t, err)
	require.Len(t, curve, 3, "none is 1000 old")
	require.Equal(t, [2]int{6, 2}, [2]int{curve[0].Rows, curve[0].Labelled})
	require.Equal(t, [2]int{4, 2}, [2]int{curve[1].Rows, curve[1].Labelled}, "the young cannot tell")
	require.Equal(t, 0.75, curve[2].Share)
	_, ok := stats.MatureAge(curve, 0.9)
	require.False(t, ok)
	at, ok := stats.MatureAge(curve, 0.1)
	require.True(t, ok)
	require.Equal(t, 30.0, at, "sure of it only then")
	_, err = stats.MaturityCurve(age, delay[1:], nil)
	require.ErrorContains(t, err, "6 ages and 5 delays")
	_, err = stats.MaturityCurve([]float64{-1}, []float64{nan}, nil)
	require.ErrorContains(t, err, "prediction 0 is -1 old")
}

func TestHolm(t *testing.T) {
	// The values R's p.adjust(method = "holm") gives.
	got := stats.Holm([]float64{0.01, 0.04, 0.03, 0.005, 0.5})
	require.InDeltaSlice(t, []float64{0.04, 0.09, 0.09, 0.025, 0.5}, got, 1e-12)
	require.Empty(t, stats.Holm(nil))
}

func TestDoaneEdges(t *testing.T) {
	_, err := stats.DoaneEdges(nil)
	require.ErrorContains(t, err, "no values")
	_, err = stats.DoaneEdges([]float64{1, math.NaN()})
	require.ErrorContains(t, err, "value 1 is NaN")
	edges, err := stats.DoaneEdges([]float64{7})
	require.NoError(t, err)
	require.Equal(t, []float64{6.5, 7.5}, edges)
	require.Equal(t, []float64{1, 0}, stats.BinShares([]float64{7, 7.5}, edges))
	require.Equal(t, []float64{0, 1}, stats.BinShares([]float64{6, 8}, edges))
}

// A larger shift is never a smaller distance.
func TestDistancesGrowWithTheShift(t *testing.T) {
	_, base, _ := scores(5, 2_000, 1)
	edges, err := stats.DoaneEdges(base)
	require.NoError(t, err)
	before := [3]float64{-1, -1, -1}
	for shift := 0.0; shift <= 1.2; shift += 0.1 {
		moved := make([]float64, len(base))
		for i, v := range base {
			moved[i] = v + shift
		}
		now := [3]float64{stats.KS(base, moved), stats.Wasserstein(base, moved),
			stats.JensenShannonDistance(stats.BinShares(base, edges), stats.BinShares(moved, edges), 2)}
		for i := range now {
			require.GreaterOrEqual(t, now[i], before[i]-1e-9)
		}
		before = now
	}
}
