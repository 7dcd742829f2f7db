package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strconv"

	"steward/internal/stats"
)

// metrics measures a file of pairs of a label and a score, with intervals.
func metrics(file, replicates string) (int64, error) {
	count, err := strconv.Atoi(replicates)
	if err != nil {
		return 0, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	rows := len(data) / 16
	s := stats.Scored{Label: make([]float64, rows), Score: make([]float64, rows)}
	for i := range rows {
		s.Label[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[16*i:]))
		s.Score[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[16*i+8:]))
	}
	names := stats.KnownMetrics(stats.TaskBinary)
	found, err := stats.Intervals(stats.BinarySample(s, 0.5), names, stats.BootstrapOptions{Replicates: count, Seed: 1})
	if err == nil && (len(found) != len(names) || found[0].Low >= found[0].High) {
		err = fmt.Errorf("%d metrics were measured, not %d", len(found), len(names))
	}
	return int64(rows), err
}
