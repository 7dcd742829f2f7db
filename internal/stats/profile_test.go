package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

var fields = []stats.Field{{Name: "x", Kind: stats.Number}, {Name: "c", Kind: stats.Category}}

// table is rows of a number and a category, some missing.
type table struct {
	x     []float64
	c     []string
	valid []bool
}

func randomTable(seed uint64, n int, shift float64) table {
	r := rand.New(rand.NewPCG(seed, 7))
	t := table{}
	for range n {
		v := r.NormFloat64()*2 + shift
		if r.IntN(50) == 0 {
			v = math.NaN()
		}
		t.x = append(t.x, v)
		t.c = append(t.c, fmt.Sprintf("c%d", int(r.ExpFloat64()*3)))
		t.valid = append(t.valid, r.IntN(20) > 0)
	}
	return t
}

func profiler(t table) *stats.Profiler {
	p := stats.NewProfiler(fields)
	for part := range slices.Chunk(t.x, 1000) {
		p.AddNumbers(0, part)
	}
	p.AddStrings(1, t.c, t.valid)
	return p
}

func (t table) slice(from, to int) table { return table{t.x[from:to], t.c[from:to], t.valid[from:to]} }

func TestProfileOfKnownValues(t *testing.T) {
	p := stats.NewProfiler(append(fields, stats.Field{Name: "none", Kind: stats.Number}))
	p.AddNumbers(0, []float64{4, 2, math.NaN(), 2, math.Inf(1), 8})
	p.AddStrings(1, []string{"b", "a", "b", "", "b", "a"}, []bool{true, true, true, false, true, true})
	p.AddNumbers(2, []float64{math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()})
	doc := p.Profile()
	require.EqualValues(t, 6, doc.Rows)

	x, c, none := doc.Columns[0], doc.Columns[1], doc.Columns[2]
	require.Equal(t, [3]int64{4, 1, 1}, [3]int64{x.Count, x.Missing, x.Infinite})
	require.Equal(t, 2.0, *x.Min)
	require.Equal(t, 8.0, *x.Max)
	require.Equal(t, 4.0, *x.Mean)
	require.InDelta(t, math.Sqrt(8), *x.Std, 1e-12)
	require.EqualValues(t, 3, x.Distinct)
	require.Equal(t, []stats.Frequency{{Value: "2", Count: 2}, {Value: "4", Count: 1}, {Value: "8", Count: 1}}, x.Top)
	require.Equal(t, []stats.Frequency{{Value: "b", Count: 3}, {Value: "a", Count: 2}}, c.Top)
	require.True(t, c.Complete)
	require.InDelta(t, 1./6, c.MissingShare(), 1e-12)
	require.Nil(t, none.Min)
	require.Nil(t, none.Std)

	bars := int64(0)
	for _, b := range x.Histogram {
		bars += b.Count
	}
	require.EqualValues(t, 4, bars)
	_, err := json.Marshal(doc)
	require.NoError(t, err)
}

func TestMergedPartsEqualTheWhole(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 2 + r.IntN(900) // at most sketchK: the sketch is exact
		all := randomTable(seed, n, 0)
		cut := r.IntN(n)
		whole := profiler(all).Profile()
		parts := profiler(all.slice(0, cut))
		require.NoError(t, parts.Merge(profiler(all.slice(cut, n))))
		sameProfile(t, whole, parts.Profile())

		merged, err := stats.MergeProfiles(roundTrip(t, profiler(all.slice(0, cut)).Profile()),
			roundTrip(t, profiler(all.slice(cut, n)).Profile()))
		require.NoError(t, err)
		sameProfile(t, whole, merged)
	}
}

func roundTrip(t *testing.T, p *stats.Profile) *stats.Profile {
	t.Helper()
	b, err := json.Marshal(p)
	require.NoError(t, err)
	var out stats.Profile
	require.NoError(t, json.Unmarshal(b, &out))
	return &out
}

// sameProfile compares all but the order in which sketches keep their values.
func sameProfile(t *testing.T, a, b *stats.Profile) {
	t.Helper()
	require.Equal(t, a.Rows, b.Rows)
	for i, want := range a.Columns {
		got := b.Columns[i]
		for _, m := range [][2]**float64{{&want.Mean, &got.Mean}, {&want.Std, &got.Std}, {&want.Skewness, &got.Skewness}, {&want.Kurtosis, &got.Kurtosis}} {
			if *m[0] != nil && *m[1] != nil {
				require.InDelta(t, **m[0], **m[1], 1e-9)
				*m[0], *m[1] = nil, nil
			}
		}
		require.GreaterOrEqual(t, got.TopShort, want.TopShort, "a document lists not all that was counted")
		want.TopShort, got.TopShort = 0, 0
		want.Sketch, want.Cardinality, got.Sketch, got.Cardinality = nil, nil, nil, nil
		require.Equal(t, want, got)
	}
}

func TestLargeColumnsStayBoundedAndClose(t *testing.T) {
	const n = 60_000
	p := stats.NewProfiler(fields)
	x, c := make([]float64, n), make([]string, n)
	for i := range x {
		x[i] = float64(i)
		c[i] = fmt.Sprintf("id%d", i)
		if i%10 == 0 {
			c[i] = "often"
		}
	}
	p.AddNumbers(0, x)
	p.AddStrings(1, c, nil)
	doc := p.Profile()
	for _, q := range doc.Columns[0].Quantiles {
		require.InDelta(t, q.Rank, q.Value/n, 0.01)
	}
	require.InEpsilon(t, n, doc.Columns[0].Distinct, 0.03)
	require.Less(t, len(doc.Columns[0].Sketch), 40_000)

	ids := doc.Columns[1]
	require.False(t, ids.Complete)
	require.Equal(t, "often", ids.Top[0].Value)
	require.InDelta(t, n/10, ids.Top[0].Count, n/2048.+1)
	require.LessOrEqual(t, len(ids.Top), 100)
}

func TestDamagedProfilesAreRefused(t *testing.T) {
	good := func() *stats.Profile { return roundTrip(t, profiler(randomTable(1, 300, 0)).Profile()) }
	for name, c := range map[string]struct {
		damage func(*stats.Profile)
		want   string
	}{
		"version":     {func(p *stats.Profile) { p.Version = 99 }, "profile version 99 is not known"},
		"sketch":      {func(p *stats.Profile) { p.Columns[0].Sketch = p.Columns[0].Sketch[:9] }, "column x: damaged sketch"},
		"no sketch":   {func(p *stats.Profile) { p.Columns[0].Sketch = nil }, "column x: damaged sketch"},
		"cardinality": {func(p *stats.Profile) { p.Columns[1].Cardinality = []byte{1} }, "column c: damaged cardinality"},
		"mean":        {func(p *stats.Profile) { p.Columns[0].Mean = nil }, "without min, max, mean or standard deviation"},
		"columns":     {func(p *stats.Profile) { p.Columns = p.Columns[:1] }, "different columns"},
	} {
		bad := good()
		c.damage(bad)
		_, err := stats.MergeProfiles(good(), bad)
		require.ErrorContains(t, err, c.want, name)
	}
	require.Panics(t, func() { stats.NewProfiler(fields).AddNumbers(1, nil) })
	require.Panics(t, func() { stats.NewProfiler(fields).AddStrings(0, nil, nil) })
}
