package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactKS is how many pairs of rows the exact distribution of D is computed for.
const exactKS = 4_000_000

// KSTest is the two-sample Kolmogorov–Smirnov statistic and its two-sided
// p-value, NaN values left out: exact by counting lattice paths (Hodges 1958,
// "The significance probability of the Smirnov two-sample test") for up to
// 4,000,000 pairs of rows, beyond by Kolmogorov's limit with Stephens's (1970)
// correction for the number of rows. 0 and 1 when a sample is empty.
func KSTest(a, b []float64) (d, p float64) {
	n, m := counted(a), counted(b)
	if n == 0 || m == 0 {
		return 0, 1
	}
	d = KS(a, b)
	if n*m <= exactKS {
		return d, smirnov(d, n, m)
	}
	return d, kolmogorov(d, float64(n), float64(m))
}

func counted(values []float64) int {
	n := 0
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n
}

// smirnov is the share of the lattice paths from (0, 0) to (n, m) that reach a
// distance of d from the diagonal. A path that reached it is lost; the share of
// those left is carried from column to column.
func smirnov(d float64, n, m int) float64 {
	n, m = max(n, m), min(n, m)
	reached := (0.5 + math.Floor(d*float64(n)*float64(m)-1e-7)) / (float64(n) * float64(m))
	outside := func(i, j int) bool {
		return math.Abs(float64(i)/float64(n)-float64(j)/float64(m)) > reached
	}
	inside := make([]float64, m+1)
	for i := range n + 1 {
		keep := 1.0
		if i > 0 {
			keep = float64(i) / float64(i+m)
		}
		for j := range inside {
			switch {
			case outside(i, j):
				inside[j] = 0
			case i == 0 && j == 0:
				inside[j] = 1
			case i == 0:
				inside[j] = inside[j-1]
			case j == 0:
				inside[j] *= keep
			default:
				inside[j] = inside[j]*keep + inside[j-1]
			}
		}
	}
	return min(1, max(0, 1-inside[m]))
}

// kolmogorov is 2Σ(−1)ᵏ⁻¹·exp(−2k²λ²).
func kolmogorov(d, n, m float64) float64 {
	root := math.Sqrt(n * m / (n + m))
	lambda := (root + 0.12 + 0.11/root) * d
	if lambda < 0.2 {
		return 1
	}
	sum, sign := 0.0, 1.0
	for k := 1.0; k <= 100; k++ {
		term := math.Exp(-2 * k * k * lambda * lambda)
		sum += sign * term
		if term < 1e-17 {
			break
		}
		sign = -sign
	}
	return min(1, max(0, 2*sum))
}

// ProportionsTest compares two shares, k₁ of n₁ and k₂ of n₂: z with the pooled
// standard error and its two-sided p-value. Shares that are both 0 or both 1 do
// not differ: 0 and 1.
func ProportionsTest(k1, n1, k2, n2 float64) (z, p float64) {
	pooled := (k1 + k2) / (n1 + n2)
	stdErr := math.Sqrt(pooled * (1 - pooled) * (1/n1 + 1/n2))
	if !(stdErr > 0) {
		return 0, 1
	}
	z = (k1/n1 - k2/n2) / stdErr
	return z, 2 * distuv.UnitNormal.Survival(math.Abs(z))
}

// ChiSquared is Pearson's (1900) test that two sets of counts over the same bins
// come from one distribution: Σ(observed − expected)²/expected over both, with
// bins − 1 degrees of freedom. Bins that are empty in both do not count. Fewer
// than two bins, or no rows, tell nothing: 0 and 1.
func ChiSquared(a, b []float64) (chi2, p float64) {
	sameLength(a, b)
	na, nb := total(a), total(b)
	bins := 0
	for i := range a {
		both := a[i] + b[i]
		if both == 0 {
			continue
		}
		bins++
		ea, eb := both*na/(na+nb), both*nb/(na+nb)
		chi2 += (a[i]-ea)*(a[i]-ea)/ea + (b[i]-eb)*(b[i]-eb)/eb
	}
	if bins < 2 || na == 0 || nb == 0 {
		return 0, 1
	}
	return chi2, distuv.ChiSquared{K: float64(bins - 1)}.Survival(chi2)
}

// Holm turns the p-values of several tests into ones that, read at a level,
// make a single false call no likelier than it (Holm 1979): stricter than
// BenjaminiHochberg, which bounds the share of false calls.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if p[i] < p[j] {
			return -1
		} else if p[i] > p[j] {
			return 1
		}
		return 0
	})
	out := make([]float64, len(p))
	highest := 0.0
	for rank, i := range order {
		highest = max(highest, min(1, p[i]*float64(len(p)-rank)))
		out[i] = highest
	}
	return out
}
