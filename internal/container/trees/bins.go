package trees

import (
	"math"
	"slices"
	"sort"

	"steward/internal/container/frame"
	"steward/internal/container/parallel"
)

// binner turns a feature's values into at most 256 bins. Bin k of a numeric
// feature holds cuts[k-1] <= v < cuts[k]; a category's bin is its code. The
// last bin is for missing values.
type binner struct {
	cuts    []float32
	missing uint8
	set     bool // categorical
	bounded bool // no value in training reaches topCut
}

// topCut is above every value but the most extreme: a cut that divides values
// from missing ones, those too that are greater than any in training.
const topCut = math.MaxFloat32

// cutSample bounds the rows that a numeric feature's cuts are chosen from.
const cutSample = 200000

func binners(f *frame.Frame, maxBins int) []binner {
	all := make([]binner, len(f.Columns))
	parallel.Each(len(all), func(_, j int) {
		if feature := &f.Schema.Features[j]; feature.Kind == frame.Categorical {
			all[j] = binner{missing: uint8(feature.Codes()), set: true}
			return
		}
		cuts := cut(sample(f.Columns[j]), maxBins)
		all[j] = binner{cuts: cuts, missing: uint8(len(cuts) + 1), bounded: bounded(f.Columns[j])}
	})
	return all
}

// narrow rounds to the precision in which XGBoost compares, so that a row
// falls on the same side in training and in scoring.
func narrow(v float64) float32 {
	return float32(min(max(v, -math.MaxFloat32), math.MaxFloat32))
}

func bounded(column []float64) bool {
	return !slices.ContainsFunc(column, func(v float64) bool { return narrow(v) >= topCut })
}

// sample takes evenly spaced rows, sorted, missing ones left out.
func sample(column []float64) []float32 {
	step := max(1, len(column)/cutSample)
	var s []float32
	for i := 0; i < len(column); i += step {
		if v := column[i]; v == v {
			s = append(s, narrow(v))
		}
	}
	slices.Sort(s)
	return s
}

// cut finds at most maxBins-1 ascending cuts: between all values if they are
// few, else at quantiles.
func cut(sorted []float32, maxBins int) []float32 {
	distinct := slices.Compact(slices.Clone(sorted))
	var cuts []float32
	if len(distinct) <= maxBins {
		for k := 1; k < len(distinct); k++ {
			cuts = append(cuts, between(distinct[k-1], distinct[k]))
		}
		return cuts
	}
	last := sorted[0]
	for k := 1; k < maxBins; k++ {
		if v := sorted[k*len(sorted)/maxBins]; v > last {
			cuts = append(cuts, v)
			last = v
		}
	}
	return cuts
}

// between is a number in (low, high]: the middle, unless rounding takes it
// down to low.
func between(low, high float32) float32 {
	if middle := float32((float64(low) + float64(high)) / 2); middle > low {
		return middle
	}
	return high
}

func (b *binner) bin(v float64) uint8 {
	switch {
	case v != v:
		return b.missing
	case b.set:
		return uint8(v)
	}
	x := narrow(v)
	return uint8(sort.Search(len(b.cuts), func(k int) bool { return x < b.cuts[k] }))
}

// size is the number of bins, missing included.
func (b *binner) size() int { return int(b.missing) + 1 }

// binned is a frame with every value replaced by its bin, column by column.
func binned(f *frame.Frame, by []binner) [][]uint8 {
	columns := make([][]uint8, len(by))
	for j := range by {
		columns[j] = make([]uint8, f.Rows())
		parallel.Rows(f.Rows(), func(_, from, to int) {
			for i := from; i < to; i++ {
				columns[j][i] = by[j].bin(f.Columns[j][i])
			}
		})
	}
	return columns
}
