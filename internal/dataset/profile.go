package dataset

import (
	"context"
	"errors"

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
		p.addColumn(i, b, col)
	}
	return nil
}

func (p *Profiler) addColumn(i int, b *Batch, col int) {
	c := &b.columns[col]
	switch p.schema[i].Type {
	case String:
		if c.codes != nil {
			p.addCodes(i, c)
			return
		}
		values, valid := b.Strings(col)
		p.stats.AddStrings(i, values, valid)
	case Number:
		p.stats.AddNumbers(i, b.Numbers(col))
	case Time:
		p.stats.AddTimes(i, c.ints, c.valid)
	default:
		p.stats.AddIntegers(i, c.ints, c.valid)
	}
}

// addCodes counts the values of the dictionary by their numbers.
func (p *Profiler) addCodes(i int, c *column) {
	counts, missing, others := make([]int64, len(c.dict)), int64(0), 0
	for row, code := range c.codes {
		switch {
		case code >= 0:
			counts[code]++
		case c.valid[row]:
			others++
		default:
			missing++
		}
	}
	p.stats.AddCounts(i, c.dict, counts, missing)
	if others == 0 {
		return
	}
	values := make([]string, 0, others)
	for row, code := range c.codes {
		if code < 0 && c.valid[row] {
			values = append(values, c.texts[row])
		}
	}
	p.stats.AddStrings(i, values, nil)
}

// Profile is what has been seen so far.
func (p *Profiler) Profile() *stats.Profile { return p.stats.Profile() }

// Profile reads columns (nil: all) of a table and profiles them, on all cores.
// The same files give the same profile on every machine.
//
// It reads CSV and JSON lines once, with the types that their beginnings have;
// only where a later value shows that a type is wider than that, it begins anew.
func Profile(ctx context.Context, sources []Source, columns []string) (*stats.Profile, error) {
	schema, found, err := infer(ctx, sources, columns, beginning)
	if err != nil {
		return nil, err
	}
	if found.sure(schema, sources[0].Types) {
		out, err := profile(ctx, sources, schema)
		if !errors.As(err, new(*WrongTypeError)) {
			return out, err
		}
	}
	if schema, err = schemaOf(ctx, sources, columns); err != nil {
		return nil, err
	}
	return profile(ctx, sources, schema)
}

func profile(ctx context.Context, sources []Source, schema Schema) (*stats.Profile, error) {
	p := NewProfiler(schema)
	shares := p.shares()
	err := readAll(ctx, sources, schema, func(b *Batch) error {
		for _, s := range shares {
			s.batches <- b
		}
		return nil
	})
	for _, s := range shares {
		close(s.batches)
		<-s.done
	}
	if err != nil {
		return nil, err
	}
	return p.Profile(), nil
}

// share is the columns that one core profiles, of all batches in order.
type share struct {
	batches chan *Batch
	done    chan struct{}
}

func (p *Profiler) shares() []share {
	out := make([]share, min(workers(), len(p.schema)))
	for w := range out {
		out[w] = share{make(chan *Batch, 1), make(chan struct{})}
		go func() {
			defer close(out[w].done)
			for b := range out[w].batches {
				for i := w; i < len(p.schema); i += len(out) {
					p.addColumn(i, b, i)
				}
			}
		}()
	}
	return out
}
