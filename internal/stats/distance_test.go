package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

func TestGoldenDistances(t *testing.T) {
	p, q := []float64{.5, .5}, []float64{.9, .1}
	js2 := stats.JensenShannonDistance(p, q, 2)
	for name, c := range map[string]struct{ got, want float64 }{
		"psi":              {stats.PSI(p, q), 0.878890},
		"js distance, e":   {stats.JensenShannonDistance(p, q, math.E), 0.318982},
		"js distance, 2":   {js2, 0.383136},
		"js divergence, 2": {js2 * js2, 0.146793},
		"l-infinity":       {stats.LInf(p, q), 0.4},
		"robust":           {stats.RobustLInf(0.4, 100, 100), 0.145442},
		"hellinger":        {stats.Hellinger(p, q), 0.324920},
	} {
		require.InDelta(t, c.want, c.got, 5e-7, name)
	}
}

func TestPSIFillsEmptyBins(t *testing.T) {
	want := (0.5-0.0001)*math.Log(0.5/0.0001) + (0.5-1)*math.Log(0.5)
	require.InDelta(t, want, stats.PSI([]float64{.5, .5}, []float64{0, 1}), 1e-12)
	require.Zero(t, stats.PSI([]float64{1, 0}, []float64{1, 0}))
	require.Panics(t, func() { stats.PSI([]float64{1}, []float64{.5, .5}) })
}

func randomShares(r *rand.Rand, n int) []float64 {
	out, sum := make([]float64, n), 0.0
	for i := range out {
		if r.IntN(4) > 0 {
			out[i] = r.Float64()
		}
		sum += out[i]
	}
	if sum == 0 {
		out[0], sum = 1, 1
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func TestDistancesAreSymmetricAndZeroForSelf(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		n := 1 + r.IntN(12)
		p, q := randomShares(r, n), randomShares(r, n)
		for _, d := range []func(a, b []float64) float64{
			stats.PSI, stats.LInf, stats.Hellinger, stats.KS, stats.Wasserstein,
			func(a, b []float64) float64 { return stats.JensenShannonDistance(a, b, 2) },
		} {
			require.InDelta(t, d(p, q), d(q, p), 1e-12)
			require.GreaterOrEqual(t, d(p, q), 0.0)
			require.InDelta(t, 0, d(p, p), 1e-7)
		}
		require.LessOrEqual(t, stats.JensenShannonDistance(p, q, 2), 1+1e-12)
	}
}

func TestSampleDistances(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		a, b   []float64
		ks, w1 float64
	}{
		{"shifted by 2", []float64{1, 2, 3}, []float64{3, 4, 5}, 2. / 3, 2},
		{"apart", []float64{0, 0}, []float64{10}, 1, 10},
		{"ties", []float64{1, 1, 2, 2}, []float64{1, 2, 2, 2}, 0.25, 0.25},
		{"missing left out", []float64{1, nan}, []float64{1}, 0, 0},
		{"different sizes", []float64{0, 1}, []float64{0, 0, 0, 1}, 0.25, 0.25},
	} {
		require.InDelta(t, c.ks, stats.KS(c.a, c.b), 1e-12, c.name)
		require.InDelta(t, c.w1, stats.Wasserstein(c.a, c.b), 1e-12, c.name)
	}
}

func TestBenjaminiHochberg(t *testing.T) {
	// The values R's p.adjust(method = "BH") gives.
	got := stats.BenjaminiHochberg([]float64{0.01, 0.04, 0.03, 0.005, 0.5})
	require.InDeltaSlice(t, []float64{0.025, 0.05, 0.05, 0.025, 0.5}, got, 1e-12)
	require.Empty(t, stats.BenjaminiHochberg(nil))
}
