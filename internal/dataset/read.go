package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Read streams the given columns (nil: all) of a source through each, in
// batches of at most BatchRows rows, in order. An error of each ends the reading
// and is returned as it is. Every other error names the source, and where it can
// the line, column and value; a source without rows is ErrEmpty.
//
// Types that are not declared are inferred from all values, so such CSV and JSON
// lines are read twice.
//
// Files are parsed on all cores, up to 16, while each runs. What is held at a
// time is bounded: of text, 32 MiB, in pieces of half a MiB or one row (which may
// have 16 MiB), of which there are two for every core, with their values; of
// Parquet, a page of each column and a batch for every core. The batches are the
// same on every machine.
func Read(ctx context.Context, src Source, columns []string, each func(*Batch) error) error {
	return ReadAll(ctx, []Source{src}, columns, each)
}

// ReadAll reads several files as one table. The first fixes the columns; a file
// that has not these is an error naming it. Types that are not declared are the
// narrowest that hold the values of all files.
func ReadAll(ctx context.Context, sources []Source, columns []string, each func(*Batch) error) error {
	schema, err := schemaOf(ctx, sources, columns)
	if err != nil {
		return err
	}
	return readAll(ctx, sources, schema, each)
}

// schemaOf is what is read: as declared or, where that does not say, as found.
func schemaOf(ctx context.Context, sources []Source, columns []string) (Schema, error) {
	schema, declared := make(Schema, len(columns)), len(columns) > 0
	for i, name := range columns {
		for j, src := range sources {
			kind := src.Types[name].becomes()
			if declared = declared && kind != "" && (j == 0 || kind == schema[i].Type); !declared {
				break
			}
			schema[i] = Field{name, kind}
		}
	}
	if declared && len(sources) > 0 {
		return schema, nil
	}
	schema, _, err := infer(ctx, sources, columns, undeclared)
	return schema, err
}

func readAll(ctx context.Context, sources []Source, schema Schema, each func(*Batch) error) error {
	if _, err := schema.Select(nil); err != nil {
		return err
	}
	first := int64(0)
	for _, src := range sources {
		rows, err := src.read(ctx, schema, first, each)
		if err != nil {
			return err
		}
		first += rows
	}
	return nil
}

// read returns how many rows there are.
func (s Source) read(ctx context.Context, schema Schema, first int64, each func(*Batch) error) (int64, error) {
	rows := int64(0)
	hand := func(b *Batch) error {
		b.First = first + rows
		rows += int64(b.Rows)
		if err := each(b); err != nil {
			return err
		}
		return ctx.Err()
	}
	err := s.with(ctx, func(format string, r io.ReaderAt, size int64) error {
		if format == Parquet {
			return readParquet(ctx, s, r, size, schema, hand)
		}
		t, err := openText(s, format, r, size)
		if err != nil {
			return err
		}
		defer t.close()
		return t.read(ctx, schema, hand)
	})
	if err == nil && rows == 0 && s.Within == nil {
		err = fmt.Errorf("%s: %w", s.Name, ErrEmpty)
	}
	return rows, err
}

// with opens the source for as long as read runs.
func (s Source) with(ctx context.Context, read func(format string, r io.ReaderAt, size int64) error) error {
	format, err := s.format()
	if err == nil {
		err = s.check()
	}
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
