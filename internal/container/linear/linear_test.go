package linear

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/params"
)

func fit(t *testing.T, f *frame.Frame, values map[string]string) *Model {
	t.Helper()
	p := params.New(values)
	o := Configure(p)
	require.NoError(t, p.Err())
	m, err := Fit(context.Background(), f, nil, o, func(metric.Progress) {})
	require.NoError(t, err)
	return m
}

// sample makes a frame of two numbers, the second missing in a tenth of the
// rows, and a category of three levels, missing in a tenth. score is the truth.
func sample(task frame.Task, n int) (*frame.Frame, func(i int) float64) {
	r := rand.New(rand.NewPCG(5, 5))
	f := &frame.Frame{
		Schema: &frame.Schema{Task: task, Features: []frame.Feature{
			{Name: "a", Kind: frame.Numeric}, {Name: "b", Kind: frame.Numeric},
			{Name: "c", Kind: frame.Categorical, Levels: []string{"p", "q", "r"}, Other: true},
		}},
		Columns: [][]float64{make([]float64, n), make([]float64, n), make([]float64, n)},
		Label:   make([]float64, n),
	}
	score := func(i int) float64 {
		s := 0.5 + 0.002*(f.Columns[0][i]-1000)
		if b := f.Columns[1][i]; b == b {
			s -= b
		} else {
			s += 2
		}
		if c := f.Columns[2][i]; c == c {
			return s + []float64{-1, 0, 1}[int(c)]
		}
		return s - 2
	}
	for i := range n {
		f.Columns[0][i] = 1000 + 500*r.NormFloat64()
		f.Columns[1][i] = r.NormFloat64()
		f.Columns[2][i] = float64(r.IntN(3))
		for j := 1; j <= 2; j++ {
			if r.Float64() < 0.1 {
				f.Columns[j][i] = math.NaN()
			}
		}
		f.Label[i] = score(i)
		if task == frame.Binary {
			f.Label[i] = 0
			if r.Float64() < metric.Sigmoid(score(i)) {
				f.Label[i] = 1
			}
		}
	}
	return f, score
}

func row(f *frame.Frame, i int) []float64 {
	r := make([]float64, len(f.Columns))
	for j := range r {
		r[j] = f.Columns[j][i]
	}
	return r
}

func TestRegressionFindsTheTruth(t *testing.T) {
	f, score := sample(frame.Regression, 5000)
	m := fit(t, f, map[string]string{"l2": "0.0001"})
	for i := range 200 {
		require.InDelta(t, score(i), m.Score(row(f, i)), 1e-3)
	}
	require.InDelta(t, 0.002, m.Terms[0].Slope/m.Terms[0].Scale, 1e-5)
}

func TestClassificationFindsTheTruth(t *testing.T) {
	f, score := sample(frame.Binary, 60000)
	m := fit(t, f, nil)
	for i := range 200 {
		require.InDelta(t, metric.Sigmoid(score(i)), m.Score(row(f, i)), 0.03)
	}
}

// TestMinimum checks the optimum by its definition: the gradient of the
// penalised loss vanishes there, by central differences.
func TestMinimum(t *testing.T) {
	f, _ := sample(frame.Binary, 3000)
	f.Weight = make([]float64, f.Rows())
	for i := range f.Weight {
		f.Weight[i] = float64(i%3) + 0.5
	}
	d, err := newDesign(f)
	require.NoError(t, err)
	p := &problem{design: d, l2: 3, label: f.Label, weight: f.Weight, total: metric.Total(f.Weight, f.Rows()), binary: true}
	w, err := p.minimise(context.Background(), Options{L2: 3, MaxIterations: 500}, &watcher{problem: p, report: func(metric.Progress) {}})
	require.NoError(t, err)
	loss := func(k int, by float64) float64 {
		x := append([]float64(nil), w...)
		x[k] += by
		p.evaluate(x)
		return p.loss
	}
	for k := range w {
		require.InDelta(t, 0, (loss(k, 1e-4)-loss(k, -1e-4))/2e-4, 1e-4, "coefficient %d", k)
		require.Greater(t, loss(k, 0.1), loss(k, 0))
	}
}

func TestSeparableStaysFinite(t *testing.T) {
	n := 1000
	f := &frame.Frame{Schema: &frame.Schema{Task: frame.Binary, Features: []frame.Feature{{Name: "x", Kind: frame.Numeric}}},
		Columns: [][]float64{make([]float64, n)}, Label: make([]float64, n)}
	for i := range n {
		f.Columns[0][i] = float64(i)
		if i >= n/2 {
			f.Label[i] = 1
		}
	}
	for _, l2 := range []string{"1", "0"} {
		m := fit(t, f, map[string]string{"l2": l2})
		require.Less(t, m.Score([]float64{450}), 0.5)
		require.Greater(t, m.Score([]float64{550}), 0.5)
		require.False(t, math.IsInf(m.Terms[0].Slope, 0) || math.IsNaN(m.Terms[0].Slope))
	}
}

func TestUnseenAndMissing(t *testing.T) {
	f, _ := sample(frame.Regression, 2000)
	m := fit(t, f, nil)
	other := m.Score([]float64{1000, 0, 3})
	require.InDelta(t, m.Intercept, other-m.Terms[0].score(1000)-m.Terms[1].score(0), 1e-12, "other was never seen and adds nothing")
	never := fit(t, &frame.Frame{Schema: &frame.Schema{Task: frame.Regression, Features: f.Schema.Features[:1]}, Columns: f.Columns[:1], Label: f.Label}, nil)
	require.InDelta(t, never.Intercept, never.Score([]float64{math.NaN()}), 1e-12, "missing where none was is the mean")
}

func TestSameModelOnAnyNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f, _ := sample(frame.Binary, 30000)
	saved := func() string {
		dir := t.TempDir()
		require.NoError(t, fit(t, f, nil).Save(dir))
		data, err := os.ReadFile(filepath.Join(dir, modelFile))
		require.NoError(t, err)
		return string(data)
	}
	one := saved()
	require.Equal(t, one, saved())
	runtime.GOMAXPROCS(2)
	require.Equal(t, one, saved())
}

func TestProgressAndStop(t *testing.T) {
	f, _ := sample(frame.Regression, 3000)
	ctx, cancel := context.WithCancel(context.Background())
	var seen []metric.Progress
	m, err := Fit(ctx, f, f, Options{L2: 1, MaxIterations: 100}, func(p metric.Progress) { seen = append(seen, p); cancel() })
	require.NoError(t, err)
	require.NotNil(t, m)
	require.LessOrEqual(t, seen[len(seen)-1].Step, 2, "stopped at once")
	require.InDelta(t, seen[0].Train, seen[0].Valid, 1e-12)
}

func TestSaveAndLoad(t *testing.T) {
	f, _ := sample(frame.Binary, 3000)
	m, dir := fit(t, f, nil), t.TempDir()
	require.NoError(t, m.Save(dir))
	back, err := Load(dir)
	require.NoError(t, err)
	for i := range 500 {
		require.Equal(t, m.Score(row(f, i)), back.Score(row(f, i)))
	}
	path := filepath.Join(dir, modelFile)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for old, c := range map[string]struct{ new, want string }{
		format:        {"other/1", `format is "other/1"`},
		`"terms": [`:  {`"terms": [{},`, "terms has 4 entries"},
		`"scale"`:     {`"skale"`, `feature "a" is numeric and needs a scale`},
		`"levels": [`: {`"levels": [1,`, `terms[2].levels has 5 entries; feature "c" has 4`},
		`"intercept"`: {`intercept`, "invalid character"},
	} {
		require.Contains(t, string(good), old)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(good), old, c.new, 1)), 0o600))
		_, err := Load(dir)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, path)
	}
}

func TestExtremeValues(t *testing.T) {
	f, _ := sample(frame.Regression, 100)
	f.Columns[0][0] = math.MaxFloat64
	_, err := Fit(context.Background(), f, nil, Options{L2: 1, MaxIterations: 10}, func(metric.Progress) {})
	require.ErrorContains(t, err, `feature "a" holds values too large`)
	f, _ = sample(frame.Regression, 100)
	f.Label[0] = math.MaxFloat64
	_, err = Fit(context.Background(), f, nil, Options{L2: 1, MaxIterations: 10}, func(metric.Progress) {})
	require.ErrorContains(t, err, `label "" holds values too large`)
}
