package sequential

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Shift is by how much values of b lie above those of a.
type Shift struct {
	U        float64 `json:"u"`        // pairs in which b is larger, ties half
	PValue   float64 `json:"pValue"`   // two-sided, that there is no shift
	Estimate float64 `json:"estimate"` // Hodges and Lehmann 1963: median of b−a over all pairs
	Low      float64 `json:"low"`      // interval of the shift
	High     float64 `json:"high"`
}

// Verdicts of a canary's metric.
const (
	Pass = "pass"
	High = "high"
	Low  = "low"
)

// sameShare is the part of the estimated shift that a whole interval must
// exceed to count (Kayenta's MannWhitneyClassifier).
const sameShare = 0.25

// Verdict is High when the whole interval lies above a quarter of the absolute
// estimate, and Low when it lies below its negative.
func (s Shift) Verdict() string {
	switch tolerance := sameShare * math.Abs(s.Estimate); {
	case s.Low > tolerance:
		return High
	case s.High < -tolerance:
		return Low
	}
	return Pass
}

// MannWhitney compares two samples (Mann and Whitney 1947) by the normal
// approximation, corrected for ties and continuity. The interval holds the
// shifts that the test does not reject at the confidence, such as Kayenta's
// 0.98. Identical samples have a shift of 0 and p of 1. Values that are not
// finite, or a sample of none, are an error.
func MannWhitney(a, b []float64, confidence float64) (Shift, error) {
	if !(confidence > 0 && confidence < 1) {
		return Shift{}, fmt.Errorf("confidence %v must lie between 0 and 1, such as 0.98", confidence)
	}
	if len(a) == 0 || len(b) == 0 {
		return Shift{}, fmt.Errorf("%d and %d values: both samples need at least one", len(a), len(b))
	}
	for _, s := range [][]float64{a, b} {
		for i, v := range s {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return Shift{}, fmt.Errorf("value %d is %v: leave out what is not finite", i, v)
			}
		}
	}
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	u, z := standardised(a, b, 0)
	out := Shift{U: u, PValue: min(1, 2*distuv.UnitNormal.Survival(math.Abs(z)))}
	pairs := len(a) * len(b)
	out.Estimate = (difference(a, b, (pairs-1)/2) + difference(a, b, pairs/2)) / 2
	limit := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	least, most := b[0]-a[len(a)-1], b[len(b)-1]-a[0]
	// z falls as the supposed shift rises.
	out.Low = bisect(least, most, func(d float64) bool { _, z := standardised(a, b, d); return z <= limit })
	out.High = bisect(least, most, func(d float64) bool { _, z := standardised(a, b, d); return z < -limit })
	return out, nil
}

// standardised is U of b less a shift, and how many standard errors it lies
// from its mean, less half a pair for continuity.
func standardised(a, b []float64, shift float64) (u, z float64) {
	n, m := float64(len(a)), float64(len(b))
	var ties float64
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		value := math.Inf(1)
		if i < len(a) {
			value = a[i]
		}
		if j < len(b) {
			value = min(value, b[j]-shift)
		}
		below, x, y := float64(i), 0.0, 0.0
		for ; i < len(a) && a[i] == value; i++ {
			x++
		}
		for ; j < len(b) && b[j]-shift == value; j++ {
			y++
		}
		u += y * (below + x/2)
		ties += (x+y)*(x+y)*(x+y) - (x + y)
	}
	variance := n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1)))
	d := u - n*m/2
	if !(variance > 0) || d == 0 {
		return u, 0
	}
	return u, math.Copysign(max(0, math.Abs(d)-0.5), d) / math.Sqrt(variance)
}

// difference is the k-th smallest (from 0) of all b−a: the range between the
// least and the most is halved by counting pairs, and what is left is taken to
// the pair in it.
func difference(a, b []float64, k int) float64 {
	upTo := func(d float64) (count int, largest float64) {
		i, largest := 0, math.Inf(-1)
		for _, v := range b {
			for i < len(a) && v-a[i] > d {
				i++
			}
			if i < len(a) {
				largest = max(largest, v-a[i])
			}
			count += len(a) - i
		}
		return count, largest
	}
	d := bisect(b[0]-a[len(a)-1], b[len(b)-1]-a[0], func(d float64) bool {
		count, _ := upTo(d)
		return count > k
	})
	_, largest := upTo(d)
	return largest
}
