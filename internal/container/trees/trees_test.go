package trees

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/params"
)

func options(t *testing.T, values map[string]string) Options {
	p := params.New(values)
	o := Configure(p)
	require.NoError(t, p.Err())
	return o
}

func quiet(metric.Progress) {}

func fit(t *testing.T, f *frame.Frame, values map[string]string) *Model {
	t.Helper()
	m, err := Fit(context.Background(), f, nil, options(t, values), quiet)
	require.NoError(t, err)
	return m
}

// numbers makes a frame of n rows of numeric columns.
func numbers(task frame.Task, columns [][]float64, label []float64) *frame.Frame {
	s := &frame.Schema{Task: task, Label: "y"}
	for j := range columns {
		s.Features = append(s.Features, frame.Feature{Name: fmt.Sprintf("x%d", j), Kind: frame.Numeric})
	}
	return &frame.Frame{Schema: s, Columns: columns, Label: label}
}

// uniform draws columns from [-1, 1).
func uniform(seed uint64, columns, n int) [][]float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([][]float64, columns)
	for j := range out {
		out[j] = make([]float64, n)
		for i := range out[j] {
			out[j][i] = 2*r.Float64() - 1
		}
	}
	return out
}

func label(n int, of func(i int) bool) []float64 {
	y := make([]float64, n)
	for i := range y {
		if of(i) {
			y[i] = 1
		}
	}
	return y
}

// correct is the share of rows on the right side of one half.
func correct(m *Model, f *frame.Frame) float64 {
	right := 0
	for i, y := range f.Label {
		if (m.Score(row(f, i)) > 0.5) == (y == 1) {
			right++
		}
	}
	return float64(right) / float64(f.Rows())
}

func row(f *frame.Frame, i int) []float64 {
	r := make([]float64, len(f.Columns))
	for j := range r {
		r[j] = f.Columns[j][i]
	}
	return r
}

func TestLearnsExclusiveOr(t *testing.T) {
	data := func(seed uint64) *frame.Frame {
		x := uniform(seed, 3, 4000)
		return numbers(frame.Binary, x, label(4000, func(i int) bool { return x[0][i] > 0 != (x[1][i] > 0) }))
	}
	m := fit(t, data(1), nil)
	require.Greater(t, correct(m, data(2)), 0.98)
}

func TestLearnsRegression(t *testing.T) {
	data := func(seed uint64) *frame.Frame {
		x := uniform(seed, 2, 5000)
		y := make([]float64, 5000)
		for i := range y {
			y[i] = 1e-6 * (10 + 3*math.Sin(4*x[0][i]) + x[1][i]*x[1][i])
		}
		return numbers(frame.Regression, x, y)
	}
	m, test := fit(t, data(1), nil), data(2)
	scores := make([]float64, test.Rows())
	for i := range scores {
		scores[i] = m.Score(row(test, i))
	}
	require.Less(t, metric.RMSE(scores, test.Label, nil), 0.1e-6, "whatever the label's unit; its deviation is 2e-6")
}

func TestLearnsWhatIsMissing(t *testing.T) {
	x := uniform(1, 2, 4000)
	y := label(4000, func(i int) bool { return i%3 == 0 })
	for i := range y {
		if i%3 == 0 {
			x[0][i] = math.NaN()
		}
	}
	f := numbers(frame.Binary, x, y)
	require.Equal(t, 1.0, correct(fit(t, f, nil), f))
	for i := range y {
		y[i] = 1 - y[i]
	}
	require.Equal(t, 1.0, correct(fit(t, f, nil), f), "on either side")
}

// TestMissingAgainstAll has one split to make: there is no other between values.
func TestMissingAgainstAll(t *testing.T) {
	missing := func(i int) bool { return i%3 == 0 }
	column := make([]float64, 600)
	for i := range column {
		column[i] = float64(i % 2)
		if missing(i) {
			column[i] = math.NaN()
		}
	}
	y := label(len(column), missing)
	category := &frame.Schema{Task: frame.Binary, Label: "y", Features: []frame.Feature{{Name: "x0", Kind: frame.Categorical, Levels: []string{"a", "b"}}}}
	for name, f := range map[string]*frame.Frame{
		"number":   numbers(frame.Binary, [][]float64{column}, y),
		"category": {Schema: category, Columns: [][]float64{column}, Label: y},
	} {
		t.Run(name, func(t *testing.T) {
			m := fit(t, f, map[string]string{"rounds": "20", "maxLeaves": "2"})
			require.Equal(t, 1.0, correct(m, f))
			if name == "number" {
				require.Less(t, m.Score([]float64{1e9}), 0.5, "a value above all in training is not missing")
			}
			dir := t.TempDir()
			require.NoError(t, m.Save(dir))
			back, err := Load(dir)
			require.NoError(t, err)
			for i := range 3 {
				require.Equal(t, m.Score(row(f, i)), back.Score(row(f, i)))
			}
		})
	}
}

func TestExtremeLabels(t *testing.T) {
	x := uniform(1, 1, 100)
	good, bad := numbers(frame.Regression, x, make([]float64, 100)), numbers(frame.Regression, x, make([]float64, 100))
	good.Label[1], bad.Label[7] = 1, 1e200
	o := options(t, map[string]string{"rounds": "2"})
	for _, c := range [][2]*frame.Frame{{bad, nil}, {good, bad}} {
		_, err := Fit(context.Background(), c[0], c[1], o, quiet)
		require.ErrorContains(t, err, `label "y" is 1e+200 in row 8`)
	}
	heavy := numbers(frame.Regression, x, slices.Clone(good.Label))
	heavy.Label[3], heavy.Weight = 1e38, slices.Repeat([]float64{1e300}, 100)
	_, err := Fit(context.Background(), good, heavy, o, quiet)
	require.ErrorContains(t, err, `validation loss of label "y" is never finite`)
}

// airports makes a categorical column whose odd levels mean 1.
func airports(levels, n int, other bool) *frame.Frame {
	r := rand.New(rand.NewPCG(7, 7))
	f := &frame.Frame{Schema: &frame.Schema{Task: frame.Binary, Features: []frame.Feature{{Name: "c", Kind: frame.Categorical, Other: other}}},
		Columns: [][]float64{make([]float64, n)}}
	for k := range levels {
		f.Schema.Features[0].Levels = append(f.Schema.Features[0].Levels, fmt.Sprint("level ", k))
	}
	codes := f.Schema.Features[0].Codes()
	for i := range n {
		f.Columns[0][i] = float64(r.IntN(codes))
	}
	f.Label = label(n, func(i int) bool { return int(f.Columns[0][i])%2 == 1 })
	return f
}

func TestLearnsCategories(t *testing.T) {
	for _, c := range []struct {
		levels int
		other  bool
	}{{2, false}, {63, true}, {64, false}, {200, false}, {254, true}} {
		f := airports(c.levels, 20000, c.other)
		m := fit(t, f, map[string]string{"rounds": "20"})
		require.Equal(t, 1.0, correct(m, f), "%d levels", c.levels)
		require.Less(t, len(m.trees[0]), 10, "sets, not one level at a time")
		require.NotPanics(t, func() { m.Score([]float64{math.NaN()}) })
	}
}

func TestWeightsCount(t *testing.T) {
	f := numbers(frame.Binary, [][]float64{{0, 0, 0, 0}}, []float64{0, 0, 0, 1})
	f.Weight = []float64{1, 1, 1, 9}
	require.InDelta(t, 0.75, fit(t, f, nil).Score([]float64{0}), 1e-6)
	f.Weight = []float64{1e-12, 1e-12, 1e-12, 9e-12}
	require.InDelta(t, 0.75, fit(t, f, map[string]string{"l2": "0"}).Score([]float64{0}), 1e-6)
}

func TestLeavesKeepTheirRows(t *testing.T) {
	x := uniform(1, 3, 3000)
	f := numbers(frame.Binary, x, label(3000, func(i int) bool { return x[0][i]+x[1][i] > 0 }))
	for _, tree := range fit(t, f, map[string]string{"maxLeaves": "9", "minLeafRows": "150", "rounds": "15"}).trees {
		rows := map[*node]int{}
		leaves := 0
		for k := range tree {
			if tree[k].feature < 0 {
				leaves++
			}
		}
		for i := range f.Label {
			n := &tree[0]
			for n.feature >= 0 {
				if n.goesLeft(f.Columns[n.feature][i]) {
					n = &tree[n.left]
				} else {
					n = &tree[n.right]
				}
			}
			rows[n]++
		}
		require.LessOrEqual(t, leaves, 9)
		require.Len(t, rows, leaves)
		for _, n := range rows {
			require.GreaterOrEqual(t, n, 150)
		}
	}
}

func mixed(seed uint64, n int) *frame.Frame {
	f := airports(40, n, false)
	x := uniform(seed, 4, n)
	r := rand.New(rand.NewPCG(seed, 9))
	for i := range n {
		if r.Float64() < 0.1 {
			x[1][i] = math.NaN()
		}
		if r.Float64() < 0.1 {
			f.Columns[0][i] = math.NaN()
		}
	}
	f.Label = label(n, func(i int) bool {
		p := metric.Sigmoid(2*x[0][i] + math.Mod(nan0(f.Columns[0][i]), 5) - 2 + nan0(x[1][i]))
		return r.Float64() < p
	})
	g := numbers(frame.Binary, x, f.Label)
	g.Schema.Features = append(g.Schema.Features, f.Schema.Features[0])
	g.Columns = append(g.Columns, f.Columns[0])
	return g
}

func nan0(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

func TestSameModelOnAnyNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f := mixed(3, 20000)
	for _, values := range []map[string]string{{"rounds": "10"}, {"rounds": "10", "subsample": "0.5", "featureFraction": "0.5", "seed": "4"}} {
		runtime.GOMAXPROCS(1)
		one, err := fit(t, f, values).marshal()
		require.NoError(t, err)
		for _, cores := range []int{1, 2, 3} {
			runtime.GOMAXPROCS(cores)
			again, err := fit(t, f, values).marshal()
			require.NoError(t, err)
			require.Equal(t, one, again, "%d cores", cores)
		}
	}
	a, err := fit(t, f, map[string]string{"rounds": "10", "subsample": "0.5", "seed": "4"}).marshal()
	require.NoError(t, err)
	b, err := fit(t, f, map[string]string{"rounds": "10", "subsample": "0.5", "seed": "5"}).marshal()
	require.NoError(t, err)
	require.NotEqual(t, a, b, "the seed matters")
}

func TestEarlyStoppingKeepsTheBestRound(t *testing.T) {
	train, valid := mixed(3, 3000), mixed(4, 3000)
	best, at, last := math.Inf(1), 0, 0
	o := options(t, map[string]string{"rounds": "40", "learningRate": "0.5", "earlyStoppingRounds": "6"})
	m, err := Fit(context.Background(), train, valid, o, func(p metric.Progress) {
		last = p.Step
		if p.Valid < best {
			best, at = p.Valid, p.Step
		}
	})
	require.NoError(t, err)
	require.Equal(t, at, m.Trees())
	require.Equal(t, at+6, last, "stops six rounds after the best")
	margins := make([]float64, valid.Rows())
	for i := range margins {
		margins[i] = m.margin(row(valid, i))
	}
	require.InDelta(t, best, metric.LogLoss(margins, valid.Label, nil), 1e-6, "scores by bins and by values agree")
}

func TestStopKeepsTheBestSoFar(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	m, err := Fit(ctx, mixed(3, 2000), nil, options(t, map[string]string{"rounds": "30"}), func(p metric.Progress) {
		if p.Step == 3 {
			cancel()
		}
	})
	require.NoError(t, err)
	require.Equal(t, 3, m.Trees())
	_, err = Fit(ctx, mixed(3, 2000), nil, options(t, nil), quiet)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "before the first round")
}

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	f := mixed(3, 3000)
	f.Columns[0][0], f.Columns[0][1] = 1e300, -1e300
	m := fit(t, f, map[string]string{"rounds": "30"})
	require.NoError(t, m.Save(dir))
	back, err := Load(dir)
	require.NoError(t, err)
	for i := range f.Rows() {
		require.Equal(t, m.Score(row(f, i)), back.Score(row(f, i)), "row %d", i)
	}
	data, err := back.marshal()
	require.NoError(t, err)
	saved, err := os.ReadFile(filepath.Join(dir, modelFile))
	require.NoError(t, err)
	require.Equal(t, string(saved), string(data))
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, fit(t, mixed(3, 3000), map[string]string{"rounds": "2"}).Save(dir))
	path := filepath.Join(dir, modelFile)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, c := range map[string]struct{ old, new, want string }{
		"cut short":  {`}]}`, ``, "not an XGBoost JSON model"},
		"objective":  {logistic, "rank:pairwise", `objective is "rank:pairwise"`},
		"booster":    {`"gbtree"`, `"dart"`, `gradient_booster is "dart"`},
		"features":   {`"boost_from_average":"1","num_class":"0","num_feature":"5"`, `"num_feature":"6"`, `num_feature is "6"`},
		"names":      {`"x0"`, `"z0"`, "feature_names are"},
		"base score": {`"base_score":"`, `"base_score":"x`, "base_score is"},
		"no trees":   {`"trees":[{`, `"trees":[],"other":[{`, "has no trees"},
		"loop":       {`"left_children":[1`, `"left_children":[0`, "node 0 has children"},
		"index":      {`"split_indices":[`, `"split_indices":[7`, "split_indices[0] is 7"},
		"type":       {`"split_type":[`, `"split_type":[1,`, "left_children has"},
		"segments":   {`"categories_segments":[0`, `"categories_segments":[9999`, "out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			text := string(good)
			if name == "cut short" {
				text = text[:len(text)-3]
			} else {
				require.Contains(t, text, c.old)
				text = strings.Replace(text, c.old, c.new, 1)
				if name == "index" {
					text = strings.Replace(text, `"split_indices":[7`, `"split_indices":[7,`, 1)
					text = dropFirst(text, `"split_indices":[7,`)
				}
			}
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := Load(dir)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
		})
	}
}

// dropFirst removes the first number after a prefix.
func dropFirst(text, prefix string) string {
	before, after, _ := strings.Cut(text, prefix)
	_, rest, _ := strings.Cut(after, ",")
	return before + prefix + rest
}

func TestCuts(t *testing.T) {
	next := math.Nextafter32(1, 2)
	require.Equal(t, []float32{next}, cut([]float32{1, 1, next}, 255), "neighbours in single precision")
	require.Empty(t, cut(nil, 255))
	require.Empty(t, cut([]float32{3, 3}, 255))
	require.Equal(t, []float32{1.5, 3}, cut([]float32{1, 2, 4}, 3))
	sorted := make([]float32, 1000)
	for i := range sorted {
		sorted[i] = float32(i)
	}
	require.Len(t, cut(sorted, 10), 9)
	b := binner{cuts: []float32{1.5, 3}, missing: 3}
	for v, bin := range map[float64]uint8{-1e300: 0, 1.4: 0, 1.5: 1, 2.9: 1, 3: 2, 1e300: 2} {
		require.Equal(t, bin, b.bin(v), "%v", v)
	}
	require.Equal(t, uint8(3), b.bin(math.NaN()))
}

func BenchmarkFit(b *testing.B) {
	f := mixed(3, 120000)
	for b.Loop() {
		if _, err := Fit(context.Background(), f, nil, Configure(params.New(nil)), quiet); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	f := mixed(3, 20000)
	m, err := Fit(context.Background(), f, nil, Configure(params.New(nil)), quiet)
	require.NoError(b, err)
	r := row(f, 1)
	b.ReportAllocs()
	for b.Loop() {
		m.Score(r)
	}
}
