package dataset

import "math"

// kinds is a set of types: those that every value seen so far has. Seeing more
// values narrows it, in whatever order they come, so types widen along one
// lattice: integer to number where both occur, and to string where nothing
// narrower holds them all (a bool and a number, a time and a number, a whole
// number that a float64 cannot hold and a fraction).
type kinds uint8

const (
	isBool kinds = 1 << iota
	isInteger
	isNumber
	isTime

	isAnything = isBool | isInteger | isNumber | isTime
	isString   = kinds(0)
)

// narrow is the types of the set that also hold the given values of a text.
func (k kinds) narrow(text []byte, cells []cell) kinds {
	for _, c := range cells {
		if k == isString {
			break
		}
		if c&missingCell == 0 {
			k &= k.of(c, text)
		}
	}
	return k
}

// of returns those types of the set that a value has.
func (k kinds) of(c cell, text []byte) kinds {
	if c&nestedCell != 0 {
		return isString
	}
	v := c.of(text)
	out := isString
	if c&quotedCell == 0 {
		out = k & plainKinds(v)
	}
	if out == isString && k&isTime != 0 {
		if _, err := parseTime(v); err == nil {
			return isTime
		}
	}
	return out
}

// plainKinds returns what a text without quotes is, times left out.
func plainKinds(v []byte) kinds {
	if n, ok := parseInteger(v); ok {
		if inFloat(n) {
			return isInteger | isNumber
		}
		return isInteger
	}
	if _, ok := parseNumber(v); ok {
		return isNumber
	}
	if _, ok := parseBool(v); ok {
		return isBool
	}
	return isString
}

// inFloat tells whether a float64 holds a whole number.
func inFloat(n int64) bool { return n != math.MaxInt64 && int64(float64(n)) == n }

// narrowest is the type that a set stands for.
func (k kinds) narrowest() Type {
	switch {
	case k&isBool != 0:
		return Bool
	case k&isInteger != 0:
		return Integer
	case k&isNumber != 0:
		return Number
	case k&isTime != 0:
		return Time
	}
	return String
}

// kindsOf is the set of a type that a file declares.
func kindsOf(t Type) kinds {
	switch t {
	case Bool:
		return isBool
	case Integer:
		return isInteger | isNumber
	case Number:
		return isNumber
	case Time:
		return isTime
	}
	return isString
}
