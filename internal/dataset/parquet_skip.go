package dataset

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Range is what somebody wants of a table: rows whose Column lies from Min to
// Max, both included; nil is no limit. A limit is a time.Time for a column of
// times, and a float64 for one of numbers or integers.
type Range struct {
	Column   string
	Min, Max any
}

// bounds is a range of a column of a Parquet file.
type bounds struct {
	index    int
	kind     parquet.Kind
	unit     time.Duration
	min, max float64 // of numbers
	from, to int64   // of times, in nanoseconds since 1970
	time     bool
}

// within prepares the range that is wanted, nil if there is none.
func (p *parquetReader) within() (*bounds, error) {
	want := p.src.Within
	if want == nil {
		return nil, nil //nolint:nilnil // no range is no error
	}
	fields, err := p.fields([]string{want.Column}, func(string) Type { return "" })
	if err != nil {
		return nil, err
	}
	f := fields[0]
	b := &bounds{index: f.index, kind: p.file.Root().Column(want.Column).Type().Kind(), unit: f.unit, time: f.kind == Time,
		min: math.Inf(-1), max: math.Inf(1), from: math.MinInt64, to: math.MaxInt64}
	for _, limit := range []struct {
		value  any
		number *float64
		nanos  *int64
	}{{want.Min, &b.min, &b.from}, {want.Max, &b.max, &b.to}} {
		switch v := limit.value.(type) {
		case nil:
		case float64:
			if *limit.number = v; f.kind != Number && f.kind != Integer {
				return nil, p.errorf("column %s is of type %s: a range of numbers cannot be wanted of it", f.name, f.kind)
			}
		case time.Time:
			if *limit.nanos = v.UnixNano(); f.kind != Time {
				return nil, p.errorf("column %s is of type %s: a range of times cannot be wanted of it", f.name, f.kind)
			}
		default:
			return nil, p.errorf("column %s: a range cannot end at %v (%T): use a float64 or a time.Time", f.name, v, v)
		}
	}
	return b, nil
}

// excludes tells whether a row group says that it holds no row of the range.
// Where it says nothing, or not in a way that can be relied on, it may.
func (b *bounds) excludes(g *format.RowGroup) bool {
	if b == nil || b.index >= len(g.Columns) {
		return false
	}
	statistics := g.Columns[b.index].MetaData.Statistics
	low, lowTime, ok := b.value(statistics.MinValue)
	high, highTime, okHigh := b.value(statistics.MaxValue)
	switch {
	case !ok || !okHigh:
		return false
	case b.time:
		return highTime < b.from || lowTime > b.to
	}
	return high < b.min || low > b.max
}

// value reads a value of the statistics, in PLAIN encoding.
func (b *bounds) value(raw []byte) (number float64, nanos int64, ok bool) {
	var whole int64
	switch {
	case b.kind == parquet.Double && len(raw) == 8:
		number = math.Float64frombits(binary.LittleEndian.Uint64(raw))
		return number, 0, number == number
	case b.kind == parquet.Float && len(raw) == 4:
		number = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		return number, 0, number == number
	case b.kind == parquet.Int64 && len(raw) == 8 && b.unit > 0:
		whole = int64(binary.LittleEndian.Uint64(raw))
	case b.kind == parquet.Int32 && len(raw) == 4 && b.unit > 0:
		whole = int64(int32(binary.LittleEndian.Uint32(raw)))
	default:
		return 0, 0, false
	}
	if !b.time {
		return float64(whole), 0, true
	}
	limit := math.MaxInt64 / int64(b.unit)
	return 0, whole * int64(b.unit), whole <= limit && whole >= -limit
}
