package trees

import (
	"slices"

	"steward/internal/container/frame"
	"steward/internal/container/metric"
	"steward/internal/container/parallel"
)

// side is a data set being scored: the margins of its rows so far.
type side struct {
	frame   *frame.Frame
	columns [][]uint8
	margin  []float64
}

func (b *booster) side(f *frame.Frame, by []binner) *side {
	return &side{frame: f, columns: binned(f, by), margin: slices.Repeat([]float64{b.model.baseMargin()}, f.Rows())}
}

// add scores a tree on every row.
func (s *side) add(nodes []branch) {
	parallel.Rows(len(s.margin), func(_, from, to int) {
		for i := from; i < to; i++ {
			n := &nodes[0]
			for n.feature >= 0 {
				if n.left.has(s.columns[n.feature][i]) {
					n = &nodes[n.leftChild]
				} else {
					n = &nodes[n.rightChild]
				}
			}
			s.margin[i] += float64(n.value)
		}
	})
}

func (b *booster) loss(s *side) float64 {
	if b.model.schema.Task == frame.Binary {
		return metric.LogLoss(s.margin, s.frame.Label, s.frame.Weight)
	}
	return metric.RMSE(s.margin, s.frame.Label, s.frame.Weight)
}
