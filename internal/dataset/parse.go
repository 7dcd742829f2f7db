package dataset

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// inferType returns the narrowest type that holds every value of a column of
// the sample: bool, integer, number, time, and string for anything else. A
// column without a value is a string.
func inferType(sample [][]cell, col int) Type {
	for _, kind := range []Type{Bool, Integer, Number, Time} {
		if holdsAll(kind, sample, col) {
			return kind
		}
	}
	return String
}

func holdsAll(kind Type, sample [][]cell, col int) bool {
	p, scratch, seen := newParser(kind), newColumn(kind, len(sample)), false
	for _, row := range sample {
		if col >= len(row) || row[col].missing {
			continue
		}
		seen = true
		if row[col].nested || !p.append(&scratch, row[col]) {
			return false
		}
	}
	return seen
}

// parser appends cells to a column of one type.
type parser struct {
	kind   Type
	layout int               // that matched the last time
	intern map[string]string // so that a value read often is kept once
}

const maxIntern = 4096

func newParser(kind Type) parser { return parser{kind: kind, intern: map[string]string{}} }

// append reports false for a value that is not of the type.
func (p *parser) append(c *column, v cell) bool {
	switch p.kind {
	case Number:
		n, ok := parseNumber(v)
		c.appendNumber(n)
		return ok
	case Integer:
		n, ok := parseInteger(v)
		c.appendInt(n)
		return ok
	case Bool:
		n, ok := parseBool(v)
		c.appendInt(n)
		return ok
	case Time:
		n, ok := p.parseTime(v.text)
		c.appendInt(n)
		return ok
	}
	c.appendText(p.keep(v.text))
	return p.kind == String
}

// keep returns a copy of s that does not hold on to the whole row it is part of.
func (p *parser) keep(s string) string {
	if kept, ok := p.intern[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	if len(p.intern) < maxIntern {
		p.intern[s] = s
	}
	return s
}

func parseBool(v cell) (int64, bool) {
	if v.quoted {
		return 0, false
	}
	switch v.text {
	case "true", "True", "TRUE":
		return 1, true
	case "false", "False", "FALSE":
		return 0, true
	}
	return 0, false
}

// parseInteger refuses leading zeros, which belong to codes such as 00501.
func parseInteger(v cell) (int64, bool) {
	if v.quoted || !plainNumber(v.text) {
		return 0, false
	}
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil
}

// parseNumber takes decimal numbers, inf, and nan as a missing value. A whole
// number too long for an integer stays text: it is an id, and float64 would
// change it.
func parseNumber(v cell) (float64, bool) {
	if v.quoted {
		return math.NaN(), false
	}
	if !plainNumber(v.text) {
		switch strings.ToLower(v.text) {
		case "nan":
			return math.NaN(), true
		case "inf", "+inf":
			return math.Inf(1), true
		case "-inf":
			return math.Inf(-1), true
		}
		return math.NaN(), false
	}
	n, err := strconv.ParseFloat(v.text, 64)
	if err != nil {
		return math.NaN(), false
	}
	if len(v.text) > 18 && !strings.ContainsAny(v.text, ".eE") {
		_, err = strconv.ParseInt(v.text, 10, 64)
	}
	return n, err == nil
}

// plainNumber says whether s may be a decimal number: no hexadecimal, no
// underscores, no leading zeros.
func plainNumber(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return false
	}
	for i := range len(digits) {
		switch b := digits[i]; {
		case b >= '0' && b <= '9', b == '.', b == 'e', b == 'E', b == '+', b == '-':
		default:
			return false
		}
	}
	return digits != "" && digits[0] != '-' && digits[0] != '+'
}

// layouts of times; one without a zone is UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04",
}

func (p *parser) parseTime(s string) (int64, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	for i := range layouts {
		at := (p.layout + i) % len(layouts)
		if t, err := time.Parse(layouts[at], s); err == nil && inRange(t) {
			p.layout = at
			return t.UnixNano(), true
		}
	}
	return 0, false
}
