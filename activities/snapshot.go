package activities

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// atOnce is how many source files are fetched and read at the same time.
const atOnce = 4

// TakeSnapshot copies the source's files, by the digest of their content, into
// Steward's bucket and writes a manifest of them. The same content gives the
// same snapshot, whenever and from wherever it is taken. With Data.Last only
// rows of that long before the newest belong to it.
//
// Data that cannot be used is lifecycle.DataRejected, naming file and column:
// no files, an empty, broken or truncated file, a column that is missing or of
// the wrong type.
func (d *Data) TakeSnapshot(ctx context.Context, in lifecycle.SnapshotInput) (lifecycle.Snapshot, error) {
	objects, err := d.filesOf(ctx, in.Data.Sources[0])
	if err != nil {
		return lifecycle.Snapshot{}, err
	}
	files, schema, err := d.readFiles(ctx, in.Data, objects)
	if err != nil {
		return lifecycle.Snapshot{}, err
	}
	m := newManifest(in.Data, schema, files)
	if err := d.keep(ctx, m); err != nil {
		return lifecycle.Snapshot{}, err
	}
	if err := d.countRows(ctx, m, in.Data); err != nil {
		return lifecycle.Snapshot{}, err
	}
	return d.writeManifest(ctx, in.Model, m)
}

// filesOf lists a source.
func (d *Data) filesOf(ctx context.Context, source lifecycle.Source) ([]cloud.Object, error) {
	var files []cloud.Object
	for o, err := range d.Objects.Files(ctx, source.URI) {
		if errors.Is(err, cloud.ErrNotFound) {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: the bucket of %s does not exist", source.Name, source.URI)
		}
		if err != nil {
			return nil, err
		}
		if o.Size == 0 {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: file %s is empty", source.Name, o.URI)
		}
		files = append(files, o)
	}
	if len(files) == 0 {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "source %s: there are no files under %s", source.Name, source.URI)
	}
	return files, nil
}

// readFiles reads every file once. The first fixes the types of the columns.
func (d *Data) readFiles(ctx context.Context, data lifecycle.Data, objects []cloud.Object) ([]snapshotFile, dataset.Schema, error) {
	files := make([]snapshotFile, len(objects))
	first, schema, err := d.readFile(ctx, data, objects[0], nil)
	if err != nil {
		return nil, nil, err
	}
	files[0] = first
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, o := range objects[1:] {
		group.Go(func() (err error) {
			files[i+1], _, err = d.readFile(ctx, data, o, schema)
			return err
		})
	}
	return files, schema, group.Wait()
}

// keep copies the files of a snapshot to where their content names them.
func (d *Data) keep(ctx context.Context, m *manifest) error {
	defer alive(ctx, "copying the files of the snapshot")()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, f := range m.Files {
		group.Go(func() error {
			to := contentURI(d.Bucket, f.SHA256)
			if _, err := d.Objects.Stat(ctx, to); !errors.Is(err, cloud.ErrNotFound) {
				return err
			}
			return d.Objects.Copy(ctx, f.from, to)
		})
	}
	return group.Wait()
}

// countRows counts the rows of files that lie partly before the snapshot's
// beginning.
func (d *Data) countRows(ctx context.Context, m *manifest, data lifecycle.Data) error {
	for i := range m.Files {
		f := &m.Files[i]
		if !f.From.Before(m.Since) {
			continue
		}
		span := span{}
		one := *m
		one.Files = m.Files[i : i+1]
		err := d.readSnapshot(ctx, one, []string{data.Time}, func(b *dataset.Batch) error {
			span.add(b.Times(0))
			return nil
		})
		if err != nil {
			return err
		}
		f.Rows = span.rows
		f.From, f.To = span.times()
	}
	return nil
}
