// Package linear is regularised logistic and least-squares regression. Numbers
// are standardised and missing ones take the mean, with an indicator of their
// own; categories are one-hot, with one slot for rare and unseen ones and one
// for missing.
package linear

import (
	"math"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/params"
)

// Options are the hyperparameters. L2 is the weight of half the squared
// coefficients against the sum of the rows' losses: the inverse of
// scikit-learn's C. The intercept is free.
type Options struct {
	L2            float64
	MaxIterations int
}

// Configure reads the options of a job. Seed is accepted for symmetry with
// other images: nothing here is random.
func Configure(p *params.Set) Options {
	p.Int("seed", 1, 0, math.MaxInt32)
	return Options{
		L2:            p.Float("l2", 1, 0, 1e9),
		MaxIterations: p.Int("maxIterations", 200, 1, 100000),
	}
}

// term is what one feature adds to the score: Slope per standardised unit of
// a number, or Levels[code] of a category; Missing if there is no value.
type term struct {
	Mean    float64   `json:"mean,omitempty"`
	Scale   float64   `json:"scale,omitempty"`
	Slope   float64   `json:"slope,omitempty"`
	Levels  []float64 `json:"levels,omitempty"`
	Missing float64   `json:"missing"`
}

// Model is a trained regression.
type Model struct {
	Format    string  `json:"format"`
	Intercept float64 `json:"intercept"`
	Terms     []term  `json:"terms"`

	schema *frame.Schema
}

// Schema is the input the model was trained on.
func (m *Model) Schema() *frame.Schema { return m.schema }

// Score is the probability of label 1, or the predicted value, for one row
// encoded by the schema.
func (m *Model) Score(row []float64) float64 {
	sum := m.Intercept
	for j := range m.Terms {
		sum += m.Terms[j].score(row[j])
	}
	if m.schema.Task == frame.Binary {
		return metric.Sigmoid(sum)
	}
	return sum
}

func (t *term) score(v float64) float64 {
	switch {
	case v != v:
		return t.Missing
	case t.Levels != nil:
		return t.Levels[int(v)]
	default:
		return t.Slope * (v - t.Mean) / t.Scale
	}
}
