package stats

import (
	"cmp"
	"fmt"
	"math"
)

// Methods a Comparison may rest on.
const (
	MethodDeLong    = "delong"
	MethodBootstrap = "poisson-bootstrap"
)

// BootstrapOptions steer PairedBootstrap; zero fields mean the defaults.
type BootstrapOptions struct {
	Replicates int     // 2000
	Seed       uint64  // same seed, same result, on any number of cores
	Confidence float64 // 0.95, two-sided
	Threshold  float64 // 0.5, for accuracy, precision, recall and f1
	Cluster    []int   // entity of each row, resampled whole; nil: rows are independent
}

// Comparison is the difference of two models on the same rows.
type Comparison struct {
	Metric     string  `json:"metric"`
	Champion   float64 `json:"champion"`
	Challenger float64 `json:"challenger"`
	Delta      float64 `json:"delta"` // challenger − champion
	Low        float64 `json:"low"`   // interval of Delta
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
	Rows       int     `json:"rows"`
	Replicates int     `json:"replicates,omitempty"` // 0 for a closed form
	Method     string  `json:"method"`
}

// NonInferior says whether the challenger is at most margin worse, by the end
// of the interval that is worse for it.
func (c Comparison) NonInferior(margin float64) bool { return c.worst() > -margin }

// Superior says whether the whole interval favours the challenger.
func (c Comparison) Superior() bool { return c.worst() > 0 }

// worst is the least improvement the interval allows.
func (c Comparison) worst() float64 {
	if metrics[c.Metric].better < 0 {
		return -c.High
	}
	return c.Low
}

// PairedBootstrap compares champion a and challenger b on the same rows by any
// metric of KnownMetrics.
//
// AUC of independent rows uses DeLong's closed form, which is exact and needs no
// replicates. Everything else is a percentile interval of a Poisson bootstrap
// (Hanley and MacGibbon 2006; Chamandy et al. 2012): a row's or cluster's weight
// in a replicate is Poisson(1), the same for both models. Replicates in which
// the metric is undefined are left out; more than one in twenty is an error.
func PairedBootstrap(metric string, label, a, b []float64, opt BootstrapOptions) (Comparison, error) {
	opt.Replicates = cmp.Or(opt.Replicates, 2000)
	opt.Confidence = cmp.Or(opt.Confidence, 0.95)
	opt.Threshold = cmp.Or(opt.Threshold, 0.5)
	out := Comparison{Metric: metric, Confidence: opt.Confidence, Rows: len(label), Method: MethodBootstrap}
	if err := opt.check(len(label)); err != nil {
		return out, err
	}
	if metric == "auc" && opt.Cluster == nil {
		return out.byDeLong(label, a, b)
	}
	champion, err := newStatistic(metric, Scored{Score: a, Label: label}, opt.Threshold)
	if err != nil {
		return out, fmt.Errorf("champion: %w", err)
	}
	challenger, err := newStatistic(metric, Scored{Score: b, Label: label}, opt.Threshold)
	if err != nil {
		return out, fmt.Errorf("challenger: %w", err)
	}
	once := func(int) float64 { return 1 }
	out.Champion, out.Challenger = champion(once), challenger(once)
	out.Delta = out.Challenger - out.Champion
	deltas, err := resample(champion, challenger, len(label), opt)
	if err != nil {
		return out, fmt.Errorf("compare by %s: %w", metric, err)
	}
	out.Replicates = len(deltas)
	out.Low = interpolate(deltas, (1-opt.Confidence)/2)
	out.High = interpolate(deltas, (1+opt.Confidence)/2)
	return out, nil
}

func (o BootstrapOptions) check(rows int) error {
	if o.Replicates < 100 {
		return fmt.Errorf("%d bootstrap replicates are too few for an interval; use 2000", o.Replicates)
	}
	if o.Cluster != nil && len(o.Cluster) != rows {
		return fmt.Errorf("%d cluster ids for %d rows: there must be one a row", len(o.Cluster), rows)
	}
	_, err := normalQuantile(o.Confidence)
	return err
}

func (c Comparison) byDeLong(label, a, b []float64) (Comparison, error) {
	d, err := DeLong(label, a, b)
	if err != nil {
		return c, err
	}
	z, err := normalQuantile(c.Confidence)
	if err != nil {
		return c, err
	}
	c.Champion, c.Challenger, c.Delta, c.Method = d.A, d.B, d.Delta, MethodDeLong
	c.Low, c.High = d.Delta-z*d.StdErr, d.Delta+z*d.StdErr
	return c, nil
}

// interpolate is the quantile of sorted values, linear between neighbours
// (Hyndman and Fan 1996, type 7).
func interpolate(sorted []float64, rank float64) float64 {
	at := rank * float64(len(sorted)-1)
	i := int(math.Floor(at))
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
