package dataset

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// Severities of a check.
const (
	Error   = "error"   // the default: the data is refused
	Warning = "warning" // the data is used, and the finding reported
)

// Check is one declared expectation of the data. Rows stands alone; the others
// are about Column, and one check may hold several. Missing values concern
// MaxMissing only: Min, Max, In, Pattern and Unique pass them over.
type Check struct {
	Column     string    `json:"column,omitempty"`
	Min        *float64  `json:"min,omitempty"`
	Max        *float64  `json:"max,omitempty"`
	MaxMissing *float64  `json:"maxMissing,omitempty"` // share of rows, 0 to 1
	In         []string  `json:"in,omitempty"`
	Unique     bool      `json:"unique,omitempty"`
	Pattern    string    `json:"pattern,omitempty"` // RE2, must match somewhere: anchor it
	Rows       *RowRange `json:"rows,omitempty"`
	Severity   string    `json:"severity,omitempty"`
}

// RowRange bounds the number of rows.
type RowRange struct {
	Min *int64 `json:"min,omitempty"`
	Max *int64 `json:"max,omitempty"`
}

// CheckResult is the outcome of one condition of a check.
type CheckResult struct {
	Name       string   `json:"name"` // min, max, missing, in, unique, pattern, rows
	Column     string   `json:"column,omitempty"`
	Pass       bool     `json:"pass"`
	Severity   string   `json:"severity"`
	Observed   string   `json:"observed"`
	Expected   string   `json:"expected"`
	Violations int64    `json:"violations"`         // rows that break it
	Examples   []string `json:"examples,omitempty"` // at most 5: the row and its value
}

// Report is the outcome of all checks.
type Report struct {
	Rows   int64         `json:"rows"`
	Checks []CheckResult `json:"checks"`
}

// Pass says whether there were rows and no check of severity error failed.
func (r Report) Pass() bool { return r.Rows > 0 && len(r.Failed()) == 0 }

// Failed returns the failed checks of severity error.
func (r Report) Failed() []CheckResult {
	var out []CheckResult
	for _, c := range r.Checks {
		if !c.Pass && c.Severity == Error {
			out = append(out, c)
		}
	}
	return out
}

// check refuses what cannot be meant, for a schema.
func (c Check) check(schema Schema) error {
	if c.Severity != "" && c.Severity != Error && c.Severity != Warning {
		return fmt.Errorf("severity %q is not known: use error or warning", c.Severity)
	}
	if c.Rows != nil {
		return c.checkRows()
	}
	if c.Column == "" {
		return errors.New("a check needs a column, or rows")
	}
	f, err := schema.Field(c.Column)
	if err != nil {
		return err
	}
	return c.checkColumn(f)
}

func (c Check) checkRows() error {
	r := c.Rows
	switch {
	case c.Column != "" || c.Min != nil || c.Max != nil || c.MaxMissing != nil || c.In != nil || c.Unique || c.Pattern != "":
		return errors.New("rows counts the whole table and stands in a check of its own")
	case r.Min == nil && r.Max == nil:
		return errors.New("rows needs min or max")
	case r.Min != nil && r.Max != nil && *r.Min > *r.Max:
		return fmt.Errorf("rows: min %d is above max %d", *r.Min, *r.Max)
	}
	return nil
}

func (c Check) checkColumn(f Field) error {
	if c.Min == nil && c.Max == nil && c.MaxMissing == nil && len(c.In) == 0 && !c.Unique && c.Pattern == "" {
		return fmt.Errorf("the check of column %s says nothing: give min, max, maxMissing, in, unique or pattern", f.Name)
	}
	if err := c.checkBounds(f); err != nil {
		return err
	}
	if c.MaxMissing != nil && !(*c.MaxMissing >= 0 && *c.MaxMissing <= 1) {
		return fmt.Errorf("column %s: maxMissing %v is a share, between 0 and 1", f.Name, *c.MaxMissing)
	}
	return c.checkTexts(f)
}

func (c Check) checkBounds(f Field) error {
	switch {
	case (c.Min != nil || c.Max != nil) && (f.Type == String || f.Type == Time):
		return fmt.Errorf("column %s is of type %s: min and max are for numbers", f.Name, f.Type)
	case c.Min != nil && c.Max != nil && *c.Min > *c.Max:
		return fmt.Errorf("column %s: min %v is above max %v", f.Name, *c.Min, *c.Max)
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
