package stats

import (
	"fmt"
	"math"

	"github.com/axiomhq/hyperloglog"
)

// describeDistinct tells how many different values there are.
func (c *ColumnProfile) describeDistinct(seen *hyperloglog.Sketch) {
	c.Distinct = seen.Estimate()
	if b, err := seen.MarshalBinary(); err == nil { // it has no failing path
		c.Cardinality = b
	}
}

func readCardinality(b []byte) (*hyperloglog.Sketch, error) {
	s := &hyperloglog.Sketch{}
	if err := s.UnmarshalBinary(b); err != nil {
		return nil, fmt.Errorf("damaged cardinality: %w", err)
	}
	return s, nil
}

// histogram spreads the values over bars of equal width.
func histogram(pts points, low, high float64, count int64) []Bin {
	if low == high {
		return []Bin{{low, high, count}}
	}
	edges := make([]float64, histogramBins)
	for i := range edges {
		share := float64(i+1) / histogramBins
		edges[i] = low*(1-share) + high*share // their difference may overflow
	}
	edges[histogramBins-1] = high
	out := make([]Bin, histogramBins)
	from, before := low, int64(0)
	for i, share := range pts.cumulative(edges) {
		upTo := int64(math.Round(share * float64(count)))
		out[i] = Bin{from, edges[i], upTo - before}
		from, before = edges[i], upTo
	}
	return out
}
