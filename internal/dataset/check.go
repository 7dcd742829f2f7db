package dataset

import (
	"time"

	"steward/internal/dataset/expression"
)

// Severities of a check.
const (
	Error   = "error"   // the default: the data is refused
	Warning = "warning" // the data is used, and the finding reported
)

// Check is one declared expectation of the data. Rows, Required, Columns and
// Expression each stand alone; all others are about Column, and one check may
// hold several. Missing values concern MaxMissing only: the other conditions
// pass them over.
type Check struct {
	Column     string        `json:"column,omitempty"`
	Type       Type          `json:"type,omitempty"` // the values are, or can be read as
	Min        *float64      `json:"min,omitempty"`
	Max        *float64      `json:"max,omitempty"`
	Earliest   time.Time     `json:"earliest,omitzero"`
	Latest     time.Time     `json:"latest,omitzero"`
	MaxAge     time.Duration `json:"maxAge,omitempty"`     // of the newest time
	MaxMissing *float64      `json:"maxMissing,omitempty"` // share of rows, 0 to 1
	In         []string      `json:"in,omitempty"`
	Refers     *ValueSet     `json:"-"` // every value is one of them
	Unique     bool          `json:"unique,omitempty"`
	Pattern    string        `json:"pattern,omitempty"` // RE2, must match somewhere: anchor it
	Columns    []string      `json:"columns,omitempty"` // with Unique: no combination of them occurs twice
	Required   []string      `json:"required,omitempty"`
	Rows       *RowRange     `json:"rows,omitempty"`
	Expression string        `json:"expression,omitempty"` // in CEL; holds for every row: see package expression
	Tolerate   float64       `json:"tolerate,omitempty"`   // share of the rows with a value that may break a condition
	Severity   string        `json:"severity,omitempty"`
}

// RowRange bounds the number of rows.
type RowRange struct {
	Min *int64 `json:"min,omitempty"`
	Max *int64 `json:"max,omitempty"`
}

// CheckResult is the outcome of one condition of a check. An inconclusive one
// could not be judged, for the reason in Observed: it neither passed nor failed.
type CheckResult struct {
	Name         string   `json:"name"` // min, max, missing, in, unique, pattern, rows, …
	Column       string   `json:"column,omitempty"`
	Pass         bool     `json:"pass"`
	Inconclusive bool     `json:"inconclusive,omitempty"`
	Severity     string   `json:"severity"`
	Observed     string   `json:"observed"`
	Expected     string   `json:"expected"`
	Violations   int64    `json:"violations"`         // rows that break it
	Examples     []string `json:"examples,omitempty"` // at most 5: the row and its value
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
		if !c.Pass && !c.Inconclusive && c.Severity == Error {
			out = append(out, c)
		}
	}
	return out
}

// Reads returns the columns that a check reads.
func (c Check) Reads() []string {
	switch {
	case c.Expression != "":
		names, _ := expression.Columns(c.Expression) // an error shows when it is compiled
		return names
	case len(c.Columns) > 0:
		return c.Columns
	case c.Column != "":
		return []string{c.Column}
	}
	return nil
}
