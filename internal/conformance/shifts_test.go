package conformance

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// shiftCases move the traffic of an endpoint step by step.
var shiftCases = []kase{
	{name: "canary is taken back by an alarm", covers: "UpdateEndpoint DescribeEndpoint", run: takenBack(canarySteps), bills: 4 * serveBill},
	{name: "linear steps are taken back by an alarm", covers: "UpdateEndpoint DescribeEndpoint", run: takenBack(linearSteps), bills: 4 * serveBill},
	{name: "linear steps reach the end", covers: "UpdateEndpoint DescribeEndpoint", run: shiftsToTheEnd, bills: 4 * serveBill},
	{name: "deployment is checked", covers: "CreateEndpoint", run: shiftChecked},
}

// half is a step of one of two instances.
var half = &types.CapacitySize{Type: types.CapacitySizeTypeInstanceCount, Value: aws.Int32(1)}

// canarySteps moves one of two instances' traffic, and bakes for so many seconds.
func canarySteps(bake int32) *types.TrafficRoutingConfig {
	return &types.TrafficRoutingConfig{Type: types.TrafficRoutingConfigTypeCanary, WaitIntervalInSeconds: &bake, CanarySize: half}
}

func linearSteps(bake int32) *types.TrafficRoutingConfig {
	return &types.TrafficRoutingConfig{Type: types.TrafficRoutingConfigTypeLinear, WaitIntervalInSeconds: &bake, LinearStepSize: half}
}

// pair is a configuration of two instances of a model.
func (c *cloud) pair(bucket *string, model string) *string {
	c.Helper()
	v := variant("all", c.model(bucket, model), 1)
	v.InitialInstanceCount = aws.Int32(2)
	return c.endpointConfig(v)
}

// shift starts a deployment under an alarm.
func (c *cloud) shift(endpoint, config, alarm *string, steps *types.TrafficRoutingConfig) {
	c.Helper()
	_, err := c.sm.UpdateEndpoint(c.Context(), &sagemaker.UpdateEndpointInput{EndpointName: endpoint, EndpointConfigName: config, DeploymentConfig: &types.DeploymentConfig{
		BlueGreenUpdatePolicy:     &types.BlueGreenUpdatePolicy{TrafficRoutingConfiguration: steps, TerminationWaitInSeconds: aws.Int32(0)},
		AutoRollbackConfiguration: &types.AutoRollbackConfig{Alarms: []types.Alarm{{AlarmName: alarm}}},
	}})
	require.NoError(c, err)
}

func takenBack(steps func(bake int32) *types.TrafficRoutingConfig) func(*cloud) {
	return func(c *cloud) {
		bucket := c.bucket()
		alarm := c.alarm()
		alarm.EvaluationPeriods, alarm.DatapointsToAlarm = aws.Int32(3), aws.Int32(1)
		c.putAlarm(alarm)
		red := c.pair(bucket, "red")
		name := c.endpoint(red)
		c.settled(name, types.EndpointStatusInService)
		c.shift(name, c.pair(bucket, "blue"), alarm.AlarmName, steps(1800))
		seen := map[string]bool{}
		c.eventually("both sides answer", func() bool {
			seen[c.ask(name, "1")] = true
			return len(seen) == 2
		})
		require.Equal(c, map[string]bool{"red<1>\n": true, "blue<1>\n": true}, seen)
		d := c.describeEndpoint(name)
		require.Equal(c, []any{types.EndpointStatusUpdating, *red}, []any{d.EndpointStatus, *d.EndpointConfigName})
		require.NotNil(c, d.PendingDeploymentSummary)

		c.measure(alarm.Namespace, cwtypes.MetricDatum{MetricName: alarm.MetricName, Value: aws.Float64(6), Timestamp: aws.Time(time.Now().Add(-time.Minute))})
		d = c.settled(name, types.EndpointStatusInService)
		require.Equal(c, *red, *d.EndpointConfigName, "the old configuration serves on")
		require.Nil(c, d.PendingDeploymentSummary)
		for range 20 {
			require.Equal(c, "red<1>\n", c.ask(name, "1"))
		}
	}
}

func shiftsToTheEnd(c *cloud) {
	bucket := c.bucket()
	alarm := c.alarm()
	c.putAlarm(alarm)
	name := c.endpoint(c.pair(bucket, "red"))
	c.settled(name, types.EndpointStatusInService)
	blue := c.pair(bucket, "blue")
	steps := linearSteps(1)
	c.shift(name, blue, alarm.AlarmName, steps)
	d := c.settled(name, types.EndpointStatusInService)
	require.Equal(c, *blue, *d.EndpointConfigName)
	require.Equal(c, steps, d.LastDeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration)
	for range 20 {
		require.Equal(c, "blue<1>\n", c.ask(name, "1"))
	}
}

func shiftChecked(c *cloud) {
	config := c.endpointConfig(variant("all", c.model(c.bucket(), "m"), 1))
	const at = "at 'deploymentConfig.blueGreenUpdatePolicy."
	for says, change := range map[string]func(*types.BlueGreenUpdatePolicy){
		at + "terminationWaitInSeconds' failed to satisfy constraint: Member must have value less than or equal to 3600": func(p *types.BlueGreenUpdatePolicy) { p.TerminationWaitInSeconds = aws.Int32(3601) },
		at + "maximumExecutionTimeoutInSeconds' failed to satisfy constraint: Member must have value greater than or equal to 600": func(p *types.BlueGreenUpdatePolicy) {
			p.MaximumExecutionTimeoutInSeconds = aws.Int32(599)
		},
		at + "trafficRoutingConfiguration.waitIntervalInSeconds' failed to satisfy constraint: Member must have value less than or equal to 3600": func(p *types.BlueGreenUpdatePolicy) {
			p.TrafficRoutingConfiguration.WaitIntervalInSeconds = aws.Int32(3601)
		},
		at + "trafficRoutingConfiguration.type' failed to satisfy constraint: Member must satisfy enum value set: [": func(p *types.BlueGreenUpdatePolicy) {
			p.TrafficRoutingConfiguration.Type = "SLOW"
		},
	} {
		policy := &types.BlueGreenUpdatePolicy{TrafficRoutingConfiguration: canarySteps(60)}
		change(policy)
		_, err := c.sm.CreateEndpoint(c.Context(), &sagemaker.CreateEndpointInput{EndpointName: c.name(), EndpointConfigName: config, DeploymentConfig: &types.DeploymentConfig{BlueGreenUpdatePolicy: policy}})
		require.Error(c, err, says)
		c.refused(err, "ValidationException", fmt.Sprint(says))
	}
}
