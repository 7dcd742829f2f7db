package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Tasks a model may have.
const (
	TaskBinary     = "binary"
	TaskMulticlass = "multiclass"
	TaskRegression = "regression"
	TaskRanking    = "ranking"
)

// Metrics are measured values by name.
type Metrics map[string]float64

// Scored is what a model said about rows whose truth is known: for a binary
// task Score is the probability of class 1 and Label 0 or 1; for a regression
// both are in the label's unit. A nil Weight weighs all rows 1.
type Scored struct{ Score, Label, Weight []float64 }

// ErrOneClass is matched by the error for labels that are all of one class.
var ErrOneClass = errors.New("all labels are of one class")

// OneClassError says how many labels of each class there were.
type OneClassError struct{ Positive, Negative int }

func (e *OneClassError) Error() string {
	return fmt.Sprintf("all labels are of one class (%d positive, %d negative): AUC is undefined; measure more rows",
		e.Positive, e.Negative)
}

// Is makes errors.Is(err, ErrOneClass) hold.
func (e *OneClassError) Is(target error) bool { return target == ErrOneClass }

// metric says how to read a number: better is +1 when higher is better, −1 when
// lower is, 0 when it only describes.
type metric struct {
	better int
	tasks  []string
}

var metrics = func() map[string]metric {
	table := map[string]metric{}
	add := func(better int, task string, names ...string) {
		for _, name := range names {
			table[name] = metric{better, append(table[name].tasks, task)}
		}
	}
	add(+1, TaskBinary, "auc", "pr_auc", "log_loss_skill", "accuracy", "balanced_accuracy", "mcc",
		"precision", "recall", "specificity", "f0_5", "f1", "f2")
	add(-1, TaskBinary, "log_loss", "brier", "ece")
	add(0, TaskBinary, "base_rate", "mean_score", "baseline_accuracy", "baseline_log_loss", "rows")
	add(+1, TaskMulticlass, "accuracy", "balanced_accuracy", "macro_precision", "macro_recall", "macro_f1",
		"weighted_precision", "weighted_recall", "weighted_f1", "macro_auc", "weighted_auc", "top_3_accuracy")
	add(-1, TaskMulticlass, "log_loss", "brier")
	add(0, TaskMulticlass, "baseline_accuracy", "rows")
	add(+1, TaskRegression, "r2")
	add(-1, TaskRegression, "mae", "mse", "rmse", "mape", "median_absolute_error", "pinball_10", "pinball_90")
	add(0, TaskRegression, "bias", "rows")
	add(+1, TaskRanking, "ndcg_at_10", "map", "mrr", "recall_at_10")
	add(0, TaskRanking, "rows", "queries")
	return table
}()

// KnownMetrics lists the metrics of a task that can be judged, sorted; "" lists
// those of all tasks. An unknown task has none.
func KnownMetrics(task string) []string {
	var out []string
	for name, m := range metrics {
		if m.better != 0 && (task == "" || slices.Contains(m.tasks, task)) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// HigherIsBetter says which way a metric improves. An unknown name, or one that
// only describes, is an error that lists the known ones.
func HigherIsBetter(name string) (bool, error) {
	m, ok := metrics[name]
	if !ok {
		return false, fmt.Errorf("metric %q is not known; known are %s", name, strings.Join(KnownMetrics(""), ", "))
	}
	if m.better == 0 {
		return false, fmt.Errorf("metric %q describes the rows and is neither better high nor low; judge by one of %s",
			name, strings.Join(KnownMetrics(""), ", "))
	}
	return m.better > 0, nil
}

// check refuses what no metric can be computed from, naming the row (from 0).
func (s Scored) check(binary bool) error {
	if len(s.Score) != len(s.Label) || (s.Weight != nil && len(s.Weight) != len(s.Label)) {
		return fmt.Errorf("%d scores, %d labels, %d weights: there must be one of each a row",
			len(s.Score), len(s.Label), len(s.Weight))
	}
	if len(s.Label) == 0 {
		return errors.New("no rows to measure")
	}
	for i, v := range s.Score {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("score of row %d is %v: the model must answer a finite number", i, v)
		}
		if binary && (v < 0 || v > 1) {
			return fmt.Errorf("score of row %d is %v: a probability lies between 0 and 1", i, v)
		}
	}
	if err := checkLabels(s.Label, binary); err != nil {
		return err
	}
	return s.checkWeights()
}

func checkLabels(labels []float64, binary bool) error {
	for i, v := range labels {
		if binary && v != 0 && v != 1 {
			return fmt.Errorf("label of row %d is %v: a binary label is 0 or 1", i, v)
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("label of row %d is %v: leave rows without a label out", i, v)
		}
	}
	return nil
}

func (s Scored) checkWeights() error {
	sum := 0.0
	for i, w := range s.Weight {
		if !(w >= 0) || math.IsInf(w, 0) {
			return fmt.Errorf("weight of row %d is %v: a weight is 0 or more", i, w)
		}
		sum += w
	}
	if s.Weight != nil && sum == 0 {
		return errors.New("all weights are 0")
	}
	return nil
}

// twoClasses returns a *OneClassError unless both labels occur with weight.
func (s Scored) twoClasses() error {
	var e OneClassError
	for i, y := range s.Label {
		switch {
		case s.weight(i) == 0:
		case y == 1:
			e.Positive++
		default:
			e.Negative++
		}
	}
	if e.Positive == 0 || e.Negative == 0 {
		return &e
	}
	return nil
}

func (s Scored) weight(i int) float64 {
	if s.Weight == nil {
		return 1
	}
	return s.Weight[i]
}
