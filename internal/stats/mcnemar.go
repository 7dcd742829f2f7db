package stats

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

// McNemar compares two classifiers by the rows only one got right: b by the
// first, c by the second (McNemar 1947). It returns the continuity-corrected
// (|b−c|−1)²/(b+c), to be read as χ² with one degree of freedom when b+c ≥ 25,
// and the exact p = min(1, 2·P[Binomial(b+c, ½) ≤ min(b, c)]), right for any
// size. It panics on negative counts.
func McNemar(b, c int) (chi2Corrected, exactP float64) {
	if b < 0 || c < 0 {
		panic(fmt.Sprintf("stats: McNemar counts %d and %d must not be negative", b, c))
	}
	n := float64(b + c)
	if n == 0 {
		return 0, 1
	}
	d := max(b, c) - min(b, c)
	if d > 0 {
		chi2Corrected = float64(d-1) * float64(d-1) / n
	}
	return chi2Corrected, min(1, 2*distuv.Binomial{N: n, P: 0.5}.CDF(float64(min(b, c))))
}
