package dataset

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

const maxExamples = 5

// Checker runs declared checks over batches.
type Checker struct {
	rows  int64
	rules []*rule
	id    string
}

// rule is one condition. broken says whether a value that is there breaks it;
// judge turns what was counted into the verdict.
type rule struct {
	result  CheckResult
	broken  func(c *column, row int) bool
	missing bool // counts missing values instead
	judge   func(r *rule, rows int64)
	low     float64
	high    float64
}

// NewChecker prepares the checks. Every unknown column and impossible
// combination is reported at once.
func NewChecker(schema Schema, checks []Check) (*Checker, error) {
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
		f, _ := schema.Field(c.Column)
		out.rules = append(out.rules, c.rules(f.Type)...)
	}
	return out, errors.Join(problems...)
}

// IdentifyBy makes examples name rows by a column as well as by number.
func (k *Checker) IdentifyBy(column string) { k.id = column }

// Add checks the rows of a batch. A batch without a checked column is an error.
func (k *Checker) Add(b *Batch) error {
	for _, r := range k.rules {
		if r.result.Column == "" {
			continue
		}
		col, err := b.Schema.Index(r.result.Column)
		if err != nil {
			return err
		}
		for row := range b.Rows {
			r.see(b, col, row, func() string { return k.rowName(b, row) })
		}
	}
	k.rows += int64(b.Rows)
	return nil
}

func (r *rule) see(b *Batch, col, row int, name func() string) {
	c := &b.columns[col]
	if missing := c.missing(row); missing != r.missing || (!missing && !r.broken(c, row)) {
		return
	}
	r.result.Violations++
	if len(r.result.Examples) < maxExamples {
		example := name()
		if text, ok := c.text(row); ok {
			example += ": " + clip(text)
		}
		r.result.Examples = append(r.result.Examples, example)
	}
}

// rowName counts rows from 1, as people do.
func (k *Checker) rowName(b *Batch, row int) string {
	name := fmt.Sprintf("row %d", k.rows+int64(row)+1)
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
		judged := *r
		judged.result.Pass = judged.result.Violations == 0
		judged.judge(&judged, k.rows)
		out.Checks = append(out.Checks, judged.result)
	}
	return out
}

// rules turns a check into its conditions.
func (c Check) rules(kind Type) []*rule {
	var out []*rule
	add := func(name, expected string, r *rule) {
		r.result = CheckResult{Name: name, Column: c.Column, Severity: c.Severity, Expected: expected}
		out = append(out, r)
	}
	if c.Rows != nil {
		add("rows", c.Rows.String(), &rule{judge: c.Rows.judge})
	}
	if c.Min != nil {
		add("min", "≥ "+number(*c.Min), lowest(*c.Min))
	}
	if c.Max != nil {
		add("max", "≤ "+number(*c.Max), highest(*c.Max))
	}
	if c.MaxMissing != nil {
		add("missing", "≤ "+number(*c.MaxMissing), &rule{missing: true, judge: missingAtMost(*c.MaxMissing)})
	}
	if len(c.In) > 0 {
		add("in", "one of "+strings.Join(c.In, ", "), &rule{broken: notIn(c.In, kind), judge: countViolations})
	}
	if c.Unique {
		add("unique", "no value twice", &rule{broken: seenBefore(), judge: countViolations})
	}
	if c.Pattern != "" {
		match := regexp.MustCompile(c.Pattern)
		add("pattern", "matches "+c.Pattern, &rule{judge: countViolations,
			broken: func(col *column, row int) bool { return !match.MatchString(col.texts[row]) }})
	}
	return out
}

func lowest(limit float64) *rule {
	r := &rule{low: math.Inf(1)}
	r.broken = func(c *column, row int) bool {
		v := c.number(row)
		r.low = min(r.low, v)
		return v < limit
	}
	r.judge = func(judged *rule, _ int64) { judged.result.Observed = extreme(judged.low) }
	return r
}

func highest(limit float64) *rule {
	r := &rule{high: math.Inf(-1)}
	r.broken = func(c *column, row int) bool {
		v := c.number(row)
		r.high = max(r.high, v)
		return v > limit
	}
	r.judge = func(judged *rule, _ int64) { judged.result.Observed = extreme(judged.high) }
	return r
}

// extreme describes the lowest or highest value; ±Inf may mean there was none.
func extreme(v float64) string {
	if math.IsInf(v, 0) {
		return "no finite value"
	}
	return number(v)
}

func (c *column) number(row int) float64 {
	if c.kind == Number {
		return c.numbers[row]
	}
	return float64(c.ints[row])
}

func missingAtMost(limit float64) func(*rule, int64) {
	return func(r *rule, rows int64) {
		share := 0.0
		if rows > 0 {
			share = float64(r.result.Violations) / float64(rows)
		}
		r.result.Pass, r.result.Observed = share <= limit, number(share)
		if r.result.Pass {
			r.result.Examples = nil
		}
	}
}

func countViolations(r *rule, _ int64) {
	r.result.Observed = fmt.Sprintf("%d rows break it", r.result.Violations)
}

// notIn compares numbers as numbers, so that 1, 1.0 and 1e0 are one value.
func notIn(allowed []string, kind Type) func(*column, int) bool {
	if kind == Number || kind == Integer {
		set := map[float64]bool{}
		for _, v := range allowed {
			n, _ := strconv.ParseFloat(v, 64) // checked before
			set[n] = true
		}
		return func(c *column, row int) bool { return !set[c.number(row)] }
	}
	set := map[string]bool{}
	for _, v := range allowed {
		set[v] = true
	}
	return func(c *column, row int) bool {
		text, _ := c.text(row)
		return !set[text]
	}
}

// seenBefore keeps a hash of 64 bits of every value: of ten million different
// values, two share one with a probability of 3 in a million.
func seenBefore() func(*column, int) bool {
	seen := map[uint64]struct{}{}
	return func(c *column, row int) bool {
		text, _ := c.text(row)
		h := xxh3.HashString(text)
		_, twice := seen[h]
		seen[h] = struct{}{}
		return twice
	}
}

// String describes the range.
func (r RowRange) String() string {
	switch {
	case r.Max == nil:
		return fmt.Sprintf("≥ %d", *r.Min)
	case r.Min == nil:
		return fmt.Sprintf("≤ %d", *r.Max)
	}
	return fmt.Sprintf("%d to %d", *r.Min, *r.Max)
}

func (r RowRange) judge(k *rule, rows int64) {
	k.result.Observed = strconv.FormatInt(rows, 10)
	k.result.Pass = (r.Min == nil || rows >= *r.Min) && (r.Max == nil || rows <= *r.Max)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
