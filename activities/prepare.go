package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// PrepareParts splits a snapshot and writes the parts as jobs read them, with
// the truth next to them, and profiles the features of the training part. It
// streams: besides 8 bytes a row for a split by time or a stratified one, memory
// does not grow with the data. A part's digest covers its rows in the snapshot's
// order. A split that leaves a part with too few rows, or with one class, is
// lifecycle.DataRejected.
func (d *Data) PrepareParts(ctx context.Context, in lifecycle.PrepareInput) (lifecycle.Parts, error) {
	m, err := d.readManifest(ctx, in.Snapshot)
	if err != nil {
		return lifecycle.Parts{}, err
	}
	for _, column := range in.Slices {
		if _, err := m.Columns.Field(column); err != nil {
			return lifecycle.Parts{}, lifecycle.Fail(lifecycle.DataRejected, "snapshot %s: slice by %s: %v", in.Snapshot.URI, column, err)
		}
	}
	splitter, err := d.planSplit(ctx, m, in.Data)
	if err != nil {
		return lifecycle.Parts{}, err
	}
	// What an earlier attempt left, of another version perhaps, is no part of this.
	if err := d.Objects.DeletePrefix(ctx, releaseURI(d.Bucket, in.Of, "parts/")); err != nil {
		return lifecycle.Parts{}, err
	}
	p, err := newPreparation(ctx, d, in, m, splitter)
	if err == nil {
		err = d.readSnapshot(ctx, m, p.columns(), p.add)
	}
	if err = p.close(err); err != nil {
		return lifecycle.Parts{}, err
	}
	return d.parts(ctx, p)
}

// splitOf is the split that a model file asks for.
func splitOf(data lifecycle.Data) dataset.Split {
	split := dataset.Split{By: data.Split.By, Column: data.ID, Validation: data.Split.Validation, Test: data.Split.Test}
	switch split.By {
	case dataset.ByTime:
		split.Column = data.Time
	case dataset.ByGroup:
		split.Column = data.Split.Column
	case dataset.ByStratified:
		split.Strata = cmp.Or(data.Split.Column, data.Label)
	}
	return split
}

// planSplit decides which row belongs to which part.
func (d *Data) planSplit(ctx context.Context, m manifest, data lifecycle.Data) (*dataset.Splitter, error) {
	planner, err := dataset.NewPlanner(splitOf(data))
	if err != nil {
		return nil, lifecycle.Fail(lifecycle.Invalid, "%v", err)
	}
	for _, column := range splitOf(data).Columns() {
		if _, err := m.Columns.Field(column); err != nil {
			return nil, lifecycle.Fail(lifecycle.DataRejected, "split by %s: %v", data.Split.By, err)
		}
	}
	if columns := planner.Columns(); len(columns) > 0 {
		if err := d.readSnapshot(ctx, m, columns, func(b *dataset.Batch) error {
			if err := planner.Add(b); err != nil {
				return lifecycle.Fail(lifecycle.DataRejected, "%v", err)
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	splitter, err := planner.Splitter()
	if err != nil {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "%v", err)
	}
	return splitter, nil
}

// parts checks what was written and writes the baseline.
func (d *Data) parts(ctx context.Context, p *preparation) (lifecycle.Parts, error) {
	for _, refuse := range []func(*partWriter, lifecycle.PrepareInput) error{(*partWriter).tooFew, (*partWriter).oneClass} {
		for _, part := range p.parts {
			if err := refuse(part, p.in); err != nil {
				return lifecycle.Parts{}, err
			}
		}
	}
	rate := p.positive / float64(p.parts[0].rows)
	out := lifecycle.Parts{Features: p.in.Data.Features, Numeric: p.numeric(), BaseRate: rate}
	if err := d.describe(ctx, p, &out); err != nil {
		return out, err
	}
	var err error
	for i, to := range []*lifecycle.Part{&out.Train, &out.Validation, &out.Test} {
		if *to, err = p.parts[i].part(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// describe writes the baseline or, where a processing job makes it, the columns
// that the job shall profile.
func (d *Data) describe(ctx context.Context, p *preparation, out *lifecycle.Parts) (err error) {
	if p.profiler != nil {
		if err := p.addUp(); err != nil {
			return fmt.Errorf("baseline: %w", err)
		}
		out.Baseline, err = putBaseline(ctx, d.Objects, d.Bucket, p.in.Of, p.baseline)
		return err
	}
	columns, err := json.Marshal(p.profiled)
	if err != nil {
		return fmt.Errorf("columns to profile: %w", err)
	}
	out.Columns = releaseURI(d.Bucket, p.in.Of, "columns/")
	return d.Objects.Put(ctx, out.Columns+"columns.json", columns)
}
