package sagemaker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/process"
)

// measured keeps what was recorded, by namespace, name and host.
type measured map[[3]string]float64

func (m measured) Record(namespace, name string, dimensions map[string]string, value float64, _ time.Time) {
	m[[3]string{namespace, name, dimensions["Host"]}] = value
}

func TestMeasure(t *testing.T) {
	got := measured{}
	s := &Service{cfg: Config{Metrics: got}}
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.measure("j", 1, process.Exit{CPUSeconds: 3, MaxRSS: process.Memory() / 4, Started: began, Ended: began.Add(2 * time.Second)})
	require.InDelta(t, 150, got[[3]string{"/aws/sagemaker/TrainingJobs", "CPUUtilization", "j/algo-2"}], 1e-9, "of one processor")
	if process.Memory() > 0 {
		require.InDelta(t, 25, got[[3]string{"/aws/sagemaker/TrainingJobs", "MemoryUtilization", "j/algo-2"}], 1e-3)
	}
	clear(got)
	s.measure("j", 0, process.Exit{Started: began, Ended: began})
	require.NotContains(t, got, [3]string{"/aws/sagemaker/TrainingJobs", "CPUUtilization", "j/algo-1"}, "it took no time")
}

// What the supervisor says of a run is not what its container said last.
func TestScraperPassesOverTheSupervisor(t *testing.T) {
	s := newScraper(nil)
	s.follow("none")
	for _, c := range []byte("no rows\n" + process.UsageMark + "used 1.00 s\n") {
		s.take(s.logs[0], c, time.Time{})
	}
	require.Equal(t, "no rows", s.lastLine(0))
}
