// Package frame reads training channels into columns: CSV files with a header
// row, the label first, an optional weight column, all others features. It
// decides what type each feature has, keeps that in a Schema, and encodes rows
// of text the same way again when a model serves.
package frame

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// Task is what a model predicts.
type Task string

// The tasks: the probability of label 1, or a number.
const (
	Binary     Task = "binary"
	Regression Task = "regression"
)

// Kind is the type of a feature.
type Kind string

// The kinds of features.
const (
	Numeric     Kind = "numeric"
	Categorical Kind = "categorical"
)

// Feature is one input column. A categorical value is encoded as its index in
// Levels; one that is not listed as len(Levels) if Other, else as missing.
type Feature struct {
	Name   string   `json:"name"`
	Kind   Kind     `json:"type"`
	Levels []string `json:"levels,omitempty"`
	Other  bool     `json:"other,omitempty"`

	codes map[string]float64
}

// Schema is what a model must know of its input, in model order.
type Schema struct {
	Format   string    `json:"format"`
	Task     Task      `json:"task"`
	Label    string    `json:"label"`
	Weight   string    `json:"weight,omitempty"`
	Features []Feature `json:"features"`

	index map[string]int
}

const format = "steward/features/1"

// Codes is the number of codes of a categorical feature, other included.
func (f *Feature) Codes() int {
	if f.Other {
		return len(f.Levels) + 1
	}
	return len(f.Levels)
}

// Number encodes a number; text must be a finite decimal or empty (missing,
// NaN).
func (f *Feature) Number(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return math.NaN(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("feature %q: %q is not a number; send a number, or leave it empty if missing", f.Name, text)
	case math.IsNaN(v) || math.IsInf(v, 0):
		return 0, fmt.Errorf("feature %q: %q is not finite; leave the field empty if missing", f.Name, text)
	}
	return v, nil
}

// Code encodes a category; empty is missing, NaN.
func (f *Feature) Code(level string) float64 {
	if level == "" {
		return math.NaN()
	}
	if code, ok := f.codes[level]; ok {
		return code
	}
	if f.Other {
		return float64(len(f.Levels))
	}
	return math.NaN()
}

// Encode encodes one CSV field.
func (f *Feature) Encode(text string) (float64, error) {
	if f.Kind == Categorical {
		return f.Code(text), nil
	}
	return f.Number(text)
}

// Index is the position of a feature by name, -1 if there is none.
func (s *Schema) Index(name string) int {
	if i, ok := s.index[name]; ok {
		return i
	}
	return -1
}

// Names lists the features in model order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Features))
	for i := range s.Features {
		names[i] = s.Features[i].Name
	}
	return names
}

// Save writes the schema as JSON.
func (s *Schema) Save(path string) error {
	s.Format = format
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// LoadSchema reads what Save wrote. Errors name the file and the field.
func LoadSchema(path string) (*Schema, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Schema{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.prepare()
	return s, nil
}

func (s *Schema) check() error {
	if s.Format != format {
		return fmt.Errorf("format is %q; want %q", s.Format, format)
	}
	if s.Task != Binary && s.Task != Regression {
		return fmt.Errorf("task is %q; want %s or %s", s.Task, Binary, Regression)
	}
	if len(s.Features) == 0 {
		return fmt.Errorf("features is empty; a model needs one at least")
	}
	for i, f := range s.Features {
		if f.Kind != Numeric && f.Kind != Categorical {
			return fmt.Errorf("features[%d] %q: type is %q; want %s or %s", i, f.Name, f.Kind, Numeric, Categorical)
		}
	}
	return nil
}

// prepare builds the look-up tables from the exported fields.
func (s *Schema) prepare() {
	s.index = make(map[string]int, len(s.Features))
	for i := range s.Features {
		f := &s.Features[i]
		s.index[f.Name] = i
		f.codes = make(map[string]float64, len(f.Levels))
		for code, level := range f.Levels {
			f.codes[level] = float64(code)
		}
	}
}
