package sagemaker

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func percent(n int32) *types.CapacitySize {
	return &types.CapacitySize{Type: types.CapacitySizeTypeCapacityPercent, Value: &n}
}

func instances(n int32) *types.CapacitySize {
	return &types.CapacitySize{Type: types.CapacitySizeTypeInstanceCount, Value: &n}
}

func routing(t types.TrafficRoutingConfig) *types.DeploymentConfig {
	t.WaitIntervalInSeconds = aws.Int32(60)
	return &types.DeploymentConfig{BlueGreenUpdatePolicy: &types.BlueGreenUpdatePolicy{
		TrafficRoutingConfiguration: &t, TerminationWaitInSeconds: aws.Int32(120)}}
}

const canary, linear = types.TrafficRoutingConfigTypeCanary, types.TrafficRoutingConfigTypeLinear

func TestShifts(t *testing.T) {
	rolling := &types.DeploymentConfig{
		RollingUpdatePolicy:       &types.RollingUpdatePolicy{MaximumBatchSize: instances(2), WaitIntervalInSeconds: aws.Int32(60), MaximumExecutionTimeoutInSeconds: aws.Int32(600)},
		AutoRollbackConfiguration: &types.AutoRollbackConfig{Alarms: []types.Alarm{{AlarmName: aws.String("a")}}}}
	for name, tt := range map[string]struct {
		config *types.DeploymentConfig
		want   shift
		waits  []time.Duration
	}{
		"none":              {nil, shift{}, []time.Duration{0}},
		"all at once":       {routing(types.TrafficRoutingConfig{Type: types.TrafficRoutingConfigTypeAllAtOnce}), shift{Wait: time.Minute, Linger: 2 * time.Minute}, []time.Duration{2 * time.Minute}},
		"canary":            {routing(types.TrafficRoutingConfig{Type: canary, CanarySize: percent(10)}), shift{Shares: []float64{0.1}, Wait: time.Minute, Linger: 2 * time.Minute}, []time.Duration{time.Minute, 2 * time.Minute}},
		"canary, instances": {routing(types.TrafficRoutingConfig{Type: canary, CanarySize: instances(1)}), shift{Shares: []float64{0.25}, Wait: time.Minute, Linger: 2 * time.Minute}, []time.Duration{time.Minute, 2 * time.Minute}},
		"linear":            {routing(types.TrafficRoutingConfig{Type: linear, LinearStepSize: percent(40)}), shift{Shares: []float64{0.4, 0.8}, Wait: time.Minute, Linger: 2 * time.Minute}, []time.Duration{time.Minute, time.Minute, 2 * time.Minute}},
		"rolling":           {rolling, shift{Shares: []float64{0.5}, Wait: time.Minute, Linger: time.Minute, Limit: 10 * time.Minute, Alarms: []string{"a"}}, []time.Duration{time.Minute, time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := shiftOf(tt.config, 4)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, len(tt.waits), got.steps())
			for i, wait := range tt.waits {
				require.Equal(t, wait, got.wait(i+1))
			}
			require.InDelta(t, 1, got.share(got.steps()), 0)
		})
	}
}

func TestShiftsThatAreRefused(t *testing.T) {
	atOnce := func() *types.DeploymentConfig {
		return routing(types.TrafficRoutingConfig{Type: types.TrafficRoutingConfigTypeAllAtOnce})
	}
	both := atOnce()
	both.RollingUpdatePolicy = &types.RollingUpdatePolicy{}
	unguarded := atOnce()
	unguarded.AutoRollbackConfiguration = &types.AutoRollbackConfig{}
	for says, c := range map[string]*types.DeploymentConfig{
		"CanarySize of CAPACITY_PERCENT 51 is 51 percent of 4 instances: it must be from 1 to 50": routing(types.TrafficRoutingConfig{Type: canary, CanarySize: percent(51)}),
		"CanarySize of INSTANCE_COUNT 3 is 75 percent of 4 instances":                             routing(types.TrafficRoutingConfig{Type: canary, CanarySize: instances(3)}),
		"LinearStepSize of CAPACITY_PERCENT 9 is 9 percent":                                       routing(types.TrafficRoutingConfig{Type: linear, LinearStepSize: percent(9)}),
		"TrafficRoutingConfiguration.LinearStepSize must be given":                                routing(types.TrafficRoutingConfig{Type: linear}),
		"TrafficRoutingConfiguration.CanarySize is not supported":                                 routing(types.TrafficRoutingConfig{Type: linear, LinearStepSize: percent(50), CanarySize: percent(5)}),
		"only one of BlueGreenUpdatePolicy and RollingUpdatePolicy":                               both,
		"1 to 10 alarms must be given":                                                            unguarded,
	} {
		_, err := shiftOf(c, 4)
		require.ErrorContains(t, err, says)
	}
}

func TestSides(t *testing.T) {
	named := func(names ...string) *routes {
		r := new(routes)
		for _, n := range names {
			r.add(&variant{spec: variantSpec{Name: n}})
		}
		return r
	}
	old, next := named("a", "b"), named("b", "c")
	mixed := old.sharing(next, 0.3)
	for _, tt := range []struct {
		target string
		draw   float64
		want   *routes
	}{
		{"", 0.29, next}, {"", 0.3, mixed}, {"b", 0.29, next}, {"b", 0.3, mixed},
		{"a", 0, mixed}, {"c", 0.99, next},
	} {
		require.Same(t, tt.want, mixed.side(tt.target, tt.draw), "%+v", tt)
	}
	require.Same(t, old, old.side("c", 0))
}
