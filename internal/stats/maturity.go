package stats

import (
	"fmt"
	"math"
)

// MaturityPoint says how much of the ground truth is in at an age.
type MaturityPoint struct {
	Age      float64 `json:"age"`      // seconds since the prediction
	Rows     int     `json:"rows"`     // predictions that have reached it
	Labelled int     `json:"labelled"` // of those, within the age
	Share    float64 `json:"share"`    // labelled ÷ rows
	Low      float64 `json:"low"`      // Wilson's interval of Share, 95 %
	High     float64 `json:"high"`
}

// MaturityCurve says how soon ground truth comes: of the predictions old enough
// to tell, the share that was labelled within each age. age is how old each
// prediction is, delay how long its label took, NaN while there is none. Ages
// that no prediction has reached are left out.
func MaturityCurve(age, delay, at []float64) ([]MaturityPoint, error) {
	if len(age) != len(delay) {
		return nil, fmt.Errorf("%d ages and %d delays: there must be one of each a prediction", len(age), len(delay))
	}
	for i, a := range age {
		if !(a >= 0) || delay[i] < 0 {
			return nil, fmt.Errorf("prediction %d is %v old and was labelled after %v: both are 0 or more", i, a, delay[i])
		}
	}
	z, err := normalQuantile(0.95)
	if err != nil {
		return nil, err
	}
	var out []MaturityPoint
	for _, t := range at {
		p := MaturityPoint{Age: t}
		for i, a := range age {
			if a < t {
				continue
			}
			p.Rows++
			if delay[i] <= t {
				p.Labelled++
			}
		}
		if p.Rows == 0 {
			continue
		}
		p.Share = float64(p.Labelled) / float64(p.Rows)
		p.Low, p.High = wilson(p.Share, float64(p.Rows), z)
		out = append(out, p)
	}
	return out, nil
}

// MatureAge is the first age of a curve at which a share of the labels is in,
// by the lower end of its interval; false if none is.
func MatureAge(curve []MaturityPoint, share float64) (float64, bool) {
	for _, p := range curve {
		if p.Low >= share && !math.IsNaN(p.Low) {
			return p.Age, true
		}
	}
	return 0, false
}
