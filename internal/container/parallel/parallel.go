// Package parallel spreads loops over rows or features across the cores in a
// way that leaves results the same for any number of them: rows are cut into
// chunks of one fixed size, and partial results are combined in chunk order.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// chunkRows is small enough to keep two to sixty-four cores busy on 200,000
// rows and large enough that handing out a chunk costs nothing.
const chunkRows = 4096

// Chunks is the number of chunks that Rows cuts n rows into.
func Chunks(n int) int { return (n + chunkRows - 1) / chunkRows }

// Rows calls work once for every chunk [from, to) of n rows.
func Rows(n int, work func(chunk, from, to int)) {
	Each(Chunks(n), func(_, chunk int) {
		work(chunk, chunk*chunkRows, min(n, (chunk+1)*chunkRows))
	})
}

// Sum adds up part over all rows. The order of the additions depends on n only.
func Sum(n int, part func(from, to int) float64) float64 {
	parts := make([]float64, Chunks(n))
	Rows(n, func(chunk, from, to int) { parts[chunk] = part(from, to) })
	total := 0.0
	for _, p := range parts {
		total += p
	}
	return total
}

// Workers is the number of goroutines that Each uses for n items.
func Workers(n int) int { return max(1, min(n, runtime.GOMAXPROCS(0))) }

// Each calls work once for every item in [0, n). worker, below Workers(n), is
// never shared by two calls at a time, so it can choose scratch memory.
func Each(n int, work func(worker, item int)) {
	workers := Workers(n)
	if workers == 1 {
		for item := range n {
			work(0, item)
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for item := int(next.Add(1)) - 1; item < n; item = int(next.Add(1)) - 1 {
				work(worker, item)
			}
		})
	}
	group.Wait()
}
