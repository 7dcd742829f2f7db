package dataset

import (
	"context"

	"steward/internal/stats"
)

// Profiler profiles batches of one schema.
type Profiler struct {
	schema Schema
	stats  *stats.Profiler
}

// NewProfiler profiles all columns of schema: numbers, integers and bools as
// numbers, strings as categories, times as times.
func NewProfiler(schema Schema) *Profiler {
	fields := make([]stats.Field, len(schema))
	for i, f := range schema {
		fields[i] = stats.Field{Name: f.Name, Kind: kindOf(f.Type)}
	}
	return &Profiler{schema: schema, stats: stats.NewProfiler(fields)}
}

func kindOf(t Type) stats.Kind {
	switch t {
	case String:
		return stats.Category
	case Time:
		return stats.Time
	}
	return stats.Number
}

// Add adds the rows of a batch, which may hold more columns than the schema.
func (p *Profiler) Add(b *Batch) error {
	columns, err := b.Schema.Select(p.schema.Names())
	if err != nil {
		return err
	}
	for i, col := range columns {
		if p.schema[i].Type == String {
			values, valid := b.Strings(col)
			p.stats.AddStrings(i, values, valid)
		} else {
			p.stats.AddNumbers(i, b.Numbers(col))
		}
	}
	return nil
}

// Profile is what has been seen so far.
func (p *Profiler) Profile() *stats.Profile { return p.stats.Profile() }

// Profile reads columns (nil: all) of a table and profiles them.
func Profile(ctx context.Context, sources []Source, columns []string) (*stats.Profile, error) {
	var p *Profiler
	err := ReadAll(ctx, sources, columns, func(b *Batch) error {
		if p == nil {
			p = NewProfiler(b.Schema)
		}
		return p.Add(b)
	})
	if err != nil {
		return nil, err
	}
	return p.Profile(), nil
}
