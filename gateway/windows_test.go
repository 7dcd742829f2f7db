package gateway

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"steward/internal/lifecycle"
)

func TestWindowsOf(t *testing.T) {
	v := windowsOf(sampleModel())
	require.Equal(t, "auc", v.Metric)
	require.Equal(t, 16, v.Total, "a window reported twice is one window")
	require.Len(t, v.Rows, shownWindows)
	require.Equal(t, "1-16", v.Rows[0].ID)
	require.Nil(t, v.Rows[0].Value, "its ground truth is awaited")
	require.InDelta(t, 0.6612, *v.Rows[2].Value, 1e-4)
	require.Equal(t, "origin_delay_prev_day", v.Rows[2].Worst.Column, "the largest PSI, not the largest of any measure")
	require.True(t, v.Estimate)
	require.Contains(t, string(v.Quality), "at least 0.68")
	require.Contains(t, string(v.Drift), "act 0.2")
	require.Contains(t, string(v.Drift), ">r1<")
	require.Equal(t, v, windowsOf(sampleModel()), "the same windows give the same charts")
}

func TestMaturedReportReplacesTheFirst(t *testing.T) {
	early := lifecycle.Window{ID: "1-1", To: t0}
	late := lifecycle.Window{ID: "1-1", To: t0, Matured: true}
	other := lifecycle.Window{ID: "1-2", To: t0.Add(time.Minute)}
	require.Equal(t, []lifecycle.Window{late, other}, newest([]lifecycle.Window{early, other, late}))
}

func TestWatchedMetric(t *testing.T) {
	s := sampleSpec()
	s.Watch.Quality[0].Metric = "recall"
	require.Equal(t, "recall", watchedMetric(s))
	s.Watch.Quality = nil
	require.Equal(t, "auc", watchedMetric(s))
}

func TestWords(t *testing.T) {
	require.Equal(t, "301\u202f207", count(301207))
	require.Equal(t, "999", count(999))
	require.Equal(t, "-1\u202f000", count(-1000))
	require.Equal(t, "−0.0100", signed(-0.01))
	require.Equal(t, "+0.0689", signed(0.0689))
	require.Equal(t, "1234.5", figure(1234.5))
	require.Equal(t, "NaN", figure(math.NaN()))
	for d, want := range map[time.Duration]string{
		0: "under 1 s", 1500 * time.Millisecond: "1.5 s", 42 * time.Second: "42 s", 61 * time.Second: "1 min 1 s",
		90 * time.Minute: "1 h 30 min", 80 * time.Hour: "3 days",
	} {
		require.Equal(t, want, span(d))
	}
	require.Equal(t, "abcdefghijkl", shortDigest("sha256:abcdefghijklmnop"))
	require.Empty(t, shortDigest(""))
	require.Equal(t, "errors 0.12 % ≤ 1 %", reading(lifecycle.Reading{Name: "errors", Value: 0.0012, Max: lifecycle.Bound{Value: 0.01}}))
	require.Contains(t, string(badge("<x>")), "&lt;x&gt;")
	require.NotEqual(t, icon("good"), icon("degraded"))
	for word, t1 := range tones {
		require.Contains(t, shapes, t1.shape, word)
	}
}
