package stats

import (
	"cmp"
	"math"
	"slices"
)

// points is an empirical distribution: sorted values, each with its share.
type points struct{ values, shares []float64 }

type weighted struct{ value, weight float64 }

func newPoints(weights map[float64]float64) points {
	all := make([]weighted, 0, len(weights))
	for v, w := range weights {
		all = append(all, weighted{v, w})
	}
	return pointsOf(all)
}

// pointsOf adds up equal values; it sorts all.
func pointsOf(all []weighted) points {
	slices.SortFunc(all, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	p := points{}
	total := 0.0
	for i, w := range all {
		total += w.weight
		if i > 0 && w.value == all[i-1].value {
			p.shares[len(p.shares)-1] += w.weight
			continue
		}
		p.values, p.shares = append(p.values, w.value), append(p.shares, w.weight)
	}
	for i := range p.shares {
		p.shares[i] /= total
	}
	return p
}

// cumulative returns the share of values at or below each of the sorted edges.
func (p points) cumulative(edges []float64) []float64 {
	out := make([]float64, len(edges))
	i, sum := 0, 0.0
	for e, edge := range edges {
		for ; i < len(p.values) && p.values[i] <= edge; i++ {
			sum += p.shares[i]
		}
		out[e] = math.Min(sum, 1)
	}
	return out
}

// quantile returns the smallest value with at least a share rank at or below it.
func (p points) quantile(rank float64) float64 {
	sum := 0.0
	for i, s := range p.shares {
		if sum += s; sum >= rank-1e-12 {
			return p.values[i]
		}
	}
	return p.values[len(p.values)-1]
}
