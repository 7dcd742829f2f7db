package dataset

import (
	"fmt"
	"math"
	"slices"

	"github.com/zeebo/xxh3"
)

// Planner makes the splitter of a table from its rows. By time and stratified it
// must see all of them, at 8 bytes a row; by id and by group it needs none.
type Planner struct {
	split  Split
	times  []int64
	strata map[string][]uint64 // hashes of the ids, by class
}

// maxStrata bounds the classes of a stratified split: with more, most have too
// few rows to be divided.
const maxStrata = 1000

// Cut is where the parts of a class end: rows whose hash is below Test belong to
// the test part, those below Validation to the validation part.
type Cut struct {
	Test       uint64 `json:"test,string"`
	Validation uint64 `json:"validation,string"`
}

// NewPlanner plans a split. An impossible one is an error.
func NewPlanner(split Split) (*Planner, error) {
	return &Planner{split: split, strata: map[string][]uint64{}}, split.check()
}

// Columns are those that Add needs, none when it need not be called.
func (p *Planner) Columns() []string {
	if p.split.By == ByTime || p.split.By == ByStratified {
		return p.split.Columns()
	}
	return nil
}

// Add takes the rows of a batch.
func (p *Planner) Add(b *Batch) error {
	switch p.split.By {
	case ByTime:
		times, err := timesOf(b, p.split.Column)
		p.times = append(p.times, times...)
		return err
	case ByStratified:
		return p.addStrata(b)
	}
	return nil
}

func (p *Planner) addStrata(b *Batch) error {
	hashes, err := hashesOf(b, p.split)
	if err != nil {
		return err
	}
	at, err := b.Schema.Index(p.split.Strata)
	if err != nil {
		return err
	}
	for i, h := range hashes {
		class, _ := b.Text(at, i)
		p.strata[class] = append(p.strata[class], h)
	}
	if len(p.strata) > maxStrata {
		return fmt.Errorf("column %s has more than %d different values: stratify by a column with few", p.split.Strata, maxStrata)
	}
	return nil
}

// Splitter is the split of the rows that were added.
func (p *Planner) Splitter() (*Splitter, error) {
	switch p.split.By {
	case ByTime:
		return SplitTimes(p.times, p.split)
	case ByStratified:
		if len(p.strata) == 0 {
			return nil, fmt.Errorf("stratified split: %w", ErrEmpty)
		}
		s := &Splitter{Split: p.split, Cuts: map[string]Cut{}}
		for class, hashes := range p.strata {
			s.Cuts[class] = cut(hashes, p.split)
		}
		return s, nil
	}
	return &Splitter{Split: p.split}, nil
}

// cut divides a class: its rows sorted by hash, the first go to the test part,
// the next to the validation part. When a later snapshot has more rows the cuts
// move a little, and only rows with a hash between the old and the new cut change
// their part.
func cut(hashes []uint64, split Split) Cut {
	slices.Sort(hashes)
	n := float64(len(hashes))
	at := func(share float64) uint64 {
		i := int(math.Round(share * n))
		if i >= len(hashes) {
			return math.MaxUint64
		}
		return hashes[i]
	}
	return Cut{Test: at(split.Test), Validation: at(split.Test + split.Validation)}
}

func (s *Splitter) inStrata(b *Batch, hashes []uint64) ([]Part, error) {
	at, err := b.Schema.Index(s.Strata)
	if err != nil {
		return nil, fmt.Errorf("split by %s: %w", s.By, err)
	}
	out := make([]Part, b.Rows)
	for i, h := range hashes {
		class, _ := b.Text(at, i)
		c, known := s.Cuts[class]
		switch {
		case !known:
			return nil, fmt.Errorf("split by %s: column %s: row %d has the value %q, which was not there when the split was planned", s.By, s.Strata, b.First+int64(i)+1, clip(class))
		case h < c.Test:
			out[i] = Test
		case h < c.Validation:
			out[i] = Validation
		default:
			out[i] = Train
		}
	}
	return out, nil
}

// timesOf returns a column that must hold times, all of them.
func timesOf(b *Batch, name string) ([]int64, error) {
	col, err := b.Schema.Index(name)
	if err != nil {
		return nil, err
	}
	if f := b.Schema[col]; f.Type != Time {
		return nil, fmt.Errorf("column %s is of type %s, not time", f.Name, f.Type)
	}
	times, valid := b.Times(col)
	if i := slices.Index(valid, false); i >= 0 {
		return nil, fmt.Errorf("column %s: row %d has no time", name, b.First+int64(i)+1)
	}
	return times, nil
}

// hashesOf hashes the ids or groups of a batch, which none may miss.
func hashesOf(b *Batch, split Split) ([]uint64, error) {
	col, err := b.Schema.Index(split.Column)
	if err != nil {
		return nil, err
	}
	ids, valid := b.Strings(col)
	out := make([]uint64, len(ids))
	for i, id := range ids {
		if !valid[i] {
			return nil, fmt.Errorf("column %s: row %d has no %s", split.Column, b.First+int64(i)+1, split.noun())
		}
		out[i] = xxh3.HashString(id)
	}
	return out, nil
}
