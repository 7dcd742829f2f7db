package activities

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// table is a table in S3 objects, read as one. It tells a fault of the storage,
// which a retry may mend, from content that cannot be read.
type table struct {
	objects *cloud.Objects
	format  string // of the files of addAll; "": by their extension
	types   map[string]dataset.Type
	files   []dataset.Source
	fixed   [][]lifecycle.PartitionColumn // of each file, what its folder gives

	mu    sync.Mutex
	fault error
}

// add appends an object; name is what people know it by.
func (t *table) add(uri, name, format string, fixed []lifecycle.PartitionColumn) {
	open := func(ctx context.Context) (io.ReaderAt, int64, func() error, error) {
		r, err := t.objects.Open(ctx, uri)
		if err != nil {
			return nil, 0, nil, t.note(err)
		}
		return noting{r, t}, r.Size(), func() error { return nil }, nil
	}
	t.files = append(t.files, dataset.Source{Name: name, Format: format, Types: t.types, Open: open})
	t.fixed = append(t.fixed, fixed)
}

// addAll appends all objects under a prefix in the order of their names.
func (t *table) addAll(ctx context.Context, prefix string) error {
	for o, err := range t.objects.List(ctx, prefix) {
		if err != nil {
			return err
		}
		t.add(o.URI, o.URI, t.format, nil)
	}
	return nil
}

// read streams columns of all rows and heartbeats. An error of each is returned
// as it is; content that cannot be read is lifecycle.DataRejected.
func (t *table) read(ctx context.Context, columns []string, each func(*dataset.Batch) error) error {
	var own error
	err := t.readAll(ctx, columns, func(b *dataset.Batch) error {
		pulse{ctx, "reading " + t.files[0].Name}.beat()
		own = each(b)
		return own
	})
	switch {
	case err == nil, own != nil, ctx.Err() != nil:
		return err
	case t.fault != nil:
		return t.fault
	}
	return lifecycle.Fail(lifecycle.DataRejected, "%v", err)
}

// readAll reads the files as one table.
func (t *table) readAll(ctx context.Context, columns []string, each func(*dataset.Batch) error) error {
	if !slices.ContainsFunc(t.fixed, func(f []lifecycle.PartitionColumn) bool { return len(f) > 0 }) {
		return dataset.ReadAll(ctx, t.files, columns, each)
	}
	first := int64(0)
	for i, file := range t.files {
		rows := int64(0)
		err := readFixed(ctx, file, t.fixed[i], columns, func(b *dataset.Batch) error {
			own := *b
			own.First, rows = first+rows, rows+int64(b.Rows)
			return each(&own)
		})
		if err != nil {
			return err
		}
		first += rows
	}
	return nil
}

func (t *table) note(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fault = err
	return err
}

// noting is an open object that notes why it could not be read.
type noting struct {
	*cloud.Reader
	table *table
}

func (n noting) ReadAt(p []byte, off int64) (int, error) {
	read, err := n.Reader.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return read, n.table.note(err)
	}
	return read, err
}
