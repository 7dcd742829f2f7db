package dataset

import "fmt"

// With returns the batch with a further column, which has one value in every
// row: a Go value as NewBatch takes it.
func (b *Batch) With(f Field, value any) (*Batch, error) {
	if _, err := b.Schema.Index(f.Name); err == nil {
		return nil, fmt.Errorf("column %s is there already", f.Name)
	}
	c := newColumn(f.Type, b.Rows)
	for range b.Rows {
		if !c.appendAny(value) {
			return nil, fmt.Errorf("column %s: %v (%T) is not a value of type %s", f.Name, value, value, f.Type)
		}
	}
	return &Batch{Schema: append(b.Schema[:len(b.Schema):len(b.Schema)], f), Rows: b.Rows, First: b.First,
		columns: append(b.columns[:len(b.columns):len(b.columns)], c)}, nil
}

// Pick returns the named columns of the batch, in this order.
func (b *Batch) Pick(names []string) (*Batch, error) {
	at, err := b.Schema.Select(names)
	if err != nil {
		return nil, err
	}
	out := &Batch{Schema: b.Schema.pick(at), Rows: b.Rows, First: b.First}
	for _, i := range at {
		out.columns = append(out.columns, b.columns[i])
	}
	return out, nil
}
