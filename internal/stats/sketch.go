package stats

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/datasketches-go/common"
	"github.com/apache/datasketches-go/kll"
)

// sketchK gives a KLL rank error of about 0.3 % (Karnin, Lang and Liberty 2016,
// "Optimal quantile approximation in streams"), well below the 0.1 that counts
// as drift. Up to sketchK values the sketch is exact; beyond, it keeps a random
// choice, so two sketches of the same data may differ within that error.
const sketchK = 1024

var ascending = common.ItemSketchDoubleComparator(false)

type sketch struct{ kll *kll.ItemsSketch[float64] }

func newSketch() *sketch {
	s, err := kll.NewKllItemsSketch[float64](sketchK, 8, ascending, common.ItemSketchDoubleSerDe{})
	if err != nil {
		panic(fmt.Sprintf("stats: the constants of the sketch are wrong: %v", err))
	}
	return &sketch{s}
}

func (s *sketch) add(v float64)   { s.kll.Update(v) }
func (s *sketch) merge(o *sketch) { s.kll.Merge(o.kll) }

func (s *sketch) bytes() []byte {
	b, err := s.kll.ToSlice()
	if err != nil {
		panic(fmt.Sprintf("stats: a sketch of floats cannot be written: %v", err))
	}
	return b
}

// readSketch decodes a sketch. The library indexes damaged bytes without
// looking, hence the recover.
func readSketch(b []byte) (s *sketch, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("damaged sketch of %d bytes: %v", len(b), r)
		}
	}()
	k, err := kll.NewKllItemsSketchFromSlice[float64](b, ascending, common.ItemSketchDoubleSerDe{})
	if err != nil {
		return nil, fmt.Errorf("damaged sketch of %d bytes: %w", len(b), err)
	}
	return &sketch{k}, nil
}

// points is an empirical distribution: sorted values, each with its share.
type points struct{ values, shares []float64 }

func (s *sketch) points() points {
	weights := map[float64]float64{}
	for it := s.kll.GetIterator(); it.Next(); {
		weights[it.GetQuantile()] += float64(it.GetWeight())
	}
	return newPoints(weights)
}

func newPoints(weights map[float64]float64) points {
	p := points{}
	for v := range weights {
		p.values = append(p.values, v)
	}
	slices.Sort(p.values)
	total := 0.0
	for _, v := range p.values {
		total += weights[v]
	}
	for _, v := range p.values {
		p.shares = append(p.shares, weights[v]/total)
	}
	return p
}

// cumulative returns the share of values at or below each of the sorted edges.
func (p points) cumulative(edges []float64) []float64 {
	out := make([]float64, len(edges))
	i, sum := 0, 0.0
	for e, edge := range edges {
		for ; i < len(p.values) && p.values[i] <= edge; i++ {
			sum += p.shares[i]
		}
		out[e] = math.Min(sum, 1)
	}
	return out
}

// quantile returns the smallest value with at least a share rank at or below it.
func (p points) quantile(rank float64) float64 {
	sum := 0.0
	for i, s := range p.shares {
		if sum += s; sum >= rank-1e-12 {
			return p.values[i]
		}
	}
	return p.values[len(p.values)-1]
}
