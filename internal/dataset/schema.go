package dataset

import (
	"fmt"
	"strings"
	"time"
)

// Type is what the values of a column are.
type Type string

// Types of columns. An integer is a whole number that fits 64 bits; a time is
// an instant in UTC.
const (
	Number  Type = "number"
	Integer Type = "integer"
	String  Type = "string"
	Time    Type = "time"
	Bool    Type = "bool"
)

// Types that can be declared, never inferred, for a column that holds a number
// which counts time since 1970. The column is then one of times.
const (
	EpochSeconds Type = "epochSeconds"
	EpochMillis  Type = "epochMillis"
)

// becomes is what a column of a declared type holds once it is read.
func (t Type) becomes() Type {
	if t == EpochSeconds || t == EpochMillis {
		return Time
	}
	return t
}

// unit is what an epoch type counts, 0 for other types.
func (t Type) unit() time.Duration {
	switch t {
	case EpochSeconds:
		return time.Second
	case EpochMillis:
		return time.Millisecond
	}
	return 0
}

func (t Type) check() error {
	switch t {
	case Number, Integer, String, Time, Bool, EpochSeconds, EpochMillis:
		return nil
	}
	return fmt.Errorf("type %q is not known: use %s, %s, %s, %s, %s, %s or %s", t, Number, Integer, String, Time, Bool, EpochSeconds, EpochMillis)
}

// Field is one column of a schema.
type Field struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Schema is the columns of a table, in order.
type Schema []Field

// UnknownColumnError says that a schema has no such column.
type UnknownColumnError struct {
	Column  string
	Nearest string // "" when none is near
	Columns []string
}

func (e *UnknownColumnError) Error() string {
	hint := ""
	if e.Nearest != "" {
		hint = fmt.Sprintf("; did you mean %q?", e.Nearest)
	}
	return fmt.Sprintf("column %q does not exist%s (columns: %s)", e.Column, hint, strings.Join(e.Columns, ", "))
}

// Names returns the names of the columns.
func (s Schema) Names() []string {
	out := make([]string, len(s))
	for i, f := range s {
		out[i] = f.Name
	}
	return out
}

// Index returns the position of a column, or an *UnknownColumnError.
func (s Schema) Index(name string) (int, error) {
	for i, f := range s {
		if f.Name == name {
			return i, nil
		}
	}
	return -1, &UnknownColumnError{Column: name, Nearest: nearest(name, s.Names()), Columns: s.Names()}
}

// Field returns a column by name, or an *UnknownColumnError.
func (s Schema) Field(name string) (Field, error) {
	i, err := s.Index(name)
	if err != nil {
		return Field{}, err
	}
	return s[i], nil
}

// Select returns the positions of the named columns in the order asked for; nil
// selects all.
func (s Schema) Select(names []string) ([]int, error) {
	if names == nil {
		names = s.Names()
	}
	out := make([]int, len(names))
	seen := map[string]bool{}
	for i, n := range names {
		var err error
		if out[i], err = s.Index(n); err != nil {
			return nil, err
		}
		if seen[n] {
			return nil, fmt.Errorf("column %q is asked for twice", n)
		}
		seen[n] = true
	}
	return out, nil
}

// pick returns the schema of the selected positions.
func (s Schema) pick(columns []int) Schema {
	out := make(Schema, len(columns))
	for i, c := range columns {
		out[i] = s[c]
	}
	return out
}

// nearest returns the candidate a typing mistake away from name, or "".
func nearest(name string, candidates []string) string {
	best, limit := "", min(max(2, len(name)/3), len(name)-1)+1
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// editDistance is Levenshtein's: insertions, deletions and replacements.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j]+1, row[j+1]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
