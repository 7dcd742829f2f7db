package trees

import "steward/internal/container/parallel"

// derivative is a row's first and second derivative of the loss, times weight.
type derivative struct{ g, h float32 }

// grower grows one tree at a time over binned columns. A leaf's rows are a
// range of order; its histogram holds every feature's bins one after another.
type grower struct {
	Options
	columns  [][]uint8
	binners  []binner
	start    []int // where a feature's bins begin in a histogram; the last entry is its size
	rows     []derivative
	order    []int32
	spare    []int32
	gathered []derivative // of the rows of the leaf being counted, in order
	pool     [][]cell
	finders  []finder
	found    [2][]split // by feature, of the smaller and the larger leaf
}

// leaf is a node that may still be split.
type leaf struct {
	from, to int
	total    cell
	hist     []cell
	best     split
	node     int32
}

func newGrower(columns [][]uint8, by []binner, o Options, rows int) *grower {
	g := &grower{
		Options: o, columns: columns, binners: by,
		start:    make([]int, len(by)+1),
		rows:     make([]derivative, rows),
		order:    make([]int32, 0, rows),
		spare:    make([]int32, rows),
		gathered: make([]derivative, rows),
		finders:  make([]finder, parallel.Workers(len(by))),
	}
	for j := range by {
		g.start[j+1] = g.start[j] + by[j].size()
	}
	for i := range g.finders {
		g.finders[i] = finder{minRows: o.MinLeafRows, l2: o.L2}
	}
	g.found = [2][]split{make([]split, len(by)), make([]split, len(by))}
	return g
}

// branch is a split as the binned rows see it: those in left go left.
type branch struct {
	feature     int // leaf: -1
	left        binSet
	leftChild   int32
	rightChild  int32
	value       float32
	gain, cover float64
	split       split
}

// grow grows a tree on the rows in order and the features given. It returns
// the branches and the leaves, whose ranges of order are their rows.
func (g *grower) grow(features []int) ([]branch, []*leaf) {
	root := &leaf{to: len(g.order), total: g.total(), hist: g.take()}
	g.count(root, features)
	g.search(features, root, nil)
	nodes := []branch{{feature: -1}}
	leaves := []*leaf{root}
	for len(leaves) < g.MaxLeaves {
		best := leaves[0]
		at := 0
		for i, l := range leaves {
			if l.best.gain > best.best.gain {
				best, at = l, i
			}
		}
		if best.best.feature < 0 {
			break
		}
		left, right := g.divide(best, features, int32(len(nodes)))
		nodes[best.node] = g.branch(best, left.node, right.node)
		nodes = append(nodes, branch{feature: -1}, branch{feature: -1})
		leaves[at] = left
		leaves = append(leaves, right)
	}
	for _, l := range leaves {
		// Rows that all weigh 0 say nothing: 0/0.
		if h := l.total.h + g.L2; h > 0 {
			nodes[l.node].value = float32(-l.total.g / h * g.LearningRate)
		}
		nodes[l.node].cover = l.total.h
		g.pool = append(g.pool, l.hist)
	}
	return nodes, leaves
}

func (g *grower) branch(l *leaf, left, right int32) branch {
	return branch{feature: l.best.feature, left: g.leftBins(l.best), leftChild: left, rightChild: right,
		gain: l.best.gain, cover: l.total.h, split: l.best}
}

// leftBins lists the bins that go left.
func (g *grower) leftBins(s split) binSet {
	b := &g.binners[s.feature]
	var left binSet
	for bin := range int(b.missing) {
		if b.set && !s.right.has(uint8(bin)) || !b.set && bin <= s.cut {
			left.add(bin)
		}
	}
	if s.missingLeft {
		left.add(int(b.missing))
	}
	return left
}

// divide splits a leaf in two, counts the smaller one's histogram and gets the
// larger one's by subtraction.
func (g *grower) divide(l *leaf, features []int, next int32) (*leaf, *leaf) {
	middle := g.partition(l)
	left := &leaf{from: l.from, to: middle, total: l.best.left, node: next}
	right := &leaf{from: middle, to: l.to, total: l.total.less(l.best.left), node: next + 1}
	small, large := left, right
	if left.to-left.from > right.to-right.from {
		small, large = right, left
	}
	small.hist, large.hist = g.take(), l.hist
	g.count(small, features)
	g.search(features, small, large)
	return left, right
}

// partition orders a leaf's rows left ones first, each side in its old order.
func (g *grower) partition(l *leaf) int {
	column, set := g.columns[l.best.feature], g.leftBins(l.best)
	rows := g.order[l.from:l.to]
	var goes [256]int
	for bin := range goes {
		goes[bin] = set.bit(uint8(bin))
	}
	left, right := 0, 0
	for _, row := range rows {
		rows[left], g.spare[right] = row, row
		side := goes[column[row]]
		left += side
		right += 1 - side
	}
	copy(rows[left:], g.spare[:right])
	return l.from + left
}

// export turns a binned tree into one over values.
func (g *grower) export(nodes []branch) tree {
	t := make(tree, len(nodes))
	for i, n := range nodes {
		t[i] = node{feature: -1, value: n.value, gain: float32(n.gain), cover: float32(n.cover), left: -1, right: -1}
		if n.feature < 0 {
			continue
		}
		b := &g.binners[n.feature]
		t[i].feature, t[i].left, t[i].right = int32(n.feature), n.leftChild, n.rightChild
		t[i].defaultLeft = n.split.missingLeft
		if b.set {
			t[i].set = n.split.right.words(int(b.missing))
		} else if t[i].value = topCut; n.split.cut < len(b.cuts) {
			t[i].value = b.cuts[n.split.cut]
		}
	}
	return t
}
