package stats

import "math"

// moments are the count, mean, sum of squared deviations and extremes of a
// column, updated by batch and merged as in Chan, Golub and LeVeque (1979),
// "Updating formulae and a pairwise algorithm for computing sample variances".
type moments struct{ n, mean, m2, min, max float64 }

func noMoments() moments { return moments{min: math.Inf(1), max: math.Inf(-1)} }

func (m *moments) add(values []float64) {
	if len(values) == 0 {
		return
	}
	b := noMoments()
	b.n = float64(len(values))
	for _, v := range values {
		b.mean += v / b.n
		b.min, b.max = min(b.min, v), max(b.max, v)
	}
	for _, v := range values {
		b.m2 += (v - b.mean) * (v - b.mean)
	}
	m.merge(b)
}

func (m *moments) merge(o moments) {
	if o.n == 0 {
		return
	}
	n := m.n + o.n
	d := o.mean - m.mean
	m.mean += d * o.n / n
	m.m2 += o.m2 + d*d*m.n*o.n/n
	m.n = n
	m.min, m.max = min(m.min, o.min), max(m.max, o.max)
}

// std is the sample standard deviation, NaN below two values.
func (m moments) std() float64 {
	if m.n < 2 {
		return math.NaN()
	}
	return math.Sqrt(m.m2 / (m.n - 1))
}

// finite returns a pointer to v, or nil where JSON could not hold it.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
