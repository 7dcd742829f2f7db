package stats

import (
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

// resample returns the sorted differences challenger − champion of all
// replicates in which both are defined. Each replicate draws from a stream of
// its own, so the number of workers does not matter.
func resample(champion, challenger statistic, rows int, opt BootstrapOptions) ([]float64, error) {
	cluster, clusters := dense(opt.Cluster, rows)
	if clusters < 2 {
		return nil, fmt.Errorf("%d clusters cannot be resampled: at least 2 are needed", clusters)
	}
	deltas := make([]float64, opt.Replicates)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			weights := make([]uint8, clusters)
			weight := func(row int) float64 { return float64(weights[row]) }
			if cluster != nil {
				weight = func(row int) float64 { return float64(weights[cluster[row]]) }
			}
			for r := next.Add(1) - 1; r < int64(len(deltas)); r = next.Add(1) - 1 {
				draw(weights, opt.Seed, int(r))
				deltas[r] = challenger(weight) - champion(weight)
			}
		})
	}
	workers.Wait()
	return defined(deltas)
}

func defined(deltas []float64) ([]float64, error) {
	all := len(deltas)
	deltas = slices.DeleteFunc(deltas, func(d float64) bool { return math.IsNaN(d) || math.IsInf(d, 0) })
	if lost := all - len(deltas); lost*20 > all {
		return nil, fmt.Errorf("undefined in %d of %d replicates: too few rows of one class", lost, all)
	}
	slices.Sort(deltas)
	return deltas, nil
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
