package stats

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// minExpected is the count a bin must be expected to hold for Pearson's test to
// be trusted (Cochran 1954); rarer bins are pooled.
const minExpected = 5

// homogeneity is the p-value of Pearson's χ² test that two sets of counts over
// the same bins come from one distribution: Σ over both samples of
// (observed − expected)²/expected, with bins − 1 degrees of freedom. Bins too
// rare to test are pooled. Fewer than two bins tell nothing: 1.
func homogeneity(a, b []float64) float64 {
	a, b = poolRare(a, b)
	na, nb := total(a), total(b)
	if len(a) < 2 || na == 0 || nb == 0 {
		return 1
	}
	chi2 := 0.0
	for i := range a {
		both := a[i] + b[i]
		ea, eb := both*na/(na+nb), both*nb/(na+nb)
		chi2 += (a[i]-ea)*(a[i]-ea)/ea + (b[i]-eb)*(b[i]-eb)/eb
	}
	return distuv.ChiSquared{K: float64(len(a) - 1)}.Survival(chi2)
}

// poolRare puts the bins expected to hold fewer than minExpected of the smaller
// sample into one, and that one into the smallest other if still too rare.
func poolRare(a, b []float64) (pa, pb []float64) {
	na, nb := total(a), total(b)
	share := min(na, nb) / (na + nb)
	var rareA, rareB float64
	for i := range a {
		if (a[i]+b[i])*share < minExpected {
			rareA, rareB = rareA+a[i], rareB+b[i]
		} else {
			pa, pb = append(pa, a[i]), append(pb, b[i])
		}
	}
	switch {
	case (rareA+rareB)*share >= minExpected:
		pa, pb = append(pa, rareA), append(pb, rareB)
	case len(pa) > 0:
		s := 0
		for i := range pa {
			if pa[i]+pb[i] < pa[s]+pb[s] {
				s = i
			}
		}
		pa[s], pb[s] = pa[s]+rareA, pb[s]+rareB
	}
	return pa, pb
}

func total(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}

// BenjaminiHochberg turns the p-values of several tests into q-values: the
// false discovery rate at which each would just be called (Benjamini and
// Hochberg 1995).
func BenjaminiHochberg(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	q := make([]float64, len(p))
	lowest := 1.0
	for rank := len(p); rank > 0; rank-- {
		i := order[rank-1]
		lowest = min(lowest, p[i]*float64(len(p))/float64(rank))
		q[i] = lowest
	}
	return q
}
