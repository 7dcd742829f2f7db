package trees

import "steward/internal/container/parallel"

// smallLeaf is the number of counted values below which one core is faster.
const smallLeaf = 16384

// each spreads features over the cores when there is enough to do.
func (g *grower) each(features []int, values int, work func(worker, feature int)) {
	if values < smallLeaf {
		for _, j := range features {
			work(0, j)
		}
		return
	}
	parallel.Each(len(features), func(worker, k int) { work(worker, features[k]) })
}

// count fills a leaf's histogram.
func (g *grower) count(l *leaf, features []int) {
	rows := g.order[l.from:l.to]
	gathered := g.gathered[:len(rows)]
	parallel.Rows(len(rows), func(_, from, to int) {
		for k := from; k < to; k++ {
			gathered[k] = g.rows[rows[k]]
		}
	})
	g.each(features, len(rows)*len(features), func(_, j int) {
		column, hist := g.columns[j], l.hist[g.start[j]:g.start[j+1]]
		for k, row := range rows {
			c, d := &hist[column[row]], gathered[k]
			c.g += float64(d.g)
			c.h += float64(d.h)
			c.n++
		}
	})
}

// search finds the best splits of a leaf and, if there is one, of its larger
// sibling, whose histogram is still their parent's.
func (g *grower) search(features []int, small, large *leaf) {
	g.each(features, g.start[len(g.start)-1]*4, func(worker, j int) {
		f, b := &g.finders[worker], &g.binners[j]
		counted := small.hist[g.start[j]:g.start[j+1]]
		g.found[0][j] = f.find(j, b, counted, small.total)
		if large == nil {
			return
		}
		rest := large.hist[g.start[j]:g.start[j+1]]
		for k := range rest {
			rest[k] = rest[k].less(counted[k])
		}
		g.found[1][j] = f.find(j, b, rest, large.total)
	})
	small.best = pick(g.found[0], features)
	if large != nil {
		large.best = pick(g.found[1], features)
	}
}

// pick is the split that gains most; of equals, the first feature's.
func pick(found []split, features []int) split {
	best := split{feature: -1}
	for _, j := range features {
		if found[j].feature >= 0 && found[j].gain > best.gain {
			best = found[j]
		}
	}
	return best
}

func (g *grower) total() cell {
	parts := make([]cell, parallel.Chunks(len(g.order)))
	parallel.Rows(len(g.order), func(chunk, from, to int) {
		for _, row := range g.order[from:to] {
			d := g.rows[row]
			parts[chunk].add(cell{float64(d.g), float64(d.h), 1})
		}
	})
	total := cell{}
	for _, p := range parts {
		total.add(p)
	}
	return total
}

// take is an empty histogram.
func (g *grower) take() []cell {
	if n := len(g.pool); n > 0 {
		h := g.pool[n-1]
		g.pool = g.pool[:n-1]
		clear(h)
		return h
	}
	return make([]cell, g.start[len(g.start)-1])
}
