package postgres

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"steward/internal/dataset"
)

// column is how a column of a result becomes one of a file.
type column struct {
	dataset.Field
	text  bool // it has a collation, which differs between servers
	parse func(string) (any, error)
}

// Object ids of PostgreSQL's own types, which never change: pg_type.dat.
const (
	oidBool, oidInt8, oidInt2, oidInt4, oidOID  = 16, 20, 21, 23, 26
	oidFloat4, oidFloat8, oidNumeric            = 700, 701, 1700
	oidText, oidVarchar, oidBpchar              = 25, 1043, 1042
	oidName, oidChar, oidUUID                   = 19, 18, 2950
	oidDate, oidTimestamp, oidTimestampWithZone = 1082, 1114, 1184
)

// columnOf maps a type. Times without a zone are UTC. A numeric that is whole and
// fits 64 bits is an integer; as the id it is text, so that every digit counts;
// else it is the nearest number of 64 bits.
func columnOf(f pgconn.FieldDescription, id string) (column, error) {
	c := column{Field: dataset.Field{Name: f.Name}}
	switch f.DataTypeOID {
	case oidBool:
		c.Type, c.parse = dataset.Bool, func(s string) (any, error) { return s == "t", nil }
	case oidInt8, oidInt2, oidInt4, oidOID:
		c.Type, c.parse = dataset.Integer, integer
	case oidFloat4, oidFloat8:
		c.Type, c.parse = dataset.Number, float
	case oidNumeric:
		c.Type, c.parse = dataset.Number, float
		if f.Name == id {
			c.Type, c.parse = dataset.String, text
		} else if digits, scale := precision(f.TypeModifier); digits > 0 && digits <= 18 && scale == 0 {
			c.Type, c.parse = dataset.Integer, integer
		}
	case oidText, oidVarchar, oidBpchar, oidName, oidChar:
		c.Type, c.parse, c.text = dataset.String, text, true
	case oidUUID:
		c.Type, c.parse = dataset.String, text
	case oidDate:
		c.Type, c.parse = dataset.Time, instant("2006-01-02")
	case oidTimestamp:
		c.Type, c.parse = dataset.Time, instant("2006-01-02 15:04:05.999999")
	case oidTimestampWithZone:
		c.Type, c.parse = dataset.Time, instant("2006-01-02 15:04:05.999999-07")
	default:
		return c, fmt.Errorf("column %q is of a type (object id %d) that cannot be read: cast it in the query, such as %s::text", f.Name, f.DataTypeOID, quote(f.Name))
	}
	return c, nil
}

// precision reads the modifier of a numeric: digits in all and behind the point;
// 0 without one.
func precision(modifier int32) (digits, scale int32) {
	if modifier < 4 {
		return 0, 0
	}
	return (modifier - 4) >> 16, (modifier - 4) & 0xffff
}

func text(s string) (any, error)    { return s, nil }
func integer(s string) (any, error) { return strconv.ParseInt(s, 10, 64) }

func float(s string) (any, error) {
	v, err := strconv.ParseFloat(s, 64)
	if math.IsInf(v, 0) { // a numeric may be larger than any number of 64 bits
		err = nil
	}
	return v, err
}

func instant(layout string) func(string) (any, error) {
	return func(s string) (any, error) {
		t, err := time.Parse(layout, s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a time in the years 1678 to 2261", s)
		}
		return t, nil
	}
}
