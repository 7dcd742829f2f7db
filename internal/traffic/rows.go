package traffic

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"steward/internal/dataset"
)

// Selection says which rows of a file are replayed, in which order.
type Selection struct {
	File     dataset.Source
	Where    map[string][]string // the column's value, as text, must be one of these; for every column
	ID       string              // column with the inference id
	Label    string              // column with what really happened; needed for ground truth
	Features []string            // sent in this order
	Seed     uint64              // of the order; 0 keeps the file's
}

// Rows are the selected rows in the order of replay.
type Rows struct {
	selection Selection
	schema    dataset.Schema
	order     []row
	header    int // bytes of the header that a CSVWriter writes
	id, label int // positions of columns; label is -1 without one
}

// row is one row of a batch.
type row struct {
	batch *dataset.Batch
	at    int
}

// Load reads the selected rows. It needs memory for them, not for the file.
func Load(ctx context.Context, s Selection) (*Rows, error) {
	r := &Rows{selection: s}
	if err := r.columns(ctx); err != nil {
		return nil, err
	}
	err := dataset.Read(ctx, s.File, nil, func(b *dataset.Batch) error {
		keep, err := s.matching(b)
		if err != nil || len(keep) == 0 {
			return err
		}
		kept := b.Take(keep)
		for at := range keep {
			r.order = append(r.order, row{kept, at})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(r.order) == 0 {
		return nil, fmt.Errorf("%s: no row matches %s", s.File.Name, s.condition())
	}
	if s.Seed != 0 {
		shuffle := rand.New(rand.NewPCG(s.Seed, 0))
		shuffle.Shuffle(len(r.order), func(i, j int) { r.order[i], r.order[j] = r.order[j], r.order[i] })
	}
	return r, nil
}

// columns finds every column that is asked for before anything is read.
func (r *Rows) columns(ctx context.Context) (err error) {
	s := r.selection
	if r.schema, _, err = dataset.Inspect(ctx, s.File); err != nil {
		return err
	}
	wanted := append(slices.Clone(s.Features), s.ID)
	for column := range s.Where {
		wanted = append(wanted, column)
	}
	if r.label = -1; s.Label != "" {
		wanted = append(wanted, s.Label)
	}
	if _, err := r.schema.Select(wanted); err != nil {
		return fmt.Errorf("%s: %w", s.File.Name, err)
	}
	if r.id, err = r.schema.Index(s.ID); err != nil {
		return err
	}
	if s.Label != "" {
		if r.label, err = r.schema.Index(s.Label); err != nil {
			return err
		}
	}
	var header bytes.Buffer
	w, err := dataset.NewCSVWriter(&header, "", s.Features)
	if err != nil {
		return fmt.Errorf("features: %w", err)
	}
	err = w.Flush()
	r.header = header.Len()
	return err
}

// matching returns the rows of a batch that meet every condition.
func (s Selection) matching(b *dataset.Batch) ([]int, error) {
	var keep []int
	columns := map[int][]string{}
	for name, values := range s.Where {
		at, err := b.Schema.Index(name)
		if err != nil {
			return nil, err
		}
		columns[at] = values
	}
rows:
	for i := range b.Rows {
		for at, values := range columns {
			if text, ok := b.Text(at, i); !ok || !slices.Contains(values, text) {
				continue rows
			}
		}
		keep = append(keep, i)
	}
	return keep, nil
}

func (s Selection) condition() string {
	var parts []string
	for column, values := range s.Where {
		parts = append(parts, column+"="+strings.Join(values, " or "))
	}
	slices.Sort(parts)
	return strings.Join(parts, " and ")
}

// Len is how many rows there are.
func (r *Rows) Len() int { return len(r.order) }

// Request returns the i-th row as it is sent: its id, and its features as one
// CSV line, written by what also writes the training data.
func (r *Rows) Request(i int) (id string, body []byte, err error) {
	at := r.order[i]
	id, ok := at.batch.Text(r.id, at.at)
	if !ok {
		return "", nil, fmt.Errorf("%s: a row has no %s", r.selection.File.Name, r.selection.ID)
	}
	var line bytes.Buffer
	w, err := dataset.NewCSVWriter(&line, "", r.selection.Features)
	if err != nil {
		return "", nil, err
	}
	if err := w.Write(at.batch, []int{at.at}); err != nil {
		return "", nil, err
	}
	if err := w.Flush(); err != nil {
		return "", nil, err
	}
	return id, line.Bytes()[r.header:], nil
}

// Truth returns what really happened to the i-th row; ok is false if nobody knows.
func (r *Rows) Truth(i int) (label string, ok bool) {
	if r.label < 0 {
		return "", false
	}
	at := r.order[i]
	return at.batch.Text(r.label, at.at)
}

// Parquet returns rows, by their numbers, as a file of the source's schema.
func (r *Rows) Parquet(numbers []int) ([]byte, error) {
	var file bytes.Buffer
	w := dataset.NewParquetWriter(&file, r.schema)
	for _, i := range numbers {
		if err := w.Write(r.order[i].batch, []int{r.order[i].at}); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return file.Bytes(), err
}
