package stats

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/axiomhq/hyperloglog"
	"github.com/zeebo/xxh3"
)

const (
	maxCategoryValues = 4096 // categories beyond this keep only the frequent ones
	topOfIncomplete   = 100
	maxCounted        = 256 // bytes of a text that is counted as it is
)

// textProfiler profiles a category.
type textProfiler struct {
	field          Field
	count, missing int64
	hll            *hyperloglog.Sketch
	values         counter[string]
	lengths        lengths
}

// lengths are of texts, in characters (Unicode code points).
type lengths struct{ min, max, sum int64 }

func newTextProfiler(f Field) *textProfiler {
	return &textProfiler{field: f, hll: hyperloglog.New14(), values: newCounter[string](maxCategoryValues),
		lengths: lengths{min: math.MaxInt64}}
}

func (c *textProfiler) name() Field { return c.field }

func (c *textProfiler) add(v string, n int64) {
	c.count += n
	c.hll.InsertHash(xxh3.HashString(v))
	length := int64(utf8.RuneCountInString(v))
	c.lengths.min, c.lengths.max = min(c.lengths.min, length), max(c.lengths.max, length)
	c.lengths.sum += n * length
	v = shorten(v)
	if _, known := c.values.counts[v]; !known {
		v = strings.Clone(v) // which may be part of something larger
	}
	c.values.add(v, n)
}

// shorten bounds the memory of a counted text: of a long one it keeps the
// beginning, the length and a hash of 64 bits, by which different ones differ.
func shorten(v string) string {
	if len(v) <= maxCounted {
		return v
	}
	return fmt.Sprintf("%s… (%d bytes, XXH3 %016x)", strings.ToValidUTF8(v[:maxCounted/2], ""), len(v), xxh3.HashString(v))
}

func (c *textProfiler) merge(other columnProfiler) error {
	o := other.(*textProfiler) // of the same field
	c.count += o.count
	c.missing += o.missing
	c.values.merge(o.values)
	c.lengths.min, c.lengths.max = min(c.lengths.min, o.lengths.min), max(c.lengths.max, o.lengths.max)
	c.lengths.sum += o.lengths.sum
	return c.hll.Merge(o.hll)
}

func (c *textProfiler) profile() ColumnProfile {
	out := ColumnProfile{Name: c.field.Name, Kind: c.field.Kind, Count: c.count, Missing: c.missing}
	out.describeDistinct(c.hll)
	top, short := c.values.listed(topOfIncomplete, 0)
	if out.Complete, out.TopShort = c.values.complete, short; out.Complete {
		out.Distinct = uint64(len(top))
	}
	for _, v := range top {
		out.Top = append(out.Top, Frequency{v, c.values.counts[v]})
	}
	if c.count > 0 {
		out.Lengths = &Lengths{Min: c.lengths.min, Max: c.lengths.max, Mean: float64(c.lengths.sum) / float64(c.count)}
	}
	return out
}

func (c *textProfiler) restore(p ColumnProfile) error {
	c.count, c.missing = p.Count, p.Missing
	c.values.complete, c.values.short = p.Complete, p.TopShort
	for _, f := range p.Top {
		c.values.counts[f.Value] = f.Count
	}
	if p.Lengths != nil {
		c.lengths = lengths{p.Lengths.Min, p.Lengths.Max, int64(math.Round(p.Lengths.Mean * float64(p.Count)))}
	}
	var err error
	c.hll, err = readCardinality(p.Cardinality)
	return err
}
