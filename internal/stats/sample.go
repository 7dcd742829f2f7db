package stats

import (
	"fmt"
	"math"
	"slices"
)

// Sample is rows of one task with what a model said and what was true, made by
// BinarySample, RegressionSample, MulticlassSample or RankingSample.
type Sample interface {
	// Measure returns all metrics of the task that are defined. Where some are
	// not, they come with ErrConstantLabel or a *OneClassError that says why.
	Measure() (Metrics, error)

	task() string
	rows() int
	prepare(metrics []string) (measurer, error)
	subset(rows []int) Sample
}

// measurer is a sample that was checked and sorted once, so that it can be
// measured under thousands of weightings. Undefined metrics are NaN.
type measurer interface {
	measure(weigher) Metrics
	// order is the row of each place in which weights are asked for; nil for
	// the order of the sample.
	order() []int32
	// weights are the sample's own, by row; nil weighs all 1.
	weights() []float64
	// units is what is resampled where the rows are not: the query of each place
	// and how many there are, or nil.
	units() ([]int32, int)
}

// weigher fills in the weights of the places from a given one on. A measurer
// asks for every place once, in order.
type weigher func(from int, into []float64)

// blockRows are weighed at a time: few enough to stay in the innermost cache.
const blockRows = 2048

// own is the weigher of a measurer's own weights.
func own(m measurer) weigher {
	order, weights := m.order(), m.weights()
	return func(from int, into []float64) {
		for j := range into {
			switch {
			case weights == nil:
				into[j] = 1
			case order == nil:
				into[j] = weights[from+j]
			default:
				into[j] = weights[order[from+j]]
			}
		}
	}
}

// defined leaves out what is NaN or infinite.
func (m Metrics) defined() Metrics {
	for name, v := range m {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			delete(m, name)
		}
	}
	return m
}

// checkMetrics refuses names that cannot be judged or are of another task.
func checkMetrics(task string, names []string) error {
	for _, name := range names {
		if _, err := HigherIsBetter(name); err != nil {
			return err
		}
		if !slices.Contains(metrics[name].tasks, task) {
			return fmt.Errorf("metric %s is not one of a %s model; known are %v", name, task, KnownMetrics(task))
		}
	}
	return nil
}

func pick[T any](values []T, rows []int) []T {
	if values == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = values[r]
	}
	return out
}

func (s Scored) subset(rows []int) Scored {
	return Scored{Score: pick(s.Score, rows), Label: pick(s.Label, rows), Weight: pick(s.Weight, rows)}
}
