package metric

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogLoss(t *testing.T) {
	margin := []float64{math.Log(3), -math.Log(4)} // p = 0.75, 0.2
	require.InDelta(t, -(math.Log(0.75)+math.Log(0.8))/2, LogLoss(margin, []float64{1, 0}, nil), 1e-12)
	require.InDelta(t, -(3*math.Log(0.75)+math.Log(0.8))/4, LogLoss(margin, []float64{1, 0}, []float64{3, 1}), 1e-12)
	require.Equal(t, 1000.0, LogLoss([]float64{-1000}, []float64{1}, nil), "finite far from the label")
}

func TestRMSE(t *testing.T) {
	require.InDelta(t, math.Sqrt(2.5), RMSE([]float64{1, 4}, []float64{2, 2}, nil), 1e-12)
	require.InDelta(t, 1.0, RMSE([]float64{1, 4}, []float64{2, 2}, []float64{1, 0}), 1e-12)
}

func TestAUC(t *testing.T) {
	for name, c := range map[string]struct {
		score, label, weight []float64
		want                 float64
	}{
		"perfect":      {[]float64{1, 2, 3, 4}, []float64{0, 0, 1, 1}, nil, 1},
		"reversed":     {[]float64{4, 3, 2, 1}, []float64{0, 0, 1, 1}, nil, 0},
		"ties":         {[]float64{1, 1, 1, 1}, []float64{0, 1, 0, 1}, nil, 0.5},
		"one swap":     {[]float64{1, 3, 2, 4}, []float64{0, 0, 1, 1}, nil, 0.75},
		"weighted out": {[]float64{1, 3, 2, 4}, []float64{0, 0, 1, 1}, []float64{1, 0, 1, 1}, 1},
	} {
		require.InDelta(t, c.want, AUC(c.score, c.label, c.weight), 1e-12, name)
	}
	require.NotPanics(t, func() { AUC([]float64{1, math.NaN(), 2, math.NaN()}, []float64{0, 1, 1, 0}, nil) }, "and ends")
	require.True(t, math.IsNaN(AUC([]float64{1, 2}, []float64{1, 1}, nil)))
}
