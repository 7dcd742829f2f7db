package dataset

import (
	"context"
	"io"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// readParquet streams the columns of a schema. While each runs, the next batches
// are decoded, column by column on all cores.
func readParquet(ctx context.Context, src Source, r io.ReaderAt, size int64, schema Schema, each func(*Batch) error) error {
	p, err := openParquet(src, r, size)
	if err != nil {
		return err
	}
	fields, err := p.fields(schema.Names(), func(name string) Type {
		f, _ := schema.Field(name) // it is one of the names
		return src.reads(f)
	})
	if err != nil {
		return err
	}
	within, err := p.within()
	if err != nil {
		return err
	}
	g := &groupReader{parquetReader: p, schema: schema, fields: fields, within: within, interns: make([]interner, len(fields))}
	defer g.close()
	as := func() func(*Batch) (*Batch, error) { return func(b *Batch) (*Batch, error) { return b, nil } }
	return inOrder(ctx, g.next, as, each)
}

// groupReader reads the row groups of a file one after another.
type groupReader struct {
	*parquetReader
	schema  Schema
	fields  []parquetField
	within  *bounds
	interns []interner // of each column

	group  int // the next
	chunks []*columnChunk
	left   int64 // rows of the group that is being read
}

// next returns the next batch, io.EOF at the end.
func (g *groupReader) next(context.Context) (b *Batch, err error) {
	defer g.recoverInto(&err)
	for g.left == 0 {
		g.close()
		groups := g.file.RowGroups()
		if g.group == len(groups) {
			return nil, io.EOF
		}
		if err := g.open(groups[g.group]); err != nil {
			return nil, err
		}
		g.group++
	}
	b = &Batch{Schema: g.schema, Rows: int(min(g.left, g.batchRows())), columns: make([]column, len(g.fields))}
	g.left -= int64(b.Rows)
	return b, g.decode(b)
}

// batchRows bounds the values of a batch, for tables of many columns.
func (g *groupReader) batchRows() int64 {
	return int64(max(64, min(BatchRows, maxBatchValues/len(g.fields))))
}

const maxBatchValues = 1 << 18

// open begins a row group, or skips it.
func (g *groupReader) open(group parquet.RowGroup) error {
	meta := &g.file.Metadata().RowGroups[g.group]
	if g.within.excludes(meta) {
		return nil
	}
	if err := g.checkGroup(g.group, meta, g.fields); err != nil {
		return err
	}
	g.left = group.NumRows()
	for i, f := range g.fields {
		g.chunks = append(g.chunks, &columnChunk{field: f, pages: group.ColumnChunks()[f.index].Pages(), intern: &g.interns[i]})
	}
	return nil
}

func (g *groupReader) close() {
	for _, c := range g.chunks {
		c.close()
	}
	g.chunks = nil
}

// decode reads the rows of all columns of a batch, with every core those of some
// columns.
func (g *groupReader) decode(b *Batch) error {
	shares := min(workers(), len(g.fields))
	errs := make([]error, len(g.fields))
	var running sync.WaitGroup
	for w := range shares {
		running.Go(func() {
			for i := w; i < len(g.fields); i += shares {
				b.columns[i], errs[i] = g.decodeColumn(g.chunks[i], b.Rows)
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *groupReader) decodeColumn(c *columnChunk, rows int) (out column, err error) {
	defer g.recoverInto(&err)
	narrow, err := c.read(rows)
	if err != nil {
		return column{}, g.errorf("column %s: %w", c.field.name, err)
	}
	out, bad := narrow.widen(c.field.as)
	if bad != nil {
		v, _ := narrow.text(bad.row)
		return column{}, g.errorf("%w", complain(c.field.name, c.field.as, []byte(v), bad.err))
	}
	return out, nil
}
