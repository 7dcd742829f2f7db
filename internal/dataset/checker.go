package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxExamples = 5

// Checker runs declared checks over batches. Besides 8 to 16 bytes for every
// value of a column that must be unique, its memory does not grow with the data.
type Checker struct {
	rows  int64
	rules []*rule
	id    string
}

// rule is one condition. It looks at rows of its columns; broken says whether a
// row, or a value that is there, breaks it; judge turns what was counted into
// the verdict.
type rule struct {
	result  CheckResult
	columns []string
	broken  func(values []*column, row int) bool
	gaps    bool // counts rows with a missing value, instead of passing them over
	whole   bool // broken sees every row, with missing values too
	with    int64
	judge   func(r *CheckResult, rows, with int64)
}

// NewChecker prepares the checks; now is what ages are reckoned from. Every
// unknown column and impossible combination is reported at once.
func NewChecker(schema Schema, checks []Check, now time.Time) (*Checker, error) {
	out := &Checker{}
	var problems []error
	for i, c := range checks {
		if err := c.check(schema); err != nil {
			problems = append(problems, fmt.Errorf("check %d: %w", i+1, err))
			continue
		}
		if c.Severity == "" {
			c.Severity = Error
		}
		out.rules = append(out.rules, c.rules(schema, now)...)
	}
	return out, errors.Join(problems...)
}

// IdentifyBy makes examples name rows by a column as well as by number.
func (k *Checker) IdentifyBy(column string) { k.id = column }

// Add checks the rows of a batch. A batch without a checked column is an error.
func (k *Checker) Add(b *Batch) error {
	for _, r := range k.rules {
		if len(r.columns) == 0 || (r.broken == nil && !r.gaps) {
			continue
		}
		at, err := b.Schema.Select(r.columns)
		if err != nil {
			return err
		}
		values := make([]*column, len(at))
		for i, col := range at {
			values[i] = &b.columns[col]
		}
		for row := range b.Rows {
			if r.breaks(values, row) {
				k.note(r, b, values, row)
			}
		}
	}
	k.rows += int64(b.Rows)
	return nil
}

func (r *rule) breaks(values []*column, row int) bool {
	if !r.whole {
		missing := slices.ContainsFunc(values, func(c *column) bool { return c.missing(row) })
		if r.gaps || missing {
			return r.gaps && missing
		}
	}
	r.with++
	return r.broken(values, row)
}

// note counts a row and keeps the first few as examples.
func (k *Checker) note(r *rule, b *Batch, values []*column, row int) {
	r.result.Violations++
	if len(r.result.Examples) >= maxExamples {
		return
	}
	example := k.rowName(b, row)
	if text := shown(r.columns, values, row); text != "" {
		example += ": " + text
	}
	r.result.Examples = append(r.result.Examples, example)
}

// shown is what a row has in some columns: the value of one, name=value of more.
func shown(names []string, values []*column, row int) string {
	if len(values) == 1 {
		text, _ := values[0].text(row)
		return clip(text)
	}
	parts := make([]string, len(values))
	for i, c := range values {
		text, ok := c.text(row)
		if !ok {
			text = "(missing)"
		}
		parts[i] = names[i] + "=" + clip(text)
	}
	return clip(strings.Join(parts, ", "))
}

// rowName counts rows from 1, as people do.
func (k *Checker) rowName(b *Batch, row int) string {
	name := "row " + strconv.FormatInt(k.rows+int64(row)+1, 10)
	if i, err := b.Schema.Index(k.id); k.id != "" && err == nil {
		if id, ok := b.Text(i, row); ok {
			name += fmt.Sprintf(" (%s %s)", k.id, clip(id))
		}
	}
	return name
}

// Report judges what has been seen so far.
func (k *Checker) Report() Report {
	out := Report{Rows: k.rows}
	for _, r := range k.rules {
		judged := r.result
		judged.Examples = slices.Clone(judged.Examples)
		r.judge(&judged, k.rows, r.with)
		out.Checks = append(out.Checks, judged)
	}
	return out
}
