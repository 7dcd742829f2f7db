package stats

import (
	"fmt"
	"math"
	"strconv"

	"github.com/axiomhq/hyperloglog"
)

const histogramBins = 20

var quantileRanks = []float64{.01, .05, .1, .25, .5, .75, .9, .95, .99}

// Profile returns what has been seen so far as a document.
func (p *Profiler) Profile() *Profile {
	out := &Profile{Version: ProfileVersion, Rows: p.rows, Columns: make([]ColumnProfile, len(p.columns))}
	for i, c := range p.columns {
		out.Columns[i] = c.profile()
	}
	return out
}

func (c *columnProfiler) profile() ColumnProfile {
	out := ColumnProfile{Name: c.field.Name, Kind: c.field.Kind,
		Count: c.count, Missing: c.missing, Infinite: c.infinite, Distinct: c.hll.Estimate()}
	if b, err := c.hll.MarshalBinary(); err == nil { // it has no failing path
		out.Cardinality = b
	}
	if c.sketch == nil {
		c.describeTexts(&out)
		return out
	}
	out.Sketch = c.sketch.bytes()
	c.describeNumbers(&out)
	return out
}

func (c *columnProfiler) describeTexts(out *ColumnProfile) {
	top := c.texts.top()
	if out.Complete = c.texts.complete; out.Complete {
		out.Distinct = uint64(len(top))
	} else {
		top = top[:min(len(top), topOfIncomplete)]
	}
	for _, v := range top {
		out.Top = append(out.Top, Frequency{v, c.texts.counts[v]})
	}
}

func (c *columnProfiler) describeNumbers(out *ColumnProfile) {
	if out.Complete = c.numbers.complete; out.Complete {
		top := c.numbers.top()
		out.Distinct = uint64(len(top))
		for _, v := range top {
			out.Top = append(out.Top, Frequency{strconv.FormatFloat(v, 'g', -1, 64), c.numbers.counts[v]})
		}
	}
	if c.count == 0 {
		return
	}
	m := c.moments
	out.Min, out.Max, out.Mean, out.Std = finite(m.min), finite(m.max), finite(m.mean), finite(m.std())
	pts := c.distribution()
	for _, r := range quantileRanks {
		out.Quantiles = append(out.Quantiles, Quantile{r, pts.quantile(r)})
	}
	out.Histogram = histogram(pts, m.min, m.max, c.count)
}

// distribution is exact while all values are counted.
func (c *columnProfiler) distribution() points {
	if !c.numbers.complete {
		return c.sketch.points()
	}
	weights := make(map[float64]float64, len(c.numbers.counts))
	for v, n := range c.numbers.counts {
		weights[v] = float64(n)
	}
	return newPoints(weights)
}

// histogram spreads the values over bars of equal width.
func histogram(pts points, low, high float64, count int64) []Bin {
	width := (high - low) / histogramBins
	if width <= 0 || math.IsInf(width, 0) {
		return []Bin{{low, high, count}}
	}
	edges := make([]float64, histogramBins)
	for i := range edges {
		edges[i] = low + width*float64(i+1)
	}
	edges[histogramBins-1] = high
	out := make([]Bin, histogramBins)
	from, before := low, int64(0)
	for i, share := range pts.cumulative(edges) {
		upTo := int64(math.Round(share * float64(count)))
		out[i] = Bin{from, edges[i], upTo - before}
		from, before = edges[i], upTo
	}
	return out
}

// restore turns a document back into a profiler that can go on or be merged.
func restore(p *Profile) (*Profiler, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	fields := make([]Field, len(p.Columns))
	for i, c := range p.Columns {
		fields[i] = Field{c.Name, c.Kind}
	}
	out := NewProfiler(fields)
	out.rows = p.Rows
	for i, c := range p.Columns {
		if err := out.columns[i].restore(c); err != nil {
			return nil, fmt.Errorf("profile of column %s: %w", c.Name, err)
		}
	}
	return out, nil
}

func (c *columnProfiler) restore(p ColumnProfile) error {
	c.count, c.missing, c.infinite = p.Count, p.Missing, p.Infinite
	c.hll = &hyperloglog.Sketch{}
	if err := c.hll.UnmarshalBinary(p.Cardinality); err != nil {
		return fmt.Errorf("damaged cardinality: %w", err)
	}
	if c.sketch == nil {
		c.texts.complete = p.Complete
		for _, f := range p.Top {
			c.texts.counts[f.Value] = f.Count
		}
		return nil
	}
	return c.restoreNumbers(p)
}

func (c *columnProfiler) restoreNumbers(p ColumnProfile) error {
	var err error
	if c.sketch, err = readSketch(p.Sketch); err != nil {
		return err
	}
	if c.numbers.complete = p.Complete; p.Complete {
		for _, f := range p.Top {
			v, err := strconv.ParseFloat(f.Value, 64)
			if err != nil {
				return fmt.Errorf("value %q is not a number", f.Value)
			}
			c.numbers.counts[v] = f.Count
		}
	}
	if p.Count == 0 {
		return nil
	}
	if p.Min == nil || p.Max == nil || p.Mean == nil {
		return fmt.Errorf("%d values without min, max or mean", p.Count)
	}
	c.moments = moments{n: float64(p.Count), mean: *p.Mean, min: *p.Min, max: *p.Max}
	if p.Std != nil {
		c.moments.m2 = *p.Std * *p.Std * float64(p.Count-1)
	}
	return nil
}
