package stats

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sort"
)

// ErrConstantLabel is returned when all labels are equal, so that R² has no
// meaning.
var ErrConstantLabel = errors.New("all labels are equal: r2 is undefined; measure more rows")

// Regression measures a regression: mae, mse, rmse, median_absolute_error, bias
// (mean of score − label), mape, pinball_10 and pinball_90, rows, and
// r2 = 1 − Σ(y−ŷ)²/Σ(y−ȳ)². mape is the mean of |ŷ−y|/|y| over the rows whose
// label is not 0, left out when there are none. pinball_10 and pinball_90 are
// the mean of max(τ(y−ŷ), (τ−1)(y−ŷ)) for τ of 0.1 and 0.9, to judge a model of
// that quantile by (Koenker and Bassett 1978). When all labels are equal the
// error is ErrConstantLabel and everything but r2 comes with it.
func Regression(s Scored) (Metrics, error) { return RegressionSample(s).Measure() }

// RegressionSample measures what Regression does.
func RegressionSample(s Scored) Sample { return regressionSample{s} }

type regressionSample struct{ Scored }

func (s regressionSample) Measure() (Metrics, error) {
	if err := s.check(false); err != nil {
		return nil, err
	}
	rows := newRegressionRows(s.Scored)
	m := rows.measure(own(rows))
	m["rows"] = float64(len(s.Label))
	if s.constant() {
		delete(m, "r2")
		return m.defined(), ErrConstantLabel
	}
	return m.defined(), nil
}

func (s regressionSample) task() string { return TaskRegression }
func (s regressionSample) rows() int    { return len(s.Label) }

func (s regressionSample) prepare(metrics []string) (measurer, error) {
	if err := s.check(false); err != nil {
		return nil, err
	}
	if slices.Contains(metrics, "r2") && s.constant() {
		return nil, ErrConstantLabel
	}
	return newRegressionRows(s.Scored), nil
}

func (s regressionSample) subset(rows []int) Sample { return regressionSample{s.Scored.subset(rows)} }

// constant tells whether all rows that have weight have one label.
func (s Scored) constant() bool {
	first := -1
	for i, y := range s.Label {
		if s.weight(i) == 0 {
			continue
		}
		if first < 0 {
			first = i
		} else if y != s.Label[first] {
			return false
		}
	}
	return true
}

// regressionRows are in the order of their absolute error.
type regressionRows struct {
	Scored
	rows   []int32
	error  []float64 // score − label, by place
	label  []float64 // less its mean, so that little of r2 is lost to cancellation
	centre float64
}

func newRegressionRows(s Scored) *regressionRows {
	n := len(s.Label)
	r := &regressionRows{Scored: s, rows: make([]int32, n), error: make([]float64, n), label: make([]float64, n)}
	for i, y := range s.Label {
		r.rows[i] = int32(i)
		r.centre += y / float64(n)
	}
	slices.SortFunc(r.rows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(math.Abs(s.Score[a]-s.Label[a]), math.Abs(s.Score[b]-s.Label[b])), cmp.Compare(a, b))
	})
	for k, row := range r.rows {
		r.error[k], r.label[k] = s.Score[row]-s.Label[row], s.Label[row]-r.centre
	}
	return r
}

func (r *regressionRows) order() []int32        { return r.rows }
func (r *regressionRows) weights() []float64    { return r.Weight }
func (r *regressionRows) units() ([]int32, int) { return nil, 0 }

func (r *regressionRows) measure(weigh weigher) Metrics {
	upTo := make([]float64, len(r.rows)) // weight of the places so far
	weigh(0, upTo)
	var n, absolute, square, bias, low, high, labels, squares, relative, nonzero float64
	for k, w := range upTo {
		d, y := r.error[k], r.label[k]
		n += w
		upTo[k] = n
		absolute += w * math.Abs(d)
		square += w * d * d
		bias += w * d
		low += w * max(-0.1*d, 0.9*d)
		high += w * max(-0.9*d, 0.1*d)
		labels += w * y
		squares += w * y * y
		if truth := r.Label[r.rows[k]]; truth != 0 {
			relative += w * math.Abs(d/truth)
			nonzero += w
		}
	}
	return Metrics{"mae": absolute / n, "mse": square / n, "rmse": math.Sqrt(square / n), "bias": bias / n,
		"r2": 1 - square/(squares-labels*labels/n), "mape": relative / nonzero,
		"pinball_10": low / n, "pinball_90": high / n, "median_absolute_error": r.median(upTo)}
}

// median is the weighted median of the absolute errors: the middle of two when
// half of the weight lies on either side.
func (r *regressionRows) median(upTo []float64) float64 {
	half := upTo[len(upTo)-1] / 2
	at := sort.SearchFloat64s(upTo, half)
	if upTo[at] > half {
		return math.Abs(r.error[at])
	}
	next := sort.Search(len(upTo), func(k int) bool { return upTo[k] > half })
	return (math.Abs(r.error[at]) + math.Abs(r.error[next])) / 2
}
