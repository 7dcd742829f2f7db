package dataset

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetField is one flat column and how its values become ours.
type parquetField struct {
	name   string
	index  int  // of the leaf column in a row group
	kind   Type // that the file gives it
	as     Type // that it is read as
	empty  bool // it never holds a value, so it is of any type
	append converter
	isText bool // the bytes of a value are its text

	// unit makes integers of the file ours, 0 where they need more than that: 1,
	// or what a time counts, in nanoseconds.
	unit time.Duration
}

// newParquetField decides the type of a column from its logical and physical
// type, unless a wider one is declared.
func newParquetField(c *parquet.Column, declared Type) (parquetField, error) {
	f := parquetField{name: c.Name(), index: c.Index()}
	if !c.Leaf() || c.Repeated() {
		return f, errors.New("is nested: only flat columns can be read; flatten it, or name the columns to read without it")
	}
	convert, kind, err := conversion(c.Type())
	if err != nil {
		return f, err
	}
	f.unit, f.isText = unitOf(c.Type()), kind == String && c.Type().Kind() == parquet.ByteArray
	if logical := c.Type().LogicalType(); logical != nil {
		_, f.empty = logical.Value.(*format.NullType)
	}
	f.kind, f.as = kind, kind
	if declared != "" {
		f.as = declared
	}
	if f.empty {
		f.kind = f.as.becomes()
		f.as = f.kind
	} else if !widens(f.kind, f.as) {
		return f, fmt.Errorf("is of type %s in this file, not %s", kind, declared)
	}
	f.append = func(c *column, v parquet.Value) error {
		if v.IsNull() {
			c.appendMissing()
			return nil
		}
		return convert(c, v)
	}
	return f, nil
}

type converter func(c *column, v parquet.Value) error

func conversion(t parquet.Type) (converter, Type, error) {
	if logical := t.LogicalType(); logical != nil && logical.Value != nil {
		if convert, kind := logicalConversion(t, logical.Value); convert != nil {
			return convert, kind, nil
		}
		switch logical.Value.(type) {
		case *format.StringType, *format.EnumType, *format.JsonType, *format.IntType, *format.NullType:
		default:
			return nil, "", fmt.Errorf("is of the Parquet type %s, which cannot be read: cast it to a number, string or timestamp", logical)
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return appendBool, Bool, nil
	case parquet.Int32:
		return func(c *column, v parquet.Value) error { c.appendInt(int64(v.Int32())); return nil }, Integer, nil
	case parquet.Int64:
		return func(c *column, v parquet.Value) error { c.appendInt(v.Int64()); return nil }, Integer, nil
	case parquet.Float:
		return func(c *column, v parquet.Value) error { c.appendNumber(float64(v.Float())); return nil }, Number, nil
	case parquet.Double:
		return func(c *column, v parquet.Value) error { c.appendNumber(v.Double()); return nil }, Number, nil
	case parquet.Int96:
		return appendInt96, Time, nil
	case parquet.ByteArray:
		return appendText, String, nil
	}
	return nil, "", fmt.Errorf("is of the Parquet type %s, which cannot be read: cast it to a number, string or timestamp", t)
}

func logicalConversion(t parquet.Type, logical format.LogicalTypeValue) (converter, Type) {
	switch l := logical.(type) {
	case *format.TimestampType:
		unit := l.Unit.Value.Duration()
		return func(c *column, v parquet.Value) error { return appendTime(c, v.Int64(), unit) }, Time
	case *format.DateType:
		return func(c *column, v parquet.Value) error { return appendTime(c, int64(v.Int32()), 24*time.Hour) }, Time
	case *format.DecimalType:
		return decimal(t.Kind(), l.Scale), Number
	case *format.IntType:
		return unsigned(t.Kind(), l), Integer
	case *format.UUIDType:
		return appendUUID, String
	}
	return nil, ""
}

func appendBool(c *column, v parquet.Value) error {
	if v.Boolean() {
		c.appendInt(1)
	} else {
		c.appendInt(0)
	}
	return nil
}

// unsigned returns nil for signed integers.
func unsigned(kind parquet.Kind, t *format.IntType) converter {
	switch {
	case t.IsSigned:
		return nil
	case kind == parquet.Int32:
		return func(c *column, v parquet.Value) error { c.appendInt(int64(v.Uint32())); return nil }
	}
	return func(c *column, v parquet.Value) error {
		if v.Uint64() > math.MaxInt64 {
			return fmt.Errorf("%d does not fit a signed integer of 64 bits", v.Uint64())
		}
		c.appendInt(v.Int64())
		return nil
	}
}

func appendTime(c *column, v int64, unit time.Duration) error {
	if v > math.MaxInt64/int64(unit) || v < math.MinInt64/int64(unit) {
		return fmt.Errorf("the time %d × %s since 1970 lies outside the years 1678 to 2261", v, unit)
	}
	c.appendInt(v * int64(unit))
	return nil
}

const julian1970 = 2440588 // the Julian day of 1 January 1970

func appendInt96(c *column, v parquet.Value) error {
	i := v.Int96()
	day, nanos := int64(i[2])-julian1970, int64(i[1])<<32|int64(i[0])
	if day > 106_000 || day < -106_000 {
		return fmt.Errorf("the day %d since 1970 lies outside the years 1678 to 2261", day)
	}
	c.appendInt(day*int64(24*time.Hour) + nanos)
	return nil
}

func decimal(kind parquet.Kind, scale int32) converter {
	unit := math.Pow10(int(scale))
	return func(c *column, v parquet.Value) error {
		switch kind {
		case parquet.Int32:
			c.appendNumber(float64(v.Int32()) / unit)
		case parquet.Int64:
			c.appendNumber(float64(v.Int64()) / unit)
		default:
			c.appendNumber(bigEndian(v.ByteArray()) / unit)
		}
		return nil
	}
}

// bigEndian reads a two's complement integer of any length.
func bigEndian(b []byte) float64 {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	f, _ := new(big.Float).SetInt(n).Float64()
	return f
}

func appendUUID(c *column, v parquet.Value) error {
	b := v.ByteArray()
	if len(b) != 16 {
		return fmt.Errorf("a UUID of %d bytes", len(b))
	}
	c.appendText(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
	return nil
}

// unitOf is what whole numbers of a type count, 0 if they are not taken as they
// are.
func unitOf(t parquet.Type) time.Duration {
	if t.Kind() != parquet.Int32 && t.Kind() != parquet.Int64 {
		return 0
	}
	logical := t.LogicalType()
	if logical == nil || logical.Value == nil {
		return 1
	}
	switch l := logical.Value.(type) {
	case *format.TimestampType:
		return l.Unit.Value.Duration()
	case *format.DateType:
		return 24 * time.Hour
	case *format.IntType:
		if l.IsSigned {
			return 1
		}
	}
	return 0
}

func appendText(c *column, v parquet.Value) error {
	b := v.ByteArray()
	if !utf8.Valid(b) {
		return fmt.Errorf("%q %w: write the file in UTF-8", clip(string(b)), errNotUTF8)
	}
	c.appendText(string(b))
	return nil
}
