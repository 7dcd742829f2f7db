package stats

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/axiomhq/hyperloglog"
)

const (
	maxNumberValues  = 32   // numbers with at most so many values are listed in full
	maxNumberCounted = 4096 // of more, so many are counted
	topOfNumbers     = 20   // of which so many are listed that make more than 0.1 %
	histogramBins    = 20
)

var quantileRanks = []float64{.01, .05, .1, .25, .5, .75, .9, .95, .99}

// numberProfiler profiles a number or time. Values are gathered, and sorted
// together: equal ones are then looked at once.
type numberProfiler struct {
	field                           Field
	count, missing, infinite, zeros int64
	gathered                        []float64 // not in what follows yet
	moments                         moments
	sketch                          *sketch
	hll                             *hyperloglog.Sketch
	values                          counter[float64]
	earliest, latest                int64 // of times, in nanoseconds since 1970
}

func newNumberProfiler(f Field) *numberProfiler {
	return &numberProfiler{field: f, moments: noMoments(), sketch: newSketch(), hll: hyperloglog.New14(),
		values: newCounter[float64](maxNumberCounted), earliest: math.MaxInt64, latest: math.MinInt64}
}

func (c *numberProfiler) name() Field { return c.field }

func (c *numberProfiler) add(values []float64) {
	for _, v := range values {
		if v-v != 0 { // NaN or infinite
			if math.IsNaN(v) {
				c.missing++
			} else {
				c.infinite++
			}
			continue
		}
		c.gathered = append(c.gathered, v+0) // −0 becomes 0
		if len(c.gathered) == sketchBatch {
			c.digest()
		}
	}
}

func (c *numberProfiler) addIntegers(values []int64, valid []bool) {
	for i, v := range values {
		if !valid[i] {
			c.missing++
			continue
		}
		c.gathered = append(c.gathered, float64(v))
		if len(c.gathered) == sketchBatch {
			c.digest()
		}
	}
}

func (c *numberProfiler) addTimes(nanos []int64, valid []bool) {
	for i, t := range nanos {
		if !valid[i] {
			c.missing++
			continue
		}
		c.earliest, c.latest = min(c.earliest, t), max(c.latest, t)
		c.gathered = append(c.gathered, float64(t/1e9)+float64(t%1e9)/1e9)
		if len(c.gathered) == sketchBatch {
			c.digest()
		}
	}
}

func (c *numberProfiler) merge(other columnProfiler) error {
	o := other.(*numberProfiler) // of the same field
	c.digest()
	o.digest()
	c.count += o.count
	c.missing += o.missing
	c.infinite += o.infinite
	c.zeros += o.zeros
	c.moments.merge(o.moments)
	c.sketch.merge(o.sketch)
	c.values.merge(o.values)
	c.values.complete = c.values.complete && len(c.values.counts) <= maxNumberValues
	c.earliest, c.latest = min(c.earliest, o.earliest), max(c.latest, o.latest)
	return c.hll.Merge(o.hll)
}

func (c *numberProfiler) profile() ColumnProfile {
	c.digest()
	out := ColumnProfile{Name: c.field.Name, Kind: c.field.Kind, Count: c.count, Missing: c.missing,
		Infinite: c.infinite, Zeros: c.zeros, Sketch: c.sketch.bytes(c.moments.min, c.moments.max)}
	out.describeDistinct(c.hll)
	top, short := c.values.listed(topOfNumbers, max(1, c.count/1000))
	if out.Complete, out.TopShort = c.values.complete, short; out.Complete {
		out.Distinct = uint64(len(top))
	}
	for _, v := range top {
		out.Top = append(out.Top, Frequency{strconv.FormatFloat(v, 'g', -1, 64), c.values.counts[v]})
	}
	if c.count > 0 {
		c.describe(&out)
	}
	return out
}

func (c *numberProfiler) describe(out *ColumnProfile) {
	m := &c.moments
	out.Min, out.Max, out.Mean, out.Std = finite(m.min), finite(m.max), finite(m.average()), finite(m.std())
	out.Skewness, out.Kurtosis = finite(m.skewness()), finite(m.kurtosis())
	if c.earliest <= c.latest {
		earliest, latest := time.Unix(0, c.earliest).UTC(), time.Unix(0, c.latest).UTC()
		out.Earliest, out.Latest = &earliest, &latest
	}
	pts := c.distribution()
	for _, r := range quantileRanks {
		out.Quantiles = append(out.Quantiles, Quantile{r, pts.quantile(r)})
	}
	out.Histogram = histogram(pts, m.min, m.max, c.count)
}

// distribution is exact while all values are counted.
func (c *numberProfiler) distribution() points {
	if !c.values.complete {
		return c.sketch.points()
	}
	weights := make(map[float64]float64, len(c.values.counts))
	for v, n := range c.values.counts {
		weights[v] = float64(n)
	}
	return newPoints(weights)
}

func (c *numberProfiler) restore(p ColumnProfile) error {
	c.count, c.missing, c.infinite, c.zeros = p.Count, p.Missing, p.Infinite, p.Zeros
	var err error
	if c.hll, err = readCardinality(p.Cardinality); err != nil {
		return err
	}
	if c.sketch, err = readSketch(p.Sketch); err != nil {
		return err
	}
	if c.sketch.count() != p.Count {
		return fmt.Errorf("its sketch holds %d values, and it counts %d", c.sketch.count(), p.Count)
	}
	c.values.complete, c.values.short = p.Complete, p.TopShort
	for _, f := range p.Top {
		v, err := strconv.ParseFloat(f.Value, 64)
		if err != nil {
			return fmt.Errorf("value %q is not a number", f.Value)
		}
		c.values.counts[v] = f.Count
	}
	if p.Earliest != nil && p.Latest != nil {
		c.earliest, c.latest = p.Earliest.UnixNano(), p.Latest.UnixNano()
	}
	if p.Count == 0 {
		return nil
	}
	if p.Min == nil || p.Max == nil || p.Mean == nil || p.Std == nil && p.Count > 1 {
		return fmt.Errorf("%d values without min, max, mean or standard deviation", p.Count)
	}
	std := 0.0
	if p.Std != nil {
		std = *p.Std
	}
	c.moments = restoreMoments(float64(p.Count), *p.Min, *p.Max, *p.Mean, std, p.Skewness, p.Kurtosis)
	return nil
}
