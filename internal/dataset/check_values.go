package dataset

import (
	"math"
	"strconv"
	"time"
)

// lowest finds values below the limit, and the lowest of all.
func lowest(limit float64) *rule {
	low := math.Inf(1)
	return &rule{
		broken: func(c []*column, row int) bool {
			v := c[0].number(row)
			low = min(low, v)
			return v < limit
		},
		judge: func(r *CheckResult, _, _ int64) { r.Observed = extreme(low) },
	}
}

func highest(limit float64) *rule {
	high := math.Inf(-1)
	return &rule{
		broken: func(c []*column, row int) bool {
			v := c[0].number(row)
			high = max(high, v)
			return v > limit
		},
		judge: func(r *CheckResult, _, _ int64) { r.Observed = extreme(high) },
	}
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

// timeRules are the conditions of a column of times.
func (c Check) timeRules(now time.Time) []*rule {
	var out []*rule
	if !c.Earliest.IsZero() {
		out = append(out, c.rule("earliest", c.Column, instant(c.Earliest)+" or later", bounded(c.Earliest.UnixNano(), math.MaxInt64, false)))
	}
	if !c.Latest.IsZero() {
		out = append(out, c.rule("latest", c.Column, instant(c.Latest)+" or earlier", bounded(math.MinInt64, c.Latest.UnixNano(), true)))
	}
	if c.MaxAge > 0 {
		out = append(out, c.rule("freshness", c.Column, "at most "+c.MaxAge.String()+" before "+instant(now), freshness(now, c.MaxAge)))
	}
	return out
}

// bounded finds times outside from and to (nanoseconds since 1970), and the
// latest or earliest of all.
func bounded(from, to int64, latest bool) *rule {
	var extreme int64
	seen := false
	return &rule{
		broken: func(c []*column, row int) bool {
			t := c[0].ints[row]
			if !seen || (latest && t > extreme) || (!latest && t < extreme) {
				extreme, seen = t, true
			}
			return t < from || t > to
		},
		judge: func(r *CheckResult, _, _ int64) { r.Observed = observedTime(extreme, seen) },
	}
}

// freshness judges the newest time alone: no single row breaks it. Without any
// time it fails, for nothing shows that the data is fresh.
func freshness(now time.Time, age time.Duration) *rule {
	var newest int64
	seen := false
	return &rule{
		broken: func(c []*column, row int) bool {
			if t := c[0].ints[row]; !seen || t > newest {
				newest, seen = t, true
			}
			return false
		},
		judge: func(r *CheckResult, _, _ int64) {
			r.Observed = observedTime(newest, seen)
			r.Pass = seen && now.Sub(time.Unix(0, newest)) <= age
		},
	}
}

func observedTime(nanos int64, seen bool) string {
	if !seen {
		return "no time at all"
	}
	return instant(time.Unix(0, nanos))
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// typeRule finds values that are not of a type. A column of another type holds
// them if each can be read as it: 3 and 3.0 are whole, text is its own type.
func (c Check) typeRule(kind Type) *rule {
	is := readable(c.Type, kind)
	return &rule{
		broken: func(v []*column, row int) bool { return !is(v[0], row) },
		judge: func(r *CheckResult, _, _ int64) {
			countViolations(r, 0, 0)
			r.Observed += "; the column is of type " + string(kind)
		},
	}
}

func readable(want, kind Type) func(*column, int) bool {
	switch {
	case want == kind || (want == Number && kind == Integer):
		return func(*column, int) bool { return true }
	case want == Integer && kind == Number:
		return func(c *column, row int) bool { return c.numbers[row] == math.Trunc(c.numbers[row]) }
	case kind != String:
		return func(*column, int) bool { return false }
	}
	parse := map[Type]func(string) error{
		Integer: func(s string) error { _, err := strconv.ParseInt(s, 10, 64); return err },
		Number:  func(s string) error { _, err := strconv.ParseFloat(s, 64); return err },
		Bool:    func(s string) error { _, err := strconv.ParseBool(s); return err },
		Time:    func(s string) error { _, err := time.Parse(time.RFC3339, s); return err },
	}[want]
	return func(c *column, row int) bool { return parse(c.texts[row]) == nil }
}
