package dataset

import (
	"fmt"
	"time"

	"steward/internal/dataset/expression"
)

// compileRow compiles an expression on the columns of a schema.
func compileRow(text string, schema Schema) (*expression.Program, error) {
	kinds := map[string]expression.Kind{}
	for _, f := range schema {
		kinds[f.Name] = expressionKind(f.Type)
	}
	p, err := expression.Compile(text, kinds)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", clip(text), err)
	}
	return p, nil
}

func expressionKind(t Type) expression.Kind {
	switch t {
	case String:
		return expression.Text
	case Bool:
		return expression.Bool
	case Time:
		return expression.Time
	}
	return expression.Number
}

// unmet finds the rows on which a condition is false, or cannot be evaluated
// though its values are there. A condition that depends on a missing value is
// passed over.
func unmet(p *expression.Program) func([]*column, int) bool {
	row := &tableRow{}
	return func(values []*column, at int) bool {
		row.values, row.at = values, at
		outcome, err := p.On(row)
		return err != nil || outcome == expression.False
	}
}

// tableRow is a row of columns as an expression sees it.
type tableRow struct {
	values []*column
	at     int
}

func (r *tableRow) Missing(col int) bool   { return r.values[col].missing(r.at) }
func (r *tableRow) Number(col int) float64 { return r.values[col].number(r.at) }
func (r *tableRow) Text(col int) string    { return r.values[col].texts[r.at] }
func (r *tableRow) Bool(col int) bool      { return r.values[col].ints[r.at] == 1 }
func (r *tableRow) Time(col int) time.Time { return time.Unix(0, r.values[col].ints[r.at]).UTC() }
