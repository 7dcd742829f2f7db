package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// MethodNormal is the estimate ± z standard errors of the bootstrap (Efron
// 1979), for confidences that percentiles of the replicates could not resolve.
const MethodNormal = "poisson-bootstrap-normal"

// Interval is a metric of one model and how well the rows fix it.
type Interval struct {
	Metric     string  `json:"metric"`
	Value      float64 `json:"value"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
	Rows       int     `json:"rows"`
	Replicates int     `json:"replicates"`
	Method     string  `json:"method"`
}

// Intervals measures one model by metrics of its task, with percentile
// intervals of the same bootstrap as Compare's. Rows are sorted once for all
// metrics, and the threshold is that of the sample.
func Intervals(sample Sample, names []string, opt BootstrapOptions) ([]Interval, error) {
	opt = opt.withDefaults()
	values, all, err := resampled(sample, names, opt)
	if err != nil {
		return nil, err
	}
	out := make([]Interval, len(names))
	for i, name := range names {
		v := Interval{Metric: name, Value: values[name], Confidence: opt.Confidence, Rows: sample.rows(), Method: MethodBootstrap}
		if v.Low, v.High, v.Replicates, err = percentiles(column(all, name), opt.Confidence); err != nil {
			return nil, fmt.Errorf("interval of %s: %w", name, err)
		}
		out[i] = v
	}
	return out, nil
}

func resampled(sample Sample, names []string, opt BootstrapOptions) (Metrics, [][]Metrics, error) {
	if err := checkMetrics(sample.task(), names); err != nil {
		return nil, nil, err
	}
	if err := opt.check(sample.rows()); err != nil {
		return nil, nil, err
	}
	m, err := sample.prepare(names)
	if err != nil {
		return nil, nil, err
	}
	all, err := replicates(opt, sample.rows(), m)
	if err != nil {
		return nil, nil, err
	}
	return m.measure(own(m)), all, nil
}

func column(all [][]Metrics, name string) []float64 {
	out := make([]float64, len(all))
	for r, m := range all {
		out[r] = m[0][name]
	}
	return out
}

// SliceOptions steer Slices; zero fields mean the defaults.
type SliceOptions struct {
	BootstrapOptions
	MinRows int // 200: fewer are inconclusive
}

// SliceResult is a metric on the rows of one value of a column.
type SliceResult struct {
	Value string `json:"value"`
	Rows  int    `json:"rows"`
	// Interval is nil when the slice is inconclusive, for the reason given.
	Interval     *Interval `json:"interval,omitempty"`
	Inconclusive string    `json:"inconclusive,omitempty"`
	// Worse says that the whole interval lies on the worse side of the metric
	// over all rows.
	Worse bool `json:"worse"`
}

// Slices measures the rows of each value of a column by one metric. With many
// slices some look bad by chance, so that the confidence holds for all
// intervals at once: each has 1 − (1−confidence)/slices (Bonferroni; Dunn 1961).
// Results are sorted by value.
func Slices(sample Sample, values []string, name string, opt SliceOptions) ([]SliceResult, error) {
	opt.BootstrapOptions = opt.withDefaults()
	if opt.MinRows == 0 {
		opt.MinRows = 200
	}
	if len(values) != sample.rows() {
		return nil, fmt.Errorf("%d values to slice %d rows by: there must be one a row", len(values), sample.rows())
	}
	if err := checkMetrics(sample.task(), []string{name}); err != nil {
		return nil, err
	}
	all, err := sample.Measure()
	if _, ok := all[name]; !ok {
		return nil, fmt.Errorf("%s over all rows is undefined: %w", name, err)
	}
	rows := map[string][]int{}
	for i, v := range values {
		rows[v] = append(rows[v], i)
	}
	var out []SliceResult
	measured := 0
	for v, r := range rows {
		out = append(out, SliceResult{Value: v, Rows: len(r)})
		if len(r) >= opt.MinRows {
			measured++
		}
	}
	slices.SortFunc(out, func(a, b SliceResult) int {
		if a.Value < b.Value {
			return -1
		}
		return 1
	})
	for i := range out {
		out[i].measure(sample.subset(rows[out[i].Value]), name, all[name], measured, opt.of(rows[out[i].Value]))
	}
	return out, nil
}

// of narrows the options to the rows of a slice.
func (o SliceOptions) of(rows []int) SliceOptions {
	o.Cluster = pick(o.Cluster, rows)
	return o
}

func (s *SliceResult) measure(sample Sample, name string, overall float64, together int, opt SliceOptions) {
	if s.Rows < opt.MinRows {
		s.Inconclusive = fmt.Sprintf("%d rows are fewer than %d", s.Rows, opt.MinRows)
		return
	}
	values, all, err := resampled(sample, []string{name}, opt.BootstrapOptions)
	if err == nil {
		s.Interval, err = normal(name, values[name], column(all, name), 1-(1-opt.Confidence)/float64(together))
	}
	if err != nil {
		s.Inconclusive = err.Error()
		return
	}
	s.Interval.Rows = s.Rows
	if metrics[name].better > 0 {
		s.Worse = s.Interval.High < overall
	} else {
		s.Worse = s.Interval.Low > overall
	}
}

// normal is the interval by the standard error of the replicates.
func normal(name string, value float64, replicates []float64, confidence float64) (*Interval, error) {
	_, _, n, err := percentiles(slices.Clone(replicates), confidence)
	if err != nil {
		return nil, err
	}
	m := noMoments()
	for _, v := range replicates {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			m.add([]float64{v})
		}
	}
	half := distuv.UnitNormal.Quantile((1+confidence)/2) * m.std()
	return &Interval{Metric: name, Value: value, Low: value - half, High: value + half,
		Confidence: confidence, Replicates: n, Method: MethodNormal}, nil
}
