package linear

import (
	"fmt"
	"math"

	"steward/internal/container/frame"
	"steward/internal/container/parallel"
)

// design is a frame seen as a regression: where each feature's coefficients
// are, and how its values are scaled. Coefficient 0 is the intercept.
type design struct {
	frame   *frame.Frame
	columns []column
	size    int
}

// column places one feature. A number has a slope at at and, if any was
// missing in training, an indicator after it; a category has a coefficient for
// every code and one for missing.
type column struct {
	at          int
	codes       int // 0: numeric
	mean, scale float64
	indicator   bool
}

func newDesign(f *frame.Frame) (*design, error) {
	d := &design{frame: f, columns: make([]column, len(f.Columns)), size: 1}
	parallel.Each(len(f.Columns), func(_, j int) {
		if feature := &f.Schema.Features[j]; feature.Kind == frame.Categorical {
			d.columns[j].codes = feature.Codes()
		} else {
			d.columns[j] = standardise(f.Columns[j])
		}
	})
	for j := range d.columns {
		c := &d.columns[j]
		if math.IsInf(c.mean, 0) || math.IsInf(c.scale, 0) || math.IsNaN(c.scale) {
			return nil, fmt.Errorf("feature %q holds values too large to square; scale or remove them", f.Schema.Features[j].Name)
		}
		c.at = d.size
		switch {
		case c.codes > 0:
			d.size += c.codes + 1
		case c.indicator:
			d.size += 2
		default:
			d.size++
		}
	}
	return d, nil
}

// of is the same design over other rows.
func (d *design) of(f *frame.Frame) *design {
	return &design{frame: f, columns: d.columns, size: d.size}
}

// standardise finds the mean and the standard deviation; a constant has scale
// 1. Two passes, for columns whose mean is large against their spread.
func standardise(values []float64) column {
	n, sum := 0, 0.0
	for _, v := range values {
		if v == v {
			n++
			sum += v
		}
	}
	c := column{scale: 1, indicator: n < len(values)}
	if n == 0 {
		return c
	}
	c.mean = sum / float64(n)
	squares := 0.0
	for _, v := range values {
		if v == v {
			squares += (v - c.mean) * (v - c.mean)
		}
	}
	if sd := math.Sqrt(squares / float64(n)); sd > 0 {
		c.scale = sd
	}
	return c
}

// slot is the coefficient that v uses and the factor it is taken with; 0 is
// none. A number missing in a column that never was in training takes the mean.
func (c *column) slot(v float64) (int, float64) {
	switch {
	case c.codes > 0 && v != v:
		return c.at + c.codes, 1
	case c.codes > 0:
		return c.at + int(v), 1
	case v == v:
		return c.at, (v - c.mean) / c.scale
	case c.indicator:
		return c.at + 1, 1
	default:
		return c.at, 0
	}
}

// margins scores all rows.
func (d *design) margins(w []float64) []float64 {
	out := make([]float64, d.frame.Rows())
	parallel.Rows(len(out), func(_, from, to int) { d.score(w, from, out[from:to]) })
	return out
}

// score fills out with the scores of the rows from from on.
func (d *design) score(w []float64, from int, out []float64) {
	for i := range out {
		out[i] = w[0]
	}
	for j := range d.columns {
		c := &d.columns[j]
		for i, v := range d.frame.Columns[j][from : from+len(out)] {
			slot, factor := c.slot(v)
			out[i] += w[slot] * factor
		}
	}
}

// spread adds each row's residual to the gradient of the coefficients it uses.
func (d *design) spread(residual []float64, from int, gradient []float64) {
	for _, r := range residual {
		gradient[0] += r
	}
	for j := range d.columns {
		c := &d.columns[j]
		for i, v := range d.frame.Columns[j][from : from+len(residual)] {
			slot, factor := c.slot(v)
			gradient[slot] += residual[i] * factor
		}
	}
}

// scales estimates the root of the loss's second derivative by each
// coefficient: the mean square of its input, plus the regularisation.
func (d *design) scales(l2 float64) []float64 {
	n := d.frame.Rows()
	parts := make([][]float64, parallel.Chunks(n))
	parallel.Rows(n, func(chunk, from, to int) {
		parts[chunk] = make([]float64, d.size)
		for j := range d.columns {
			for _, v := range d.frame.Columns[j][from:to] {
				slot, factor := d.columns[j].slot(v)
				parts[chunk][slot] += factor * factor
			}
		}
	})
	sums := make([]float64, d.size)
	for _, part := range parts {
		for k, v := range part {
			sums[k] += v
		}
	}
	sums[0] = float64(n)
	for k, v := range sums {
		sums[k] = math.Sqrt((v + l2) / float64(n))
		if sums[k] == 0 {
			sums[k] = 1
		}
	}
	return sums
}

// terms names the coefficients by feature, in units of the label.
func (d *design) terms(w []float64, unit float64) []term {
	terms := make([]term, len(d.columns))
	for j := range d.columns {
		c, t := &d.columns[j], &terms[j]
		if c.codes > 0 {
			for _, v := range w[c.at : c.at+c.codes] {
				t.Levels = append(t.Levels, v*unit)
			}
			t.Missing = w[c.at+c.codes] * unit
			continue
		}
		t.Mean, t.Scale, t.Slope = c.mean, c.scale, w[c.at]*unit
		if c.indicator {
			t.Missing = w[c.at+1] * unit
		}
	}
	return terms
}
