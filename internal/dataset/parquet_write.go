package dataset

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// WriteParquet writes batches of one schema as a Parquet file (zstd; every
// column optional; times in microseconds).
func WriteParquet(w io.Writer, schema Schema, batches ...*Batch) error {
	p := NewParquetWriter(w, schema)
	for _, b := range batches {
		if err := p.Write(b, nil); err != nil {
			return err
		}
	}
	return p.Close()
}

// ParquetWriter writes rows as they come. Call Close, or the file is damaged.
type ParquetWriter struct {
	schema Schema
	out    *parquet.GenericWriter[any]
}

// NewParquetWriter starts a Parquet file with the columns of schema in order.
func NewParquetWriter(w io.Writer, schema Schema) *ParquetWriter {
	group := orderedGroup{Group: parquet.Group{}}
	for _, f := range schema {
		node := parquet.Compressed(parquet.Optional(leaf(f.Type)), &parquet.Zstd)
		group.Group[f.Name] = node
		group.order = append(group.order, f.Name)
	}
	return &ParquetWriter{schema: schema,
		out: parquet.NewGenericWriter[any](w, parquet.NewSchema("table", group), parquet.MaxRowsPerRowGroup(1<<17))}
}

// orderedGroup keeps the columns in the order declared; a parquet.Group sorts
// them by name.
type orderedGroup struct {
	parquet.Group
	order []string
}

// Fields returns the columns in their declared order.
func (g orderedGroup) Fields() []parquet.Field {
	byName := map[string]parquet.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	out := make([]parquet.Field, len(g.order))
	for i, name := range g.order {
		out[i] = byName[name]
	}
	return out
}

func leaf(kind Type) parquet.Node {
	switch kind {
	case Number:
		return parquet.Leaf(parquet.DoubleType)
	case Integer:
		return parquet.Int(64)
	case Bool:
		return parquet.Leaf(parquet.BooleanType)
	case Time:
		return parquet.Timestamp(parquet.Microsecond)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// Write adds the given rows of a batch (nil: all).
func (p *ParquetWriter) Write(b *Batch, rows []int) error {
	columns, err := b.Schema.Select(p.schema.Names())
	if err != nil {
		return err
	}
	for i, col := range columns {
		if want := p.schema[i]; b.Schema[col].Type != want.Type {
			return fmt.Errorf("column %s is of type %s in the rows and %s in the file", want.Name, b.Schema[col].Type, want.Type)
		}
	}
	if rows != nil {
		b = b.Take(rows)
	}
	out := make([]parquet.Row, b.Rows)
	for r := range out {
		out[r] = make(parquet.Row, len(columns))
		for i, col := range columns {
			out[r][i] = b.columns[col].parquetValue(r, i)
		}
	}
	if _, err := p.out.WriteRows(out); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	return nil
}

// Close writes the footer.
func (p *ParquetWriter) Close() error {
	if err := p.out.Close(); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	return nil
}

func (c *column) parquetValue(row, index int) parquet.Value {
	if c.missing(row) {
		return parquet.NullValue().Level(0, 0, index)
	}
	var v parquet.Value
	switch c.kind {
	case Number:
		v = parquet.DoubleValue(c.numbers[row])
	case Integer:
		v = parquet.Int64Value(c.ints[row])
	case Bool:
		v = parquet.BooleanValue(c.ints[row] == 1)
	case Time:
		v = parquet.Int64Value(c.ints[row] / 1000)
	default:
		v = parquet.ByteArrayValue([]byte(c.texts[row]))
	}
	return v.Level(0, 1, index)
}
