package linear

import (
	"math"

	"gonum.org/v1/gonum/optimize"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
)

// watcher reports the optimiser's progress; it is gonum's Recorder.
type watcher struct {
	problem      *problem
	valid        *design // nil without validation data
	report       func(metric.Progress)
	steps, step  int
	middle, unit float64
	scale        []float64 // of the optimiser's coefficients
}

// reportEvery spaces the reports: an iteration is short.
const reportEvery = 5

// Init is called before the first iteration.
func (w *watcher) Init() error { return nil }

// Record is called at every step of the optimiser.
func (w *watcher) Record(at *optimize.Location, operation optimize.Operation, stats *optimize.Stats) error {
	if operation != optimize.MajorIteration || stats.MajorIterations == w.step {
		return nil
	}
	w.step = stats.MajorIterations
	if w.step == 1 || w.step%reportEvery == 0 {
		w.tell(divide(at.X, w.scale))
	}
	return nil
}

// finish reports the model that is kept.
func (w *watcher) finish(x []float64) { w.tell(x) }

func (w *watcher) tell(x []float64) {
	valid := math.NaN()
	if w.valid != nil {
		valid = w.loss(w.valid, x)
	}
	w.report(metric.Progress{Step: w.step, Steps: w.steps, Train: w.loss(w.problem.design, x), Valid: valid})
}

// loss is the task's loss in units of the label, without regularisation.
func (w *watcher) loss(d *design, x []float64) float64 {
	scores := d.margins(x)
	if d.frame.Schema.Task == frame.Binary {
		return metric.LogLoss(scores, d.frame.Label, d.frame.Weight)
	}
	for i := range scores {
		scores[i] = w.middle + scores[i]*w.unit
	}
	return metric.RMSE(scores, d.frame.Label, d.frame.Weight)
}
