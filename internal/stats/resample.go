package stats

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// poisson maps 16 random bits to a draw of Poisson(1), right to 2⁻¹⁶.
var poisson = func() (table [1 << 16]uint8) {
	p, sum, i := math.Exp(-1), 0.0, 0
	for k := 0; i < len(table); k++ {
		sum += p
		for ; i < len(table) && (float64(i)+0.5)/float64(len(table)) < sum; i++ {
			table[i] = uint8(k)
		}
		p /= float64(k + 1)
	}
	return table
}()

// draw fills weights with replicate number r of a seed.
func draw(weights []uint8, seed uint64, r int) {
	source := rand.NewPCG(seed, uint64(r))
	for i := 0; i < len(weights); i += 4 {
		bits := source.Uint64()
		for j := i; j < min(i+4, len(weights)); j++ {
			weights[j] = poisson[uint16(bits)]
			bits >>= 16
		}
	}
}

// resampling says how many units are drawn, and which of them each place of a
// measurer belongs to.
type resampling struct {
	units int
	of    [][]int32 // by measurer, by place; nil: each place is a unit of its own
}

func newResampling(opt BootstrapOptions, rows int, models []measurer) (resampling, error) {
	cluster, units := dense(opt.Cluster, rows)
	out := resampling{units: units, of: make([][]int32, len(models))}
	for i, m := range models {
		own, n := m.units()
		switch {
		case own != nil && cluster != nil:
			return out, errors.New("queries are resampled whole already: leave clusters out")
		case own != nil:
			out.units, out.of[i] = n, own
		case cluster != nil:
			out.of[i] = cluster
			if order := m.order(); order != nil {
				out.of[i] = gather(cluster, order)
			}
		case len(models) > 1:
			out.of[i] = m.order() // a row weighs the same for every model
		}
	}
	if out.units < 2 {
		return out, fmt.Errorf("%d clusters cannot be resampled: at least 2 are needed", out.units)
	}
	return out, nil
}

func gather(values, at []int32) []int32 {
	out := make([]int32, len(at))
	for i, k := range at {
		out[i] = values[k]
	}
	return out
}

// replicates measures every model under the weights of every replicate, by
// replicate and model. Each replicate draws from a stream of its own, so the
// number of workers does not matter.
func replicates(opt BootstrapOptions, rows int, models ...measurer) ([][]Metrics, error) {
	plan, err := newResampling(opt, rows, models)
	if err != nil {
		return nil, err
	}
	out := make([][]Metrics, opt.Replicates)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			drawn := make([]uint8, plan.units)
			for r := next.Add(1) - 1; r < int64(len(out)); r = next.Add(1) - 1 {
				draw(drawn, opt.Seed, int(r))
				for i, m := range models {
					out[r] = append(out[r], m.measure(times(own(m), m.weights() == nil, drawn, plan.of[i])))
				}
			}
		})
	}
	workers.Wait()
	return out, nil
}

// times multiplies the weights of each place by how often its unit was drawn.
func times(weigh weigher, alike bool, drawn []uint8, unit []int32) weigher {
	return func(from int, into []float64) {
		if !alike {
			weigh(from, into)
			for j := range into {
				u := from + j
				if unit != nil {
					u = int(unit[u])
				}
				into[j] *= float64(drawn[u])
			}
			return
		}
		if unit == nil {
			for j, d := range drawn[from : from+len(into)] {
				into[j] = float64(d)
			}
			return
		}
		for j, u := range unit[from : from+len(into)] {
			into[j] = float64(drawn[u])
		}
	}
}

// percentiles is the interval that holds the middle of values, of which those
// that are undefined are left out; more than one in twenty is an error.
func percentiles(values []float64, confidence float64) (low, high float64, n int, err error) {
	all := len(values)
	values = slices.DeleteFunc(values, func(d float64) bool { return math.IsNaN(d) || math.IsInf(d, 0) })
	if lost := all - len(values); lost*20 > all {
		return 0, 0, 0, fmt.Errorf("undefined in %d of %d replicates: too few rows of one class", lost, all)
	}
	slices.Sort(values)
	return interpolate(values, (1-confidence)/2), interpolate(values, (1+confidence)/2), len(values), nil
}

// dense numbers the clusters from 0; without clusters every row is its own.
func dense(cluster []int, rows int) ([]int32, int) {
	if cluster == nil {
		return nil, rows
	}
	numbers := map[int]int32{}
	out := make([]int32, len(cluster))
	for i, c := range cluster {
		n, ok := numbers[c]
		if !ok {
			n = int32(len(numbers))
			numbers[c] = n
		}
		out[i] = n
	}
	return out, len(numbers)
}
