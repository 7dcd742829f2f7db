package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// result is what a case measured, in unit.
type result struct {
	name       string
	ours, peer float64
	unit       string
	most       float64 // the goal: ours is at most this many times peer
	least      float64 // or, if most is 0, at least
	floor      float64 // a second goal, in unit: ours is at least this; 0 for none
}

// String is what is printed: a line, and one more for a floor.
func (r result) String() string {
	goal := fmt.Sprintf("<=%g", r.most)
	if r.most == 0 {
		goal = fmt.Sprintf(">=%g", r.least)
	}
	line := fmt.Sprintf("bench: %s ours=%s%s peer=%s%s ratio=%.2f goal%s",
		r.name, figure(r.ours), r.unit, figure(r.peer), r.unit, r.ours/r.peer, goal)
	if r.floor > 0 {
		line += "\n" + result{name: r.name + "-floor", ours: r.ours, peer: r.floor, unit: r.unit, least: 1}.String()
	}
	return line
}

// figure is v with three digits that mean something.
func figure(v float64) string {
	decimals := 2 - math.Floor(math.Log10(max(math.Abs(v), 0.1)))
	return strconv.FormatFloat(v, 'f', max(int(decimals), 0), 64)
}

// median is the middle of values, which must not be empty.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	half := len(s) / 2
	if len(s)%2 == 1 {
		return s[half]
	}
	return (s[half-1] + s[half]) / 2
}

// p99 is the smallest value that 99 of 100 values do not exceed (nearest rank).
func p99(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return s[int(math.Ceil(0.99*float64(len(s))))-1]
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// inTurns calls ours and peer n times each, either first as often as the other,
// and returns the milliseconds that they say they took.
func inTurns(n int, ours, peer func() (time.Duration, error)) (mine, theirs []float64, err error) {
	turn := func(into *[]float64, run func() (time.Duration, error)) error {
		took, err := run()
		*into = append(*into, milliseconds(took))
		return err
	}
	for i := range n {
		first := func() error { return turn(&mine, ours) }
		second := func() error { return turn(&theirs, peer) }
		if i%2 == 1 {
			first, second = second, first
		}
		if err := first(); err != nil {
			return nil, nil, err
		}
		if err := second(); err != nil {
			return nil, nil, err
		}
	}
	return mine, theirs, nil
}
