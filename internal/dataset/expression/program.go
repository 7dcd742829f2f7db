package expression

import (
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Row is one row of the columns of a Program, by their position there. Only the
// method of a column's kind is called, and only where no value is missing.
type Row interface {
	Missing(col int) bool
	Number(col int) float64
	Text(col int) string
	Bool(col int) bool
	Time(col int) time.Time
}

// Program is a compiled expression. It is not safe for concurrent use.
type Program struct {
	columns []string
	run     cel.Program
	vars    variables
}

// Compile prepares an expression on columns of known kinds.
func Compile(text string, kinds map[string]Kind) (*Program, error) {
	names, err := Columns(text)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if kinds[name] == Any {
			return nil, fmt.Errorf("the type of column %q is not known", name)
		}
	}
	env, checked, err := compile(text, kinds)
	if err != nil {
		return nil, err
	}
	run, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, err
	}
	p := &Program{columns: names, run: run, vars: variables{index: map[string]int{}}}
	for i, name := range names {
		p.vars.index[name] = i
		p.vars.kinds = append(p.vars.kinds, kinds[name])
	}
	return p, nil
}

// Columns are the columns that a Row of the program has, in this order.
func (p *Program) Columns() []string { return p.columns }

// Outcome is what a condition comes to on a row.
type Outcome int

// Outcomes. A condition that depends on a missing value is Unknown.
const (
	Unknown Outcome = iota
	True
	False
)

// On evaluates the condition on a row. An error is one of the values: a number
// divided by zero, a text that is no number, too much work.
func (p *Program) On(row Row) (Outcome, error) {
	p.vars.row = row
	out, _, err := p.run.Eval(&p.vars)
	switch {
	case err != nil:
		return Unknown, err
	case out == types.True:
		return True, nil
	case out == types.False:
		return False, nil
	case types.IsUnknown(out):
		return Unknown, nil
	}
	return Unknown, fmt.Errorf("it comes to a value of type %s, not true or false", out.Type().TypeName())
}

// variables resolves names to the values of a row.
type variables struct {
	index map[string]int
	kinds []Kind
	row   Row
}

// Parent is none.
func (v *variables) Parent() cel.Activation { return nil }

// ResolveName returns the value of a variable.
func (v *variables) ResolveName(name string) (any, bool) {
	if column, ok := strings.CutPrefix(name, absent); ok {
		i, known := v.index[column]
		return types.Bool(known && v.row.Missing(i)), known
	}
	i, known := v.index[name]
	if !known {
		return nil, false
	}
	if v.row.Missing(i) {
		return unknown, true
	}
	return v.value(i), true
}

var unknown = types.NewUnknown(0, nil)

func (v *variables) value(i int) ref.Val {
	switch v.kinds[i] {
	case Number:
		return types.Double(v.row.Number(i))
	case Bool:
		return types.Bool(v.row.Bool(i))
	case Time:
		return types.Timestamp{Time: v.row.Time(i)}
	}
	return types.String(v.row.Text(i))
}
