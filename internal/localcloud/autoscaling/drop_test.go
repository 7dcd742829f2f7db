package autoscaling

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/cloudwatch"
)

// A look that was overtaken does not deregister what was registered meanwhile.
func TestDropOfWhatIsThereAnew(t *testing.T) {
	silent := slog.New(slog.DiscardHandler)
	metrics, err := cloudwatch.Open(t.TempDir(), silent)
	require.NoError(t, err)
	alarms, err := cloudwatch.NewAlarms(metrics, cloudwatch.AlarmsConfig{Log: silent})
	require.NoError(t, err)
	s, err := Open(Config{Dir: t.TempDir(), Alarms: alarms, Log: silent})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, alarms.Close())
		require.NoError(t, metrics.Close())
	})
	const resource = "endpoint/e/variant/v"
	there := func() bool { return s.Scales("e", "v") }
	for _, meanwhile := range []*target{{Resource: resource, ARN: "same", Set: 2}, {Resource: resource, ARN: "other", Set: 1}} {
		require.NoError(t, s.db.Update(func(tx *bolt.Tx) error { return write(tx, targetBucket, resource, meanwhile) }))
		require.NoError(t, s.drop(resource, &target{Resource: resource, ARN: "same", Set: 1}))
		require.True(t, there())
		require.NoError(t, s.drop(resource, meanwhile))
		require.False(t, there())
	}
	require.ErrorIs(t, s.drop(resource, nil), errMissing)
}
