package dataset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Part is one of the disjoint parts of a table.
type Part string

// Parts, in the order of time.
const (
	Train      Part = "train"
	Validation Part = "validation"
	Test       Part = "test"
)

// Ways to split.
const (
	ByTime       = "time"
	ByID         = "id"
	ByGroup      = "group"
	ByStratified = "stratified"
)

// Split says how to divide a table: by time, with the test part latest; by a
// hash of an id; by a hash of a group, whose rows stay together; or stratified,
// by a hash of an id with the shares kept in every class of Strata. Validation
// and Test are shares of the rows; the rest trains. By group they are shares of
// the groups, so a few large groups make the parts larger or smaller.
type Split struct {
	By         string  `json:"by"`
	Column     string  `json:"column"`           // of the time, the id or the group
	Strata     string  `json:"strata,omitempty"` // of the classes
	Validation float64 `json:"validation"`
	Test       float64 `json:"test"`
}

func (s Split) check() error {
	switch s.By {
	case ByTime, ByID, ByGroup, ByStratified:
	default:
		return fmt.Errorf("split by %q is not known: use time, id, group or stratified", s.By)
	}
	if s.Column == "" {
		return fmt.Errorf("split by %s needs the column of the %s", s.By, s.noun())
	}
	if s.By == ByStratified && s.Strata == "" {
		return errors.New("a stratified split needs the column of the classes")
	}
	if !(s.Validation >= 0 && s.Test >= 0 && s.Validation+s.Test < 1) {
		return fmt.Errorf("split shares validation %v and test %v must be 0 or more and leave some rows to train",
			s.Validation, s.Test)
	}
	return nil
}

// Columns are those that tell the part of a row.
func (s Split) Columns() []string {
	if s.Strata == "" || s.Strata == s.Column {
		return []string{s.Column}
	}
	return []string{s.Column, s.Strata}
}

// noun is what Column holds.
func (s Split) noun() string {
	if s.By == ByStratified {
		return ByID
	}
	return s.By
}

// Splitter tells the part of every row. It is data: kept with a snapshot, it
// divides the same rows the same way again.
type Splitter struct {
	Split
	ValidationFrom *time.Time     `json:"validationFrom,omitempty"` // by time: the first instant of the part, nil without one
	TestFrom       *time.Time     `json:"testFrom,omitempty"`
	Cuts           map[string]Cut `json:"cuts,omitempty"` // stratified: by class, "" for rows without one
}

// PlanSplit makes the splitter of a table; see Planner.
func PlanSplit(ctx context.Context, sources []Source, split Split) (*Splitter, error) {
	p, err := NewPlanner(split)
	if err != nil {
		return nil, err
	}
	if columns := p.Columns(); len(columns) > 0 {
		if err := ReadAll(ctx, sources, columns, p.Add); err != nil {
			return nil, fmt.Errorf("split by %s: %w", split.By, err)
		}
	}
	return p.Splitter()
}

// SplitTimes makes a splitter by time from the times of all rows (nanoseconds
// since 1970; sorted in place). Rows of one instant stay together, so parts may
// be a little larger or smaller than asked; a part that was asked for and would
// be empty is an error.
func SplitTimes(times []int64, split Split) (*Splitter, error) {
	if err := split.check(); err != nil {
		return nil, err
	}
	if len(times) == 0 {
		return nil, fmt.Errorf("split by time: %w", ErrEmpty)
	}
	slices.Sort(times)
	s := &Splitter{Split: split}
	end := len(times)
	for _, part := range []struct {
		share float64
		from  **time.Time
	}{{split.Test, &s.TestFrom}, {split.Validation, &s.ValidationFrom}} {
		if part.share == 0 {
			continue
		}
		at := boundary(times[:end], end-int(math.Round(part.share*float64(len(times)))))
		if at == 0 || at == end {
			return nil, errors.New("split by time: too few different times for the parts: split by id, or ask for fewer parts")
		}
		from := time.Unix(0, times[at]).UTC()
		*part.from, end = &from, at
	}
	return s, nil
}

// boundary returns the place nearest to the wanted one where a new instant
// begins, 0 or the end if there is none.
func boundary(times []int64, wanted int) int {
	if wanted <= 0 || wanted >= len(times) {
		return max(0, min(wanted, len(times)))
	}
	before, _ := slices.BinarySearch(times, times[wanted])
	after, _ := slices.BinarySearch(times, times[wanted]+1)
	if before == 0 || (after < len(times) && after-wanted < wanted-before) {
		return after
	}
	return before
}

// Parts returns the part of every row of a batch. A row without time, id or
// group is an error.
func (s *Splitter) Parts(b *Batch) ([]Part, error) {
	if s.By == ByTime {
		times, err := timesOf(b, s.Column)
		if err != nil {
			return nil, fmt.Errorf("split by time: %w", err)
		}
		out := make([]Part, b.Rows)
		for i, t := range times {
			out[i] = s.at(t)
		}
		return out, nil
	}
	hashes, err := hashesOf(b, s.Split)
	if err != nil {
		return nil, fmt.Errorf("split by %s: %w", s.By, err)
	}
	if s.By == ByStratified {
		return s.inStrata(b, hashes)
	}
	out := make([]Part, b.Rows)
	for i, h := range hashes {
		out[i] = s.of(h)
	}
	return out, nil
}

func (s *Splitter) at(nanos int64) Part {
	switch {
	case s.TestFrom != nil && nanos >= s.TestFrom.UnixNano():
		return Test
	case s.ValidationFrom != nil && nanos >= s.ValidationFrom.UnixNano():
		return Validation
	}
	return Train
}

// of depends on the id or group alone, so a row stays in its part in every
// snapshot.
func (s *Splitter) of(hash uint64) Part {
	u := float64(hash>>11) / (1 << 53)
	switch {
	case u < s.Test:
		return Test
	case u < s.Test+s.Validation:
		return Validation
	}
	return Train
}

// Rows groups the rows of a batch by part.
func (s *Splitter) Rows(b *Batch) (map[Part][]int, error) {
	parts, err := s.Parts(b)
	if err != nil {
		return nil, err
	}
	out := map[Part][]int{}
	for i, p := range parts {
		out[p] = append(out[p], i)
	}
	return out, nil
}
