package activities

import (
	"cmp"
	"context"
	"math"
	"slices"

	"steward/internal/dataset"
	"steward/internal/lifecycle"
	"steward/internal/stats"
)

// preparation is one pass over a snapshot that writes its parts.
type preparation struct {
	in       lifecycle.PrepareInput
	fileRows int
	schema   dataset.Schema
	splitter *dataset.Splitter
	profiled dataset.Schema    // the features, as they are profiled
	profiler *dataset.Profiler // of the training file being written; nil where a job profiles
	baseline *stats.Profile    // of those before it
	positive float64           // sum of the training part's labels

	parts []*partWriter // training, validation, test
}

func newPreparation(ctx context.Context, d *Data, in lifecycle.PrepareInput, m manifest, splitter *dataset.Splitter) (*preparation, error) {
	p := &preparation{in: in, fileRows: cmp.Or(d.FileRows, 1<<19), schema: m.Columns, splitter: splitter}
	for _, name := range in.Data.Features {
		f, _ := m.Columns.Field(name) // the snapshot was refused without it
		if slices.Contains(in.Data.Categorical, name) {
			f.Type = dataset.String
		}
		p.profiled = append(p.profiled, f)
	}
	if in.Data.Profile == nil {
		p.profiler = dataset.NewProfiler(p.profiled)
	}
	for _, part := range []dataset.Part{dataset.Train, dataset.Validation, dataset.Test} {
		w, err := newPartWriter(ctx, d.Objects, releaseURI(d.Bucket, in.Of, "parts/"+string(part)+"/"), in, part)
		p.parts = append(p.parts, w)
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// columns are those that the parts are written from.
func (p *preparation) columns() []string {
	columns := used(p.in.Data)
	for _, s := range append(p.splitter.Split.Columns(), p.in.Slices...) {
		if !slices.Contains(columns, s) {
			columns = append(columns, s)
		}
	}
	return columns
}

// numeric are the features that hold numbers.
func (p *preparation) numeric() []string {
	numeric := []string{}
	for _, name := range p.in.Data.Features {
		f, _ := p.schema.Field(name)
		if f.Type != dataset.String && f.Type != dataset.Time && !slices.Contains(p.in.Data.Categorical, name) {
			numeric = append(numeric, name)
		}
	}
	return numeric
}

func (p *preparation) add(b *dataset.Batch) error {
	label, err := b.Schema.Index(p.in.Data.Label)
	if err != nil {
		return err
	}
	labels := b.Numbers(label)
	if i := slices.IndexFunc(labels, math.IsNaN); i >= 0 {
		return lifecycle.Fail(lifecycle.DataRejected, "label %q: row %d has none", p.in.Data.Label, b.First+int64(i)+1)
	}
	rows, err := p.splitter.Rows(b)
	if err != nil {
		return lifecycle.Fail(lifecycle.DataRejected, "%v", err)
	}
	if len(rows[dataset.Train]) > 0 {
		if err := p.nextFile(); err != nil {
			return err
		}
	}
	if err := p.learn(b, rows[dataset.Train], labels); err != nil {
		return err
	}
	for _, part := range p.parts {
		if err := part.add(b, rows[part.name]); err != nil {
			return err
		}
	}
	return nil
}

// learn takes in the training part: what later windows are compared with.
func (p *preparation) learn(b *dataset.Batch, rows []int, labels []float64) error {
	if len(rows) == 0 {
		return nil
	}
	for _, row := range rows {
		p.positive += labels[row]
	}
	if p.profiler == nil {
		return nil
	}
	return p.profiler.Add(b.Take(rows))
}

// nextFile begins a new training file, and its profile, if the one being written
// is full. Each
// file is profiled by itself, as a processing job would do it.
func (p *preparation) nextFile() error {
	train := p.parts[0]
	if train.inFile < p.fileRows {
		return nil
	}
	if err := p.addUp(); err != nil {
		return err
	}
	return train.nextFile()
}

// addUp adds the profile of the file being written to those before it.
func (p *preparation) addUp() (err error) {
	if p.profiler == nil {
		return nil
	}
	p.baseline, err = mergeProfiles(p.baseline, p.profiler.Profile())
	p.profiler = dataset.NewProfiler(p.profiled)
	return err
}

// close ends all files; with a cause none of them appears, and it is returned.
func (p *preparation) close(cause error) error {
	var first error
	for _, part := range p.parts {
		first = cmp.Or(first, part.close(cause))
	}
	return cmp.Or(cause, first)
}
