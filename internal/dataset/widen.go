package dataset

import "math"

// widens tells whether values of a type can be read as another.
func widens(from, to Type) bool {
	switch to {
	case from, String:
		return true
	case Number:
		return from == Integer || from == Bool
	case EpochSeconds, EpochMillis:
		return from == Integer || from == Number
	}
	return false
}

// widen returns the values as those of a wider type.
func (c *column) widen(to Type) (column, *valueError) {
	switch to {
	case c.kind:
		return *c, nil
	case String:
		return c.asTexts(), nil
	case Number:
		return column{kind: Number, numbers: c.floats()}, nil
	}
	return c.asTimes(to)
}

func (c *column) asTexts() column {
	rows := c.rows()
	out := column{kind: String, texts: make([]string, rows), valid: make([]bool, rows)}
	for i := range rows {
		out.texts[i], out.valid[i] = c.text(i)
	}
	return out
}

// asTimes takes counts since 1970.
func (c *column) asTimes(kind Type) (column, *valueError) {
	rows := c.rows()
	out := column{kind: Time, ints: make([]int64, rows), valid: make([]bool, rows)}
	for i := range rows {
		v, ok := c.text(i)
		if !ok {
			continue
		}
		var err error
		if out.ints[i], err = parseEpoch([]byte(v), kind.unit()); err != nil {
			return out, &valueError{i, err}
		}
		out.valid[i] = true
	}
	return out, nil
}

func (c *column) rows() int {
	if c.kind == Number {
		return len(c.numbers)
	}
	return len(c.valid)
}

// floats returns all but strings as numbers, NaN where missing.
func (c *column) floats() []float64 {
	if c.kind == Number {
		return c.numbers
	}
	out := make([]float64, len(c.ints))
	for i, v := range c.ints {
		switch {
		case !c.valid[i]:
			out[i] = math.NaN()
		case c.kind == Time:
			out[i] = Seconds(v)
		default:
			out[i] = float64(v)
		}
	}
	return out
}
