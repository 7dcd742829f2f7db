package sequential

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Spending says how much of the error alpha may have been spent when a share t
// of the information is in, from 0 at 0 to alpha at 1.
type Spending func(alpha, t float64) float64

// OBrienFleming spends 2−2Φ(z_{1−α/2}/√t), little until the end (Lan and DeMets
// 1983, "Discrete sequential boundaries for clinical trials").
func OBrienFleming(alpha, t float64) float64 {
	return 2 * distuv.UnitNormal.Survival(distuv.UnitNormal.Quantile(1-alpha/2)/math.Sqrt(t))
}

// Pocock spends α·ln(1+(e−1)t), nearly alike at each look (Lan and DeMets 1983).
func Pocock(alpha, t float64) float64 { return alpha * math.Log(1+(math.E-1)*t) }

// Bounds are the |z| at which each of the planned looks may stop a two-sided
// test, so that over all looks a false alarm is no likelier than alpha. looks
// are the rising shares of the information at which one looks, the last at most
// 1. Each side spends half. They are found by carrying the density of the
// score that has not stopped from look to look (Armitage, McPherson and Rowe
// 1969) on a grid.
func Bounds(alpha float64, looks []float64, spend Spending) ([]float64, error) {
	if !(alpha > 0 && alpha < 1) {
		return nil, fmt.Errorf("alpha %v must lie between 0 and 1, such as 0.05", alpha)
	}
	before := 0.0
	for i, t := range looks {
		if !(t > before && t <= 1) {
			return nil, fmt.Errorf("look %d is at a share %v of the information: shares rise from above 0 to at most 1", i, t)
		}
		before = t
	}
	bounds := make([]float64, len(looks))
	var going density
	spent := 0.0
	for i, t := range looks {
		side := spend(alpha/2, t) - spent
		spent = spend(alpha/2, t)
		if i == 0 {
			bounds[0] = distuv.UnitNormal.Quantile(1 - side)
			going = firstDensity(t, bounds[0]*math.Sqrt(t))
			continue
		}
		step := math.Sqrt(t - looks[i-1])
		edge := bisect(0, 10*math.Sqrt(t), func(x float64) bool { return going.beyond(x, step) < side })
		bounds[i] = edge / math.Sqrt(t)
		going = going.next(edge, step)
	}
	return bounds, nil
}

// gridPoints is odd, for Simpson's rule.
const gridPoints = 801

// density is that of the score process at a look, over what goes on: from −edge
// to edge at points of equal distance, each with its weight.
type density struct{ x, mass []float64 }

func newDensity(edge float64, at func(x float64) float64) density {
	d := density{make([]float64, gridPoints), make([]float64, gridPoints)}
	width := 2 * edge / (gridPoints - 1)
	for i := range d.x {
		d.x[i] = -edge + width*float64(i)
		simpson := 2.0
		switch {
		case i == 0 || i == gridPoints-1:
			simpson = 1
		case i%2 == 1:
			simpson = 4
		}
		d.mass[i] = simpson * width / 3 * at(d.x[i])
	}
	return d
}

func firstDensity(t, edge float64) density {
	root := math.Sqrt(t)
	return newDensity(edge, func(x float64) float64 { return normalDensity(x/root) / root })
}

// beyond is the probability of going above edge with a step of that deviation.
func (d density) beyond(edge, step float64) float64 {
	sum := 0.0
	for i, x := range d.x {
		sum += d.mass[i] * distuv.UnitNormal.Survival((edge-x)/step)
	}
	return sum
}

func (d density) next(edge, step float64) density {
	return newDensity(edge, func(y float64) float64 {
		sum := 0.0
		for i, x := range d.x {
			sum += d.mass[i] * normalDensity((y-x)/step) / step
		}
		return sum
	})
}

func normalDensity(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }

// bisect is the point between low and high from which on holds is true.
func bisect(low, high float64, holds func(float64) bool) float64 {
	if holds(low) {
		return low
	}
	for range 100 {
		middle := low + (high-low)/2
		if middle == low || middle == high {
			break
		}
		if holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}
