package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func shapeOf(t *testing.T, base, window ColumnProfile) Shape {
	t.Helper()
	s, err := ShapeOf(base, window)
	require.NoError(t, err)
	for i, c := range []ColumnProfile{base, window} {
		sum := s.Below[i] + s.Above[i]
		for _, v := range s.Shares[i] {
			require.GreaterOrEqual(t, v, 0.0)
			sum += v
		}
		if c.Count > 0 && (s.Edges != nil || s.Labels != nil) {
			require.InDelta(t, 1, sum, 1e-9, "every value is somewhere")
		}
	}
	return s
}

func numbersOf(values ...float64) ColumnProfile {
	p := NewProfiler([]Field{{"x", Number}})
	p.AddNumbers(0, values)
	return p.Profile().Columns[0]
}

func textsOf(values ...string) ColumnProfile {
	p := NewProfiler([]Field{{"x", Category}})
	p.AddStrings(0, values, nil)
	return p.Profile().Columns[0]
}

func TestShapeOfNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a, b []float64
	for range 5000 {
		a, b = append(a, r.NormFloat64()), append(b, r.NormFloat64()+3)
	}
	far := append(append([]float64{}, a...), 1e9, math.Inf(1))
	s := shapeOf(t, numbersOf(far...), numbersOf(b...))
	require.Len(t, s.Edges, shapeBins+1)
	require.Less(t, s.Edges[shapeBins], 10.0, "one far value does not stretch the bins")
	require.Positive(t, s.Above[0])

	whole := shapeOf(t, numbersOf(0, 1, 1, 2), numbersOf(2, 2, 4))
	require.Equal(t, []float64{-0.5, 0.5, 1.5, 2.5, 3.5, 4.5}, whole.Edges, "a bin for each whole number")
	require.InDeltaSlice(t, []float64{0.25, 0.5, 0.25, 0, 0}, whole.Shares[0], 1e-12)
	require.InDeltaSlice(t, []float64{0, 0, 2. / 3, 0, 1. / 3}, whole.Shares[1], 1e-12)

	shapeOf(t, numbersOf(0.5, 0.5), numbersOf(0.5))
	require.Len(t, shapeOf(t, numbersOf(1234567890123456789), numbersOf(1234567890123456789)).Edges, shapeBins+1)
	shapeOf(t, numbersOf(1e300, -1e300, 0.5), numbersOf(1))
	require.Empty(t, shapeOf(t, numbersOf(math.NaN()), numbersOf(math.NaN())).Edges)
	shapeOf(t, numbersOf(math.NaN()), numbersOf(1, 2, 3))
}

func TestShapeOfCategories(t *testing.T) {
	s := shapeOf(t, textsOf("a", "a", "b", "c"), textsOf("a", "b", "b", "z"))
	require.Equal(t, []string{"a", "b", "c", NewValues}, s.Labels)
	require.InDeltaSlice(t, []float64{0.5, 0.25, 0.25, 0}, s.Shares[0], 1e-12)
	require.InDeltaSlice(t, []float64{0.25, 0.5, 0, 0.25}, s.Shares[1], 1e-12)

	var many []string
	for i := range 30 {
		for range 30 - i {
			many = append(many, string(rune('A'+i)))
		}
	}
	s = shapeOf(t, textsOf(many...), textsOf(many[:200]...))
	require.Len(t, s.Labels, shapeTop+1)
	require.Equal(t, OtherValues, s.Labels[shapeTop])
	shapeOf(t, textsOf(), textsOf("a"))

	_, err := ShapeOf(textsOf("a"), numbersOf(1))
	require.ErrorContains(t, err, "category in one profile and a number in the other")
}

func TestUnseen(t *testing.T) {
	values, share := Unseen(textsOf("a", "b"), textsOf("a", "z", "y", "z"))
	require.Equal(t, []string{"z", "y"}, values)
	require.InDelta(t, 0.75, share, 1e-12)
	values, _ = Unseen(textsOf("a"), textsOf("a"))
	require.Empty(t, values)
}
