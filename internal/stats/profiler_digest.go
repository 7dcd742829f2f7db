package stats

import (
	"math"
	"sync"
)

// workspace is what digesting a batch needs.
type workspace struct {
	keys   [2 * sketchBatch]uint64
	values [sketchBatch]float64 // different ones
	counts [sketchBatch]float64 // of each
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// digest takes in what was gathered.
func (c *numberProfiler) digest() {
	if len(c.gathered) == 0 {
		return
	}
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	sortFloats(c.gathered, w.keys[:])
	c.count += int64(len(c.gathered))
	c.sketch.add(c.gathered)
	values, counts := w.runs(c.gathered)
	c.moments.addCounted(values, counts)
	c.see(values, counts)
	c.gathered = c.gathered[:0]
}

// runs returns the different values of sorted ones, and how often each occurs.
func (w *workspace) runs(sorted []float64) (values, counts []float64) {
	n := 0
	for i, v := range sorted {
		if i == 0 || v != w.values[n-1] {
			w.values[n], w.counts[n] = v, 0
			n++
		}
		w.counts[n-1]++
	}
	return w.values[:n], w.counts[:n]
}

// rarely is how often a value of a full batch occurs that is not counted.
const rarely = 3

// see counts values. Of a full batch, those that occur rarely are left out unless
// all are still listed: they would cost more than all else.
func (c *numberProfiler) see(values, counts []float64) {
	least := 0.0
	if len(c.gathered) == sketchBatch && (!c.values.complete || len(values) > maxNumberValues) {
		least = rarely + 1
		c.values.leftOut(rarely)
	}
	for i, v := range values {
		c.hll.InsertHash(hashFloat(v))
		if counts[i] >= least {
			c.values.add(v, int64(counts[i]))
		}
		if v == 0 {
			c.zeros += int64(counts[i])
		}
	}
	c.values.complete = c.values.complete && len(c.values.counts) <= maxNumberValues
}

// hashFloat mixes the bits of a number: the finalizer of SplitMix64 (Steele, Lea
// and Flood 2014, "Fast splittable pseudorandom number generators"), which maps
// different numbers to different hashes.
func hashFloat(v float64) uint64 {
	h := math.Float64bits(v)
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
