package stats

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// The serialized form is that of KLL sketches of doubles in Apache DataSketches
// (kll_doubles_sketch, serial versions 1 and 2), which its libraries for Java,
// C++, Python and Go read.
const (
	sketchHead   = 20 // bytes before the levels of a sketch of two or more values
	shortHead    = 8  // and of one value, or none
	kllFamily    = 15
	kllEmpty     = 1
	kllSorted    = 2
	kllSingle    = 4
	minLevelSize = 8
)

// bytes is the cut-down sketch; low and high are the extremes of the stream.
func (s *sketch) bytes(low, high float64) []byte {
	s = s.small()
	n := s.count()
	out := []byte{5, 1, kllFamily, kllSorted, 0, 0, minLevelSize, 0}
	binary.LittleEndian.PutUint16(out[4:], sketchK)
	switch n {
	case 0:
		out[0], out[3] = 2, kllSorted|kllEmpty
		return out
	case 1:
		out[0], out[1], out[3] = 2, 2, kllSorted|kllSingle
		return binary.LittleEndian.AppendUint64(out, math.Float64bits(low))
	}
	out = binary.LittleEndian.AppendUint64(out, uint64(n))
	out = binary.LittleEndian.AppendUint16(out, sketchK)
	out = append(out, byte(len(s.levels)), 0)
	at := 0 // the free part of the library's array comes first
	for h, level := range s.levels {
		at += levelRoom(len(s.levels)-1-h) - len(level)
	}
	for _, level := range s.levels {
		out = binary.LittleEndian.AppendUint32(out, uint32(at))
		at += len(level)
	}
	for _, v := range slices.Concat([]float64{low, high}, slices.Concat(s.levels...)) {
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
	}
	return out
}

// levelRoom is how many values the library holds at a level so far from the
// highest: k at that, and two thirds at each one below, but at least 8.
func levelRoom(depth int) int {
	if depth > 30 {
		return minLevelSize
	}
	twice, powerOf3 := 2*sketchK<<depth, 1
	for range depth {
		powerOf3 *= 3
	}
	return max(minLevelSize, (twice/powerOf3+1)/2)
}

// readSketch decodes a sketch.
func readSketch(b []byte) (*sketch, error) {
	damaged := func(format string, args ...any) (*sketch, error) {
		return nil, fmt.Errorf("damaged sketch of %d bytes: %s", len(b), fmt.Sprintf(format, args...))
	}
	s := newSketch()
	switch {
	case len(b) < shortHead || b[2] != kllFamily:
		return damaged("not a KLL sketch")
	case binary.LittleEndian.Uint16(b[4:]) != sketchK || b[6] != minLevelSize:
		return damaged("k is %d, not %d", binary.LittleEndian.Uint16(b[4:]), sketchK)
	case b[3]&kllEmpty != 0:
		return s, nil
	case b[3]&kllSingle != 0:
		if len(b) != shortHead+8 {
			return damaged("one value has 8 bytes")
		}
		s.levels = [][]float64{floatsOf(b[shortHead:])}
	default:
		levels, err := readLevels(b)
		if err != nil {
			return damaged("%v", err)
		}
		s.levels = levels
	}
	for h, level := range s.levels {
		for _, v := range level {
			if v-v != 0 {
				return damaged("%g at level %d", v, h)
			}
		}
		slices.Sort(level) // the lowest level of the library's is in the order of the stream
	}
	return s, nil
}

func readLevels(b []byte) ([][]float64, error) {
	if len(b) < sketchHead {
		return nil, fmt.Errorf("its head is cut off")
	}
	count, n := int(b[18]), binary.LittleEndian.Uint64(b[8:])
	if count < 1 || count > 60 || len(b) < sketchHead+4*count+16 {
		return nil, fmt.Errorf("%d levels", count)
	}
	values, room := floatsOf(b[sketchHead+4*count+16:]), 0
	for depth := range count {
		room += levelRoom(depth)
	}
	levels, weight, begin := make([][]float64, count), uint64(0), room-len(values)
	for h := range levels {
		at, end := int(binary.LittleEndian.Uint32(b[sketchHead+4*h:]))-begin, len(values)
		if h+1 < count {
			end = int(binary.LittleEndian.Uint32(b[sketchHead+4*h+4:])) - begin
		}
		if at < 0 || h == 0 && at != 0 || end < at || end > len(values) {
			return nil, fmt.Errorf("level %d holds values %d to %d of %d", h, at, end, len(values))
		}
		levels[h] = slices.Clone(values[at:end])
		weight += uint64(end-at) << h
	}
	if weight != n {
		return nil, fmt.Errorf("it stands for %d values and says %d", weight, n)
	}
	return levels, nil
}

func floatsOf(b []byte) []float64 {
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out
}
