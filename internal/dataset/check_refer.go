package dataset

import (
	"context"

	"github.com/zeebo/xxh3"
)

// ValueSet is the values of a column of another table, which a column may be
// held against. It keeps a hash of 64 bits of each different one.
type ValueSet struct {
	Name   string // for messages: where the values are from
	hashes map[uint64]struct{}
}

// NewValueSet returns an empty set.
func NewValueSet(name string) *ValueSet { return &ValueSet{Name: name, hashes: map[uint64]struct{}{}} }

// Add takes the values of a column of a batch, as Strings shows them: so 1 in a
// column of integers and 1 in one of text are the same.
func (s *ValueSet) Add(b *Batch, col int) {
	values, valid := b.Strings(col)
	for i, v := range values {
		if valid[i] {
			s.hashes[xxh3.HashString(v)] = struct{}{}
		}
	}
}

// Len is how many different values there are.
func (s *ValueSet) Len() int { return len(s.hashes) }

// ReadValues returns the values of a column of a table.
func ReadValues(ctx context.Context, name string, sources []Source, column string) (*ValueSet, error) {
	set := NewValueSet(name)
	return set, ReadAll(ctx, sources, []string{column}, func(b *Batch) error {
		set.Add(b, 0)
		return nil
	})
}

func notOf(set *ValueSet) func([]*column, int) bool {
	return func(v []*column, row int) bool {
		text, _ := v[0].text(row)
		_, ok := set.hashes[xxh3.HashString(text)]
		return !ok
	}
}
