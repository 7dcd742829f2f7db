package dataset

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// check refuses what cannot be meant, for a schema.
func (c Check) check(schema Schema) error {
	if c.Severity != "" && c.Severity != Error && c.Severity != Warning {
		return fmt.Errorf("severity %q is not known: use error or warning", c.Severity)
	}
	if !(c.Tolerate >= 0 && c.Tolerate < 1) {
		return fmt.Errorf("tolerate %v is a share of the rows, from 0 to below 1", c.Tolerate)
	}
	if err := c.checkAlone(); err != nil {
		return err
	}
	for _, name := range c.Reads() {
		if _, err := schema.Field(name); err != nil {
			return err
		}
	}
	if c.Expression != "" {
		_, err := compileRow(c.Expression, schema)
		return err
	}
	if c.Column == "" {
		return nil
	}
	f, err := schema.Field(c.Column)
	if err != nil {
		return err
	}
	return c.checkColumn(f)
}

// checkAlone refuses conditions that do not go together.
func (c Check) checkAlone() error {
	column := c.conditions() || c.Column != ""
	kinds := 0
	for _, given := range []bool{column, c.Rows != nil, len(c.Required) > 0, len(c.Columns) > 0, c.Expression != ""} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds == 0 || (kinds == 1 && column && c.Column == ""):
		return errors.New("a check needs a column, or rows, required, columns or an expression")
	case c.Rows != nil && kinds > 1:
		return errors.New("rows counts the whole table and stands in a check of its own")
	case kinds > 1:
		return errors.New("column, required, columns and expression stand in checks of their own")
	case c.Rows != nil:
		return c.Rows.check()
	case len(c.Columns) > 0 && !c.Unique:
		return errors.New("columns says which are unique together: add unique")
	}
	return nil
}

// conditions says whether anything is asked of Column.
func (c Check) conditions() bool {
	return c.Min != nil || c.Max != nil || c.MaxMissing != nil || len(c.In) > 0 || (c.Unique && len(c.Columns) == 0) || c.Pattern != "" ||
		c.Type != "" || !c.Earliest.IsZero() || !c.Latest.IsZero() || c.MaxAge != 0 || c.Refers != nil
}

func (r RowRange) check() error {
	switch {
	case r.Min == nil && r.Max == nil:
		return errors.New("rows needs min or max")
	case r.Min != nil && r.Max != nil && *r.Min > *r.Max:
		return fmt.Errorf("rows: min %d is above max %d", *r.Min, *r.Max)
	}
	return nil
}

func (c Check) checkColumn(f Field) error {
	if !c.conditions() {
		return fmt.Errorf("the check of column %s says nothing: give min, max, earliest, latest, maxAge, maxMissing, in, refers, unique, type or pattern", f.Name)
	}
	if err := c.checkBounds(f); err != nil {
		return err
	}
	if c.MaxMissing != nil && !(*c.MaxMissing >= 0 && *c.MaxMissing <= 1) {
		return fmt.Errorf("column %s: maxMissing %v is a share, between 0 and 1", f.Name, *c.MaxMissing)
	}
	if c.Type != "" && !slices.Contains([]Type{Number, Integer, String, Time, Bool}, c.Type) {
		return fmt.Errorf("column %s: type %q is not known: use number, integer, string, time or bool", f.Name, c.Type)
	}
	return c.checkTexts(f)
}

func (c Check) checkBounds(f Field) error {
	times := !c.Earliest.IsZero() || !c.Latest.IsZero() || c.MaxAge != 0
	switch {
	case (c.Min != nil || c.Max != nil) && (f.Type == String || f.Type == Time):
		return fmt.Errorf("column %s is of type %s: min and max are for numbers", f.Name, f.Type)
	case times && f.Type != Time:
		return fmt.Errorf("column %s is of type %s: earliest, latest and maxAge are for times", f.Name, f.Type)
	case c.Min != nil && c.Max != nil && *c.Min > *c.Max:
		return fmt.Errorf("column %s: min %v is above max %v", f.Name, *c.Min, *c.Max)
	case !c.Earliest.IsZero() && !c.Latest.IsZero() && c.Earliest.After(c.Latest):
		return fmt.Errorf("column %s: earliest %s is after latest %s", f.Name, instant(c.Earliest), instant(c.Latest))
	case c.MaxAge < 0:
		return fmt.Errorf("column %s: maxAge %s is negative", f.Name, c.MaxAge)
	}
	return nil
}

func (c Check) checkTexts(f Field) error {
	if c.Pattern != "" && f.Type != String {
		return fmt.Errorf("column %s is of type %s: a pattern is for strings", f.Name, f.Type)
	}
	if _, err := regexp.Compile(c.Pattern); err != nil {
		return fmt.Errorf("column %s: pattern %q: %w", f.Name, c.Pattern, err)
	}
	if f.Type != Number && f.Type != Integer {
		return nil
	}
	for _, v := range c.In {
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return fmt.Errorf("column %s is of type %s: %q in its list is not a number", f.Name, f.Type, v)
		}
	}
	return nil
}
