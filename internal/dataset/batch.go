package dataset

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// BatchRows is the most rows a batch holds.
const BatchRows = 8192

// Batch is a piece of a table, column by column. A batch is never changed after
// it was handed out, so its slices may be kept, and must not be written to.
type Batch struct {
	Schema Schema
	Rows   int
	First  int64 // position of the first row in what is read, from 0

	columns []column
}

// column holds the values of one column in the form its type asks for: numbers
// for a number (NaN is missing), texts for a string, ints for an integer, a bool
// (0 and 1) and a time (nanoseconds since 1970). valid belongs to all but numbers.
type column struct {
	kind    Type
	numbers []float64
	ints    []int64
	texts   []string
	valid   []bool

	// A string column may also have its values by number: codes gives the place
	// in dict, or −1 for a value that is missing or not in dict.
	codes []int32
	dict  []string
}

// Numbers returns a column as float64, NaN where missing: integers and numbers
// as they are, bools as 0 and 1, times as Unix seconds. It panics for a string
// column: the schema says what it is.
func (b *Batch) Numbers(col int) []float64 {
	c := &b.columns[col]
	if c.kind == String {
		panic(fmt.Sprintf("dataset: column %s holds strings, not numbers", b.Schema[col].Name))
	}
	return c.floats()
}

// Seconds turns nanoseconds since 1970 into Unix seconds, right to about a
// microsecond.
func Seconds(nanos int64) float64 {
	return float64(nanos/1e9) + float64(nanos%1e9)/1e9
}

// Strings returns a column as text, "" where valid is false: integers exact,
// numbers in their shortest form, times as RFC 3339 in UTC, bools as true and
// false. So an id reads the same whatever the file's type for it.
func (b *Batch) Strings(col int) (values []string, valid []bool) {
	c := &b.columns[col]
	if c.kind == String {
		return c.texts, c.valid
	}
	values, valid = make([]string, b.Rows), make([]bool, b.Rows)
	for i := range b.Rows {
		values[i], valid[i] = c.text(i)
	}
	return values, valid
}

// Times returns a time column as nanoseconds since 1970, UTC; a value whose
// valid is false is missing. It panics for a column of another type.
func (b *Batch) Times(col int) (nanos []int64, valid []bool) {
	c := &b.columns[col]
	if c.kind != Time {
		panic(fmt.Sprintf("dataset: column %s holds values of type %s, not time", b.Schema[col].Name, c.kind))
	}
	return c.ints, c.valid
}

// Missing says whether a value is missing.
func (b *Batch) Missing(col, row int) bool { return b.columns[col].missing(row) }

// Text returns one value as in Strings.
func (b *Batch) Text(col, row int) (value string, ok bool) { return b.columns[col].text(row) }

// Take returns the given rows as a batch of their own.
func (b *Batch) Take(rows []int) *Batch {
	out := &Batch{Schema: b.Schema, Rows: len(rows), First: b.First, columns: make([]column, len(b.columns))}
	for i := range b.columns {
		out.columns[i] = b.columns[i].take(rows)
	}
	return out
}

func (c *column) missing(row int) bool {
	if c.kind == Number {
		return math.IsNaN(c.numbers[row])
	}
	return !c.valid[row]
}

func (c *column) text(row int) (string, bool) {
	if c.missing(row) {
		return "", false
	}
	switch c.kind {
	case Number:
		return strconv.FormatFloat(c.numbers[row], 'g', -1, 64), true
	case Integer:
		return strconv.FormatInt(c.ints[row], 10), true
	case Bool:
		return strconv.FormatBool(c.ints[row] == 1), true
	case Time:
		return time.Unix(0, c.ints[row]).UTC().Format(time.RFC3339Nano), true
	}
	return c.texts[row], true
}

func (c *column) take(rows []int) column {
	return column{kind: c.kind, numbers: gather(c.numbers, rows), ints: gather(c.ints, rows),
		texts: gather(c.texts, rows), valid: gather(c.valid, rows), codes: gather(c.codes, rows), dict: c.dict}
}

func gather[T any](values []T, rows []int) []T {
	if values == nil {
		return nil
	}
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = values[r]
	}
	return out
}
