package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// withFixed adds the columns that a file's folder gives. One that the file has
// itself too is refused: there would be two truths.
func withFixed(schema dataset.Schema, f *foundFile, types map[string]string) (dataset.Schema, error) {
	for _, c := range f.Fixed {
		if _, err := schema.Field(c.Name); err == nil {
			return nil, fmt.Errorf("%s: column %q is in the file and in the name of its folder: leave it out of the file, or name the folder without it", f.Source, c.Name)
		}
		kind := dataset.Type(c.Type)
		if declared := types[c.Name]; declared != "" {
			kind = dataset.Type(declared)
		}
		schema = append(schema, dataset.Field{Name: c.Name, Type: kind})
	}
	return schema, nil
}

// readFixed is dataset.Read of a file with the columns that its folder gives.
func readFixed(ctx context.Context, source dataset.Source, fixed []lifecycle.PartitionColumn, columns []string, each func(*dataset.Batch) error) error {
	if len(fixed) == 0 {
		return dataset.Read(ctx, source, columns, each)
	}
	own := slices.DeleteFunc(slices.Clone(columns), func(name string) bool {
		return slices.ContainsFunc(fixed, func(c lifecycle.PartitionColumn) bool { return c.Name == name })
	})
	if len(own) == 0 { // the number of rows is still the file's to say
		schema, _, err := dataset.Inspect(ctx, source)
		if err != nil {
			return err
		}
		own = schema.Names()[:1]
	}
	return dataset.Read(ctx, source, own, func(b *dataset.Batch) error {
		for _, c := range fixed {
			kind := cmp.Or(source.Types[c.Name], dataset.Type(c.Type))
			value, err := fixedValue(c, kind)
			if err == nil {
				b, err = b.With(dataset.Field{Name: c.Name, Type: kind}, value)
			}
			if err != nil {
				return fmt.Errorf("%s: of its folder: %w", source.Name, err)
			}
		}
		picked, err := b.Pick(columns)
		if err != nil {
			return err
		}
		return each(picked)
	})
}

// fixedValue is the Go value of a folder's column, read as a type.
func fixedValue(c lifecycle.PartitionColumn, as dataset.Type) (any, error) {
	switch {
	case as == dataset.String:
		return c.Value, nil
	case as == dataset.Time && c.Type == string(dataset.Time):
		return time.Parse(time.RFC3339, c.Value)
	case as == dataset.Integer && c.Type == string(dataset.Integer):
		return strconv.ParseInt(c.Value, 10, 64)
	case as == dataset.Number && c.Type == string(dataset.Integer):
		return strconv.ParseFloat(c.Value, 64)
	}
	return nil, fmt.Errorf("column %s: %q is of type %s, not %s", c.Name, c.Value, c.Type, as)
}
