package dataset

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

const (
	parquetTail   = 8 // footer length and magic
	parquetBuffer = 64 << 10
)

// parquetReader reads the flat columns of a Parquet file.
type parquetReader struct {
	src   Source
	bytes io.ReaderAt
	size  int64
	file  *parquet.File
}

// openParquet looks at both ends of the file first, to tell a truncated file
// from one that never was Parquet.
func openParquet(src Source, r io.ReaderAt, size int64) (p *parquetReader, err error) {
	p = &parquetReader{src: src, bytes: r, size: size}
	if size == 0 {
		return nil, p.errorf("the file has no bytes: %w", ErrEmpty)
	}
	if err := checkEnds(r, size); err != nil {
		return nil, p.errorf("%w", err)
	}
	defer p.recoverInto(&err)
	p.file, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
		parquet.ReadBufferSize(parquetBuffer))
	if err != nil {
		return nil, p.errorf("damaged Parquet: %w", err)
	}
	return p, nil
}

func checkEnds(r io.ReaderAt, size int64) error {
	var head, tail [parquetTail]byte
	if size < parquetTail+4 {
		return fmt.Errorf("%d bytes are too few for a Parquet file", size)
	}
	if _, err := r.ReadAt(head[:4], 0); err != nil && err != io.EOF {
		return err
	}
	if _, err := r.ReadAt(tail[:], size-parquetTail); err != nil && err != io.EOF {
		return err
	}
	switch {
	case string(head[:4]) == "PARE" || string(tail[4:]) == "PARE":
		return fmt.Errorf("encrypted Parquet cannot be read: write it without encryption")
	case string(head[:4]) != "PAR1":
		return fmt.Errorf("not a Parquet file: it begins with %q instead of \"PAR1\"", head[:4])
	case string(tail[4:]) != "PAR1":
		return fmt.Errorf("truncated Parquet: its %d bytes end with %q instead of \"PAR1\"", size, tail[4:])
	}
	if footer := int64(binary.LittleEndian.Uint32(tail[:4])); footer > size-parquetTail-4 {
		return fmt.Errorf("damaged Parquet: a footer of %d bytes in a file of %d", footer, size)
	}
	return nil
}

func (p *parquetReader) errorf(format string, args ...any) error {
	return fmt.Errorf(p.prefix()+format, args...)
}

func (p *parquetReader) prefix() string { return strings.ReplaceAll(p.src.Name, "%", "%%") + ": " }

// recoverInto turns a panic of the Parquet library, which trusts the lengths a
// damaged file gives, into an error.
func (p *parquetReader) recoverInto(err *error) {
	if r := recover(); r != nil {
		*err = p.errorf("damaged Parquet: %v", r)
	}
}

// infer returns the wanted columns (nil: all). Nested columns are an error only
// if wanted.
func (p *parquetReader) infer(columns []string) (found, error) {
	fields, err := p.fields(columns, func(name string) Type { return p.src.Types[name] })
	if err != nil {
		return found{}, err
	}
	out := found{rows: p.file.NumRows(), whole: true}
	if out.rows == 0 {
		return out, p.errorf("%w", ErrEmpty)
	}
	for _, f := range fields {
		out.columns = append(out.columns, foundColumn{f.name, kindsOf(f.kind), !f.empty})
	}
	return out, nil
}

// fields returns the wanted columns and how to read each, as what the file says
// or as a wider type.
func (p *parquetReader) fields(columns []string, as func(column string) Type) (out []parquetField, err error) {
	defer p.recoverInto(&err)
	leaves := p.file.Root().Columns()
	if len(leaves) == 0 {
		return nil, p.errorf("damaged Parquet: no columns")
	}
	all := make(Schema, len(leaves))
	for i, c := range leaves {
		all[i] = Field{Name: c.Name()}
	}
	if err := checkHeader(all.Names()); err != nil {
		return nil, p.errorf("%w", err)
	}
	wanted, err := all.Select(columns)
	if err != nil {
		return nil, p.errorf("%w", err)
	}
	for _, at := range wanted {
		f, err := newParquetField(leaves[at], as(leaves[at].Name()))
		if err != nil {
			return nil, p.errorf("column %s %w", leaves[at].Name(), err)
		}
		out = append(out, f)
	}
	return out, nil
}

// checkChunks holds the row groups against what the file says of itself. LZ4 is
// refused because the library's decoder asks for more and more memory when its
// input is damaged, and the process would die of it.
func (p *parquetReader) checkChunks(fields []parquetField) (err error) {
	defer p.recoverInto(&err)
	for i, g := range p.file.Metadata().RowGroups {
		for _, f := range fields {
			if f.index >= len(g.Columns) {
				return p.errorf("damaged Parquet: row group %d has no column %s", i, f.name)
			}
			meta := &g.Columns[f.index].MetaData
			if meta.NumValues != g.NumRows {
				return p.errorf("damaged Parquet: row group %d has %d rows and %d values of column %s", i, g.NumRows, meta.NumValues, f.name)
			}
			if meta.Codec == format.Lz4Raw {
				return p.errorf("column %s is compressed with LZ4, which cannot be read safely: write the file with zstd or snappy", f.name)
			}
			if err := checkPages(p.bytes, p.size, meta); err != nil {
				return p.errorf("damaged Parquet: row group %d: column %s: %w", i, f.name, err)
			}
		}
	}
	return nil
}

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
	if err := p.checkChunks(fields); err != nil {
		return err
	}
	for _, g := range p.file.RowGroups() {
		if err := p.readGroup(g, schema, fields, each); err != nil {
			return err
		}
	}
	return nil
}

func (p *parquetReader) readGroup(g parquet.RowGroup, schema Schema, fields []parquetField, each func(*Batch) error) error {
	chunks := make([]*columnChunk, len(fields))
	for i, f := range fields {
		chunks[i] = &columnChunk{pages: g.ColumnChunks()[f.index].Pages()}
		defer chunks[i].close()
	}
	for left := g.NumRows(); left > 0; {
		b, err := p.batch(chunks, schema, fields, int(min(left, BatchRows)))
		if err != nil {
			return err
		}
		left -= int64(b.Rows)
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

// batch reads n rows of every column.
func (p *parquetReader) batch(chunks []*columnChunk, schema Schema, fields []parquetField, n int) (b *Batch, err error) {
	defer p.recoverInto(&err)
	b = &Batch{Schema: schema, Rows: n}
	values := make([]parquet.Value, n)
	for i, f := range fields {
		col := newColumn(f.kind, n)
		err := chunks[i].read(values, func(vs []parquet.Value) error {
			for _, v := range vs {
				if err := f.append(&col, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, p.errorf("column %s: %w", f.name, err)
		}
		wide, bad := col.widen(f.as)
		if bad != nil {
			v, _ := col.text(bad.row)
			return nil, p.errorf("%w", complain(f.name, f.as, []byte(v), bad.err))
		}
		b.columns = append(b.columns, wide)
	}
	return b, nil
}

// columnChunk reads the values of one column of one row group, page after page.
type columnChunk struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
}

// read hands len(buffer) values to take, in pieces that last for the call.
func (c *columnChunk) read(buffer []parquet.Value, take func([]parquet.Value) error) error {
	for done := 0; done < len(buffer); {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if errors.Is(err, io.EOF) {
				return fmt.Errorf("damaged Parquet: %d values are missing", len(buffer)-done)
			}
			if err != nil {
				return fmt.Errorf("damaged Parquet: %w", err)
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(buffer[done:])
		if err := take(buffer[done : done+n]); err != nil {
			return err
		}
		done += n
		if errors.Is(err, io.EOF) {
			c.release()
		} else if err != nil {
			return fmt.Errorf("damaged Parquet: %w", err)
		} else if n == 0 {
			return fmt.Errorf("damaged Parquet: %d values cannot be read", len(buffer)-done)
		}
	}
	return nil
}

func (c *columnChunk) release() {
	parquet.Release(c.page)
	c.page, c.values = nil, nil
}

func (c *columnChunk) close() {
	if c.page != nil {
		c.release()
	}
	_ = c.pages.Close() // it only gives buffers back
}

// validText refuses bytes that are not UTF-8.
func validText(b []byte) error {
	if !utf8.Valid(b) {
		return fmt.Errorf("%q is not valid UTF-8", clip(string(b)))
	}
	return nil
}
