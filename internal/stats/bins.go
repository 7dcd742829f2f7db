package stats

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

const (
	deciles       = 10
	maxBinnedTop  = 30   // categories with a bin of their own
	minBinnedPart = 0.01 // share of the baseline a category needs for one
)

// binned is one column of two profiles, counted over bins the baseline fixed.
// The first bin holds the missing values. For categories unseen is the index of
// the bin of new values, or −1.
type binned struct {
	base, window []float64 // counts
	unseen       int
}

// binNumbers uses the deciles of the baseline, or its values themselves when it
// has few, and a bin below and one above everything the baseline held. Infinite
// values count as above.
func binNumbers(base, window ColumnProfile, bp, wp points) binned {
	edges := numberEdges(base, bp)
	return binned{base: spread(base, bp, edges), window: spread(window, wp, edges), unseen: -1}
}

// numberEdges are the upper ends of the bins; the first is the end of the bin
// below the baseline's smallest value, the last its largest.
func numberEdges(base ColumnProfile, p points) []float64 {
	if len(p.values) == 0 {
		return nil
	}
	if base.Complete {
		return append([]float64{below(p.values[0])}, p.values...)
	}
	edges := []float64{below(*base.Min)}
	for i := 1; i < deciles; i++ {
		edges = append(edges, p.quantile(float64(i)/deciles))
	}
	edges = append(edges, *base.Max)
	slices.Sort(edges)
	return slices.Compact(edges)
}

// spread counts a column: missing, each bin up to its edge, and above the last.
func spread(c ColumnProfile, p points, edges []float64) []float64 {
	out := []float64{float64(c.Missing)}
	before := 0.0
	for _, upTo := range p.cumulative(edges) {
		out = append(out, (upTo-before)*float64(c.Count))
		before = upTo
	}
	above := float64(c.Count) * (1 - before)
	if above < 0.5 { // what rounding left of no row at all
		above = 0
	}
	return append(out, above+float64(c.Infinite))
}

// binCategories gives each frequent category of the baseline a bin; the rest
// share one, and what the baseline never held has its own. When the baseline is
// not complete, new values cannot be told from rare ones and join the rest.
func binCategories(base, window ColumnProfile) binned {
	known := map[string]int{}
	out := binned{base: []float64{float64(base.Missing)}, unseen: -1}
	for _, f := range base.Top {
		if len(out.base) > maxBinnedTop || float64(f.Count) < minBinnedPart*float64(base.Count) {
			known[f.Value] = -1
			continue
		}
		known[f.Value] = len(out.base)
		out.base = append(out.base, float64(f.Count))
	}
	rest := len(out.base)
	out.base = append(out.base, base.rows()-total(out.base))
	if base.Complete {
		out.unseen = len(out.base)
		out.base = append(out.base, 0)
	}
	out.window = make([]float64, len(out.base))
	out.window[0] = float64(window.Missing)
	for _, f := range window.Top {
		bin, ok := known[f.Value]
		switch {
		case !ok && base.Complete:
			bin = out.unseen
		case !ok || bin < 0:
			bin = rest
		}
		out.window[bin] += float64(f.Count)
	}
	out.window[rest] += window.rows() - total(out.window) // not listed: rare
	return out
}

// distribution is a column's points: exact when the profile lists every value.
func (c ColumnProfile) distribution() (points, error) {
	if c.Complete {
		weights := map[float64]float64{}
		for _, f := range c.Top {
			v, err := strconv.ParseFloat(f.Value, 64)
			if err != nil {
				return points{}, fmt.Errorf("profile of column %s: value %q is not a number", c.Name, f.Value)
			}
			weights[v] = float64(f.Count)
		}
		return newPoints(weights), nil
	}
	if c.Min == nil || c.Max == nil {
		return points{}, fmt.Errorf("profile of column %s: %d values without min or max", c.Name, c.Count)
	}
	s, err := readSketch(c.Sketch)
	if err != nil {
		return points{}, fmt.Errorf("profile of column %s: %w", c.Name, err)
	}
	return s.points(), nil
}

// below is the largest number smaller than v, so that a bin ending there holds
// what is under v.
func below(v float64) float64 { return math.Nextafter(v, math.Inf(-1)) }
