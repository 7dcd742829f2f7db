package frame

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// levels collects the categories of a training channel. While reading, a
// category's code is the order in which it was first seen; settle then keeps
// the most frequent and renumbers.
type levels struct {
	options  Options
	features []seen
}

// seen is what one categorical feature held so far.
type seen struct {
	code  map[string]int
	names []string
	rows  []int
}

func newLevels(s *Schema, o Options) *levels {
	l := &levels{options: o, features: make([]seen, len(s.Features))}
	for i := range l.features {
		l.features[i].code = map[string]int{}
	}
	return l
}

// encode encodes one field. A nil receiver means the schema is final.
func (l *levels) encode(s *Schema, feature int, text string) (float64, error) {
	f := &s.Features[feature]
	if l == nil || f.Kind == Numeric {
		return f.Encode(text)
	}
	if text == "" {
		return math.NaN(), nil
	}
	return float64(l.features[feature].add(text)), nil
}

func (s *seen) add(level string) int {
	code, ok := s.code[level]
	if !ok {
		code = len(s.names)
		// The field shares memory with its whole record: keep a copy only.
		level = strings.Clone(level)
		s.code[level] = code
		s.names = append(s.names, level)
		s.rows = append(s.rows, 0)
	}
	s.rows[code]++
	return code
}

// settle writes the final levels into the schema and the columns.
func (l *levels) settle(f *Frame) {
	if l == nil {
		return
	}
	for i := range f.Schema.Features {
		feature := &f.Schema.Features[i]
		if feature.Kind == Numeric {
			continue
		}
		s := &l.features[i]
		feature.Levels = s.keep(l.options)
		feature.Other = l.options.Other || len(feature.Levels) < len(s.names)
	}
	f.Schema.prepare()
	for i := range f.Schema.Features {
		if feature := &f.Schema.Features[i]; feature.Kind == Categorical {
			l.features[i].renumber(feature, f.Columns[i])
		}
	}
}

// keep picks the most frequent categories, and sorts them by name so that the
// order of the rows does not matter.
func (s *seen) keep(o Options) []string {
	order := make([]int, len(s.names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.rows[b], s.rows[a]), cmp.Compare(s.names[a], s.names[b]))
	})
	var kept []string
	for _, code := range order {
		if len(kept) < o.MaxLevels && s.rows[code] >= o.MinLevelRows {
			kept = append(kept, s.names[code])
		}
	}
	slices.Sort(kept)
	return kept
}

func (s *seen) renumber(f *Feature, column []float64) {
	final := make([]float64, len(s.names))
	for code, name := range s.names {
		final[code] = f.Code(name)
	}
	for row, code := range column {
		if !math.IsNaN(code) {
			column[row] = final[int(code)]
		}
	}
}
