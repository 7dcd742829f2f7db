package stats

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/axiomhq/hyperloglog"
	"github.com/zeebo/xxh3"
)

const (
	maxNumberValues   = 32   // numbers with at most so many values are counted exactly
	maxCategoryValues = 4096 // categories beyond this keep only the frequent ones
	topOfIncomplete   = 100
)

// Profiler builds a Profile in one pass with bounded memory. It is not safe for
// concurrent use: give each worker its own and merge them.
type Profiler struct {
	rows    int64
	columns []*columnProfiler
}

type columnProfiler struct {
	field                    Field
	count, missing, infinite int64
	moments                  moments
	sketch                   *sketch
	hll                      *hyperloglog.Sketch
	numbers                  counter[float64]
	texts                    counter[string]
}

// NewProfiler returns an empty profiler of the given columns.
func NewProfiler(fields []Field) *Profiler {
	p := &Profiler{}
	for _, f := range fields {
		c := &columnProfiler{field: f, hll: hyperloglog.New14(), moments: noMoments()}
		if f.Kind == Category {
			c.texts = newCounter[string](maxCategoryValues)
		} else {
			c.numbers = newCounter[float64](maxNumberValues)
			c.sketch = newSketch()
		}
		p.columns = append(p.columns, c)
	}
	return p
}

// AddNumbers adds values of a number or time column; NaN is a missing value and
// infinities are counted apart. It panics when the column is a category: the
// fields given to NewProfiler were wrong.
func (p *Profiler) AddNumbers(col int, values []float64) {
	c := p.columns[col]
	if c.sketch == nil {
		panic(fmt.Sprintf("stats: column %s is a category, not a number", c.field.Name))
	}
	finite := make([]float64, 0, len(values))
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			c.missing++
		case math.IsInf(v, 0):
			c.infinite++
		default:
			finite = append(finite, v+0) // −0 becomes 0
		}
	}
	c.addFinite(finite)
	p.rows = max(p.rows, c.total())
}

func (c *columnProfiler) addFinite(values []float64) {
	c.count += int64(len(values))
	c.moments.add(values)
	var b [8]byte
	for _, v := range values {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		c.hll.InsertHash(xxh3.Hash(b[:]))
		c.sketch.add(v)
		if c.numbers.complete {
			c.numbers.add(v, 1)
		}
	}
}

// AddStrings adds values of a category column; a value whose valid is false is
// missing, and a nil valid means that none is. It panics when the column is not
// a category.
func (p *Profiler) AddStrings(col int, values []string, valid []bool) {
	c := p.columns[col]
	if c.sketch != nil {
		panic(fmt.Sprintf("stats: column %s is a %s, not a category", c.field.Name, c.field.Kind))
	}
	for i, v := range values {
		if valid != nil && !valid[i] {
			c.missing++
			continue
		}
		c.count++
		c.hll.InsertHash(xxh3.HashString(v))
		c.texts.add(v, 1)
	}
	p.rows = max(p.rows, c.total())
}

func (c *columnProfiler) total() int64 { return c.count + c.missing + c.infinite }

// Merge adds everything another profiler has seen. Both must profile the same
// fields.
func (p *Profiler) Merge(other *Profiler) error {
	if !slices.EqualFunc(p.columns, other.columns, func(a, b *columnProfiler) bool { return a.field == b.field }) {
		return fmt.Errorf("profiles of different columns cannot be merged: %v and %v", p.fields(), other.fields())
	}
	for i, c := range p.columns {
		if err := c.merge(other.columns[i]); err != nil {
			return fmt.Errorf("merge column %s: %w", c.field.Name, err)
		}
	}
	p.rows += other.rows
	return nil
}

func (p *Profiler) fields() []Field {
	out := make([]Field, len(p.columns))
	for i, c := range p.columns {
		out[i] = c.field
	}
	return out
}

func (c *columnProfiler) merge(o *columnProfiler) error {
	c.count += o.count
	c.missing += o.missing
	c.infinite += o.infinite
	if c.sketch != nil {
		c.moments.merge(o.moments)
		c.sketch.merge(o.sketch)
		c.numbers.merge(o.numbers)
	} else {
		c.texts.merge(o.texts)
	}
	return c.hll.Merge(o.hll)
}
