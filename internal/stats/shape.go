package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Shape is how a column is distributed in two profiles over the same bins, to be
// looked at: a category's by Labels, a number's by Edges. Shares are of the rows
// that have a value, the baseline's first.
type Shape struct {
	Labels []string     `json:"labels,omitempty"`
	Edges  []float64    `json:"edges,omitempty"` // one more than there are bins
	Shares [2][]float64 `json:"shares"`
	Below  [2]float64   `json:"below,omitzero"` // the first edge
	Above  [2]float64   `json:"above,omitzero"` // the last edge, infinities too
}

const (
	shapeBins = 24
	shapeTail = 0.005 // of either sample may lie beyond the bins at either end
	shapeTop  = 10    // categories shown by name
)

// Labels of a Shape that are no values.
const (
	OtherValues = "(others)"
	NewValues   = "(new)"
)

// ShapeOf compares how a column is distributed in two profiles. An error says
// that one of them is damaged, or that their kinds differ.
func ShapeOf(base, window ColumnProfile) (Shape, error) {
	if base.Kind != window.Kind {
		return Shape{}, fmt.Errorf("column %s is a %s in one profile and a %s in the other", base.Name, base.Kind, window.Kind)
	}
	if base.Kind == Category {
		return categoryShape(base, window), nil
	}
	var pts [2]points
	for i, c := range []ColumnProfile{base, window} {
		if c.Count == 0 {
			continue
		}
		p, err := c.distribution()
		if err != nil {
			return Shape{}, err
		}
		pts[i] = p
	}
	return numberShape([2]ColumnProfile{base, window}, pts), nil
}

// numberShape leaves the tails of both samples out of the bins: a single far
// value would put all others into one.
func numberShape(columns [2]ColumnProfile, pts [2]points) Shape {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range pts {
		if len(p.values) > 0 {
			low, high = min(low, p.quantile(shapeTail)), max(high, p.quantile(1-shapeTail))
		}
	}
	if math.IsInf(low, 0) || math.IsInf(high-low, 0) {
		return Shape{}
	}
	s := Shape{Edges: shapeEdges(low, high, slices.Concat(pts[0].values, pts[1].values))}
	for i, p := range pts {
		s.spread(i, columns[i], p)
	}
	return s
}

// shapeEdges gives each whole number a bin of its own if there are few, and
// otherwise cuts the range into equal bins.
func shapeEdges(low, high float64, values []float64) []float64 {
	whole := func(v float64) bool { return v == math.Trunc(v) }
	// From 2^53 on, whole numbers have no halves between them.
	if n := high - low; n < 2*shapeBins && max(math.Abs(low), math.Abs(high)) < 1<<52 && !slices.ContainsFunc(values, func(v float64) bool { return !whole(v) }) {
		var edges []float64
		for v := low - 0.5; v <= high+0.5; v++ {
			edges = append(edges, v)
		}
		return edges
	}
	if low == high {
		half := max(math.Abs(low)*0.05, 1e-9)
		low, high = low-half, high+half
	}
	edges := make([]float64, shapeBins+1)
	for i := range edges {
		edges[i] = low + (high-low)*float64(i)/shapeBins
	}
	return edges
}

func (s *Shape) spread(i int, c ColumnProfile, p points) {
	s.Shares[i] = make([]float64, len(s.Edges)-1)
	all := float64(c.Count + c.Infinite)
	if len(p.values) == 0 || all == 0 {
		return
	}
	finite := float64(c.Count) / all
	edges := slices.Clone(s.Edges)
	edges[0] = below(edges[0]) // the first bin holds its lower edge
	upTo := p.cumulative(edges)
	s.Below[i] = finite * upTo[0]
	for j := range s.Shares[i] {
		s.Shares[i][j] = finite * (upTo[j+1] - upTo[j])
	}
	if s.Above[i] = 1 - finite*upTo[len(upTo)-1]; s.Above[i] < 1e-9 { // what rounding left of no row
		s.Above[i] = 0
	}
}

// categoryShape shows the values that are most frequent in either sample; what
// a complete baseline never held has a bin of its own.
func categoryShape(base, window ColumnProfile) Shape {
	counts := [2]map[string]int64{frequencies(base), frequencies(window)}
	share := func(i int, value string) float64 {
		c := []ColumnProfile{base, window}[i]
		return ratio(float64(counts[i][value]), float64(c.Count))
	}
	values := map[string]bool{}
	var fresh float64
	for i := range counts {
		for v := range counts[i] {
			if _, old := counts[0][v]; !old && base.Complete {
				fresh += share(1, v)
				continue
			}
			values[v] = true
		}
	}
	order := make([]string, 0, len(values))
	for v := range values {
		order = append(order, v)
	}
	slices.SortFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(max(share(0, b), share(1, b)), max(share(0, a), share(1, a))), cmp.Compare(a, b))
	})
	if len(order) > shapeTop {
		order = order[:shapeTop]
	}
	s := Shape{Labels: order}
	rest := [2]float64{1, 1 - fresh}
	for _, v := range order {
		for i := range rest {
			s.Shares[i] = append(s.Shares[i], share(i, v))
			rest[i] -= share(i, v)
		}
	}
	add := func(label string, a, b float64) {
		if a > 1e-9 || b > 1e-9 {
			s.Labels = append(s.Labels, label)
			s.Shares[0], s.Shares[1] = append(s.Shares[0], max(a, 0)), append(s.Shares[1], max(b, 0))
		}
	}
	if base.Count == 0 {
		rest[0] = 0
	}
	if window.Count == 0 {
		rest[1] = 0
	}
	add(OtherValues, rest[0], rest[1])
	add(NewValues, 0, fresh)
	return s
}

func frequencies(c ColumnProfile) map[string]int64 {
	out := make(map[string]int64, len(c.Top))
	for _, f := range c.Top {
		out[f.Value] = f.Count
	}
	return out
}

// Unseen lists the values of a window that a complete baseline never held, most
// frequent first, and the share of the window's values that they make; nothing
// when the baseline does not list all its values.
func Unseen(base, window ColumnProfile) (values []string, share float64) {
	if base.Kind != Category || !base.Complete || window.Count == 0 {
		return nil, 0
	}
	known := frequencies(base)
	for _, f := range window.Top {
		if _, old := known[f.Value]; !old {
			values = append(values, f.Value)
			share += float64(f.Count) / float64(window.Count)
		}
	}
	return values, share
}
