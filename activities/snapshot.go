package activities

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sync/errgroup"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// atOnce is how many source files are fetched and read at the same time.
const atOnce = 4

// TakeSnapshot copies the files of the sources, by the digest of their content,
// into Steward's bucket and writes a manifest of them. The same content gives
// the same snapshot, whenever and from wherever it is taken. With Data.Last only
// rows of that long before the newest belong to it. A file that an earlier
// snapshot of the model has read, and that is still as it was then, is not
// fetched again. Where each file came from is written beside it.
//
// Data that cannot be used is lifecycle.DataRejected, naming file and column:
// no files, an empty, broken or truncated file, a column that is missing or of
// the wrong type.
func (d *Data) TakeSnapshot(ctx context.Context, in lifecycle.SnapshotInput) (lifecycle.Snapshot, error) {
	t, err := d.newTaking(ctx, in)
	if err != nil {
		return lifecycle.Snapshot{}, err
	}
	defer func() { _ = os.RemoveAll(t.dir) }()
	if err := t.find(ctx); err != nil {
		return lifecycle.Snapshot{}, err
	}
	if err := t.readAll(ctx); err != nil {
		return lifecycle.Snapshot{}, err
	}
	schema, err := t.settle(ctx)
	if err != nil {
		return lifecycle.Snapshot{}, err
	}
	m := newManifest(in.Data, schema, t.files)
	if err := d.keep(ctx, m); err != nil {
		return lifecycle.Snapshot{}, err
	}
	if err := d.countRows(ctx, m, in.Data); err != nil {
		return lifecycle.Snapshot{}, err
	}
	s, err := d.writeManifest(ctx, in.Model, m)
	if err != nil {
		return s, err
	}
	s.Sources = t.uses(m)
	s.Lineage, err = t.writeLineage(ctx, s, m)
	return s, err
}

// taking is one snapshot being taken.
type taking struct {
	*Data
	in    lifecycle.SnapshotInput
	dir   string            // of what is fetched; removed at the end
	asked string            // digest of what is wanted of every file
	files []*foundFile      // sources and names in order
	notes map[string]string // by source: what was left out

	// Of the snapshot before, by identity and by where the file was.
	known  map[string]fileRead
	former map[string]lineageFile
}

func (d *Data) newTaking(ctx context.Context, in lifecycle.SnapshotInput) (*taking, error) {
	t := &taking{Data: d, in: in, notes: map[string]string{}}
	var err error
	if t.asked, err = lifecycle.Digest([]any{used(in.Data), in.Data.Types, in.Data.Categorical, in.Data.Label}); err != nil {
		return nil, err
	}
	if err = t.readKnown(ctx); err != nil {
		return nil, err
	}
	t.dir, err = os.MkdirTemp("", "steward-snapshot-*")
	return t, err
}

// find lists the files of all sources.
func (t *taking) find(ctx context.Context) error {
	for _, source := range t.in.Data.Sources {
		files, err := t.filesOf(ctx, source)
		if err != nil {
			return err
		}
		t.files = append(t.files, files...)
	}
	return nil
}

// readAll reads every file that is not known from before.
func (t *taking) readAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, f := range t.files {
		if known, ok := t.known[f.identity()]; ok && f.local == "" {
			f.use(known)
			f.old = true
			continue
		}
		group.Go(func() error { return t.readFile(ctx, f) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, f := range t.files {
		if err := f.insidePeriod(t.in.Data); err != nil {
			return err
		}
	}
	return nil
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
			return f.found.copyTo(ctx, d.Objects, to)
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

// uses sums up what a snapshot took from each source.
func (t *taking) uses(m *manifest) []lifecycle.SourceUse {
	var out []lifecycle.SourceUse
	for _, source := range t.in.Data.Sources {
		use := lifecycle.SourceUse{Name: source.Name, Note: t.notes[source.Name]}
		for _, f := range m.Files {
			if f.Origin != source.Name {
				continue
			}
			use.Files, use.Rows = use.Files+1, use.Rows+f.Rows
			if !f.found.old {
				use.New++
			}
		}
		out = append(out, use)
	}
	return out
}
