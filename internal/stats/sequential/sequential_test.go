package sequential_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats/sequential"
)

// Five equal looks at a two-sided 5 %, as tabled for Lan and DeMets's program
// and the R package ldbounds.
func TestBoundsAreThoseOfTheTables(t *testing.T) {
	looks := []float64{0.2, 0.4, 0.6, 0.8, 1}
	for name, c := range map[string]struct {
		spend sequential.Spending
		want  []float64
	}{
		"O'Brien-Fleming": {sequential.OBrienFleming, []float64{4.8769, 3.3569, 2.6803, 2.2898, 2.0310}},
		"Pocock":          {sequential.Pocock, []float64{2.4380, 2.4268, 2.4101, 2.3966, 2.3859}},
	} {
		got, err := sequential.Bounds(0.05, looks, c.spend)
		require.NoError(t, err)
		require.InDeltaSlice(t, c.want, got, 2e-4, name)
	}
	one, err := sequential.Bounds(0.05, []float64{1}, sequential.Pocock)
	require.NoError(t, err)
	require.InDelta(t, 1.959964, one[0], 1e-6)
	for _, looks := range [][]float64{{0.5, 0.5}, {0, 1}, {0.5, 1.1}} {
		_, err := sequential.Bounds(0.05, looks, sequential.Pocock)
		require.ErrorContains(t, err, "shares rise")
	}
}

func TestPeekingIsPaidFor(t *testing.T) {
	looks := []float64{0.25, 0.5, 0.75, 1}
	bounds, err := sequential.Bounds(0.05, looks, sequential.OBrienFleming)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 1))
	naive, grouped, mixed, found := 0, 0, 0, 0
	const runs, rows = 2000, 400
	for range runs {
		test, shifted := sequential.MSPRT{Variance: 1, Tau2: 0.1}, sequential.MSPRT{Variance: 1, Tau2: 0.1}
		sum, peeked, stopped := 0.0, false, false
		var p, q float64
		for n := 1; n <= rows; n++ {
			sum += r.NormFloat64()
			p, err = test.Look(float64(n), sum/float64(n))
			require.NoError(t, err)
			q, err = shifted.Look(float64(n), sum/float64(n)+0.3)
			require.NoError(t, err)
			if n%(rows/4) == 0 {
				z := math.Abs(sum) / math.Sqrt(float64(n))
				peeked = peeked || z > 1.96
				stopped = stopped || z > bounds[n/(rows/4)-1]
			}
		}
		naive, grouped = naive+count(peeked), grouped+count(stopped)
		mixed, found = mixed+count(p < 0.05), found+count(q < 0.05)
	}
	require.Greater(t, naive, runs*10/100, "peeking without correction")
	require.InDelta(t, 0.05, float64(grouped)/runs, 0.015)
	require.LessOrEqual(t, mixed, runs*5/100)
	require.Greater(t, found, runs*95/100, "a shift of 0.3 σ in 400 rows")
	_, err = (&sequential.MSPRT{}).Look(1, 1)
	require.ErrorContains(t, err, "must be above 0")
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestSampleRatio(t *testing.T) {
	_, mismatch, err := sequential.SampleRatio([]float64{5000, 5100}, []float64{50, 50})
	require.NoError(t, err)
	require.False(t, mismatch)
	p, mismatch, err := sequential.SampleRatio([]float64{5000, 5500}, []float64{50, 50})
	require.NoError(t, err)
	require.True(t, mismatch, p)
	_, _, err = sequential.SampleRatio([]float64{0, 0}, []float64{1, 1})
	require.ErrorContains(t, err, "no rows")
	_, _, err = sequential.SampleRatio([]float64{1}, []float64{1})
	require.ErrorContains(t, err, "at least 2")
}

func TestShiftOfACanary(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	base := make([]float64, 60)
	for i := range base {
		base[i] = 100 + 5*r.NormFloat64()
	}
	moved := func(by float64) []float64 {
		out := make([]float64, len(base))
		for i := range out {
			out[i] = 100 + by + 5*r.NormFloat64()
		}
		return out
	}
	for want, b := range map[string][]float64{sequential.Pass: base, sequential.High: moved(20), sequential.Low: moved(-20)} {
		s, err := sequential.MannWhitney(base, b, 0.98)
		require.NoError(t, err)
		require.Equal(t, want, s.Verdict(), "%+v", s)
		require.LessOrEqual(t, s.Low, s.Estimate)
		require.LessOrEqual(t, s.Estimate, s.High)
		mirror, err := sequential.MannWhitney(b, base, 0.98)
		require.NoError(t, err)
		require.InDelta(t, s.PValue, mirror.PValue, 1e-12)
		require.InDelta(t, s.Estimate, -mirror.Estimate, 1e-9)
		require.InDelta(t, s.Low, -mirror.High, 1e-9)
	}
	same, err := sequential.MannWhitney(base, base, 0.98)
	require.NoError(t, err)
	require.Equal(t, 1.0, same.PValue)
	require.Zero(t, same.Estimate)
	_, err = sequential.MannWhitney(base, nil, 0.98)
	require.ErrorContains(t, err, "at least one")
	_, err = sequential.MannWhitney(base, []float64{math.NaN()}, 0.98)
	require.ErrorContains(t, err, "not finite")
}
