package cloudwatch

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
)

func cells(t *testing.T, s *Store) map[string]int {
	n := map[string]int{}
	require.NoError(t, s.db.View(func(tx *bolt.Tx) error {
		for _, b := range []string{"seconds", "minutes", "series"} {
			n[b] = tx.Bucket([]byte(b)).Stats().KeyN
		}
		return nil
	}))
	return n
}

func TestSweepForgetsWhatIsOld(t *testing.T) {
	s, err := Open(t.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	now := time.Now().Truncate(time.Minute)
	s.Record("N", "old", nil, 1, now.Add(-14*24*time.Hour))
	s.Record("N", "new", nil, 1, now.Add(-4*time.Hour))
	s.Record("N", "new", nil, 1, now)

	require.NoError(t, s.sweep(now))
	require.Equal(t, map[string]int{"seconds": 1, "minutes": 3, "series": 2}, cells(t, s))
	require.NoError(t, s.sweep(now.Add(48*time.Hour)))
	require.Equal(t, map[string]int{"seconds": 0, "minutes": 2, "series": 1}, cells(t, s))
	require.Len(t, s.series, 1)

	s.Record("N", "old", nil, 1, now)
	points, _, err := s.query("N", "old", nil, "", window{now, now.Add(time.Minute), time.Minute})
	require.NoError(t, err)
	require.Len(t, points, 1)
	require.NoError(t, s.Close())
}

func TestMemoryDoesNotGrowWithTraffic(t *testing.T) {
	s, err := Open(t.TempDir(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	at := time.Now()
	for i := range 100_000 {
		s.Record("N", "m", nil, math.Abs(math.Sin(float64(i)))*1e6, at)
	}
	require.NoError(t, s.flush())
	var size int
	require.NoError(t, s.db.View(func(tx *bolt.Tx) error {
		c := minutes.cell(1, at)
		size = len(tx.Bucket([]byte("minutes")).Get(c.dbKey()))
		return nil
	}))
	require.Less(t, size, 10_000)
	require.NoError(t, s.Close())
}

func TestSummaryRoundTripAndDamage(t *testing.T) {
	var s summary
	for _, v := range []float64{-1e9, -3, 0, 1e-9, 2, 2, math.MaxFloat64 / 4} {
		s.add(v, 1.5)
	}
	b := s.encode()
	got, err := decodeSummary(b)
	require.NoError(t, err)
	require.Equal(t, s, got)
	for n := range len(b) {
		_, err := decodeSummary(b[:n])
		require.ErrorIs(t, err, errDamaged)
	}
}

func TestSeriesKeysDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range []series{
		{"a", "b", nil, types.StandardUnitNone},
		{"a", "b", map[string]string{"c": "d"}, types.StandardUnitNone},
		{"a", "b", map[string]string{"c": "d", "e": "f"}, types.StandardUnitNone},
		{"a", "b", map[string]string{"c": "e", "e": "f"}, types.StandardUnitNone},
		{"a", "b", nil, types.StandardUnitCount},
	} {
		require.False(t, seen[s.key()], "%v", s)
		seen[s.key()] = true
	}
}
