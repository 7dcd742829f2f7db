package activities

import (
	"math"
	"slices"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// labelCheck looks at the label's values and for features that equal it.
type labelCheck struct {
	data     lifecycle.Data
	rows     int64
	values   map[float64]int64
	suspects []string // features that equal the label in every row so far
}

func newLabelCheck(data lifecycle.Data, schema dataset.Schema) *labelCheck {
	c := &labelCheck{data: data, values: map[float64]int64{}}
	for _, name := range data.Features {
		if f, err := schema.Field(name); err == nil && f.Type != dataset.String && f.Type != dataset.Time {
			c.suspects = append(c.suspects, name)
		}
	}
	return c
}

// fewValues bounds the memory of counting: a label with more is not one of two
// classes.
const fewValues = 100

func (c *labelCheck) add(b *dataset.Batch) error {
	at, err := b.Schema.Index(c.data.Label)
	if err != nil {
		return err
	}
	labels := b.Numbers(at)
	for _, v := range labels {
		if _, known := c.values[v]; !math.IsNaN(v) && (known || len(c.values) < fewValues) {
			c.values[v]++
		}
	}
	c.suspects = slices.DeleteFunc(c.suspects, func(name string) bool {
		i, err := b.Schema.Index(name)
		return err != nil || !equal(b.Numbers(i), labels)
	})
	c.rows += int64(b.Rows)
	return nil
}

// equal compares two columns; a missing value equals a missing one.
func equal(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) })
}

// oneClass refuses labels that teach nothing.
func (c *labelCheck) oneClass() error {
	if len(c.values) >= 2 {
		return nil
	}
	for v, n := range c.values {
		return lifecycle.Fail(lifecycle.DataRejected, "label %q has one value only: %v in all %d rows that have one; a model needs rows of both classes",
			c.data.Label, v, n)
	}
	return lifecycle.Fail(lifecycle.DataRejected, "label %q has no value in any of %d rows", c.data.Label, c.rows)
}
