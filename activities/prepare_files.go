package activities

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// partWriter writes the files of one part: for a training channel, for a batch
// transform, and the truth.
type partWriter struct {
	name   dataset.Part
	prefix string
	data   lifecycle.Data
	slices []string
	rows   int64
	inFile int // rows of the channel's file being written
	open   func(path string) *objectFile
	label  string // of its first row
	varied bool   // another row has another

	files   []*objectFile
	full    []string           // digests of the channel's files before the one being written
	channel *dataset.CSVWriter // nil for a part that no channel reads
	input   *dataset.CSVWriter // nil for a part that is not scored
	truth   *csv.Writer
}

// newPartWriter opens the files of a part: the training part goes to a channel,
// the test part is scored, the validation part both.
func newPartWriter(ctx context.Context, objects *cloud.Objects, prefix string, in lifecycle.PrepareInput, name dataset.Part) (*partWriter, error) {
	p := &partWriter{name: name, prefix: prefix, data: in.Data, slices: in.Slices}
	p.open = func(path string) *objectFile {
		f := newObjectFile(ctx, objects, prefix+path)
		p.files = append(p.files, f)
		return f
	}
	var channel, input, truth error
	if name != dataset.Test {
		channel = p.openChannel()
	}
	if name != dataset.Train {
		p.input, input = withoutHeader(p.open("input/data.csv"), in.Data.Features)
		p.truth = csv.NewWriter(p.open("truth/data.csv"))
		truth = p.truth.Write(append([]string{truthID, truthLabel}, in.Slices...))
	}
	if err := cmp.Or(channel, input, truth); err != nil {
		return p, lifecycle.Fail(lifecycle.Invalid, "label and features: %v", err)
	}
	return p, nil
}

// openChannel begins a file of the channel.
func (p *partWriter) openChannel() (err error) {
	path := fmt.Sprintf("train/data-%05d.csv", len(p.full))
	p.channel, err = dataset.NewCSVWriter(p.open(path), p.data.Label, p.data.Features)
	return err
}

// nextFile ends the channel's file and begins another. Of the training part it
// is the only file that is open.
func (p *partWriter) nextFile() error {
	f := p.files[0]
	if err := cmp.Or(p.channel.Flush(), f.close(nil)); err != nil {
		return cloud.Wrap(err, "part %s", p.name)
	}
	p.full, p.files, p.inFile = append(p.full, f.digest()), nil, 0
	return p.openChannel()
}

// withoutHeader writes rows as a batch transform reads them.
func withoutHeader(f *objectFile, features []string) (*dataset.CSVWriter, error) {
	f.muted = true
	w, err := dataset.NewCSVWriter(f, "", features)
	if err != nil {
		return nil, err
	}
	err = w.Flush()
	f.muted = false
	return w, err
}

// add writes the given rows of a batch.
func (p *partWriter) add(b *dataset.Batch, rows []int) error {
	if len(rows) == 0 {
		return nil
	}
	p.noteLabels(b, rows)
	p.rows += int64(len(rows))
	p.inFile += len(rows)
	if p.channel != nil {
		if err := p.channel.Write(b, rows); err != nil {
			return cloud.Wrap(err, "part %s", p.name)
		}
	}
	if p.input == nil {
		return nil
	}
	if err := p.input.Write(b, rows); err != nil {
		return cloud.Wrap(err, "part %s", p.name)
	}
	return p.addTruth(b, rows)
}

// noteLabels finds out whether the part has more than one label.
func (p *partWriter) noteLabels(b *dataset.Batch, rows []int) {
	at, err := b.Schema.Index(p.data.Label)
	if err != nil || p.varied {
		return
	}
	for i, row := range rows {
		label, _ := b.Text(at, row)
		if p.rows == 0 && i == 0 {
			p.label = label
		}
		if label != p.label {
			p.varied = true
			return
		}
	}
}

// tooFew refuses a part with fewer rows than the model file asks for.
func (p *partWriter) tooFew(in lifecycle.PrepareInput) error {
	split := in.Data.Split
	if least := max(split.MinRows, 1); p.rows < least {
		return lifecycle.Fail(lifecycle.DataRejected,
			"the split by %s leaves the %s part %d rows, and at least %d are needed: the snapshot has %d; take more data, or change spec.data.split",
			split.By, p.name, p.rows, least, in.Snapshot.Rows)
	}
	return nil
}

// oneClass refuses a part that no classes can be told apart by.
func (p *partWriter) oneClass(in lifecycle.PrepareInput) error {
	if in.Data.Task != lifecycle.Regression && !p.varied {
		return lifecycle.Fail(lifecycle.DataRejected,
			"label %q is %s in all %d rows of the %s part, which needs rows of both classes: take more data, or split stratified",
			in.Data.Label, p.label, p.rows, p.name)
	}
	return nil
}

func (p *partWriter) addTruth(b *dataset.Batch, rows []int) error {
	columns, err := b.Schema.Select(append([]string{p.data.ID, p.data.Label}, p.slices...))
	if err != nil {
		return err
	}
	labels := b.Numbers(columns[1])
	record := make([]string, len(columns))
	for _, row := range rows {
		for i, col := range columns {
			record[i], _ = b.Text(col, row)
		}
		record[1] = strconv.FormatFloat(labels[row], 'g', -1, 64)
		if err := p.truth.Write(record); err != nil {
			return cloud.Wrap(err, "part %s", p.name)
		}
	}
	return nil
}

// close ends the files of the part; with a cause none of them appears.
func (p *partWriter) close(cause error) error {
	if cause == nil {
		cause = p.flush()
	}
	var first error
	for _, f := range p.files {
		first = cmp.Or(first, f.close(cause))
	}
	return cloud.Wrap(cmp.Or(cause, first), "part %s", p.name)
}

func (p *partWriter) flush() error {
	if p.channel != nil {
		if err := p.channel.Flush(); err != nil {
			return err
		}
	}
	if p.input == nil {
		return nil
	}
	p.truth.Flush()
	return cmp.Or(p.input.Flush(), p.truth.Error())
}

// part describes what was written. Its digest covers the content of its files.
func (p *partWriter) part() (lifecycle.Part, error) {
	out := lifecycle.Part{Rows: p.rows}
	sums := p.full
	for _, f := range p.files {
		sums = append(sums, f.digest())
	}
	if p.channel != nil {
		out.Train = p.prefix + "train/"
	}
	if p.input != nil {
		out.Input, out.Truth = p.prefix+"input/", p.prefix+"truth/"
	}
	var err error
	out.Digest, err = lifecycle.Digest(sums)
	return out, err
}
