package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestResultLine(t *testing.T) {
	for _, tt := range []struct {
		r    result
		want string
	}{
		{result{name: "release", ours: 612.4, peer: 500, unit: "ms", most: 1.5}, "bench: release ours=612ms peer=500ms ratio=1.22 goal<=1.5"},
		{result{name: "alert", ours: 9.876, peer: 12.34, unit: "ms", most: 3}, "bench: alert ours=9.88ms peer=12.3ms ratio=0.80 goal<=3"},
		{result{name: "idle", ours: 1234.5, peer: 500, unit: "MB", most: 1}, "bench: idle ours=1234MB peer=500MB ratio=2.47 goal<=1"},
		{result{name: "start", ours: 0.0456, peer: 5, unit: "s", most: 1}, "bench: start ours=0.046s peer=5.00s ratio=0.01 goal<=1"},
		{result{name: "none", ours: 0, peer: 5, unit: "s", most: 1}, "bench: none ours=0.000s peer=5.00s ratio=0.00 goal<=1"},
		{result{name: "get", ours: 2500, peer: 10000, unit: "/s", least: 0.4, floor: 3000},
			"bench: get ours=2500/s peer=10000/s ratio=0.25 goal>=0.4\nbench: get-floor ours=2500/s peer=3000/s ratio=0.83 goal>=1"},
	} {
		require.Equal(t, tt.want, tt.r.String())
	}
}

func TestMedian(t *testing.T) {
	values := []float64{9, 1, 5}
	require.InDelta(t, 5, median(values), 0)
	require.Equal(t, []float64{9, 1, 5}, values, "the order of the values stays")
	require.InDelta(t, 3, median([]float64{1, 9, 2, 4}), 0)
	require.InDelta(t, 7, median([]float64{7}), 0)
}

func TestP99(t *testing.T) {
	var values []float64
	for i := range 300 {
		values = append(values, float64(300-i))
	}
	require.InDelta(t, 297, p99(values), 0, "the third worst of 300")
	require.InDelta(t, 7, p99([]float64{7}), 0)
}

func TestInTurns(t *testing.T) {
	order := ""
	call := func(who string, took time.Duration) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			order += who
			return took, nil
		}
	}
	mine, theirs, err := inTurns(3, call("o", time.Second), call("p", time.Millisecond))
	require.NoError(t, err)
	require.Equal(t, "oppoop", order)
	require.Equal(t, []float64{1000, 1000, 1000}, mine)
	require.Equal(t, []float64{1, 1, 1}, theirs)

	_, _, err = inTurns(1, call("o", 0), func() (time.Duration, error) { return 0, errors.New("boom") })
	require.ErrorContains(t, err, "boom")
}
