package cloud

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPeriod(t *testing.T) {
	for span, want := range map[time.Duration]int32{
		0: 1, time.Second: 1, 3 * time.Second: 5, 10 * time.Second: 10, 29 * time.Second: 30,
		31 * time.Second: 60, time.Minute: 60, 61 * time.Second: 120, time.Hour: 3600,
	} {
		require.Equal(t, want, period(span), span)
	}
}

func TestSeries(t *testing.T) {
	values, weights := series{60: 100, 120: 200}, series{60: 3, 120: 1, 180: 5}
	require.InDelta(t, 300, values.sum(), 0)
	mean, ok := values.mean(weights)
	require.True(t, ok)
	require.InDelta(t, 125, mean, 1e-9)
	_, ok = values.mean(nil)
	require.False(t, ok, "nothing was measured")
	_, ok = series(nil).mean(weights)
	require.False(t, ok)
}
