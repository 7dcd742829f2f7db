package dataset

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"
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
