package stats

import (
	"fmt"
	"math"
	"slices"
)

// DoaneEdges are the edges of histogram bins of equal width for finite values,
// 1 + log₂n + log₂(1 + |g₁|/σ(g₁)) of them, rounded up (Doane 1976): more than
// Sturges's rule gives where values are skewed. NumPy and NannyML use the same.
// Values that are all equal have one bin, half wide on either side.
func DoaneEdges(values []float64) ([]float64, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("no values to cut into bins")
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("value %d is %v: leave out what is not finite", i, v)
		}
	}
	low, high, n := slices.Min(values), slices.Max(values), float64(len(values))
	bins := 1
	if n > 2 && high > low {
		mean, square, cube := total(values)/n, 0.0, 0.0
		for _, v := range values {
			d := (v - mean) / (high - low) // keeps the cube of huge values finite
			square += d * d / n
			cube += d * d * d / n
		}
		skew := math.Abs(cube / math.Pow(square, 1.5))
		error := math.Sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
		bins = int(math.Ceil(1 + math.Log2(n) + math.Log2(1+skew/error)))
	}
	if low == high {
		low, high = low-0.5, high+0.5
	}
	edges := make([]float64, bins+1)
	for i := range edges {
		edges[i] = low + (high-low)/float64(bins)*float64(i)
	}
	edges[bins] = high
	return edges, nil
}

// BinShares are the shares of values in [edge, next edge), the last bin holding
// its upper edge too, and at the end the share outside, as NannyML counts it.
func BinShares(values, edges []float64) []float64 {
	out := make([]float64, len(edges))
	for _, v := range values {
		at, on := slices.BinarySearch(edges, v)
		if !on {
			at--
		}
		if at == len(edges)-1 && on {
			at--
		}
		if at < 0 || at >= len(edges)-1 {
			at = len(edges) - 1
		}
		out[at] += 1 / float64(len(values))
	}
	return out
}

// JensenShannonDivergence is the square of JensenShannonDistance; TensorFlow
// Data Validation reports it with base 2.
func JensenShannonDivergence(p, q []float64, base float64) float64 {
	d := JensenShannonDistance(p, q, base)
	return d * d
}

// TotalVariation is Σ|p−q|/2: the largest difference of the probability of any
// event. It panics when the lengths differ.
func TotalVariation(p, q []float64) float64 {
	sameLength(p, q)
	sum := 0.0
	for i := range p {
		sum += math.Abs(p[i] - q[i])
	}
	return sum / 2
}
