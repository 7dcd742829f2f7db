package dataset

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"
)

func parseBool(v []byte) (int64, bool) {
	switch string(v) {
	case "true", "True", "TRUE":
		return 1, true
	case "false", "False", "FALSE":
		return 0, true
	}
	return 0, false
}

// parseInteger refuses leading zeros, which belong to codes such as 00501, and
// what 64 bits do not hold.
func parseInteger(v []byte) (int64, bool) {
	digits := v
	if len(v) > 0 && v[0] == '-' {
		digits = v[1:]
	}
	if len(digits) == 0 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n := int64(0)
	for _, b := range digits {
		if b -= '0'; b > 9 {
			return 0, false
		}
		n = n*10 + int64(b)
	}
	if len(digits) > 18 { // may have overflowed
		n, err := strconv.ParseInt(text(v), 10, 64)
		return n, err == nil
	}
	if len(digits) < len(v) {
		n = -n
	}
	return n, true
}

// powers of ten that a float64 holds exactly.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseNumber takes decimal numbers without leading zeros, inf, and nan as a
// missing value. A whole number too long for an integer is none: it is an id,
// and a float64 would change it.
//
// Up to 15 digits are taken as a whole number and divided by a power of ten;
// both are exact, so the quotient is the float64 nearest to the text (Clinger
// 1990, "How to read floating point numbers accurately").
func parseNumber(v []byte) (float64, bool) {
	at := 0
	if len(v) > 0 && v[0] == '-' {
		at = 1
	}
	whole, digits, point := int64(0), 0, -1
	for i := at; i < len(v); i++ {
		b := v[i] - '0'
		switch {
		case b <= 9:
			whole = whole*10 + int64(b)
			digits++
		case v[i] == '.' && point < 0:
			point = digits
		default:
			return parseSlowly(v)
		}
	}
	if digits == 0 || digits > 15 || v[at] == '0' && digits > 1 && point != 1 {
		return parseSlowly(v)
	}
	n := float64(whole)
	if point >= 0 {
		n /= powers[digits-point]
	}
	if at > 0 {
		n = -n
	}
	return n, true
}

func parseSlowly(v []byte) (float64, bool) {
	if !plainNumber(v) {
		return notDecimal(v)
	}
	n, err := strconv.ParseFloat(text(v), 64)
	if err != nil {
		return math.NaN(), false
	}
	if len(v) > 18 && !bytes.ContainsAny(v, ".eE") {
		_, err = strconv.ParseInt(text(v), 10, 64)
	}
	return n, err == nil
}

func notDecimal(v []byte) (float64, bool) {
	if len(v) > 4 {
		return math.NaN(), false
	}
	switch string(bytes.ToLower(v)) {
	case "nan":
		return math.NaN(), true
	case "inf", "+inf":
		return math.Inf(1), true
	case "-inf":
		return math.Inf(-1), true
	}
	return math.NaN(), false
}

// plainNumber says whether v may be a decimal number: no hexadecimal, no
// underscores, no leading zeros.
func plainNumber(v []byte) bool {
	digits := bytes.TrimPrefix(v, []byte{'-'})
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return false
	}
	for _, b := range digits {
		switch {
		case b >= '0' && b <= '9', b == '.', b == 'e', b == 'E', b == '+', b == '-':
		default:
			return false
		}
	}
	return len(digits) > 0 && digits[0] != '-' && digits[0] != '+'
}

// text is v as a string without a copy, for a call that does not keep it.
func text(v []byte) string { return unsafe.String(unsafe.SliceData(v), len(v)) }
