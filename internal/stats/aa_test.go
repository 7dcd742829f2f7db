package stats_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/dataset"
	"steward/internal/stats"
)

var aaWindows = flag.Int("windows", 20, "windows of each size in the A/A table")

// drawing makes a column's values: numbers, or categories.
type drawing struct {
	numbers func(r *rand.Rand) float64
	texts   func(r *rand.Rand) string
}

func zipf(r *rand.Rand, kinds float64) string {
	return fmt.Sprint(math.Floor(math.Pow(kinds, r.Float64())))
}

func withMissing(r *rand.Rand, share, v float64) float64 {
	if r.Float64() < share {
		return math.NaN()
	}
	return v
}

// drawings are of every kind that is compared in its own way.
func drawings(t *testing.T) map[string]drawing {
	out := map[string]drawing{
		"normal":       {numbers: func(r *rand.Rand) float64 { return r.NormFloat64() }},
		"lognormal":    {numbers: func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()) }},
		"six values":   {numbers: func(r *rand.Rand) float64 { return float64(r.IntN(6)) }},
		"rare flag":    {numbers: func(r *rand.Rand) float64 { return math.Floor(r.Float64() + 0.02) }},
		"half zero":    {numbers: func(r *rand.Rand) float64 { return max(0, r.NormFloat64()) }},
		"20 % missing": {numbers: func(r *rand.Rand) float64 { return withMissing(r, 0.2, r.NormFloat64()) }},
		"5 categories": {texts: func(r *rand.Rand) string { return fmt.Sprint(r.IntN(5)) }},
		"zipf 500":     {texts: func(r *rand.Rand) string { return zipf(r, 500) }},
		"zipf 50,000":  {texts: func(r *rand.Rand) string { return zipf(r, 50_000) }},
	}
	file := dataset.File("../../examples/flight-delay/data/flights_2001h1.parquet")
	numbers, texts := []string{"dep_hour", "distance", "origin_delay_prev_day"}, []string{"origin"}
	columns := map[string][]float64{}
	var origin []string
	require.NoError(t, dataset.Read(context.Background(), file, slices.Concat(numbers, texts), func(b *dataset.Batch) error {
		for i, name := range numbers {
			columns[name] = append(columns[name], b.Numbers(i)...)
		}
		values, _ := b.Strings(len(numbers))
		origin = append(origin, values...)
		return nil
	}))
	for name, values := range columns {
		out["flights "+name] = drawing{numbers: func(r *rand.Rand) float64 { return values[r.IntN(len(values))] }}
	}
	out["flights origin"] = drawing{texts: func(r *rand.Rand) string { return origin[r.IntN(len(origin))] }}
	return out
}

// profileOf draws rows of every column. change may alter a value.
func profileOf(r *rand.Rand, names []string, from map[string]drawing, rows int, number func(float64) float64) *stats.Profile {
	var fields []stats.Field
	for _, name := range names {
		kind := stats.Number
		if from[name].texts != nil {
			kind = stats.Category
		}
		fields = append(fields, stats.Field{Name: name, Kind: kind})
	}
	p := stats.NewProfiler(fields)
	for i, name := range names {
		d := from[name]
		if d.texts != nil {
			values := make([]string, rows)
			for j := range values {
				values[j] = d.texts(r)
			}
			p.AddStrings(i, values, nil)
			continue
		}
		values := make([]float64, rows)
		for j := range values {
			values[j] = number(d.numbers(r))
		}
		p.AddNumbers(i, values)
	}
	return p.Profile()
}

func asItIs(v float64) float64 { return v }

// TestFalseAlarms compares windows with a baseline of the same distribution at
// the default settings. No size of window may raise a level for more than one in
// a hundred columns; an act, of which two windows in a row make a trigger, for
// more than one in five hundred. `make aa` has 1,000 windows and prints the table.
func TestFalseAlarms(t *testing.T) {
	from := drawings(t)
	names := slices.Sorted(maps.Keys(from))
	base := profileOf(rand.New(rand.NewPCG(1, 0)), names, from, 50_000, asItIs)
	t.Logf("| %-29s | window | watch or act | act     | of %d windows |", "column", *aaWindows)
	sizes := []int{200, 500, 2_000}
	if *aaWindows >= 100 {
		sizes = append(sizes, 10_000) // which take long, and are the last to alarm
	}
	for _, rows := range sizes {
		raised, acted := map[string]int{}, map[string]int{}
		anyRaised, anyActed := 0, 0
		for w := range *aaWindows {
			found, err := stats.CompareProfiles(base, profileOf(rand.New(rand.NewPCG(uint64(rows), uint64(w)+1)), names, from, rows, asItIs), stats.DriftOptions{})
			require.NoError(t, err)
			r, a := 0, 0
			for _, d := range found {
				if d.Level == stats.Watch || d.Level == stats.Act {
					raised[d.Column]++
					r = 1
				}
				if d.Level == stats.Act {
					acted[d.Column]++
					a = 1
				}
			}
			anyRaised, anyActed = anyRaised+r, anyActed+a
		}
		share := func(n, of int) float64 { return float64(n) / float64(of) }
		all, act := 0, 0
		for _, name := range names {
			all, act = all+raised[name], act+acted[name]
			t.Logf("| %-29s | %6d | %10.2f %% | %5.2f %% |", name, rows, 100*share(raised[name], *aaWindows), 100*share(acted[name], *aaWindows))
		}
		t.Logf("| %-29s | %6d | %10.2f %% | %5.2f %% |", fmt.Sprintf("any of %d, per window", len(names)), rows,
			100*share(anyRaised, *aaWindows), 100*share(anyActed, *aaWindows))
		require.LessOrEqual(t, share(all, *aaWindows*len(names)), 0.01, "%d rows, columns raised", rows)
		require.LessOrEqual(t, share(act, *aaWindows*len(names)), 0.002, "%d rows, columns to act on", rows)
	}
}

// TestPower is how often a shift is seen that is there.
func TestPower(t *testing.T) {
	from := map[string]drawing{"normal": {numbers: func(r *rand.Rand) float64 { return r.NormFloat64() }}}
	names := []string{"normal"}
	base := profileOf(rand.New(rand.NewPCG(2, 0)), names, from, 50_000, asItIs)
	t.Logf("| %-28s | window | watch or act | act     | of %d windows |", "shift", *aaWindows)
	for _, c := range []struct {
		name       string
		number     func(r *rand.Rand) func(float64) float64
		least, act float64 // shares at 2,000 rows
	}{
		{"mean by 0.1 σ", func(*rand.Rand) func(float64) float64 { return func(v float64) float64 { return v + 0.1 } }, 0, 0},
		{"mean by 0.35 σ", func(*rand.Rand) func(float64) float64 { return func(v float64) float64 { return v + 0.35 } }, 0.7, 0},
		{"mean by 0.5 σ", func(*rand.Rand) func(float64) float64 { return func(v float64) float64 { return v + 0.5 } }, 0.99, 0.8},
		{"σ by half as much again", func(*rand.Rand) func(float64) float64 { return func(v float64) float64 { return 1.5 * v } }, 0.95, 0.1},
		{"5 % missing", func(r *rand.Rand) func(float64) float64 {
			return func(v float64) float64 { return withMissing(r, 0.05, v) }
		}, 0.2, 0},
		{"10 % missing", func(r *rand.Rand) func(float64) float64 {
			return func(v float64) float64 { return withMissing(r, 0.1, v) }
		}, 0.95, 0.9},
	} {
		for _, rows := range []int{200, 2_000} {
			raised, acted := 0, 0
			for w := range *aaWindows {
				r := rand.New(rand.NewPCG(uint64(rows), uint64(w)+1))
				found, err := stats.CompareProfiles(base, profileOf(r, names, from, rows, c.number(r)), stats.DriftOptions{})
				require.NoError(t, err)
				switch found[0].Level {
				case stats.Act:
					raised, acted = raised+1, acted+1
				case stats.Watch:
					raised++
				}
			}
			seen, act := float64(raised)/float64(*aaWindows), float64(acted)/float64(*aaWindows)
			t.Logf("| %-28s | %6d | %10.1f %% | %5.1f %% |", c.name, rows, 100*seen, 100*act)
			if rows == 2_000 {
				require.GreaterOrEqual(t, seen, c.least, c.name)
				require.GreaterOrEqual(t, act, c.act, c.name)
			}
		}
	}
}
