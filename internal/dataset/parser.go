package dataset

import (
	"errors"
	"fmt"
	"math"
)

// parser makes typed columns of the cells of one column, block after block.
type parser struct {
	kind   Type
	exact  bool // a whole number that a float64 does not hold is no number
	intern interner
}

// valueError is why a value could not be parsed.
type valueError struct {
	row int
	err error
}

// parse returns the values of a block's cells, or what is wrong with the first
// that is not of the type.
func (p *parser) parse(text []byte, cells []cell) (column, *valueError) {
	c := column{kind: p.kind.becomes()}
	var bad *valueError
	switch p.kind {
	case Number:
		c.numbers = make([]float64, len(cells))
		bad = eachCell(text, cells, func(row int, v []byte, flags cell) (err error) {
			var ok bool
			if c.numbers[row], ok = parseNumber(v); !ok || flags&quotedCell != 0 || p.exact && !isExact(v) {
				err = errWrongType
			}
			return err
		}, func(row int) { c.numbers[row] = math.NaN() })
		return c, bad
	case String:
		return c, p.parseTexts(&c, text, cells)
	}
	c.ints = make([]int64, len(cells))
	c.valid = make([]bool, len(cells))
	whole := p.whole()
	bad = eachCell(text, cells, func(row int, v []byte, flags cell) (err error) {
		c.ints[row], err = whole(v, flags)
		c.valid[row] = true
		return err
	}, func(int) {})
	return c, bad
}

// isExact is false for a whole number that a float64 does not hold.
func isExact(v []byte) bool {
	if len(v) <= 15 {
		return true
	}
	n, ok := parseInteger(v)
	return !ok || inFloat(n)
}

var errWrongType = errors.New("is not of the type")

// eachCell hands the cells of a column to value or, where there is none, absent.
func eachCell(text []byte, cells []cell, value func(row int, v []byte, flags cell) error, absent func(row int)) *valueError {
	for row, c := range cells {
		if c&missingCell != 0 {
			absent(row)
			continue
		}
		if c&nestedCell != 0 {
			return &valueError{row, errNested}
		}
		if err := value(row, c.of(text), c); err != nil {
			return &valueError{row, err}
		}
	}
	return nil
}

var errNested = errors.New("is nested")

// whole returns how to parse a value that is held as an integer.
func (p *parser) whole() func(v []byte, flags cell) (int64, error) {
	switch p.kind {
	case Time:
		return func(v []byte, _ cell) (int64, error) { return parseTime(v) }
	case EpochSeconds, EpochMillis:
		unit := p.kind.unit()
		return func(v []byte, _ cell) (int64, error) { return parseEpoch(v, unit) }
	}
	read := parseInteger
	if p.kind == Bool {
		read = parseBool
	}
	return func(v []byte, flags cell) (int64, error) {
		n, ok := read(v)
		if !ok || flags&quotedCell != 0 {
			return 0, errWrongType
		}
		return n, nil
	}
}

func (p *parser) parseTexts(c *column, text []byte, cells []cell) *valueError {
	p.intern.start()
	c.texts, c.valid, c.codes = make([]string, len(cells)), make([]bool, len(cells)), make([]int32, len(cells))
	bad := eachCell(text, cells, func(row int, v []byte, _ cell) (err error) {
		c.texts[row], c.codes[row], err = p.intern.add(v)
		c.valid[row] = true
		return err
	}, func(row int) { c.codes[row] = -1 })
	c.dict = p.intern.dict
	return bad
}

// WrongTypeError is a value that is not of the type of its column, which was
// declared or inferred from the values before.
type WrongTypeError struct {
	Column string
	Type   Type
	Value  string
	why    error
}

func (e *WrongTypeError) Error() string {
	if errors.Is(e.why, errWrongType) {
		return fmt.Sprintf("column %s: %q is not of type %s, which is declared for it: correct the value, or declare another type", e.Column, clip(e.Value), e.Type)
	}
	return fmt.Sprintf("column %s: %q %v", e.Column, clip(e.Value), e.why)
}

// complain says what is wrong with a value of a column.
func complain(name string, kind Type, value []byte, err error) error {
	switch {
	case errors.Is(err, errNested):
		return fmt.Errorf("column %s is nested (%s): only flat columns can be read; flatten it, or name the columns to read without it", name, value)
	case errors.Is(err, errNotUTF8):
		return fmt.Errorf("column %s: %q %w: write the file in UTF-8", name, clip(string(value)), err)
	}
	return &WrongTypeError{name, kind, string(value), err}
}
