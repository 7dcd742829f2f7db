package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Level is how much a column has moved.
type Level string

// Levels of drift.
const (
	None         Level = "none"
	Watch        Level = "watch"
	Act          Level = "act"
	Inconclusive Level = "inconclusive"
)

// Drift is how far one column of a window lies from its baseline. All measures
// are 0 for no difference and finite.
type Drift struct {
	Column string `json:"column"`
	Kind   Kind   `json:"kind"`
	Rows   int64  `json:"rows"` // of the window

	PSI         float64 `json:"psi"`         // shares below 0.005 counting as 0.005
	JS          float64 `json:"js"`          // Jensen–Shannon distance, base 2, same bins as PSI
	KS          float64 `json:"ks"`          // sup|F₁−F₂|; numbers only
	Wasserstein float64 `json:"wasserstein"` // ÷ the baseline's standard deviation; numbers only
	LInf        float64 `json:"linf"`        // largest change of a bin's share
	RobustLInf  float64 `json:"robustLinf"`  // LInf less what so many rows differ by chance
	Hellinger   float64 `json:"hellinger"`   // same bins as PSI
	TV          float64 `json:"tv"`          // total variation distance, same bins as PSI
	Unseen      float64 `json:"unseen"`      // share of rows in categories the baseline never held
	Missing     float64 `json:"missing"`     // change of the share without a value, signed
	PValue      float64 `json:"pValue"`      // Pearson's χ² on the bins
	QValue      float64 `json:"qValue"`      // PValue over all columns, Benjamini–Hochberg

	Level Level `json:"level"`
	// Measure is what the level rests on: psi, or the bin that makes most of it
	// (missing, unseen), or rows when there are too few.
	Measure string `json:"measure"`

	baselineRows int64
}

// DriftOptions are the thresholds of CompareProfiles; zero fields mean the
// defaults.
type DriftOptions struct {
	Columns      []string // to compare; nil: all of the baseline except times
	MinRows      int64    // 200: fewer in baseline or window is inconclusive
	Watch        float64  // PSI, 0.1
	Act          float64  // PSI, 0.2
	Significance float64  // 0.05: a q-value above is noise, however large the PSI
}

func (o DriftOptions) withDefaults() (DriftOptions, error) {
	o.MinRows = orDefault(o.MinRows, 200)
	o.Watch, o.Act = orDefault(o.Watch, 0.1), orDefault(o.Act, 0.2)
	o.Significance = orDefault(o.Significance, 0.05)
	if o.Watch > o.Act {
		return o, fmt.Errorf("drift thresholds: watch %g is above act %g", o.Watch, o.Act)
	}
	return o, nil
}

func orDefault[T int64 | float64](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// CompareProfiles measures every column of the baseline in the window. The
// level rests on the size of the effect (PSI 0.1 and 0.2, on bins the baseline
// fixes); significance only guards against windows so small that PSI is large
// by chance, whose expectation is (bins−1)(1/n+1/m) (Yurdakul 2018, "Statistical
// properties of population stability index"). A column that is absent from the
// window or of another kind is an error naming it.
func CompareProfiles(baseline, window *Profile, opt DriftOptions) ([]Drift, error) {
	opt, err := opt.withDefaults()
	if err == nil {
		err = errors.Join(baseline.check(), window.check())
	}
	if err != nil {
		return nil, err
	}
	columns, err := toCompare(baseline, opt.Columns)
	if err != nil {
		return nil, err
	}
	out := make([]Drift, 0, len(columns))
	var problems []error
	for _, base := range columns {
		d, err := compareColumn(base, window)
		out, problems = append(out, d), append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	judge(out, opt)
	return out, nil
}

// toCompare returns the columns of the baseline to compare.
func toCompare(baseline *Profile, names []string) ([]ColumnProfile, error) {
	var out []ColumnProfile
	for _, c := range baseline.Columns {
		if c.Kind != Time && (names == nil || slices.Contains(names, c.Name)) {
			out = append(out, c)
		}
	}
	for _, n := range names {
		if c, ok := baseline.Column(n); !ok {
			return nil, fmt.Errorf("column %s is not in the baseline (it has %s)", n, baseline.names())
		} else if c.Kind == Time {
			return nil, fmt.Errorf("column %s holds times, which always move on: leave it out of the comparison", n)
		}
	}
	return out, nil
}

func (p *Profile) names() string {
	var out []string
	for _, c := range p.Columns {
		out = append(out, c.Name)
	}
	return strings.Join(out, ", ")
}

func compareColumn(base ColumnProfile, window *Profile) (Drift, error) {
	w, ok := window.Column(base.Name)
	if !ok {
		return Drift{}, fmt.Errorf("column %s of the baseline is absent from the window (it has %s)", base.Name, window.names())
	}
	if w.Kind != base.Kind {
		return Drift{}, fmt.Errorf("column %s is a %s in the baseline and a %s in the window", base.Name, base.Kind, w.Kind)
	}
	d := Drift{Column: base.Name, Kind: base.Kind, Rows: int64(w.rows()), PValue: 1, baselineRows: int64(base.rows())}
	if base.rows() == 0 || w.rows() == 0 {
		return d, nil
	}
	b, err := d.bin(base, w)
	if err != nil {
		return Drift{}, err
	}
	d.measure(base, w, b)
	return d, nil
}

// bin counts both columns over the same bins, and measures what needs no bins.
func (d *Drift) bin(base, window ColumnProfile) (binned, error) {
	if base.Kind == Category {
		return binCategories(base, window), nil
	}
	bp, err := base.distribution()
	if err != nil {
		return binned{}, fmt.Errorf("baseline: %w", err)
	}
	wp, err := window.distribution()
	if err != nil {
		return binned{}, fmt.Errorf("window: %w", err)
	}
	if len(bp.values) > 0 && len(wp.values) > 0 {
		d.KS = kolmogorovSmirnov(bp, wp)
		d.Wasserstein = wasserstein(bp, wp) / scale(base)
		if math.IsInf(d.Wasserstein, 0) || math.IsNaN(d.Wasserstein) {
			d.Wasserstein = math.MaxFloat64
		}
	}
	return binNumbers(base, window, bp, wp), nil
}

// scale is the baseline's standard deviation, at least 0.001 (Evidently's floor
// for constant columns).
func scale(base ColumnProfile) float64 {
	if base.Std == nil {
		return 0.001
	}
	return max(*base.Std, 0.001)
}

func (d *Drift) measure(base, window ColumnProfile, b binned) {
	p, q := shares(b.base), shares(b.window)
	d.JS = JensenShannonDistance(p, q, 2)
	d.LInf = LInf(p, q)
	d.RobustLInf = RobustLInf(d.LInf, base.rows(), window.rows())
	d.Hellinger, d.TV = Hellinger(p, q), TotalVariation(p, q)
	d.Missing = window.MissingShare() - base.MissingShare()
	d.PValue = homogeneity(b.base, b.window)
	if b.unseen >= 0 {
		d.Unseen = q[b.unseen]
	}
	d.PSI = PSI(atLeast(rareShare, p), atLeast(rareShare, q))
	d.Measure = b.mostOfPSI(p, q, d.PSI)
}

// rareShare is what a rarer share counts as in a column's PSI. The thresholds
// come from bins of a tenth; with the logarithm of a share near 0, a bin that
// held 1.5 % of the baseline and then nothing would reach them nearly alone.
// With it, 5 % of the rows where the baseline had none make 0.1, and 8 % 0.2.
const rareShare = 0.005

func atLeast(floor float64, values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = max(v, floor)
	}
	return out
}

// mostOfPSI names the bin that alone makes more than half of PSI.
func (b binned) mostOfPSI(p, q []float64, psi float64) string {
	alone := func(i int) float64 { return PSI(atLeast(rareShare, p[i:i+1]), atLeast(rareShare, q[i:i+1])) }
	switch {
	case alone(0) > psi/2:
		return "missing"
	case b.unseen >= 0 && alone(b.unseen) > psi/2:
		return "unseen"
	}
	return "psi"
}

func shares(counts []float64) []float64 {
	n := total(counts)
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = c / n
	}
	return out
}

// judge sets q-values over all columns that had rows, then the levels.
func judge(drifts []Drift, opt DriftOptions) {
	p := make([]float64, len(drifts))
	for i, d := range drifts {
		p[i] = d.PValue
	}
	for i, q := range BenjaminiHochberg(p) {
		d := &drifts[i]
		d.QValue = q
		switch {
		case min(d.Rows, d.baselineRows) < opt.MinRows:
			d.Level, d.Measure = Inconclusive, "rows"
		case q >= opt.Significance || d.PSI < opt.Watch:
			d.Level, d.Measure = None, "psi"
		case d.PSI < opt.Act:
			d.Level = Watch
		default:
			d.Level = Act
		}
	}
}
