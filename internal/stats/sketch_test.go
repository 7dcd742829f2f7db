package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/datasketches-go/common"
	"github.com/apache/datasketches-go/kll"
	"github.com/stretchr/testify/require"
)

// hardColumns are values that are hard on a sketch or a sort.
var hardColumns = map[string]func(r *rand.Rand) float64{
	"normal":   (*rand.Rand).NormFloat64,
	"skewed":   func(r *rand.Rand) float64 { return math.Exp(2 * r.NormFloat64()) },
	"tied":     func(r *rand.Rand) float64 { return float64(r.IntN(50)) },
	"rounded":  func(r *rand.Rand) float64 { return math.Round(1e4*r.Float64()) / 1e4 },
	"zeros":    func(r *rand.Rand) float64 { return max(0, r.NormFloat64()) },
	"constant": func(*rand.Rand) float64 { return -2.5 },
	"tiny":     func(r *rand.Rand) float64 { return 1e-300 * r.NormFloat64() },
	"huge":     func(r *rand.Rand) float64 { return 1e300 * r.NormFloat64() },
	"offset":   func(r *rand.Rand) float64 { return 1e9 + 1e-3*r.NormFloat64() },
	"wide":     func(r *rand.Rand) float64 { return math.Ldexp(r.NormFloat64(), r.IntN(2000)-1000) },
	"clusters": func(r *rand.Rand) float64 {
		if r.IntN(2) == 0 {
			return -1e300
		}
		return 1 + r.Float64()*1e-9
	},
}

func hardValues(name string, seed uint64, n int) []float64 {
	r := rand.New(rand.NewPCG(seed, 21))
	out := make([]float64, n)
	for i := range out {
		out[i] = hardColumns[name](r)
	}
	return out
}

func sketchOf(values []float64) *sketch {
	s := newSketch()
	for part := range slices.Chunk(values, sketchBatch) {
		s.add(slices.Sorted(slices.Values(part)))
	}
	return s
}

// rankError is the most by which the share of values below or at a point is
// wrong, of those that p holds.
func rankError(p points, values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	worst, sum := 0.0, 0.0
	for i, v := range p.values {
		sum += p.shares[i]
		at, _ := slices.BinarySearchFunc(sorted, v, func(a, b float64) int {
			if a <= b {
				return -1
			}
			return 1
		})
		worst = max(worst, math.Abs(sum-float64(at)/float64(len(sorted))))
	}
	return worst
}

func TestSorting(t *testing.T) {
	scratch := make([]uint64, 2*sketchBatch)
	for name := range hardColumns {
		for _, n := range []int{0, 1, fewToSort, 1000, sketchBatch} {
			got := hardValues(name, uint64(n), n)
			want := slices.Sorted(slices.Values(got))
			sortFloats(got, scratch)
			require.Equal(t, want, append([]float64(nil), got...), name)
		}
	}
}

func TestSketchKeepsItsBound(t *testing.T) {
	for name := range hardColumns {
		for _, n := range []int{1, 500, 8191, 8193, 120_000} {
			values := hardValues(name, uint64(n), n)
			s := sketchOf(values)
			require.EqualValues(t, n, s.count(), name)
			low, high := slices.Min(values), slices.Max(values)
			b := s.bytes(low, high)
			require.Less(t, len(b), 40_000, name)
			back, err := readSketch(b)
			require.NoError(t, err, name)
			require.EqualValues(t, n, back.count())
			if n <= 1000 {
				require.Less(t, rankError(back.points(), values), 1e-9, name) // nothing was left out
			}
			require.Less(t, rankError(s.points(), values), 0.002, "%s %d", name, n)
			require.Less(t, rankError(back.points(), values), 0.003, "%s %d", name, n)
		}
	}
}

// Shards of any size and number, merged in any order and through documents,
// say the same within the bound.
func TestMergedSketchesKeepTheBound(t *testing.T) {
	for name := range hardColumns {
		r := rand.New(rand.NewPCG(1, 3))
		values := hardValues(name, 9, 150_000)
		var shards []*sketch
		for rest := values; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(40_000))
			shard := sketchOf(rest[:n])
			if r.IntN(2) == 0 {
				var err error
				shard, err = readSketch(shard.bytes(slices.Min(rest[:n]), slices.Max(rest[:n])))
				require.NoError(t, err)
			}
			shards, rest = append(shards, shard), rest[n:]
		}
		r.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
		all := newSketch()
		for _, shard := range shards {
			all.merge(shard)
		}
		require.EqualValues(t, len(values), all.count(), name)
		require.Less(t, rankError(all.points(), values), 0.003, name)
	}
}

// Our sketches are those of Apache DataSketches: it reads ours, and we its.
func TestSketchesAreApachesToo(t *testing.T) {
	for _, n := range []int{0, 1, 2, 1000, 5000, 100_000} {
		values := hardValues("normal", 5, n)
		theirs, err := kll.NewKllItemsSketch[float64](sketchK, minLevelSize, common.ItemSketchDoubleComparator(false), common.ItemSketchDoubleSerDe{})
		require.NoError(t, err)
		for _, v := range values {
			theirs.Update(v)
		}
		b, err := theirs.ToSlice()
		require.NoError(t, err)
		ours, err := readSketch(b)
		require.NoError(t, err, n)
		require.EqualValues(t, n, ours.count())
		if n == 0 {
			_, err = readSketch(sketchOf(values).bytes(0, 0))
			require.NoError(t, err)
			continue
		}
		require.Less(t, rankError(ours.points(), values), 0.005, n)

		low, high := slices.Min(values), slices.Max(values)
		read, err := kll.NewKllItemsSketchFromSlice[float64](sketchOf(values).bytes(low, high), common.ItemSketchDoubleComparator(false), common.ItemSketchDoubleSerDe{})
		require.NoError(t, err)
		require.EqualValues(t, n, read.GetN())
		for _, rank := range quantileRanks {
			want := sketchOf(values).small().points().quantile(rank)
			got, err := read.GetRank(want, true)
			require.NoError(t, err)
			require.InDelta(t, rank, got, max(0.003, 1/float64(n)), n)
		}
	}
}

func FuzzSketch(f *testing.F) {
	for _, n := range []int{0, 1, 3, 9000} {
		f.Add(sketchOf(hardValues("normal", 1, n)).bytes(-9, 9))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readSketch(b)
		if err != nil {
			require.ErrorContains(t, err, "damaged sketch")
			return
		}
		if s.count() > 0 {
			_ = s.points().quantile(0.5)
		}
		s.merge(s)
		_ = s.bytes(0, 0)
	})
}
