// Package sequential holds tests that may be looked at while data still comes
// in, and the checks that a comparison of live variants needs.
package sequential

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// MSPRT is the mixture sequential probability ratio test of a mean difference
// Theta against a normal prior of variance Tau2: its p-value may be read after
// every row without inflating false alarms (Johari et al. 2017, "Peeking at A/B
// tests"). The zero value is not ready; set Variance (of one observation of the
// difference) and Tau2.
type MSPRT struct {
	Theta, Variance, Tau2 float64
	p                     float64
	looked                bool
}

// Look takes the mean of n observations and returns the p-value so far:
// min(p, 1/Λₙ), Λₙ = √(V/(V+nτ²))·exp(n²τ²(Ȳ−θ₀)²/(2V(V+nτ²))).
func (t *MSPRT) Look(n, mean float64) (float64, error) {
	if !(t.Variance > 0) || !(t.Tau2 > 0) || !(n > 0) || math.IsNaN(mean) {
		return 1, fmt.Errorf("variance %v, tau² %v and rows %v must be above 0, and the mean %v a number",
			t.Variance, t.Tau2, n, mean)
	}
	if !t.looked {
		t.p, t.looked = 1, true
	}
	spread, d := t.Variance+n*t.Tau2, mean-t.Theta
	log := 0.5*math.Log(t.Variance/spread) + n*n*t.Tau2*d*d/(2*t.Variance*spread)
	t.p = min(t.p, math.Exp(-log))
	return t.p, nil
}

// MismatchLevel is the p-value below which the traffic of a comparison was not
// split as asked, so that the comparison is invalid (Fabijan et al. 2019,
// "Diagnosing sample ratio mismatch in online controlled experiments").
const MismatchLevel = 0.001

// SampleRatio tests by Pearson's χ² that rows were allotted in the shares asked
// for.
func SampleRatio(rows, shares []float64) (p float64, mismatch bool, err error) {
	if len(rows) != len(shares) || len(rows) < 2 {
		return 1, false, fmt.Errorf("%d counts and %d shares: there must be one of each a variant, of at least 2", len(rows), len(shares))
	}
	var n, sum float64
	for i, s := range shares {
		if !(s > 0) || !(rows[i] >= 0) {
			return 1, false, fmt.Errorf("variant %d has share %v and %v rows: a share is above 0, a count 0 or more", i, s, rows[i])
		}
		n, sum = n+rows[i], sum+s
	}
	if n == 0 {
		return 1, false, fmt.Errorf("no rows were allotted")
	}
	chi2 := 0.0
	for i, s := range shares {
		want := n * s / sum
		chi2 += (rows[i] - want) * (rows[i] - want) / want
	}
	p = distuv.ChiSquared{K: float64(len(rows) - 1)}.Survival(chi2)
	return p, p < MismatchLevel, nil
}
