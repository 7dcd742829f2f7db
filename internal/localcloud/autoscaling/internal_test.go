package autoscaling

import (
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"steward/internal/localcloud/cloudwatch"
)

// A policy that was changed just before a crash gets the alarms that it wants.
func TestChangedPolicyAfterACrash(t *testing.T) {
	silent, now := slog.New(slog.DiscardHandler), time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)
	metrics, err := cloudwatch.Open(t.TempDir(), silent)
	require.NoError(t, err)
	alarms, err := cloudwatch.NewAlarms(metrics, cloudwatch.AlarmsConfig{Log: silent, Now: func() time.Time { return now }})
	require.NoError(t, err)
	cfg := Config{Dir: t.TempDir(), Alarms: alarms, Log: silent}
	s, err := Open(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, alarms.Close())
		require.NoError(t, metrics.Close())
	})
	for _, v := range []float64{10, 20} {
		metrics.Record("mine", "queue", nil, v, now.Add(-30*time.Second))
	}
	p := &policy{Resource: "endpoint/e/variant/v", Name: "p", ARN: "arn", High: "high", Low: "low", Tracking: types.TargetTrackingScalingPolicyConfiguration{TargetValue: aws.Float64(100),
		CustomizedMetricSpecification: &types.CustomizedMetricSpecification{Namespace: aws.String("mine"), MetricName: aws.String("queue"), Statistic: types.MetricStatisticSum}}}
	watched := func(want float64) {
		for _, name := range []string{"high", "low"} {
			l, found, err := alarms.Look(name)
			require.NoError(t, err)
			require.True(t, found)
			require.InDelta(t, want, l.Value, 1e-9, name)
		}
	}
	require.NoError(t, s.arm(p))
	watched(30)
	p.Tracking.CustomizedMetricSpecification.Statistic, p.Unarmed = types.MetricStatisticAverage, true
	require.NoError(t, s.db.Update(func(tx *bolt.Tx) error { return write(tx, policyBucket, p.key(), p) }))
	require.NoError(t, s.Close())
	s, err = Open(cfg)
	require.NoError(t, err)
	watched(15)
	kept, err := view(s, func(tx *bolt.Tx) (*policy, error) { return read[policy](tx, policyBucket, p.key()) })
	require.NoError(t, err)
	require.False(t, kept.Unarmed)
}

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
