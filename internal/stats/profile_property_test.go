package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

// However rows are cut into shards, in whatever order these are merged, and
// whether through documents or not, what is exact stays the same and what is
// estimated stays within its bound.
func TestShardingAndOrderDoNotMatter(t *testing.T) {
	const n = 40_000
	r := rand.New(rand.NewPCG(5, 5))
	all := randomTable(5, n, 3)
	for i := range n { // so that not all values can be listed
		all.c[i] += fmt.Sprint("-", int(math.Exp(r.ExpFloat64()*3)))
		all.x[i] = math.Round(all.x[i] * 100)
	}
	counts := map[string]int64{}
	var finite []float64
	for i := range n {
		if all.valid[i] {
			counts[all.c[i]]++
		}
		if !math.IsNaN(all.x[i]) {
			finite = append(finite, all.x[i])
			counts[fmt.Sprintf("number %g", all.x[i])]++
		}
	}
	slices.Sort(finite)
	whole := profiler(all).Profile()
	for round := range 4 {
		var shards []*stats.Profile
		for at := 0; at < n; {
			size := min(n-at, 1+r.IntN(20_000))
			shards = append(shards, profiler(all.slice(at, at+size)).Profile())
			at += size
		}
		r.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
		merged := shards[0]
		for _, s := range shards[1:] {
			if round%2 == 0 {
				s = roundTrip(t, s)
			}
			var err error
			merged, err = stats.MergeProfiles(merged, s)
			require.NoError(t, err)
		}
		require.Equal(t, whole.Rows, merged.Rows)
		for i, want := range whole.Columns {
			sameExactly(t, want, merged.Columns[i])
			require.InEpsilon(t, want.Distinct, merged.Columns[i].Distinct, 0.03)
			for _, p := range []stats.ColumnProfile{want, merged.Columns[i]} {
				keepsTopBound(t, p, counts)
				for _, q := range p.Quantiles {
					low, _ := slices.BinarySearch(finite, q.Value)
					high, _ := slices.BinarySearch(finite, math.Nextafter(q.Value, math.Inf(1)))
					require.LessOrEqual(t, float64(low)/float64(len(finite)), q.Rank+0.003)
					require.GreaterOrEqual(t, float64(high)/float64(len(finite)), q.Rank-0.003)
				}
			}
		}
	}
}

func sameExactly(t *testing.T, want, got stats.ColumnProfile) {
	t.Helper()
	require.Equal(t, [4]int64{want.Count, want.Missing, want.Infinite, want.Zeros}, [4]int64{got.Count, got.Missing, got.Infinite, got.Zeros})
	require.Equal(t, want.Min, got.Min)
	require.Equal(t, want.Max, got.Max)
	if want.Kind == stats.Category {
		require.Equal(t, want.Lengths, got.Lengths)
		return
	}
	for _, m := range [][2]*float64{{want.Mean, got.Mean}, {want.Std, got.Std}, {want.Skewness, got.Skewness}, {want.Kurtosis, got.Kurtosis}} {
		require.InDelta(t, *m[0], *m[1], 1e-9*max(1, math.Abs(*m[0])))
	}
}

// keepsTopBound checks that no count of any value is too high, or too low by
// more than is said.
func keepsTopBound(t *testing.T, p stats.ColumnProfile, counts map[string]int64) {
	t.Helper()
	require.False(t, p.Complete)
	require.NotEmpty(t, p.Top)
	listed := map[string]int64{}
	for _, f := range p.Top {
		listed[f.Value] = f.Count
	}
	for value, n := range counts {
		if name, isNumber := cutNumber(value); isNumber != (p.Kind == stats.Category) {
			require.LessOrEqual(t, listed[name], n, value)
			require.LessOrEqual(t, n, listed[name]+p.TopShort, value)
		}
	}
}

func cutNumber(value string) (string, bool) {
	var v float64
	if _, err := fmt.Sscanf(value, "number %g", &v); err != nil {
		return value, false
	}
	return fmt.Sprintf("%g", v), true
}

func TestProfileOfTimesAndTexts(t *testing.T) {
	p := stats.NewProfiler([]stats.Field{{Name: "at", Kind: stats.Time}, {Name: "s", Kind: stats.Category}, {Name: "n", Kind: stats.Number}})
	nanos := []int64{978307200_123456789, 0, 978307199_000000001}
	p.AddTimes(0, nanos, []bool{true, false, true})
	p.AddCounts(1, []string{"Zürich", "", "never"}, []int64{2, 1, 0}, 3)
	p.AddStrings(1, []string{"x"}, nil)
	p.AddNumbers(2, []float64{0, math.Copysign(0, -1), math.Inf(-1)})
	p.AddIntegers(2, []int64{2, 7}, []bool{true, false})
	doc := roundTrip(t, p.Profile())
	at, s, n := doc.Columns[0], doc.Columns[1], doc.Columns[2]
	require.Equal(t, time.Unix(0, nanos[2]).UTC(), *at.Earliest)
	require.Equal(t, time.Unix(0, nanos[0]).UTC(), *at.Latest)
	require.EqualValues(t, 1, at.Missing)
	require.Equal(t, &stats.Lengths{Min: 0, Max: 6, Mean: 13. / 4}, s.Lengths)
	require.EqualValues(t, 3, s.Missing)
	require.Equal(t, []stats.Frequency{{Value: "Zürich", Count: 2}, {Value: "", Count: 1}, {Value: "x", Count: 1}}, s.Top)
	require.EqualValues(t, 2, n.Zeros)
	require.Equal(t, [3]int64{3, 1, 1}, [3]int64{n.Count, n.Missing, n.Infinite})
	require.Panics(t, func() { p.AddTimes(2, nil, nil) })
	require.Panics(t, func() { p.AddCounts(0, nil, nil, 0) })

	merged, err := stats.MergeProfiles(doc, doc)
	require.NoError(t, err)
	require.Equal(t, at.Latest, merged.Columns[0].Latest)
	require.Equal(t, s.Lengths, merged.Columns[1].Lengths)
	require.EqualValues(t, 4, merged.Columns[2].Zeros)
}

func TestTheSameRowsGiveTheSameDocument(t *testing.T) {
	document := func() string {
		b, err := json.Marshal(profiler(randomTable(3, 50_000, 0)).Profile())
		require.NoError(t, err)
		return string(b)
	}
	require.Equal(t, document(), document())
}

// A profile of version 1 was written as one of today, with less in it.
func TestVersion1IsComparedAndNotMerged(t *testing.T) {
	old := profiler(randomTable(1, 20_000, 0)).Profile()
	old.Version = 1
	for i := range old.Columns {
		c := &old.Columns[i]
		c.Zeros, c.Skewness, c.Kurtosis, c.Lengths, c.TopShort = 0, nil, nil, nil, 0
	}
	old = roundTrip(t, old)
	drift, err := stats.CompareProfiles(old, profiler(randomTable(2, 20_000, 0)).Profile(), stats.DriftOptions{})
	require.NoError(t, err)
	for _, d := range drift {
		require.Equal(t, stats.None, d.Level)
	}
	_, err = stats.MergeProfiles(old, old)
	require.ErrorContains(t, err, "a profile of version 1, which lacks zeros, skewness, kurtosis and lengths, can be compared but not merged")
}

func TestLongTextsTakeLittle(t *testing.T) {
	p := stats.NewProfiler([]stats.Field{{Name: "s", Kind: stats.Category}})
	long := strings.Repeat("ä", 1<<20)
	p.AddStrings(0, []string{long, long, long + "b", "short"}, nil)
	doc := p.Profile().Columns[0]
	require.EqualValues(t, 3, doc.Distinct)
	require.EqualValues(t, 2, doc.Top[0].Count)
	require.True(t, strings.HasPrefix(doc.Top[0].Value, strings.Repeat("ä", 64)+"… (2097152 bytes, XXH3 "), doc.Top[0].Value)
	require.EqualValues(t, 1<<20+1, doc.Lengths.Max)
}
