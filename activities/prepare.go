package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// PrepareParts splits a snapshot and writes the parts as jobs read them, with
// the truth next to them, and profiles the features of the training part. It
// streams: besides 8 bytes a row for a split by time, memory does not grow with
// the data. A split that leaves a part without rows, or the training part with
// one class, is lifecycle.DataRejected.
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
	p, err := newPreparation(ctx, d, in, m, splitter)
	if err == nil {
		err = d.readSnapshot(ctx, m, p.columns(), p.add)
	}
	if err = p.close(err); err != nil {
		return lifecycle.Parts{}, err
	}
	return d.parts(ctx, p)
}

// planSplit decides which row belongs to which part.
func (d *Data) planSplit(ctx context.Context, m manifest, data lifecycle.Data) (*dataset.Splitter, error) {
	split := dataset.Split{By: data.Split.By, Column: data.ID, Validation: data.Split.Validation, Test: data.Split.Test}
	if split.By == dataset.ByID {
		return &dataset.Splitter{Split: split}, nil
	}
	split.Column = data.Time
	var times []int64
	err := d.readSnapshot(ctx, m, []string{data.Time}, func(b *dataset.Batch) error {
		nanos, valid := b.Times(0)
		if i := slices.Index(valid, false); i >= 0 {
			return lifecycle.Fail(lifecycle.DataRejected, "column %q, the time: row %d has none", data.Time, b.First+int64(i)+1)
		}
		times = append(times, nanos...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	splitter, err := dataset.SplitTimes(times, split)
	if err != nil {
		return nil, lifecycle.Fail(lifecycle.DataRejected, "%v", err)
	}
	return splitter, nil
}

// parts checks what was written and writes the baseline.
func (d *Data) parts(ctx context.Context, p *preparation) (lifecycle.Parts, error) {
	for _, part := range p.parts {
		if part.rows == 0 {
			return lifecycle.Parts{}, lifecycle.Fail(lifecycle.DataRejected, "the split by %s leaves the %s part without rows: the snapshot has %d",
				p.in.Data.Split.By, part.name, p.in.Snapshot.Rows)
		}
	}
	rate := p.positive / float64(p.parts[0].rows)
	if p.in.Data.Task == lifecycle.Binary && (rate == 0 || rate == 1) {
		return lifecycle.Parts{}, lifecycle.Fail(lifecycle.DataRejected, "label %q is %v in all %d rows of the training part: a model needs rows of both classes",
			p.in.Data.Label, rate, p.parts[0].rows)
	}
	baseline, err := json.Marshal(p.profiler.Profile())
	if err != nil {
		return lifecycle.Parts{}, fmt.Errorf("baseline: %w", err)
	}
	out := lifecycle.Parts{
		Baseline: releaseURI(d.Bucket, p.in.Of, "baseline.json"),
		Features: p.in.Data.Features, Numeric: p.numeric(), BaseRate: rate,
	}
	if err := d.Objects.Put(ctx, out.Baseline, baseline); err != nil {
		return out, err
	}
	for i, to := range []*lifecycle.Part{&out.Train, &out.Validation, &out.Test} {
		if *to, err = p.parts[i].part(); err != nil {
			return out, err
		}
	}
	return out, nil
}
