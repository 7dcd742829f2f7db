package stats_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

func compare(t *testing.T, base, window table, opt stats.DriftOptions) []stats.Drift {
	t.Helper()
	d, err := stats.CompareProfiles(roundTrip(t, profiler(base).Profile()), roundTrip(t, profiler(window).Profile()), opt)
	require.NoError(t, err)
	return d
}

func TestNoDriftAgainstItself(t *testing.T) {
	for seed := range uint64(10) {
		same := randomTable(seed, 900, 1)
		for _, d := range compare(t, same, same, stats.DriftOptions{}) {
			require.Zero(t, d.PSI+d.JS+d.KS+d.Wasserstein+d.LInf+d.Unseen+d.Missing, d.Column)
			require.Equal(t, stats.None, d.Level)
		}
	}
}

// Small windows have a large PSI by chance; only significance holds them back.
func TestSmallWindowsOfTheSameDataDoNotAlarm(t *testing.T) {
	base := profiler(randomTable(99, 20_000, 0)).Profile()
	alarms := 0
	for seed := range uint64(100) {
		drifts, err := stats.CompareProfiles(base, profiler(randomTable(seed, 200, 0)).Profile(), stats.DriftOptions{})
		require.NoError(t, err)
		for _, d := range drifts {
			if d.Level != stats.None {
				alarms++
			}
		}
	}
	require.LessOrEqual(t, alarms, 8, "of 200 comparisons")
}

func TestLevelsOfDrift(t *testing.T) {
	base := randomTable(1, 20_000, 0)
	moved := func(shift float64) table { return randomTable(2, 5_000, shift) }
	novel := randomTable(3, 5_000, 0)
	for i := range novel.c {
		if i%5 == 0 {
			novel.c[i], novel.valid[i] = "new", true
		}
	}
	gone := randomTable(4, 5_000, 0)
	for i := range gone.x {
		if i%4 == 0 {
			gone.x[i] = math.NaN()
		}
	}
	for _, c := range []struct {
		name    string
		window  table
		column  int
		level   stats.Level
		measure string
	}{
		{"same", moved(0), 0, stats.None, "psi"},
		{"a sixth of σ is noise", moved(0.3), 0, stats.None, "psi"},
		{"a third of σ", moved(0.75), 0, stats.Watch, "psi"},
		{"one σ", moved(2), 0, stats.Act, "psi"},
		{"a fifth unseen", novel, 1, stats.Act, "unseen"},
		{"a quarter missing", gone, 0, stats.Act, "missing"},
		{"too few", moved(2).slice(0, 199), 0, stats.Inconclusive, "rows"},
		{"just enough", moved(2).slice(0, 200), 0, stats.Act, "psi"},
		{"none at all", table{}, 0, stats.Inconclusive, "rows"},
	} {
		d := compare(t, base, c.window, stats.DriftOptions{})[c.column]
		require.Equal(t, c.level, d.Level, "%s: %+v", c.name, d)
		require.Equal(t, c.measure, d.Measure, c.name)
	}
	d := compare(t, base, novel, stats.DriftOptions{})[1]
	require.InDelta(t, 0.2, d.Unseen, 0.01)
	d = compare(t, base, gone, stats.DriftOptions{})[0]
	require.InDelta(t, 0.25, d.Missing, 0.01)
}

// The sketches must give what the samples give.
func TestSketchedDistancesMatchTheSamples(t *testing.T) {
	base, window := randomTable(1, 50_000, 0), randomTable(2, 20_000, 0.7)
	d := compare(t, base, window, stats.DriftOptions{})[0]
	require.InDelta(t, stats.KS(base.x, window.x), d.KS, 0.01)
	require.InDelta(t, stats.Wasserstein(base.x, window.x)/2, d.Wasserstein, 0.02)
}

func TestFewValuedNumbersGetABinEach(t *testing.T) {
	one := []stats.Field{{Name: "flag", Kind: stats.Number}}
	profile := func(n, ones int) *stats.Profile {
		p := stats.NewProfiler(one)
		x := make([]float64, n)
		for i := range ones {
			x[i] = 1
		}
		p.AddNumbers(0, x)
		return p.Profile()
	}
	// A flag set in 2 of 100 rows: no decile would ever see it.
	d, err := stats.CompareProfiles(profile(1000, 20), profile(1000, 120), stats.DriftOptions{})
	require.NoError(t, err)
	want := stats.PSI([]float64{.98, .02}, []float64{.88, .12})
	require.InDelta(t, want, d[0].PSI, 1e-9)
	require.Equal(t, stats.Watch, d[0].Level)
}

func TestDriftIsSafeForJSON(t *testing.T) {
	one := []stats.Field{{Name: "x", Kind: stats.Number}, {Name: "at", Kind: stats.Time}}
	profile := func(values ...float64) *stats.Profile {
		p := stats.NewProfiler(one)
		p.AddNumbers(0, values)
		p.AddNumbers(1, values)
		return p.Profile()
	}
	huge := profile(-math.MaxFloat64, math.MaxFloat64, math.Inf(1), math.NaN())
	for _, base := range []*stats.Profile{huge, profile(), profile(math.NaN()), profile(1)} {
		for _, window := range []*stats.Profile{huge, profile(), profile(math.Inf(-1)), profile(2, 2)} {
			d, err := stats.CompareProfiles(base, window, stats.DriftOptions{MinRows: 1})
			require.NoError(t, err)
			require.Len(t, d, 1, "times are not compared")
			_, err = json.Marshal(d)
			require.NoError(t, err)
			_, err = json.Marshal(base)
			require.NoError(t, err)
		}
	}
}

func TestIncomparableProfilesAreNamed(t *testing.T) {
	full := profiler(randomTable(1, 300, 0)).Profile()
	other := stats.NewProfiler([]stats.Field{{Name: "x", Kind: stats.Category}}).Profile()
	_, err := stats.CompareProfiles(full, other, stats.DriftOptions{})
	require.ErrorContains(t, err, "column x is a number in the baseline and a category in the window")
	require.ErrorContains(t, err, "column c of the baseline is absent from the window (it has x)")

	_, err = stats.CompareProfiles(full, full, stats.DriftOptions{Columns: []string{"y"}})
	require.ErrorContains(t, err, "column y is not in the baseline (it has x, c)")
	_, err = stats.CompareProfiles(full, nil, stats.DriftOptions{})
	require.ErrorContains(t, err, "no profile")
	_, err = stats.CompareProfiles(full, full, stats.DriftOptions{Watch: 0.5})
	require.ErrorContains(t, err, "watch 0.5 is above act 0.2")

	d, err := stats.CompareProfiles(full, full, stats.DriftOptions{Columns: []string{"c"}})
	require.NoError(t, err)
	require.Equal(t, "c", d[0].Column)
	require.Len(t, d, 1)
}

func TestManyCategoriesInASmallWindow(t *testing.T) {
	one := []stats.Field{{Name: "airport", Kind: stats.Category}}
	profile := func(n, step int) *stats.Profile {
		p := stats.NewProfiler(one)
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprint(i * step % 300)
		}
		p.AddStrings(0, values, nil)
		return p.Profile()
	}
	d, err := stats.CompareProfiles(profile(30_000, 1), profile(250, 7), stats.DriftOptions{})
	require.NoError(t, err)
	require.Equal(t, stats.None, d[0].Level, "%+v", d[0])
	require.Zero(t, d[0].Unseen)
}
