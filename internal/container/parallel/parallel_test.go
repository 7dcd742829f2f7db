package parallel

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRowsCoverEachRowOnce(t *testing.T) {
	for _, n := range []int{0, 1, chunkRows - 1, chunkRows, chunkRows + 1, 5*chunkRows + 7} {
		seen := make([]atomic.Int32, n)
		Rows(n, func(chunk, from, to int) {
			require.Equal(t, chunk*chunkRows, from)
			for i := from; i < to; i++ {
				seen[i].Add(1)
			}
		})
		for i := range seen {
			require.EqualValues(t, 1, seen[i].Load(), "row %d of %d", i, n)
		}
	}
}

func TestSumIsTheSameOnAnyNumberOfCores(t *testing.T) {
	values := make([]float64, 10*chunkRows+3)
	for i := range values {
		values[i] = 1 / float64(i+1)
	}
	sum := func() float64 {
		return Sum(len(values), func(from, to int) float64 {
			s := 0.0
			for _, v := range values[from:to] {
				s += v
			}
			return s
		})
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := sum()
	for cores := 2; cores <= 5; cores++ {
		runtime.GOMAXPROCS(cores)
		require.Equal(t, one, sum(), "%d cores", cores)
	}
}

func TestEachNeverSharesAWorker(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	busy := make([]atomic.Bool, Workers(1000))
	Each(1000, func(worker, _ int) {
		if !busy[worker].CompareAndSwap(false, true) {
			t.Errorf("worker %d is used twice at a time", worker)
		}
		runtime.Gosched()
		busy[worker].Store(false)
	})
}
