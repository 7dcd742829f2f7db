package stats

import (
	"cmp"
	"slices"
)

// counter counts values exactly while there are few, and the frequent ones
// beyond that: when full it subtracts the median count from all and drops those
// left without (Anderson et al. 2017, "A high-performance algorithm for
// identifying frequent items in data streams"). Counters can be merged.
type counter[K cmp.Ordered] struct {
	limit    int
	counts   map[K]int64
	complete bool  // every value is there, with its exact count
	short    int64 // by so many at most a count, or that of a value not there, is too low
}

func newCounter[K cmp.Ordered](limit int) counter[K] {
	return counter[K]{limit: limit, counts: map[K]int64{}, complete: true}
}

func (c *counter[K]) add(v K, n int64) {
	c.counts[v] += n
	if len(c.counts) > c.limit {
		c.purge()
	}
}

func (c *counter[K]) purge() {
	all := make([]int64, 0, len(c.counts))
	for _, n := range c.counts {
		all = append(all, n)
	}
	slices.Sort(all)
	median := all[len(all)/2]
	for v, n := range c.counts {
		if n <= median {
			delete(c.counts, v)
		} else {
			c.counts[v] = n - median
		}
	}
	c.leftOut(median)
}

// leftOut notes that counts are now too low by up to n more.
func (c *counter[K]) leftOut(n int64) {
	c.complete = false
	c.short += n
}

func (c *counter[K]) merge(o counter[K]) {
	c.complete = c.complete && o.complete
	c.short += o.short
	for v, n := range o.counts {
		c.counts[v] += n
	}
	for len(c.counts) > c.limit {
		c.purge()
	}
}

// top returns the values by falling count, ties by value.
func (c *counter[K]) top() []K {
	out := make([]K, 0, len(c.counts))
	for v := range c.counts {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b K) int {
		if d := cmp.Compare(c.counts[b], c.counts[a]); d != 0 {
			return d
		}
		return cmp.Compare(a, b)
	})
	return out
}

// listed returns the values to list, all or the first most that occur more than
// rarely, and by how much the count of any value is too low at most, listed or
// not.
func (c *counter[K]) listed(most int, rarely int64) (values []K, short int64) {
	values, short = c.top(), c.short
	if c.complete {
		return values, short
	}
	for i, v := range values {
		if n := c.counts[v]; i == most || n <= rarely {
			return values[:i], short + n
		}
	}
	return values, short
}
