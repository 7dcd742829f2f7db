package stats

import (
	"fmt"
	"math"
)

// psiFloor stands in for an empty bin, whose logarithm would be infinite
// (Evidently's default).
const psiFloor = 0.0001

// PSI is the population stability index Σ(p−q)·ln(p/q) of two sets of shares
// over the same bins (Siddiqi 2006, "Credit Risk Scorecards"): 0.1 is worth a
// look, 0.2 to 0.25 worth acting on. An empty bin counts as 0.0001, or as a
// millionth of the smallest share when that is 0.0001 or less. PSI is symmetric
// and never negative. It panics when the lengths differ.
func PSI(p, q []float64) float64 {
	sameLength(p, q)
	floor := min(emptyBin(p), emptyBin(q))
	sum := 0.0
	for i := range p {
		if p[i] != q[i] {
			a, b := filled(p[i], floor), filled(q[i], floor)
			sum += (a - b) * math.Log(a/b)
		}
	}
	return sum
}

func filled(share, floor float64) float64 {
	if share == 0 {
		return floor
	}
	return share
}

func emptyBin(p []float64) float64 {
	smallest := math.Inf(1)
	for _, v := range p {
		if v > 0 {
			smallest = min(smallest, v)
		}
	}
	if smallest <= psiFloor {
		return smallest / 1e6
	}
	return psiFloor
}

// JensenShannonDistance is the square root of the Jensen–Shannon divergence of
// two sets of shares, with logarithms of the given base (Endres and Schindelin
// 2003, "A new metric for probability distributions"). In base 2 it lies
// between 0 and 1. It panics when the lengths differ.
func JensenShannonDistance(p, q []float64, base float64) float64 {
	sameLength(p, q)
	sum := 0.0
	for i := range p {
		m := (p[i] + q[i]) / 2
		if p[i] > 0 {
			sum += p[i] * math.Log(p[i]/m) / 2
		}
		if q[i] > 0 {
			sum += q[i] * math.Log(q[i]/m) / 2
		}
	}
	return math.Sqrt(max(0, sum/math.Log(base)))
}

// LInf is the largest difference of a share: max|p−q|. It panics when the
// lengths differ.
func LInf(p, q []float64) float64 {
	sameLength(p, q)
	largest := 0.0
	for i := range p {
		largest = max(largest, math.Abs(p[i]-q[i]))
	}
	return largest
}

// RobustLInf takes off an L∞ distance what n and m rows differ by chance:
// max(0, L∞ − 1.8·√((n+m)/(nm))), as Deequ does.
func RobustLInf(linf, n, m float64) float64 {
	return max(0, linf-1.8*math.Sqrt((n+m)/(n*m)))
}

// Hellinger is √(Σ(√p−√q)²)/√2, between 0 and 1. It panics when the lengths
// differ.
func Hellinger(p, q []float64) float64 {
	sameLength(p, q)
	sum := 0.0
	for i := range p {
		d := math.Sqrt(p[i]) - math.Sqrt(q[i])
		sum += d * d
	}
	return math.Sqrt(sum / 2)
}

func sameLength(p, q []float64) {
	if len(p) != len(q) {
		panic(fmt.Sprintf("stats: %d bins compared with %d", len(p), len(q)))
	}
}

// walk visits the two cumulative distributions between neighbouring values:
// |F₁−F₂| holds over width to the right of each value.
func walk(a, b points, visit func(difference, width float64)) {
	i, j := 0, 0
	fa, fb := 0.0, 0.0
	at := func(p points, k int) float64 {
		if k < len(p.values) {
			return p.values[k]
		}
		return math.Inf(1)
	}
	for i < len(a.values) || j < len(b.values) {
		v := min(at(a, i), at(b, j))
		if at(a, i) == v {
			fa += a.shares[i]
			i++
		}
		if at(b, j) == v {
			fb += b.shares[j]
			j++
		}
		next, width := min(at(a, i), at(b, j)), 0.0
		if !math.IsInf(next, 1) {
			width = next - v
		}
		visit(math.Abs(fa-fb), width)
	}
}

// kolmogorovSmirnov is D = sup|F₁−F₂|.
func kolmogorovSmirnov(a, b points) float64 {
	d := 0.0
	walk(a, b, func(difference, _ float64) { d = max(d, difference) })
	return min(d, 1)
}

// wasserstein is W₁ = ∫|F₁−F₂| (Vallender 1974).
func wasserstein(a, b points) float64 {
	sum := 0.0
	walk(a, b, func(difference, width float64) { sum += difference * width })
	return sum
}

// KS is the two-sample Kolmogorov–Smirnov statistic sup|F₁−F₂| of two samples
// (NaN is left out), between 0 and 1; 0 when one is empty.
func KS(a, b []float64) float64 { return kolmogorovSmirnov(sample(a), sample(b)) }

// Wasserstein is the first Wasserstein distance ∫|F₁−F₂| of two samples (NaN is
// left out), in the unit of the values; 0 when one is empty.
func Wasserstein(a, b []float64) float64 { return wasserstein(sample(a), sample(b)) }

func sample(values []float64) points {
	weights := make(map[float64]float64, len(values))
	for _, v := range values {
		if !math.IsNaN(v) {
			weights[v]++
		}
	}
	return newPoints(weights)
}
