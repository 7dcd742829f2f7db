package expression

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// mixed are the operators that CEL does not define between a double and a whole
// number; the comparisons <, <=, > and >= it does.
var mixed = map[string]bool{
	operators.Equals: true, operators.NotEquals: true, operators.In: true, operators.Add: true,
	operators.Subtract: true, operators.Multiply: true, operators.Divide: true,
}

var arithmetic = map[string]bool{
	operators.Add: true, operators.Subtract: true, operators.Multiply: true, operators.Divide: true, operators.Negate: true,
}

// promote turns whole numbers written next to a column of numbers into doubles,
// so that x == 1 and x + 1 mean what they say.
func promote(root ast.Expr, kinds map[string]Kind) {
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || !mixed[e.AsCall().FunctionName()] || len(e.AsCall().Args()) != 2 {
			return
		}
		left, right := e.AsCall().Args()[0], e.AsCall().Args()[1]
		if isDouble(left, kinds) {
			toDouble(right)
		} else if isDouble(right, kinds) {
			toDouble(left)
		}
	}))
}

// isDouble says whether an operand is sure to be a double.
func isDouble(e ast.Expr, kinds map[string]Kind) bool {
	switch e.Kind() {
	case ast.IdentKind:
		return kinds[e.AsIdent()] == Number
	case ast.LiteralKind:
		return e.AsLiteral().Type() == types.DoubleType
	case ast.CallKind:
		if !arithmetic[e.AsCall().FunctionName()] {
			return false
		}
		for _, arg := range e.AsCall().Args() {
			if isDouble(arg, kinds) {
				return true
			}
		}
	}
	return false
}

// toDouble changes whole numbers, also in a list or in arithmetic of their own.
func toDouble(e ast.Expr) {
	switch e.Kind() {
	case ast.LiteralKind:
		if v, ok := e.AsLiteral().(types.Int); ok {
			e.SetKindCase(ast.NewExprFactory().NewLiteral(e.ID(), types.Double(v)))
		}
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			toDouble(item)
		}
	case ast.CallKind:
		if arithmetic[e.AsCall().FunctionName()] {
			for _, arg := range e.AsCall().Args() {
				toDouble(arg)
			}
		}
	}
}
