package activities

import (
	"context"
	"maps"
	"slices"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// declaredTypes are those of the model file, by column.
func declaredTypes(types map[string]string) map[string]dataset.Type {
	out := make(map[string]dataset.Type, len(types))
	for name, kind := range types {
		out[name] = dataset.Type(kind)
	}
	return out
}

// typesFor are the types to read a table by. What is declared goes before what
// the columns are: a declared type also says how to read it.
func typesFor(schema dataset.Schema, declared map[string]string) map[string]dataset.Type {
	types := typesOf(schema)
	maps.Copy(types, declaredTypes(declared))
	return types
}

func typesOf(schema dataset.Schema) map[string]dataset.Type {
	types := make(map[string]dataset.Type, len(schema))
	for _, f := range schema {
		types[f.Name] = f.Type
	}
	return types
}

// asWritten tells whether a column's values are names, not quantities: an id, or
// a category. They stay as they are written.
func asWritten(name string, data lifecycle.Data) bool {
	return name == data.ID || slices.Contains(data.Categorical, name)
}

// widen lets numbers that happen to be whole in one file have fractions in
// another. Declared types, ids and categories stay.
func widen(schema dataset.Schema, data lifecycle.Data) dataset.Schema {
	schema = slices.Clone(schema)
	for i, f := range schema {
		if _, declared := data.Types[f.Name]; f.Type == dataset.Integer && !declared && !asWritten(f.Name, data) {
			schema[i].Type = dataset.Number
		}
	}
	return schema
}

// empties finds the columns that hold no value: of those nothing is known.
type empties struct{ columns []string }

func newEmpties(columns []string) *empties { return &empties{slices.Clone(columns)} }

func (e *empties) add(b *dataset.Batch) {
	e.columns = slices.DeleteFunc(e.columns, func(name string) bool {
		col, err := b.Schema.Index(name)
		for row := 0; err == nil && row < b.Rows; row++ {
			if !b.Missing(col, row) {
				return true
			}
		}
		return err != nil
	})
}

// untyped takes the types of empty columns out of a schema.
func (e *empties) untyped(schema dataset.Schema) dataset.Schema {
	for i, f := range schema {
		if slices.Contains(e.columns, f.Name) {
			schema[i].Type = ""
		}
	}
	return schema
}

// settle finds the types that hold the values of all files, of the columns that
// all files have. A file whose values cannot be read so is refused by file, row
// and column.
func (t *taking) settle(ctx context.Context) (dataset.Schema, error) {
	var schema dataset.Schema
	for _, f := range t.files[0].read.Columns {
		kinds, everywhere := t.kindsOf(f.Name)
		if !everywhere {
			continue
		}
		f.Type = common(kinds, asWritten(f.Name, t.in.Data))
		schema = append(schema, f)
	}
	for name := range t.in.Data.Types {
		if _, err := schema.Field(name); err != nil {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "data.types: %v in all files: correct the name, or take it out", err)
		}
	}
	for _, f := range t.files {
		if err := t.holds(ctx, f, schema); err != nil {
			return nil, err
		}
	}
	return schema, nil
}

// kindsOf lists the types that a column has in the files, in their order.
func (t *taking) kindsOf(name string) (kinds []dataset.Type, everywhere bool) {
	for _, f := range t.files {
		column, err := f.read.Columns.Field(name)
		if err != nil {
			return nil, false
		}
		if column.Type != "" && !slices.Contains(kinds, column.Type) {
			kinds = append(kinds, column.Type)
		}
	}
	return kinds, true
}

// common is the narrowest type for values of several. Text beside quantities is
// taken for a mistake in the text, unless the values are names: so one wrong
// word does not turn a feature into a category.
func common(kinds []dataset.Type, names bool) dataset.Type {
	if len(kinds) > 1 && !names {
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(k dataset.Type) bool { return k == dataset.String })
	}
	switch {
	case len(kinds) == 0:
		return dataset.String
	case len(kinds) == 1:
		return kinds[0]
	case !slices.Contains(kinds, dataset.String) && !slices.Contains(kinds, dataset.Time):
		return dataset.Number // of integers, numbers and bools
	case names:
		return dataset.String
	}
	return kinds[0]
}

// holds makes sure that a file's values are of the settled types, by reading
// again the columns for which its own types do not say so.
func (t *taking) holds(ctx context.Context, f *foundFile, schema dataset.Schema) error {
	var doubtful []string
	for _, name := range used(t.in.Data) {
		own, _ := f.read.Columns.Field(name) // settle kept those that every file has
		want, _ := schema.Field(name)
		fits := own.Type == "" || own.Type == want.Type || own.Type == dataset.Integer && want.Type == dataset.Number ||
			want.Type == dataset.String && f.Format != dataset.Parquet
		if !fits {
			doubtful = append(doubtful, name)
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	release, err := t.obtain(ctx, f)
	if err != nil {
		return err
	}
	defer release()
	source := f.opened(typesFor(schema, t.in.Data.Types))
	return rejected(ctx, readFixed(ctx, source, f.Fixed, doubtful, func(*dataset.Batch) error {
		pulse{ctx, "reading " + f.Source + " again"}.beat()
		return nil
	}))
}
