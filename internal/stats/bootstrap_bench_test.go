package stats_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/stats"
)

func BenchmarkIntervals(b *testing.B) {
	label, score, _ := scores(1, 1_000_000, 1)
	sample := stats.BinarySample(stats.Scored{Score: score, Label: label}, 0.5)
	for b.Loop() {
		_, err := stats.Intervals(sample, stats.KnownMetrics(stats.TaskBinary), stats.BootstrapOptions{Replicates: 200, Seed: 1})
		require.NoError(b, err)
	}
}
