package stats

import (
	"math"
	"slices"
)

// moments are the count, mean, extremes and sums of powers of deviations from
// the mean of a column, updated by batch and merged as in Pébay (2008),
// "Formulas for robust, one-pass parallel computation of covariances and
// arbitrary-order statistical moments", SAND2008-6212; p2, p3 and p4 are the sums
// of powers.
//
// All but n and the extremes are of the values divided by 2^exp, the power of two
// above the largest magnitude: that changes no digit, and fourth powers neither
// overflow for 1e300 nor vanish for 1e-300.
type moments struct {
	n, min, max      float64
	exp              int
	mean, p2, p3, p4 float64
}

const minExp = -1000 // so that 2^−exp is a number

func noMoments() moments { return moments{min: math.Inf(1), max: math.Inf(-1), exp: minExp} }

// add takes in finite values.
func (m *moments) add(values []float64) {
	once := make([]float64, len(values))
	for i := range once {
		once[i] = 1
	}
	m.addCounted(slices.Sorted(slices.Values(values)), once)
}

// addCounted takes in sorted values, each as often as its count says.
func (m *moments) addCounted(values, counts []float64) {
	if len(values) == 0 {
		return
	}
	b := moments{min: values[0], max: values[len(values)-1]}
	b.exp = exponent(b.min, b.max)
	// Around the middle, so that digits are left for what differs.
	scale := math.Ldexp(1, -b.exp)
	middle, sum := values[len(values)/2]*scale, 0.0
	for i, v := range values {
		sum += (v*scale - middle) * counts[i]
		b.n += counts[i]
	}
	offset := sum / b.n
	b.mean = middle + offset
	for i, v := range values {
		d := v*scale - middle - offset
		square := d * d * counts[i]
		b.p2 += square
		b.p3 += square * d
		b.p4 += square * d * d
	}
	m.merge(b)
}

// exponent is that of the power of two above all values from low to high.
func exponent(low, high float64) int {
	_, exp := math.Frexp(max(-low, high))
	return max(exp, minExp)
}

func (m *moments) merge(o moments) {
	if o.n == 0 {
		return
	}
	exp := max(m.exp, o.exp)
	m.rescale(exp)
	o.rescale(exp)
	na, nb, n := m.n, o.n, m.n+o.n
	d := o.mean - m.mean
	m.p4 += o.p4 + d*d*d*d*na*nb*(na*na-na*nb+nb*nb)/(n*n*n) +
		6*d*d*(na*na*o.p2+nb*nb*m.p2)/(n*n) + 4*d*(na*o.p3-nb*m.p3)/n
	m.p3 += o.p3 + d*d*d*na*nb*(na-nb)/(n*n) + 3*d*(na*o.p2-nb*m.p2)/n
	m.p2 += o.p2 + d*d*na*nb/n
	m.mean += d * nb / n
	m.n = n
	m.min, m.max = min(m.min, o.min), max(m.max, o.max)
}

func (m *moments) rescale(exp int) {
	if by := m.exp - exp; by != 0 {
		m.exp = exp
		m.mean, m.p2 = math.Ldexp(m.mean, by), math.Ldexp(m.p2, 2*by)
		m.p3, m.p4 = math.Ldexp(m.p3, 3*by), math.Ldexp(m.p4, 4*by)
	}
}

// average is the mean, NaN without values.
func (m *moments) average() float64 {
	if m.n == 0 {
		return math.NaN()
	}
	return max(m.min, min(m.max, math.Ldexp(m.mean, m.exp)))
}

// std is the sample standard deviation, NaN below two values.
func (m *moments) std() float64 {
	if m.n < 2 {
		return math.NaN()
	}
	return math.Ldexp(math.Sqrt(m.p2/(m.n-1)), m.exp)
}

// variance is that of the sample, NaN below two values.
func (m *moments) variance() float64 { return m.std() * m.std() }

// skewness is the adjusted Fisher–Pearson coefficient G₁, NaN below three values
// and where all are the same (Joanes and Gill 1998, "Comparing measures of
// sample skewness and kurtosis").
func (m *moments) skewness() float64 {
	if m.n < 3 || m.p2 == 0 {
		return math.NaN()
	}
	return m.p3 / math.Pow(m.p2, 1.5) * m.skewnessFactor()
}

func (m *moments) skewnessFactor() float64 { return m.n * math.Sqrt(m.n-1) / (m.n - 2) }

// kurtosis is the sample excess kurtosis G₂, NaN below four values and where all
// are the same (Joanes and Gill 1998). It is 0 for a normal distribution.
func (m *moments) kurtosis() float64 {
	if m.n < 4 || m.p2 == 0 {
		return math.NaN()
	}
	g := m.n*m.p4/(m.p2*m.p2) - 3
	return (m.n - 1) / ((m.n - 2) * (m.n - 3)) * ((m.n+1)*g + 6)
}

// restoreMoments is the inverse of what a profile tells. Where skewness and
// kurtosis are not told they follow: two values lie alike on both sides of their
// mean, and the fourth powers of up to three deviations are half the squared sum
// of squares.
func restoreMoments(n, low, high, mean, std float64, skewness, kurtosis *float64) moments {
	m := moments{n: n, min: low, max: high}
	m.exp = exponent(low, high)
	m.mean = math.Ldexp(mean, -m.exp)
	if n < 2 {
		return m
	}
	s := math.Ldexp(std, -m.exp)
	m.p2 = s * s * (n - 1)
	m.p4 = m.p2 * m.p2 / 2
	if skewness != nil && n >= 3 {
		m.p3 = *skewness / m.skewnessFactor() * math.Pow(m.p2, 1.5)
	}
	if kurtosis != nil && n >= 4 {
		g := (*kurtosis*(n-2)*(n-3)/(n-1) - 6) / (n + 1)
		m.p4 = (g + 3) * m.p2 * m.p2 / n
	}
	return m
}

// finite returns a pointer to v, or nil where JSON could not hold it.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
