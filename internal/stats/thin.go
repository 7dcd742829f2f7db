package stats

import (
	"math"
	"slices"
)

// thin keeps at most limit points of a line, the first and the last among
// them: it always adds the point that lies farthest from the line drawn so far
// (Douglas and Peucker 1973), so that what is left out is what is seen least. A
// limit below 2 keeps all.
func thin[P any](points []P, limit int, at func(P) (x, y float64)) []P {
	if limit < 2 || len(points) <= limit {
		return points
	}
	kept := []int{0, len(points) - 1}
	open := []stretch[P]{farthest(points, 0, len(points)-1, at)}
	for len(kept) < limit {
		worst := 0
		for i, s := range open {
			if s.distance > open[worst].distance {
				worst = i
			}
		}
		s := open[worst]
		if s.distance == 0 {
			break
		}
		kept = append(kept, s.middle)
		open[worst] = farthest(points, s.from, s.middle, at)
		open = append(open, farthest(points, s.middle, s.to, at))
	}
	slices.Sort(kept)
	out := make([]P, len(kept))
	for i, k := range kept {
		out[i] = points[k]
	}
	return out
}

// stretch is a part of a line that is drawn straight, and the point on it that
// this misses by the largest distance.
type stretch[P any] struct {
	from, to, middle int
	distance         float64
}

func farthest[P any](points []P, from, to int, at func(P) (x, y float64)) stretch[P] {
	s := stretch[P]{from: from, to: to}
	x0, y0 := at(points[from])
	x1, y1 := at(points[to])
	dx, dy := x1-x0, y1-y0
	length := math.Hypot(dx, dy)
	for i := from + 1; i < to; i++ {
		x, y := at(points[i])
		d := math.Hypot(x-x0, y-y0)
		if length > 0 {
			d = math.Abs(dx*(y-y0)-dy*(x-x0)) / length
		}
		if d > s.distance {
			s.middle, s.distance = i, d
		}
	}
	return s
}
