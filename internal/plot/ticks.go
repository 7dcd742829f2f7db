package plot

import (
	"math"
	"strconv"
)

// maxTicks is how many ticks an axis has at most: five steps, and one more at
// either end to enclose what is shown.
const maxTicks = 8

// Ticks returns evenly spaced round values (1, 2 or 5 times a power of ten)
// that enclose low and high, at most eight of them. Both are at most 1e300 in
// size. Values too close for float64 to tell steps between them get room.
func Ticks(low, high float64) []float64 {
	if size := max(1, math.Abs(low), math.Abs(high)); high-low < 1e-9*size {
		low, high = low-0.05*size, high+0.05*size
	}
	raw := (high - low) / 5
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if step < raw*(1-1e-9) {
			step *= m
		}
	}
	var ticks []float64
	first := math.Floor(low/step + 1e-9)
	for i := range maxTicks {
		ticks = append(ticks, (first+float64(i))*step)
		if ticks[i] >= high-step*1e-9 {
			break
		}
	}
	return ticks
}

// drawable tells whether a value can be shown: it is finite, and an axis around
// it is too.
func drawable(v float64) bool { return math.Abs(v) <= 1e300 }

// tickTexts writes ticks with as many decimals as tell them apart.
func tickTexts(ticks []float64) []string {
	decimals := 0
	if len(ticks) > 1 {
		decimals = max(0, int(math.Ceil(-math.Log10(ticks[1]-ticks[0])-1e-9)))
	}
	out := make([]string, len(ticks))
	for i, v := range ticks {
		if out[i] = strconv.FormatFloat(v, 'f', decimals, 64); len(out[i]) > 8 {
			out[i] = strconv.FormatFloat(v, 'g', 3, 64)
		}
	}
	return out
}
