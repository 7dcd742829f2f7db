package trees

import (
	"cmp"
	"slices"
)

// cell sums first derivatives, second derivatives and rows.
type cell struct {
	g, h float64
	n    int
}

func (c *cell) add(o cell) { c.g += o.g; c.h += o.h; c.n += o.n }

func (c cell) less(o cell) cell { return cell{c.g - o.g, c.h - o.h, c.n - o.n} }

// binSet holds bins 0 to 255.
type binSet [4]uint64

func (s *binSet) add(bin int)          { s[bin>>6] |= 1 << (bin & 63) }
func (s *binSet) has(bin uint8) bool   { return s[bin>>6]>>(bin&63)&1 != 0 }
func (s *binSet) bit(bin uint8) int    { return int(s[bin>>6] >> (bin & 63) & 1) }
func (s *binSet) words(n int) []uint64 { return slices.Clone(s[:(n+63)/64]) }

// split is the best known way to divide a leaf; gain 0 is none.
type split struct {
	gain        float64
	feature     int
	cut         int    // numeric: bins up to cut go left; the last bin: all values do
	right       binSet // categorical: these bins go right
	missingLeft bool
	left        cell
}

const (
	// minGain, relative to the children's score, keeps rounding noise from
	// making splits.
	minGain = 1e-10

	// minHessian bounds a leaf's value when l2 is 0: LightGBM's default
	// (min_sum_hessian_in_leaf), for weights with a mean of 1.
	minHessian = 1e-3

	// Categories are ordered by g/(h+categorySmooth), which pulls rare ones to
	// the middle, and a set split pays categoryL2 for its freedom to choose
	// among many orders. LightGBM's defaults (cat_smooth, cat_l2).
	categorySmooth = 10
	categoryL2     = 10
)

// finder looks for splits of one leaf; order is scratch.
type finder struct {
	minRows int
	l2      float64
	order   []int
}

// find returns the best split on one feature, whose bins are hist.
func (f *finder) find(feature int, b *binner, hist []cell, total cell) split {
	best := split{feature: -1}
	if total.n < 2*f.minRows {
		return best
	}
	if b.set {
		f.categories(&best, feature, hist, total)
	} else {
		f.numbers(&best, feature, b, hist, total)
	}
	return best
}

// numbers tries every cut with missing values on either side, and all values
// against the missing ones. A leaf without
// any sends those of later rows where most of its rows go.
func (f *finder) numbers(best *split, feature int, b *binner, hist []cell, total cell) {
	values, missing := hist[:len(hist)-1], hist[len(hist)-1]
	for _, missingLeft := range sides(missing) {
		left := cell{}
		if missingLeft {
			left = missing
		}
		for k := range len(values) - 1 {
			left.add(values[k])
			if gain := f.gain(left, total, f.l2); gain > best.gain {
				*best = split{gain: gain, feature: feature, cut: k, left: left, missingLeft: missingLeft}
			}
		}
	}
	present := total.less(missing)
	if gain := f.gain(present, total, f.l2); b.bounded && missing.n > 0 && gain > best.gain {
		*best = split{gain: gain, feature: feature, cut: len(values) - 1, left: present}
	}
	f.settle(best, feature, missing, total)
}

// categories orders the bins by their mean derivative and tries to send every
// prefix of that order, and of its reverse, to the right; then all of them, with
// missing values alone on the left. XGBoost reads no split without categories.
func (f *finder) categories(best *split, feature int, hist []cell, total cell) {
	missing := hist[len(hist)-1]
	f.order = f.order[:0]
	for k, c := range hist[:len(hist)-1] {
		if c.n > 0 {
			f.order = append(f.order, k)
		}
	}
	rank := func(k int) float64 { return hist[k].g / (hist[k].h + categorySmooth) }
	slices.SortFunc(f.order, func(a, b int) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	for range 2 {
		f.prefixes(best, feature, hist, total)
		slices.Reverse(f.order)
	}
	if gain := f.gain(missing, total, f.l2); missing.n > 0 && gain > best.gain {
		*best = split{gain: gain, feature: feature, left: missing, missingLeft: true}
		for bin := range len(hist) - 1 {
			best.right.add(bin)
		}
	}
	f.settle(best, feature, missing, total)
}

func (f *finder) prefixes(best *split, feature int, hist []cell, total cell) {
	missing := hist[len(hist)-1]
	// The other half are the prefixes of the reverse order.
	half := (len(f.order) + 1) / 2
	for _, missingLeft := range sides(missing) {
		right, taken := cell{}, -1
		if !missingLeft {
			right = missing
		}
		for k := range min(half, len(f.order)-1) {
			right.add(hist[f.order[k]])
			left := total.less(right)
			if gain := f.gain(left, total, f.l2+categoryL2); gain > best.gain {
				*best = split{gain: gain, feature: feature, left: left, missingLeft: missingLeft}
				taken = k
			}
		}
		for _, bin := range f.order[:taken+1] {
			best.right.add(bin)
		}
	}
}

func sides(missing cell) []bool {
	if missing.n == 0 {
		return onlyLeft
	}
	return bothSides
}

var (
	onlyLeft  = []bool{true}
	bothSides = []bool{true, false}
)

// settle sends missing values that training did not see to the larger side.
func (f *finder) settle(best *split, feature int, missing, total cell) {
	if best.feature == feature && missing.n == 0 {
		best.missingLeft = 2*best.left.n >= total.n
	}
}

// gain is the reduction of the loss's second-order approximation, times two:
// Σ over children of G²/(H+λ), less the same of the parent. 0: not allowed.
func (f *finder) gain(left, total cell, l2 float64) float64 {
	right := total.less(left)
	if left.n < f.minRows || right.n < f.minRows || left.h < minHessian || right.h < minHessian {
		return 0
	}
	children := left.g*left.g/(left.h+l2) + right.g*right.g/(right.h+l2)
	gain := children - total.g*total.g/(total.h+f.l2)
	if gain <= minGain*children {
		return 0
	}
	return gain
}
