package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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
// metric of a binary or regression task, as Compare does.
func PairedBootstrap(metric string, label, a, b []float64, opt BootstrapOptions) (Comparison, error) {
	opt = opt.withDefaults()
	sample := func(score []float64) Sample { return BinarySample(Scored{Score: score, Label: label}, opt.Threshold) }
	if slices.Contains(metrics[metric].tasks, TaskRegression) {
		sample = func(score []float64) Sample { return RegressionSample(Scored{Score: score, Label: label}) }
	}
	out, err := Compare(sample(a), sample(b), []string{metric}, opt)
	if err != nil {
		return Comparison{}, err
	}
	return out[0], nil
}

// Compare compares two models on the same rows by metrics of their task.
//
// AUC of independent rows of equal weight uses DeLong's closed form, which is
// exact and needs no replicates. Everything else is a percentile interval of a
// Poisson bootstrap (Hanley and MacGibbon 2006; Chamandy et al. 2012): the
// weight of a row, cluster or query in a replicate is Poisson(1), the same for
// both models. Replicates in which the metric is undefined are left out; more
// than one in twenty is an error. Rows are sorted once for all metrics.
func Compare(champion, challenger Sample, names []string, opt BootstrapOptions) ([]Comparison, error) {
	opt = opt.withDefaults()
	if err := comparable(champion, challenger, names, opt); err != nil {
		return nil, err
	}
	out, resampled := make([]Comparison, len(names)), []string(nil)
	for i, name := range names {
		out[i] = Comparison{Metric: name, Confidence: opt.Confidence, Rows: champion.rows(), Method: MethodBootstrap}
		a, isBinary := champion.(binarySample)
		if name != "auc" || !isBinary || a.Weight != nil || opt.Cluster != nil {
			resampled = append(resampled, name)
			continue
		}
		if err := out[i].byDeLong(a.Label, a.Score, challenger.(binarySample).Score); err != nil {
			return nil, err
		}
	}
	if resampled == nil {
		return out, nil
	}
	a, err := champion.prepare(resampled)
	if err != nil {
		return nil, fmt.Errorf("champion: %w", err)
	}
	b, err := challenger.prepare(resampled)
	if err != nil {
		return nil, fmt.Errorf("challenger: %w", err)
	}
	return out, bootstrap(out, a, b, opt)
}

func comparable(champion, challenger Sample, names []string, opt BootstrapOptions) error {
	if a, b := champion.task(), challenger.task(); a != b {
		return fmt.Errorf("a %s model cannot be compared with a %s model", a, b)
	}
	if a, b := champion.rows(), challenger.rows(); a != b {
		return fmt.Errorf("champion of %d rows, challenger of %d: they must have answered the same", a, b)
	}
	if err := checkMetrics(champion.task(), names); err != nil {
		return err
	}
	return opt.check(champion.rows())
}

// bootstrap fills in those that have no closed form.
func bootstrap(out []Comparison, champion, challenger measurer, opt BootstrapOptions) error {
	all, err := replicates(opt, out[0].Rows, champion, challenger)
	if err != nil {
		return fmt.Errorf("compare by %s: %w", out[0].Metric, err)
	}
	a, b := champion.measure(own(champion)), challenger.measure(own(challenger))
	for i := range out {
		c := &out[i]
		if c.Method != MethodBootstrap {
			continue
		}
		c.Champion, c.Challenger, c.Delta = a[c.Metric], b[c.Metric], b[c.Metric]-a[c.Metric]
		deltas := make([]float64, len(all))
		for r, m := range all {
			deltas[r] = m[1][c.Metric] - m[0][c.Metric]
		}
		if c.Low, c.High, c.Replicates, err = percentiles(deltas, opt.Confidence); err != nil {
			return fmt.Errorf("compare by %s: %w", c.Metric, err)
		}
	}
	return nil
}

func (o BootstrapOptions) withDefaults() BootstrapOptions {
	o.Replicates = cmp.Or(o.Replicates, 2000)
	o.Confidence = cmp.Or(o.Confidence, 0.95)
	o.Threshold = cmp.Or(o.Threshold, 0.5)
	return o
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

func (c *Comparison) byDeLong(label, a, b []float64) error {
	d, err := DeLong(label, a, b)
	if err != nil {
		return err
	}
	z, err := normalQuantile(c.Confidence)
	if err != nil {
		return err
	}
	c.Champion, c.Challenger, c.Delta, c.Method = d.A, d.B, d.Delta, MethodDeLong
	c.Low, c.High = d.Delta-z*d.StdErr, d.Delta+z*d.StdErr
	return nil
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
