package dataset

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
)

// rules turns a check into its conditions.
func (c Check) rules(schema Schema, now time.Time) []*rule {
	switch {
	case c.Rows != nil:
		return []*rule{c.rule("rows", "", c.Rows.String(), &rule{judge: c.Rows.judge})}
	case len(c.Required) > 0:
		return c.requiredRules(schema)
	case len(c.Columns) > 0:
		return []*rule{c.rule("unique", strings.Join(c.Columns, "+"), "no combination twice", &rule{broken: seenBefore()})}
	case c.Expression != "":
		program, _ := compileRow(c.Expression, schema) // checked before
		return []*rule{c.rule("expression", "", c.Expression, &rule{whole: true, broken: unmet(program)})}
	}
	f, _ := schema.Field(c.Column) // checked before
	return append(c.valueRules(f.Type), c.timeRules(now)...)
}

// rule completes a condition: what it is called, what it expects, what it reads.
func (c Check) rule(name, column, expected string, r *rule) *rule {
	r.result = CheckResult{Name: name, Column: column, Severity: c.Severity, Expected: expected}
	r.columns = c.Reads()
	if c.Tolerate > 0 && r.broken != nil {
		r.result.Expected += fmt.Sprintf(" (%v of the values may differ)", c.Tolerate)
	}
	judge := r.judge
	r.judge = func(result *CheckResult, rows, with int64) {
		result.Pass = float64(result.Violations) <= c.Tolerate*float64(with)
		if judge == nil {
			judge = countViolations
		}
		judge(result, rows, with)
	}
	return r
}

// valueRules are the conditions of one column that concern any type but time.
func (c Check) valueRules(kind Type) []*rule {
	var out []*rule
	add := func(name, expected string, r *rule) { out = append(out, c.rule(name, c.Column, expected, r)) }
	if c.Type != "" {
		add("type", string(c.Type), c.typeRule(kind))
	}
	if c.Min != nil {
		add("min", "≥ "+number(*c.Min), lowest(*c.Min))
	}
	if c.Max != nil {
		add("max", "≤ "+number(*c.Max), highest(*c.Max))
	}
	if c.MaxMissing != nil {
		add("missing", "≤ "+number(*c.MaxMissing), &rule{gaps: true, judge: missingAtMost(*c.MaxMissing)})
	}
	if len(c.In) > 0 {
		add("in", "one of "+strings.Join(c.In, ", "), &rule{broken: notIn(c.In, kind)})
	}
	if c.Refers != nil {
		add("refers", "a value of "+c.Refers.Name, &rule{broken: notOf(c.Refers)})
	}
	if c.Unique {
		add("unique", "no value twice", &rule{broken: seenBefore()})
	}
	if c.Pattern != "" {
		match := regexp.MustCompile(c.Pattern)
		add("pattern", "matches "+c.Pattern, &rule{
			broken: func(v []*column, row int) bool { return !match.MatchString(v[0].texts[row]) }})
	}
	return out
}

// requiredRules say of each column whether it is there: what it is not depends
// on no row.
func (c Check) requiredRules(schema Schema) []*rule {
	var out []*rule
	for _, name := range c.Required {
		r := &rule{result: CheckResult{Name: "required", Column: name, Severity: c.Severity, Expected: "the column exists"}}
		f, err := schema.Field(name)
		r.judge = func(result *CheckResult, _, _ int64) {
			if result.Pass = err == nil; err != nil {
				result.Observed = err.Error()
				return
			}
			result.Observed = "of type " + string(f.Type)
		}
		out = append(out, r)
	}
	return out
}

func missingAtMost(limit float64) func(*CheckResult, int64, int64) {
	return func(r *CheckResult, rows, _ int64) {
		share := 0.0
		if rows > 0 {
			share = float64(r.Violations) / float64(rows)
		}
		r.Pass, r.Observed = share <= limit, number(share)
		if r.Pass {
			r.Examples = nil
		}
	}
}

func countViolations(r *CheckResult, _, _ int64) {
	r.Observed = fmt.Sprintf("%d rows break it", r.Violations)
}

// notIn compares numbers as numbers, so that 1, 1.0 and 1e0 are one value.
func notIn(allowed []string, kind Type) func([]*column, int) bool {
	if kind == Number || kind == Integer {
		set := map[float64]bool{}
		for _, v := range allowed {
			n, _ := strconv.ParseFloat(v, 64) // checked before
			set[n] = true
		}
		return func(v []*column, row int) bool { return !set[v[0].number(row)] }
	}
	set := map[string]bool{}
	for _, v := range allowed {
		set[v] = true
	}
	return func(v []*column, row int) bool {
		text, _ := v[0].text(row)
		return !set[text]
	}
}

// seenBefore keeps a hash of 64 bits of every value, or of the values together:
// of ten million different ones, two share a hash with a probability of 3 in a
// million.
func seenBefore() func([]*column, int) bool {
	seen := map[uint64]struct{}{}
	var h hasher
	return func(v []*column, row int) bool {
		sum := h.of(v, row)
		_, twice := seen[sum]
		seen[sum] = struct{}{}
		return twice
	}
}

// hasher hashes values of rows; different rows of values have different bytes.
type hasher struct{ buffer []byte }

func (h *hasher) of(values []*column, row int) uint64 {
	h.buffer = h.buffer[:0]
	for _, c := range values {
		text, ok := c.text(row)
		if !ok {
			h.buffer = append(h.buffer, 0xff)
			continue
		}
		h.buffer = strconv.AppendInt(h.buffer, int64(len(text)), 10)
		h.buffer = append(append(h.buffer, ':'), text...)
	}
	return xxh3.Hash(h.buffer)
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

func (r RowRange) judge(k *CheckResult, rows, _ int64) {
	k.Observed = strconv.FormatInt(rows, 10)
	k.Pass = (r.Min == nil || rows >= *r.Min) && (r.Max == nil || rows <= *r.Max)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
