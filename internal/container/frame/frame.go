package frame

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Frame is a channel in memory: a column of encoded values (see Feature) for
// every feature, NaN where missing.
type Frame struct {
	Schema  *Schema
	Columns [][]float64
	Label   []float64
	Weight  []float64 // nil without a weight column
}

// Rows is the number of rows.
func (f *Frame) Rows() int { return len(f.Label) }

// Read reads a training channel and decides its schema. Errors name the file,
// line, column and value.
func Read(ctx context.Context, dir string, o Options) (*Frame, error) {
	c, err := openChannel(dir)
	if err != nil {
		return nil, err
	}
	s, err := infer(ctx, c, o)
	if err != nil {
		return nil, err
	}
	f, err := load(ctx, c, s, newLevels(s, o))
	if err != nil {
		return nil, err
	}
	if s.Task == "" {
		s.Task = guessTask(f.Label)
	}
	return f, f.checkLabels()
}

// ReadAs reads a validation channel by the schema of the training channel,
// whose columns it must have.
func ReadAs(ctx context.Context, dir string, s *Schema) (*Frame, error) {
	c, err := openChannel(dir)
	if err != nil {
		return nil, err
	}
	want := append([]string{s.Label}, s.Names()...)
	have := slices.DeleteFunc(slices.Clone(c.header), func(name string) bool { return name != "" && name == s.Weight })
	if !slices.Equal(want, have) || (s.Weight != "" && len(have) == len(c.header)) {
		return nil, fmt.Errorf("its columns are %q; the training channel's are %q, weight column %q", have, want, s.Weight)
	}
	return load(ctx, c, s, nil)
}

// load reads the columns. With levels, categories get provisional codes, then
// their final ones; without, the schema's codes are used.
func load(ctx context.Context, c *channel, s *Schema, l *levels) (*Frame, error) {
	f := &Frame{Schema: s, Columns: make([][]float64, len(s.Features))}
	weight := slices.Index(c.header, s.Weight)
	err := c.each(ctx, func(record []string) error {
		if err := f.addLabel(record[0]); err != nil {
			return err
		}
		next := 0
		for i, text := range record[1:] {
			if i+1 == weight {
				if err := f.addWeight(text); err != nil {
					return err
				}
				continue
			}
			v, err := l.encode(s, next, text)
			if err != nil {
				return err
			}
			f.Columns[next] = append(f.Columns[next], v)
			next++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if f.Rows() == 0 {
		return nil, errors.New("has a header but no rows")
	}
	l.settle(f)
	return f, f.checkWeights()
}

func (f *Frame) addLabel(text string) error {
	label := Feature{Name: f.Schema.Label}
	v, err := label.Number(text)
	switch {
	case err != nil:
		return fmt.Errorf("label %q: %q is not a finite number; labels are numbers (0 and 1 for a binary task)", label.Name, text)
	case math.IsNaN(v):
		return fmt.Errorf("label %q is missing; remove rows without a label", label.Name)
	case f.Schema.Task == Binary && v != 0 && v != 1:
		return fmt.Errorf("label %q is %q; a binary task has labels 0 and 1 only", label.Name, text)
	}
	f.Label = append(f.Label, v)
	return nil
}

func (f *Frame) addWeight(text string) error {
	column := Feature{Name: f.Schema.Weight}
	v, err := column.Number(text)
	if err != nil || !(v >= 0) {
		return fmt.Errorf("weight %q: %q is not a number from 0 up; give every row a weight", column.Name, text)
	}
	f.Weight = append(f.Weight, v)
	return nil
}

func (f *Frame) checkWeights() error {
	if f.Weight == nil || slices.ContainsFunc(f.Weight, func(w float64) bool { return w > 0 }) {
		return nil
	}
	return fmt.Errorf("weight %q is 0 in every row; at least one must be above 0", f.Schema.Weight)
}

// checkLabels refuses labels from which nothing can be learnt.
func (f *Frame) checkLabels() error {
	counts := func(i int) bool { return f.Weight == nil || f.Weight[i] > 0 }
	first := -1
	for i, v := range f.Label {
		if !counts(i) {
			continue
		}
		if first < 0 {
			first = i
		}
		if v != f.Label[first] {
			return nil
		}
	}
	return fmt.Errorf("label %q is %v in all %d rows; training needs at least two different labels", f.Schema.Label, f.Label[first], f.Rows())
}

func guessTask(labels []float64) Task {
	if slices.ContainsFunc(labels, func(v float64) bool { return v != 0 && v != 1 }) {
		return Regression
	}
	return Binary
}
