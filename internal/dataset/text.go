package dataset

import (
	"errors"
	"fmt"
	"io"
)

// maxRecord bounds the memory of one row; a longer one is nearly always a quote
// that was never closed.
const maxRecord = 16 << 20

// cell is one value of a text file as it stands there. A quoted one is a JSON
// string, which is never a number or bool; CSV does not know the difference.
type cell struct {
	text    string
	quoted  bool
	missing bool
	nested  bool // a JSON object or array, which text describes
}

// rows is a text format: it yields the cells of one row after the other.
type rows interface {
	names() []string       // the columns known so far
	fix(extra bool)        // from now on a new column is an error, or ignored if extra
	next() ([]cell, error) // io.EOF at the end; the cells last until the next call
	line() int             // of the row just read, from 1
}

// textReader turns the rows of a text format into typed batches.
type textReader struct {
	src    Source
	rows   rows
	closer func()

	sample [][]cell
	lines  []int
	ended  bool

	schema  Schema // of the columns wanted
	columns []int  // their positions in the rows
	parsers []parser
}

func openText(src Source, format string, r io.ReaderAt, size int64) (*textReader, error) {
	in, closer, err := plain(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Name, err)
	}
	t := &textReader{src: src, closer: closer}
	if format == JSONL {
		t.rows = newJSONRows(in)
		return t, nil
	}
	if t.rows, err = newCSVRows(in); err != nil {
		closer()
		return nil, t.at(1, err)
	}
	return t, nil
}

func (t *textReader) close() { t.closer() }

// at says where in the source an error is.
func (t *textReader) at(line int, err error) error {
	if errors.Is(err, ErrEmpty) {
		return fmt.Errorf("%s: %w", t.src.Name, err)
	}
	return fmt.Errorf("%s:%d: %w", t.src.Name, line, err)
}

// takeSample reads the first rows, infers the types from them and selects the
// wanted columns.
func (t *textReader) takeSample(columns []string) error {
	for len(t.sample) < BatchRows {
		row, err := t.rows.next()
		if errors.Is(err, io.EOF) {
			t.ended = true
			break
		}
		if err != nil {
			return t.at(t.rows.line(), err)
		}
		t.sample = append(t.sample, append([]cell(nil), row...))
		t.lines = append(t.lines, t.rows.line())
	}
	if len(t.sample) == 0 {
		return fmt.Errorf("%s: %w", t.src.Name, ErrEmpty)
	}
	t.rows.fix(columns != nil)
	all := t.infer()
	var err error
	if t.columns, err = all.Select(columns); err != nil {
		return fmt.Errorf("%s: %w", t.src.Name, err)
	}
	t.schema = all.pick(t.columns)
	if err := t.refuseNested(); err != nil {
		return err
	}
	for _, f := range t.schema {
		t.parsers = append(t.parsers, newParser(f.Type))
	}
	return nil
}

func (t *textReader) refuseNested() error {
	for r, row := range t.sample {
		for i, at := range t.columns {
			if at < len(row) && row[at].nested {
				return t.at(t.lines[r], nestedError(t.schema[i].Name, row[at].text))
			}
		}
	}
	return nil
}

func nestedError(column, what string) error {
	return fmt.Errorf("column %s is nested (%s): only flat columns can be read; flatten it, or name the columns to read without it", column, what)
}

// infer decides the types of all columns.
func (t *textReader) infer() Schema {
	names := t.rows.names()
	schema := make(Schema, len(names))
	for i, name := range names {
		kind, declared := t.src.Types[name]
		if !declared {
			kind = inferType(t.sample, i)
		}
		schema[i] = Field{name, kind}
	}
	return schema
}

func readText(src Source, format string, r io.ReaderAt, size int64, columns []string, each func(*Batch) error) error {
	t, err := openText(src, format, r, size)
	if err != nil {
		return err
	}
	defer t.close()
	if err := t.takeSample(columns); err != nil {
		return err
	}
	for {
		b, err := t.batch()
		if err != nil {
			return err
		}
		if b.Rows == 0 {
			return nil
		}
		if err := each(b); err != nil {
			return err
		}
	}
}

// batch returns the next rows, none at the end.
func (t *textReader) batch() (*Batch, error) {
	b := &Batch{Schema: t.schema, columns: newColumns(t.schema, BatchRows)}
	sample, lines := t.sample, t.lines
	t.sample, t.lines = nil, nil
	for i, row := range sample {
		if err := t.append(b, row, lines[i]); err != nil {
			return nil, err
		}
	}
	for !t.ended && b.Rows < BatchRows {
		row, err := t.rows.next()
		if errors.Is(err, io.EOF) {
			t.ended = true
			break
		}
		if err != nil {
			return nil, t.at(t.rows.line(), err)
		}
		if err := t.append(b, row, t.rows.line()); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (t *textReader) append(b *Batch, row []cell, line int) error {
	for i, at := range t.columns {
		if at >= len(row) || row[at].missing {
			b.columns[i].appendMissing()
			continue
		}
		if row[at].nested {
			return t.at(line, nestedError(t.schema[i].Name, row[at].text))
		}
		if !t.parsers[i].append(&b.columns[i], row[at]) {
			f := t.schema[i]
			return t.at(line, fmt.Errorf("column %s: %q is not of type %s, which the first rows or the declared types give it: correct the value, or declare the column's type",
				f.Name, clip(row[at].text), f.Type))
		}
	}
	b.Rows++
	return nil
}

// clip keeps a value short enough for an error message.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
