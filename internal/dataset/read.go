package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Read streams the given columns (nil: all) of a source through each, in
// batches of at most BatchRows rows, in order, in bounded memory. An error of
// each ends the reading and is returned as it is. Every other error names the
// source, and where it can the line, column and value; a source without rows is
// ErrEmpty.
func Read(ctx context.Context, src Source, columns []string, each func(*Batch) error) error {
	_, err := readFrom(ctx, src, columns, 0, each)
	return err
}

// ReadAll reads several files as one table. The first fixes the columns and
// types; a file that has not these is an error naming it.
func ReadAll(ctx context.Context, sources []Source, columns []string, each func(*Batch) error) error {
	if len(sources) == 0 {
		return fmt.Errorf("no files to read: %w", ErrEmpty)
	}
	var schema Schema
	first := int64(0)
	for _, src := range sources {
		if schema != nil {
			src.Types = schema.types()
			columns = schema.Names()
		}
		rows, err := readFrom(ctx, src, columns, first, func(b *Batch) error {
			schema = b.Schema
			return each(b)
		})
		if err != nil {
			return err
		}
		first += rows
	}
	return nil
}

func (s Schema) types() map[string]Type {
	out := make(map[string]Type, len(s))
	for _, f := range s {
		out[f.Name] = f.Type
	}
	return out
}

// Inspect returns the columns of a source and its rows, or −1 when counting
// them would mean reading it all. Of CSV and JSON lines it reads the sample the
// types are inferred from.
func Inspect(ctx context.Context, src Source) (Schema, int64, error) {
	var schema Schema
	rows := int64(-1)
	err := src.with(ctx, func(format string, r io.ReaderAt, size int64) error {
		if format == Parquet {
			p, err := openParquet(src, r, size)
			if err != nil {
				return err
			}
			if schema, err = p.schemaOf(nil); err != nil {
				return err
			}
			rows = p.file.NumRows()
			return nil
		}
		t, err := openText(src, format, r, size)
		if err != nil {
			return err
		}
		defer t.close()
		if err := t.takeSample(nil); err != nil {
			return err
		}
		schema = t.schema
		if t.ended {
			rows = int64(len(t.sample))
		}
		return nil
	})
	if err == nil && rows == 0 {
		err = fmt.Errorf("%s: %w", src.Name, ErrEmpty)
	}
	return schema, rows, err
}

// with opens the source for as long as read runs.
func (s Source) with(ctx context.Context, read func(format string, r io.ReaderAt, size int64) error) error {
	format, err := s.format()
	if err != nil {
		return err
	}
	r, size, done, err := s.Open(ctx)
	if err != nil {
		return fmt.Errorf("open %s: %w", s.Name, err)
	}
	err = read(format, r, size)
	if closeErr := done(); closeErr != nil {
		err = errors.Join(err, fmt.Errorf("close %s: %w", s.Name, closeErr))
	}
	return err
}

func readFrom(ctx context.Context, src Source, columns []string, first int64, each func(*Batch) error) (int64, error) {
	rows := int64(0)
	hand := func(b *Batch) error {
		b.First = first + rows
		rows += int64(b.Rows)
		if err := each(b); err != nil {
			return err
		}
		return ctx.Err()
	}
	err := src.with(ctx, func(format string, r io.ReaderAt, size int64) error {
		if format == Parquet {
			return readParquet(src, r, size, columns, hand)
		}
		return readText(src, format, r, size, columns, hand)
	})
	if err == nil && rows == 0 {
		err = fmt.Errorf("%s: %w", src.Name, ErrEmpty)
	}
	return rows, err
}
