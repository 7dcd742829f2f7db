package stats

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// exactMoments computes mean, standard deviation, G₁ and G₂ in 600 bits.
func exactMoments(values []float64) (mean, std, skewness, kurtosis float64) {
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(600).SetFloat64(v) }
	n, sum := num(float64(len(values))), num(0)
	for _, v := range values {
		sum.Add(sum, num(v))
	}
	centre := num(0).Quo(sum, n)
	var powers [5]*big.Float
	for k := range powers {
		powers[k] = num(0)
	}
	for _, v := range values {
		d := num(v)
		d.Sub(d, centre)
		p := num(1)
		for k := range powers {
			powers[k].Add(powers[k], p)
			p.Mul(p, d)
		}
	}
	float := func(v *big.Float) float64 { f, _ := v.Float64(); return f }
	mean = float(centre)
	variance := num(0).Quo(powers[2], num(float64(len(values)-1)))
	std = float(num(0).Sqrt(variance))
	if powers[2].Sign() == 0 {
		return mean, std, math.NaN(), math.NaN()
	}
	c := float64(len(values))
	cube := num(0).Mul(powers[2], num(0).Sqrt(powers[2]))
	skewness = float(num(0).Quo(powers[3], cube)) * c * math.Sqrt(c-1) / (c - 2)
	square := num(0).Mul(powers[2], powers[2])
	g2 := c*float(num(0).Quo(powers[4], square)) - 3
	return mean, std, skewness, (c - 1) / ((c - 2) * (c - 3)) * ((c+1)*g2 + 6)
}

func near(t *testing.T, want, got, within float64, message string) {
	t.Helper()
	if math.IsNaN(want) {
		require.True(t, math.IsNaN(got), message)
		return
	}
	require.InDelta(t, 0, (got-want)/max(1, math.Abs(want)), within, message)
}

func TestMomentsAgreeWithExactOnes(t *testing.T) {
	for name := range hardColumns {
		values := hardValues(name, 4, 20_000)
		mean, std, skewness, kurtosis := exactMoments(values)
		p := newNumberProfiler(Field{"x", Number})
		p.add(values)
		p.digest()
		m := p.moments
		// The mean of values that nearly cancel is right to digits of the values.
		require.InDelta(t, 0, (m.average()-mean)/max(math.Abs(slices.Max(values)), math.Abs(slices.Min(values))), 1e-14, name)
		within := 1e-9
		if name == "offset" {
			within = 1e-3 // its values have 4 digits of what differs
		}
		if std > 0 {
			require.InEpsilon(t, std, m.std(), within, name)
		}
		near(t, skewness, m.skewness(), within, name)
		near(t, kurtosis, m.kurtosis(), within, name)

		back := restoreMoments(m.n, m.min, m.max, m.average(), m.std(), finite(m.skewness()), finite(m.kurtosis()))
		near(t, m.skewness(), back.skewness(), 1e-9, name)
		near(t, m.kurtosis(), back.kurtosis(), 1e-9, name)
	}
}

func TestMomentsOfFewValues(t *testing.T) {
	for _, values := range [][]float64{{}, {3}, {1, 4}, {1, 4, 9}, {1, 4, 9, 30}, {5, 5, 5, 5}} {
		m := noMoments()
		m.add(values)
		require.Equal(t, len(values) < 2, math.IsNaN(m.std()), values)
		require.Equal(t, len(values) < 3 || values[0] == 5, math.IsNaN(m.skewness()), values)
		require.Equal(t, len(values) < 4 || values[0] == 5, math.IsNaN(m.kurtosis()), values)
		if len(values) < 2 {
			continue
		}
		// What a document tells of a part is enough to go on from.
		part := restoreMoments(m.n, m.min, m.max, m.average(), m.std(), finite(m.skewness()), finite(m.kurtosis()))
		m.add([]float64{2, 7, -1, 0.5})
		part.add([]float64{2, 7, -1, 0.5})
		near(t, m.skewness(), part.skewness(), 1e-9, fmt.Sprint(values))
		near(t, m.kurtosis(), part.kurtosis(), 1e-9, fmt.Sprint(values))
	}
}
