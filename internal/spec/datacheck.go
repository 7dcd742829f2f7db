package spec

import (
	"fmt"
	"regexp"
	"slices"

	"steward/internal/dataset/expression"
	"steward/internal/lifecycle"
)

func (c *checker) split(d lifecycle.Data) {
	s := d.Split
	if sum := s.Validation + s.Test; sum >= 1 {
		c.add("spec.data.split", fmt.Sprint(sum), "validation and test together must leave rows to train on: keep their sum below 1")
	}
	switch {
	case s.By == "group" && s.Column == "":
		c.add("spec.data.split.column", "", "a split by group needs the column whose rows stay together")
	case s.By != "group" && s.By != "stratified" && s.Column != "":
		c.add("spec.data.split.column", s.Column, "a split by %s needs no column: take it out", s.By)
	}
}

// serving refuses features that callers are said not to have, and guards that
// are lowered twice.
func (c *checker) serving(d lifecycle.Data) {
	for i, f := range d.Features {
		if len(d.Serving) > 0 && !slices.Contains(d.Serving, f) {
			c.add(fmt.Sprintf("spec.data.features[%d]", i), f, "it is not one of spec.data.serving, so no caller can send it: take it out, or add it there if callers do have it")
		}
	}
	seen := map[string]bool{}
	for i, g := range d.Guards {
		if seen[g.Name] {
			c.add(fmt.Sprintf("spec.data.guards[%d].name", i), g.Name, "it is lowered twice: keep one")
		}
		seen[g.Name] = true
	}
}

// dataCheck refuses conditions that cannot be meant. Whether columns exist and
// have a type that fits shows when the data is read.
func (c *checker) dataCheck(field string, ch lifecycle.Check) {
	column := columnConditions(ch)
	alone := map[string]bool{"rows": ch.Rows != nil, "required": len(ch.Required) > 0, "columns": len(ch.Columns) > 0,
		"expression": ch.Expression != ""}
	kinds := 0
	for _, given := range alone {
		if given {
			kinds++
		}
	}
	switch {
	case kinds > 1 || (kinds == 1 && ch.Column != ""):
		c.add(field, "", "column, rows, required, columns and expression are checks of their own: give one of them")
	case kinds == 0 && ch.Column == "":
		c.add(field, "", "a check is about a column or about rows: give one of column, rows, required, columns and expression")
	case kinds == 1 && column:
		c.add(field, "", "conditions of a column do not go with the others: make two checks of it")
	case kinds == 0 && !column:
		c.add(field, ch.Column, "this check has no condition: add type, min, max, earliest, latest, maxAge, maxMissing, in, refers, pattern or unique")
	}
	c.dataBounds(field, ch)
	c.wholeChecks(field, ch)
}

// columnConditions says whether anything is asked of a column's values.
func columnConditions(ch lifecycle.Check) bool {
	return ch.Min != nil || ch.Max != nil || ch.MaxMissing != nil || len(ch.In) > 0 || ch.Pattern != "" || (ch.Unique && len(ch.Columns) == 0) ||
		ch.Type != "" || ch.Earliest != "" || ch.Latest != "" || ch.MaxAge > 0 || ch.Refers != nil
}

func (c *checker) dataBounds(field string, ch lifecycle.Check) {
	c.bounds(field, ch.Min, ch.Max)
	if _, err := regexp.Compile(ch.Pattern); err != nil {
		c.add(field+".pattern", ch.Pattern, "this is not a regular expression (RE2): %s", err)
	}
	wrong := false
	for name, text := range map[string]string{"earliest": ch.Earliest, "latest": ch.Latest} {
		if _, err := lifecycle.ParseInstant(text); text != "" && err != nil {
			c.add(field+"."+name, text, "this is not an instant: write 2001-02-03 or 2001-02-03T04:05:06Z")
			wrong = true
		}
	}
	if ch.Earliest == "" || ch.Latest == "" || wrong {
		return
	}
	from, _ := lifecycle.ParseInstant(ch.Earliest)
	if to, _ := lifecycle.ParseInstant(ch.Latest); from.After(to) {
		c.add(field+".earliest", ch.Earliest, "it is after latest %s", ch.Latest)
	}
}

func (c *checker) wholeChecks(field string, ch lifecycle.Check) {
	if r := ch.Rows; r != nil {
		switch {
		case r.Min == nil && r.Max == nil:
			c.add(field+".rows", "", "give min, max or both")
		case r.Min != nil && r.Max != nil && *r.Min > *r.Max:
			c.add(field+".rows.min", fmt.Sprint(*r.Min), "min is above max %d", *r.Max)
		}
	}
	if len(ch.Columns) > 0 && !ch.Unique {
		c.add(field+".columns", "", "columns says which are unique together: add unique: true")
	}
	if ch.Expression == "" {
		return
	}
	known := map[string]expression.Kind{c.spec.Data.Time: expression.Time}
	if c.spec.Data.Task == lifecycle.Regression {
		known[c.spec.Data.Label] = expression.Number
	}
	if err := expression.Check(ch.Expression, known); err != nil {
		c.add(field+".expression", ch.Expression, "%s", err)
	}
}
