package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/semaphore"
)

// textFile is an open file of CSV or JSON lines.
type textFile struct {
	src       Source
	format    string
	cutter    *cutter
	close     func()
	first     *chunk   // not handed out yet
	header    []string // of CSV
	delimiter byte     // of CSV
	room      *semaphore.Weighted
}

func openText(src Source, format string, r io.ReaderAt, size int64) (*textFile, error) {
	in, closer, err := plain(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Name, err)
	}
	t := &textFile{src: src, format: format, cutter: newCutter(in, format), close: closer, delimiter: src.Delimiter,
		room: semaphore.NewWeighted(textRoom)}
	if err := t.open(); err != nil {
		closer()
		return nil, t.at(err)
	}
	return t, nil
}

func (t *textFile) open() error {
	first, err := t.cutter.next()
	if errors.Is(err, io.EOF) {
		first, err = chunk{line: 1, last: true}, nil
	}
	if err != nil {
		return err
	}
	t.first = &first
	if t.format != CSV {
		return nil
	}
	if t.delimiter == 0 {
		t.delimiter = sniff(first)
	}
	if t.header, err = readHeader(&first, t.delimiter); err != nil || len(first.text) > 0 || first.last {
		return err
	}
	t.first = nil // the header was all that ended in the chunk
	return nil
}

// at says where in the source an error is.
func (t *textFile) at(err error) error {
	var line *lineError
	if errors.As(err, &line) {
		return fmt.Errorf("%s:%w", t.src.Name, err)
	}
	return fmt.Errorf("%s: %w", t.src.Name, err)
}

// next returns the next chunk, once there is room for it.
func (t *textFile) next(ctx context.Context) (c chunk, err error) {
	if t.first != nil {
		c, t.first = *t.first, nil
	} else if c, err = t.cutter.next(); err != nil {
		return c, err
	}
	return c, t.room.Acquire(ctx, c.size())
}

// parsed gives back the memory of a chunk, and its room.
func (t *textFile) parsed(c chunk) {
	t.room.Release(c.size())
	c.release()
}

// rowsOf reads the named columns; nil: all.
func (t *textFile) rowsOf(columns []string) (rowsOf, error) {
	if t.format == JSONL {
		return newJSONRows(columns), nil
	}
	wanted := upTo(len(t.header))
	if columns != nil {
		all := make(Schema, len(t.header))
		for i, name := range t.header {
			all[i].Name = name
		}
		var err error
		if wanted, err = all.Select(columns); err != nil {
			return nil, t.at(err)
		}
	}
	return newCSVRows(t.delimiter, t.header, wanted), nil
}

// read streams the columns of a schema, whose types every value must have.
func (t *textFile) read(ctx context.Context, schema Schema, each func(*Batch) error) error {
	if _, err := t.rowsOf(schema.Names()); err != nil {
		return err
	}
	newWork := func() func(chunk) (parsedChunk, error) {
		rows, _ := t.rowsOf(schema.Names()) // has worked before
		parsers := make([]parser, len(schema))
		for i, f := range schema {
			parsers[i] = parser{kind: t.src.reads(f), exact: t.src.Types[f.Name] == ""}
		}
		var b block
		return func(c chunk) (parsedChunk, error) {
			batches, err := t.batches(c, rows, &b, schema, parsers)
			return parsedChunk{batches, c}, err
		}
	}
	return inOrder(ctx, t.next, newWork, func(p parsedChunk) error {
		defer t.parsed(p.chunk)
		for _, b := range p.batches {
			if err := each(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// parsedChunk is a chunk that counts as held until its batches were taken.
type parsedChunk struct {
	batches []*Batch
	chunk   chunk
}

func (t *textFile) batches(c chunk, rows rowsOf, b *block, schema Schema, parsers []parser) ([]*Batch, error) {
	var out []*Batch
	rows.start(c)
	for {
		if err := rows.next(b); err != nil {
			return nil, t.at(err)
		}
		if b.rows() == 0 {
			return out, nil
		}
		batch := &Batch{Schema: schema, Rows: b.rows(), columns: make([]column, len(schema))}
		bad := valueError{row: b.rows()}
		var err error
		for i := range schema {
			c, problem := parsers[i].parse(b.text, b.cells[i])
			if problem != nil && problem.row < bad.row { // the topmost of all columns
				bad = *problem
				err = complain(schema[i].Name, parsers[i].kind, b.cells[i][bad.row].of(b.text), bad.err)
			}
			batch.columns[i] = c
		}
		if err != nil {
			return nil, t.at(&lineError{b.lines[bad.row], err})
		}
		out = append(out, batch)
	}
}
