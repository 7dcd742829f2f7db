// Package expression evaluates conditions on the rows of a table, written in
// CEL (the Common Expression Language, https://cel.dev), such as
// arrived_at >= departed_at.
//
// A column is a variable: numbers, whole or not, are doubles, and so are whole
// numbers written next to one; text is a string, a bool a bool, a time a timestamp. A column whose name is no identifier is
// column("its name"). A missing value is unknown, as in SQL: a condition that
// depends on one is neither true nor false, false && unknown is false, true ||
// unknown is true, and missing(column) tells whether a value is missing.
//
// Macros over lists (all, exists, map, filter) are left out, so nothing loops:
// the work on a row grows with the length of the expression and of the text it
// looks at, and is bounded besides.
package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
)

// Kind is what the values of a column are to an expression.
type Kind int

// Kinds of columns. Any is one whose type is not known yet.
const (
	Any Kind = iota
	Number
	Text
	Bool
	Time
)

var celTypes = map[Kind]*cel.Type{
	Any: cel.DynType, Number: cel.DoubleType, Text: cel.StringType, Bool: cel.BoolType, Time: cel.TimestampType,
}

const (
	maxLength = 4096 // characters of an expression
	maxDepth  = 64
	maxNodes  = 2000
	// maxCost bounds the work on one row, in CEL's units: about one for each
	// operation and one for ten characters of text.
	maxCost = 100_000
)

// absent begins the variable that says whether a column's value is missing; no
// identifier has a blank.
const absent = "missing "

var base = func() *cel.Env {
	env, err := cel.NewEnv(cel.ClearMacros(), cel.Macros(
		cel.GlobalMacro("missing", 1, expandMissing), cel.GlobalMacro("column", 1, expandColumn)),
		cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxLength), cel.ParserRecursionLimit(maxDepth), cel.ExpressionNodeLimit(maxNodes))
	if err != nil {
		panic(fmt.Sprintf("expression: the environment is wrong: %v", err))
	}
	return env
}()

// expandMissing turns missing(x) and missing(column("x")) into a variable.
func expandMissing(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	if args[0].Kind() != ast.IdentKind || strings.HasPrefix(args[0].AsIdent(), absent) {
		return nil, f.NewError(args[0].ID(), "missing() takes a column")
	}
	return f.NewIdent(absent + args[0].AsIdent()), nil
}

// expandColumn turns column("a name") into a variable.
func expandColumn(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	var name string
	if args[0].Kind() == ast.LiteralKind {
		name, _ = args[0].AsLiteral().Value().(string)
	}
	if name == "" {
		return nil, f.NewError(args[0].ID(), `column() takes a name in quotes`)
	}
	return f.NewIdent(name), nil
}

// Columns returns the names of the columns that an expression speaks of, sorted.
// An expression that cannot be parsed, or speaks of none, is an error.
func Columns(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the expression is empty")
	}
	parsed, issues := base.Parse(text)
	if issues.Err() != nil {
		return nil, readable(issues)
	}
	var names []string
	ast.PostOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.IdentKind {
			return
		}
		if name := strings.TrimPrefix(e.AsIdent(), absent); !slices.Contains(names, name) && !celWords[name] {
			names = append(names, name)
		}
	}))
	if len(names) == 0 {
		return nil, errors.New("the expression speaks of no column")
	}
	slices.Sort(names)
	return names, nil
}

// celWords are the names of CEL's types, which are values in CEL.
var celWords = map[string]bool{"bool": true, "bytes": true, "double": true, "dyn": true, "int": true, "list": true, "map": true,
	"null_type": true, "string": true, "type": true, "uint": true, "google": true}

// Check finds what is wrong with an expression before the types of all columns
// are known: those that kinds does not name may be of any.
func Check(text string, kinds map[string]Kind) error {
	_, _, err := compile(text, kinds)
	return err
}

func compile(text string, kinds map[string]Kind) (*cel.Env, *cel.Ast, error) {
	names, err := Columns(text)
	if err != nil {
		return nil, nil, err
	}
	var variables []cel.EnvOption
	for _, name := range names {
		variables = append(variables, cel.Variable(name, celTypes[kinds[name]]), cel.Variable(absent+name, cel.BoolType))
	}
	env, err := base.Extend(variables...)
	if err != nil {
		return nil, nil, err
	}
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		return nil, nil, readable(issues)
	}
	promote(parsed.NativeRep().Expr(), kinds)
	checked, issues := env.Check(parsed)
	if issues.Err() != nil {
		return nil, nil, readable(issues)
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, nil, fmt.Errorf("the expression is of type %s: it must be true or false for a row", t)
	}
	return env, checked, nil
}

// readable puts CEL's findings into one line, with columns of the text.
func readable(issues *cel.Issues) error {
	var parts []string
	for _, e := range issues.Errors() {
		parts = append(parts, at(e))
	}
	return errors.New(strings.Join(parts, "; "))
}

func at(e *common.Error) string {
	message := strings.Join(strings.Fields(e.Message), " ")
	if strings.Contains(message, "(double, int)") || strings.Contains(message, "(int, double)") {
		message += ": columns of numbers are doubles: write 1.0 for 1, or int(column)"
	}
	if e.Location == nil || e.Location.Column() < 0 {
		return message
	}
	return fmt.Sprintf("at character %d: %s", e.Location.Column()+1, message)
}
