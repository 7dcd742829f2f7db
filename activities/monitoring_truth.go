package activities

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"steward/internal/cloud"
	"steward/internal/dataset"
	"steward/internal/lifecycle"
)

// readTruths reads what really happened to the wanted ids: labels by the
// positions that wanted gives, NaN where nothing was told. Files that were last
// written before the window began cannot know of it and are left out. Later
// files, and later rows of a file, correct earlier ones.
func (m *Monitoring) readTruths(ctx context.Context, in lifecycle.MeasureInput, wanted map[string]int) ([]float64, matched, error) {
	var counts matched
	t := truths{wanted: wanted, labels: make([]float64, len(wanted)), conflict: make([]bool, len(wanted))}
	for i := range t.labels {
		t.labels[i] = math.NaN()
	}
	files, err := m.truthFiles(ctx, in)
	if err != nil {
		return nil, counts, err
	}
	for _, o := range files {
		if err := m.readTruthFile(ctx, o, in.Data, &t); err != nil {
			return nil, counts, cloud.Wrap(err, "ground truth")
		}
	}
	counts.Files = len(files)
	for _, c := range t.conflict {
		if c {
			counts.Conflicts++
		}
	}
	return t.labels, counts, nil
}

// truthFiles lists the files to read, oldest first.
func (m *Monitoring) truthFiles(ctx context.Context, in lifecycle.MeasureInput) ([]cloud.Object, error) {
	var files []cloud.Object
	for o, err := range m.Objects.Files(ctx, in.Data.GroundTruth.URI) {
		if err != nil {
			return nil, cloud.Wrap(err, "ground truth")
		}
		if o.Size > 0 && !o.Modified.Before(in.Window.From.Truncate(1e9)) {
			files = append(files, o)
		}
	}
	slices.SortStableFunc(files, func(a, b cloud.Object) int { return a.Modified.Compare(b.Modified) })
	return files, nil
}

// readTruthFile fetches a file and reads it, so that what is wrong with it then
// is the data's fault: lifecycle.DataRejected.
func (m *Monitoring) readTruthFile(ctx context.Context, o cloud.Object, data lifecycle.Data, t *truths) error {
	local, _, err := fetch(ctx, m.Objects, o, "")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(local) }()
	source := dataset.File(local)
	source.Name, source.Types = o.URI, truthTypes(o.URI, data)
	err = dataset.Read(ctx, source, []string{data.GroundTruth.Key, data.Label}, func(b *dataset.Batch) error {
		pulse{ctx, "reading " + o.URI}.beat()
		return t.add(o.URI, b)
	})
	if errors.Is(err, dataset.ErrEmpty) {
		return nil
	}
	return rejected(ctx, err)
}

// truthTypes keeps the ids of a text file as they are written: one that looks
// like a number in the first rows need not be one later. Parquet says itself.
func truthTypes(uri string, data lifecycle.Data) map[string]dataset.Type {
	if ext := strings.ToLower(path.Ext(uri)); ext == ".parquet" || ext == ".pq" {
		return nil
	}
	return map[string]dataset.Type{data.GroundTruth.Key: dataset.String}
}

// truths gathers labels for wanted ids.
type truths struct {
	wanted   map[string]int
	labels   []float64
	conflict []bool
}

// add takes a batch of ids and labels. A label that is missing says nothing yet.
func (t *truths) add(uri string, b *dataset.Batch) error {
	ids, known := b.Strings(0)
	labels, err := labelsOf(uri, b)
	if err != nil {
		return err
	}
	for i, id := range ids {
		at, wanted := t.wanted[id]
		if !wanted || !known[i] || math.IsNaN(labels[i]) {
			continue
		}
		if !math.IsNaN(t.labels[at]) && t.labels[at] != labels[i] {
			t.conflict[at] = true
		}
		t.labels[at] = labels[i]
	}
	return nil
}

// labelsOf reads the label column, also where it was written as text.
func labelsOf(uri string, b *dataset.Batch) ([]float64, error) {
	if b.Schema[1].Type != dataset.String {
		return b.Numbers(1), nil
	}
	texts, valid := b.Strings(1)
	out := make([]float64, len(texts))
	for i, text := range texts {
		if out[i] = math.NaN(); !valid[i] {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: row %d: label %s is %q: write numbers, and 0 and 1 for two classes", uri, b.First+int64(i)+1, b.Schema[1].Name, text)
		}
		out[i] = v
	}
	return out, nil
}
