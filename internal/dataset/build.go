package dataset

import (
	"fmt"
	"math"
	"time"
)

func newColumn(kind Type, capacity int) column {
	c := column{kind: kind}
	switch kind {
	case Number:
		c.numbers = make([]float64, 0, capacity)
		return c
	case String:
		c.texts = make([]string, 0, capacity)
	default:
		c.ints = make([]int64, 0, capacity)
	}
	c.valid = make([]bool, 0, capacity)
	return c
}

func newColumns(schema Schema, capacity int) []column {
	out := make([]column, len(schema))
	for i, f := range schema {
		out[i] = newColumn(f.Type, capacity)
	}
	return out
}

func (c *column) appendMissing() {
	switch c.kind {
	case Number:
		c.numbers = append(c.numbers, math.NaN())
		return
	case String:
		c.texts = append(c.texts, "")
	default:
		c.ints = append(c.ints, 0)
	}
	c.valid = append(c.valid, false)
}

func (c *column) appendNumber(v float64) { c.numbers = append(c.numbers, v) }

func (c *column) appendInt(v int64) {
	c.ints, c.valid = append(c.ints, v), append(c.valid, true)
}

func (c *column) appendText(v string) {
	c.texts, c.valid = append(c.texts, v), append(c.valid, true)
}

// NewBatch makes a batch of rows held in Go values: nil for missing, otherwise
// float64 or int for a number, int or int64 for an integer, string, bool and
// time.Time. A value of another type is an error naming row and column.
func NewBatch(schema Schema, rows [][]any) (*Batch, error) {
	b := &Batch{Schema: schema, Rows: len(rows), columns: newColumns(schema, len(rows))}
	for r, row := range rows {
		if len(row) != len(schema) {
			return nil, fmt.Errorf("row %d has %d values, expected %d", r, len(row), len(schema))
		}
		for i, v := range row {
			if !b.columns[i].appendAny(v) {
				return nil, fmt.Errorf("row %d: column %s: %v (%T) is not a value of type %s", r, schema[i].Name, v, v, schema[i].Type)
			}
		}
	}
	return b, nil
}

func (c *column) appendAny(v any) bool {
	if v == nil {
		c.appendMissing()
		return true
	}
	switch c.kind {
	case Number:
		return c.appendAnyNumber(v)
	case String:
		s, ok := v.(string)
		c.appendText(s)
		return ok
	}
	n, ok := whole(c.kind, v)
	c.appendInt(n)
	return ok
}

func (c *column) appendAnyNumber(v any) bool {
	switch v := v.(type) {
	case float64:
		c.appendNumber(v)
	case int:
		c.appendNumber(float64(v))
	case int64:
		c.appendNumber(float64(v))
	default:
		return false
	}
	return true
}

func whole(kind Type, v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), kind == Integer
	case int64:
		return v, kind == Integer
	case bool:
		if v {
			return 1, kind == Bool
		}
		return 0, kind == Bool
	case time.Time:
		return v.UnixNano(), kind == Time && inRange(v)
	}
	return 0, false
}

// inRange says whether a time fits nanoseconds in 64 bits.
func inRange(t time.Time) bool { return t.Year() >= 1678 && t.Year() <= 2261 }
