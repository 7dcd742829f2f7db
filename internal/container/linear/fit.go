package linear

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/parallel"
)

// problem is the loss to minimise, over coefficients of standardised labels.
type problem struct {
	design *design
	l2     float64
	label  []float64
	weight []float64 // nil: all one
	total  float64
	binary bool

	at       []float64 // where loss and gradient were last taken
	loss     float64
	gradient []float64
}

// Fit trains on a frame; valid, nil for none, is only measured. When ctx ends
// the coefficients reached so far are the model. The result does not depend on
// the number of cores.
func Fit(ctx context.Context, train, valid *frame.Frame, o Options, report func(metric.Progress)) (*Model, error) {
	d, err := newDesign(train)
	if err != nil {
		return nil, err
	}
	middle, unit := units(train)
	if math.IsInf(middle, 0) || math.IsInf(unit, 0) || math.IsNaN(unit) {
		return nil, fmt.Errorf("label %q holds values too large to square; scale or remove them", train.Schema.Label)
	}
	p := &problem{design: d, l2: o.L2, weight: train.Weight, binary: train.Schema.Task == frame.Binary,
		total: metric.Total(train.Weight, train.Rows())}
	p.label = make([]float64, train.Rows())
	for i, y := range train.Label {
		p.label[i] = (y - middle) / unit
	}
	watch := &watcher{problem: p, report: report, steps: o.MaxIterations, middle: middle, unit: unit}
	if valid != nil {
		watch.valid = d.of(valid)
	}
	w, err := p.minimise(ctx, o, watch)
	if err != nil {
		return nil, err
	}
	watch.finish(w)
	return &Model{Format: format, schema: train.Schema, Intercept: middle + w[0]*unit, Terms: d.terms(w, unit)}, nil
}

// units are the mean and spread of a regression's label, in which the optimiser
// works well; a binary label stays as it is.
func units(f *frame.Frame) (float64, float64) {
	if f.Schema.Task == frame.Binary {
		return 0, 1
	}
	c := standardise(f.Label)
	return c.mean, c.scale
}

func (p *problem) minimise(ctx context.Context, o Options, watch *watcher) ([]float64, error) {
	stop := func() (optimize.Status, error) {
		if ctx.Err() != nil {
			return optimize.RuntimeLimit, nil //nolint:nilerr // being stopped early is an outcome
		}
		return optimize.NotTerminated, nil
	}
	settings := &optimize.Settings{
		GradientThreshold: 1e-6,
		MajorIterations:   o.MaxIterations,
		Converger:         &optimize.FunctionConverge{Absolute: 1e-7, Relative: 1e-7, Iterations: 5},
		Recorder:          watch,
	}
	// The optimiser sees coefficients times their scale, near which the loss is
	// equally curved in every direction: rare categories would else make it
	// take hundreds of small steps.
	scale := p.design.scales(p.l2)
	watch.scale = scale
	result, err := optimize.Minimize(optimize.Problem{
		Func: func(u []float64) float64 { p.evaluate(divide(u, scale)); return p.loss },
		Grad: func(gradient, u []float64) {
			p.evaluate(divide(u, scale))
			copy(gradient, divide(p.gradient, scale))
		},
		Status: stop,
	}, make([]float64, p.design.size), settings, &optimize.LBFGS{})
	// A line search that can no longer improve has converged to the precision
	// there is; gonum reports that as an error beside the best point.
	if result == nil || len(result.X) == 0 {
		return nil, fmt.Errorf("optimise: %w", err)
	}
	for _, v := range append(slices.Clone(result.X), result.F) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("the loss has no finite minimum; raise l2 (now %v) or check the features for extreme values", o.L2)
		}
	}
	return divide(result.X, scale), nil
}

func divide(values, by []float64) []float64 {
	out := make([]float64, len(values))
	for k, v := range values {
		out[k] = v / by[k]
	}
	return out
}

// evaluate takes the loss and the gradient at w: the weighted mean of the rows'
// losses plus l2/2·|w|²/rows. The optimiser asks for both at the same point.
func (p *problem) evaluate(w []float64) {
	if p.at != nil && slices.Equal(p.at, w) {
		return
	}
	n := len(p.label)
	losses := make([]float64, parallel.Chunks(n))
	gradients := make([][]float64, parallel.Chunks(n))
	parallel.Rows(n, func(chunk, from, to int) {
		gradients[chunk] = make([]float64, len(w))
		losses[chunk] = p.part(w, from, to, gradients[chunk])
	})
	p.loss, p.gradient = 0, make([]float64, len(w))
	for chunk := range losses {
		p.loss += losses[chunk] / p.total
		for k, v := range gradients[chunk] {
			p.gradient[k] += v / p.total
		}
	}
	for k := 1; k < len(w); k++ {
		p.loss += p.l2 / 2 * w[k] * w[k] / float64(n)
		p.gradient[k] += p.l2 * w[k] / float64(n)
	}
	p.at = append(p.at[:0], w...)
}

// part sums losses and gradients over a chunk.
func (p *problem) part(w []float64, from, to int, gradient []float64) float64 {
	scores := make([]float64, to-from)
	p.design.score(w, from, scores)
	loss := 0.0
	for k, s := range scores {
		y, weight := p.label[from+k], metric.Weight(p.weight, from+k)
		if p.binary {
			loss += weight * (math.Log1p(math.Exp(-math.Abs(s))) + max(s, 0) - s*y)
			scores[k] = weight * (metric.Sigmoid(s) - y)
		} else {
			loss += weight * (s - y) * (s - y) / 2
			scores[k] = weight * (s - y)
		}
	}
	p.design.spread(scores, from, gradient)
	return loss
}
