package dataset

import (
	"context"
	"fmt"
	"io"
	"maps"
)

// found is what is known of the columns of a file, or of a part of it.
type found struct {
	columns []foundColumn
	index   map[string]int
	rows    int64
	whole   bool // nothing of the file was left out
}

// foundColumn is one column: the types that all its values have. One without
// any value could be of every type.
type foundColumn struct {
	name string
	kinds
	seen bool
}

// see takes in the values of the column that most likely stands at i.
func (f *found) see(i int, name string, text []byte, cells []cell) {
	c := f.column(i, name)
	c.kinds = c.kinds.narrow(text, cells)
	for _, v := range cells {
		if c.seen {
			break
		}
		c.seen = v&missingCell == 0
	}
}

func (f *found) column(i int, name string) *foundColumn {
	if i < len(f.columns) && f.columns[i].name == name {
		return &f.columns[i]
	}
	if f.index == nil {
		f.index = map[string]int{}
	}
	at, ok := f.index[name]
	if !ok {
		at = len(f.columns)
		f.index[name] = at
		f.columns = append(f.columns, foundColumn{name: name, kinds: isAnything})
	}
	return &f.columns[at]
}

// merge adds what was found in the next part.
func (f *found) merge(next found) {
	for i, n := range next.columns {
		c := f.column(i, n.name)
		c.kinds &= n.kinds
		c.seen = c.seen || n.seen
	}
	f.rows += next.rows
}

// schema is the narrowest that holds everything found; declared types count for
// more.
func (f *found) schema(declared map[string]Type) Schema {
	out := make(Schema, len(f.columns))
	for i, c := range f.columns {
		out[i] = Field{c.name, String}
		if kind, ok := declared[c.name]; ok {
			out[i].Type = kind.becomes()
		} else if c.seen {
			out[i].Type = c.narrowest()
		}
	}
	return out
}

// Infer returns the given columns (nil: all) of files that are one table, with
// types that hold for every value of every file, and how many rows there are.
// It reads all of CSV and JSON lines, and the footers of Parquet. The first file
// fixes the columns; keys of JSON lines may come later. Declared types (of
// Source) stand as they are.
//
// Types widen from integer to number to string, and from bool, time or a mixture
// to string. A whole number that a float64 does not hold never becomes a number:
// in one column of text with fractions it is a string.
func Infer(ctx context.Context, sources []Source, columns []string) (Schema, int64, error) {
	schema, found, err := infer(ctx, sources, columns, everything)
	return schema, found.rows, err
}

// Inspect returns the columns of a source and its rows, or −1 when counting
// them would mean reading it all. Of CSV and JSON lines it reads the beginning,
// so later rows may not have the types; Infer makes sure of them.
func Inspect(ctx context.Context, src Source) (Schema, int64, error) {
	schema, found, err := infer(ctx, []Source{src}, nil, beginning)
	return schema, found.rows, err
}

// extent is how much of a text is read to find its columns.
type extent int

const (
	everything extent = iota
	undeclared        // everything, unless all types are declared
	beginning
)

func infer(ctx context.Context, sources []Source, columns []string, extent extent) (Schema, found, error) {
	if len(sources) == 0 {
		return nil, found{}, fmt.Errorf("no files to read: %w", ErrEmpty)
	}
	all, declared, keys := found{whole: true}, map[string]Type{}, true
	for i, src := range sources {
		err := src.with(ctx, func(format string, r io.ReaderAt, size int64) error {
			wanted := columns
			if keys = keys && format == JSONL; columns == nil && i > 0 && !keys {
				wanted = all.names()
			}
			f, err := src.infer(ctx, format, r, size, wanted, extent)
			all.merge(f)
			all.whole = all.whole && f.whole
			return err
		})
		if err != nil {
			return nil, found{}, err
		}
		maps.Copy(declared, src.Types)
	}
	if !all.whole {
		all.rows = -1
	}
	schema := all.schema(declared)
	picked, err := schema.Select(columns)
	if err != nil {
		return nil, found{}, fmt.Errorf("%s: %w", sources[0].Name, err)
	}
	return schema.pick(picked), all, nil
}

func (s Source) infer(ctx context.Context, format string, r io.ReaderAt, size int64, columns []string, extent extent) (found, error) {
	if format == Parquet {
		p, err := openParquet(s, r, size)
		if err != nil {
			return found{}, err
		}
		return p.infer(columns)
	}
	t, err := openText(s, format, r, size)
	if err != nil {
		return found{}, err
	}
	defer t.close()
	return t.infer(ctx, columns, extent)
}

// sure tells whether the types of a schema would not be narrower, or quite
// others, if more had been read.
func (f *found) sure(schema Schema, declared map[string]Type) bool {
	for i, field := range schema {
		if declared[field.Name] == "" && !f.whole && !f.column(i, field.Name).seen {
			return false
		}
	}
	return true
}

func (f *found) names() []string {
	out := make([]string, len(f.columns))
	for i, c := range f.columns {
		out[i] = c.name
	}
	return out
}
