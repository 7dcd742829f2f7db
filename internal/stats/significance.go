package stats

import (
	"cmp"
	"slices"
)

// minExpected is the count a bin must be expected to hold for Pearson's test to
// be trusted (Cochran 1954); rarer bins are pooled.
const minExpected = 5

// homogeneity is the p-value of ChiSquared with bins too rare to test pooled.
func homogeneity(a, b []float64) float64 {
	a, b = poolRare(a, b)
	_, p := ChiSquared(a, b)
	return p
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
