package autoscaling_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	awscw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// cooldowns sets both, in seconds.
func cooldowns(in, out int32) func(*aas.PutScalingPolicyInput) {
	return func(p *aas.PutScalingPolicyInput) {
		t := p.TargetTrackingScalingPolicyConfiguration
		t.ScaleInCooldown, t.ScaleOutCooldown = &in, &out
	}
}

func TestAlarmsOfAPolicy(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	p := c.follow(invocations())
	high, low := c.state(p, 0), c.state(p, 1)
	require.Regexp(t, `^TargetTracking-endpoint/e/variant/v-AlarmHigh-[0-9a-f-]{36}$`, *high.AlarmName)
	require.Regexp(t, `^TargetTracking-endpoint/e/variant/v-AlarmLow-[0-9a-f-]{36}$`, *low.AlarmName)
	for _, tt := range []struct {
		alarm     cwtypes.MetricAlarm
		periods   int32
		threshold float64
		compare   cwtypes.ComparisonOperator
	}{
		{high, 3, 100, cwtypes.ComparisonOperatorGreaterThanThreshold},
		{low, 15, 90, cwtypes.ComparisonOperatorLessThanThreshold},
	} {
		require.Equal(t, []any{tt.periods, tt.threshold, tt.compare, int32(60), cwtypes.StatisticSum, []string{*p.PolicyARN}},
			[]any{*tt.alarm.EvaluationPeriods, *tt.alarm.Threshold, tt.alarm.ComparisonOperator, *tt.alarm.Period, tt.alarm.Statistic, tt.alarm.AlarmActions})
		require.Equal(t, "AWS/SageMaker/InvocationsPerInstance", *tt.alarm.Namespace+"/"+*tt.alarm.MetricName)
		require.Equal(t, "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy "+*p.PolicyARN+".", *tt.alarm.AlarmDescription)
	}
	again := c.follow(invocations(func(in *aas.PutScalingPolicyInput) {
		in.TargetTrackingScalingPolicyConfiguration.TargetValue = aws.Float64(50)
	}))
	require.Equal(t, p, &aas.PutScalingPolicyOutput{PolicyARN: again.PolicyARN, Alarms: again.Alarms, ResultMetadata: p.ResultMetadata}, "the same name is the same policy")
	require.InDelta(t, 45, *c.state(p, 1).Threshold, 1e-9)

	_, err := c.aas.DeleteScalingPolicy(t.Context(), &aas.DeleteScalingPolicyInput{PolicyName: aws.String("p"), ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: "sagemaker:variant:DesiredInstanceCount"})
	require.NoError(t, err)
	out, err := c.watch.DescribeAlarms(t.Context(), &awscw.DescribeAlarmsInput{})
	require.NoError(t, err)
	require.Empty(t, out.MetricAlarms)
}

// A variant under load gets instances, and gives them back when it is quiet.
func TestScaleOutAndIn(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	p := c.follow(invocations(cooldowns(60, 60)))
	c.minutes(2, 180)
	c.looked()
	require.Empty(t, c.activities(true), "two minutes above the target are not enough")
	c.minute(180)
	a := c.activity(1)
	require.Equal(t, types.ScalingActivityStatusCodeSuccessful, a.StatusCode)
	require.Equal(t, "Setting desired instance count to 2.", *a.Description)
	require.Equal(t, "monitor alarm "+*p.Alarms[0].AlarmName+" in state ALARM triggered policy p", *a.Cause)
	require.Equal(t, "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker.", *a.StatusMessage)
	require.False(t, a.EndTime.Before(*a.StartTime))
	c.instances(2)

	c.minutes(14, 40)
	c.awaitAlarm(p, 0, cwtypes.StateValueOk)
	c.looked()
	require.Len(t, c.activities(true), 1, "fourteen quiet minutes are not enough")
	c.minute(40)
	a = c.activity(2)
	require.Equal(t, "Setting desired instance count to 1.", *a.Description)
	require.Equal(t, "monitor alarm "+*p.Alarms[1].AlarmName+" in state ALARM triggered policy p", *a.Cause)
	c.instances(1)

	c.minute(40)
	c.eventually(func() bool { return len(c.activities(true)) == 3 }, "nothing says why it does not scale in")
	not := c.activities(true)[0]
	require.Equal(t, []any{"AlreadyAtMinCapacity", int32(1), "Attempting to scale due to alarm triggered", types.ScalingActivityStatusCodeFailed},
		[]any{*not.NotScaledReasons[0].Code, *not.NotScaledReasons[0].MinCapacity, *not.Description, not.StatusCode})
	c.minute(40)
	c.looked()
	require.Len(t, c.activities(true), 3, "which is said once")
	require.Len(t, c.activities(false), 2)
}

func TestCooldownAndBounds(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	c.follow(invocations(cooldowns(300, 120)))
	c.minutes(3, 150)
	c.activity(1)
	c.instances(2)
	c.minute(150)
	c.looked()
	require.Len(t, c.activities(true), 1, "the cooldown runs")
	c.minute(990)
	a := c.activity(2)
	require.Equal(t, "Setting desired instance count to 3.", *a.Description, "a larger scale-out does not wait, and stays within the maximum")
	c.instances(3)
	c.minutes(2, 990)
	c.eventually(func() bool { return len(c.activities(true)) == 3 }, "nothing says why it does not scale out")
	require.Equal(t, "AlreadyAtMaxCapacity", *c.activities(true)[0].NotScaledReasons[0].Code)
}

// What is not measured never scales.
func TestSilenceDoesNotScale(t *testing.T) {
	c := start(t)
	c.endpoint(2)
	c.register(1, 3)
	p := c.follow(invocations(cooldowns(0, 0)))
	c.looked()
	for range 20 {
		c.move(time.Minute)
		c.looked()
	}
	require.Equal(t, cwtypes.StateValueInsufficientData, c.state(p, 1).StateValue)
	_, err := c.watch.SetAlarmState(t.Context(), &awscw.SetAlarmStateInput{AlarmName: p.Alarms[0].AlarmName, StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("a test")})
	require.NoError(t, err)
	c.looked()
	require.Empty(t, c.activities(true))
	c.instances(2)
}

func TestSuspended(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	p := c.follow(invocations(cooldowns(0, 0)))
	suspend := func(off bool) {
		_, err := c.aas.RegisterScalableTarget(t.Context(), &aas.RegisterScalableTargetInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), ScalableDimension: "sagemaker:variant:DesiredInstanceCount",
			SuspendedState: &types.SuspendedState{DynamicScalingOutSuspended: &off}})
		require.NoError(t, err)
	}
	suspend(true)
	c.minutes(3, 200)
	c.awaitAlarm(p, 0, cwtypes.StateValueAlarm)
	c.looked()
	require.Empty(t, c.activities(true))
	suspend(false)
	c.activity(1)
	c.instances(2)
}

// Disabled actions of an alarm scale nothing.
func TestDisabledAlarm(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	p := c.follow(invocations())
	_, err := c.watch.DisableAlarmActions(t.Context(), &awscw.DisableAlarmActionsInput{AlarmNames: []string{*p.Alarms[0].AlarmName}})
	require.NoError(t, err)
	c.minutes(3, 200)
	c.awaitAlarm(p, 0, cwtypes.StateValueAlarm)
	c.looked()
	require.Empty(t, c.activities(true))
}

// A target is brought within its bounds at once.
func TestBoundsAreFollowed(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(2, 4)
	a := c.activity(1)
	require.Equal(t, "minimum capacity was set to 2", *a.Cause)
	c.instances(2)
	c.register(1, 1)
	a = c.activity(2)
	require.Equal(t, "maximum capacity was set to 1", *a.Cause)
	require.Equal(t, types.ScalingActivityStatusCodeSuccessful, a.StatusCode)
	c.instances(1)
}

// An endpoint in mid-change is not scaled; that is said, and tried again.
func TestEndpointInMidChange(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	c.follow(invocations(cooldowns(0, 0)))
	c.config("d", 1, "ml.m5.large")
	_, err := c.sm.UpdateEndpoint(t.Context(), &sm.UpdateEndpointInput{EndpointName: aws.String("e"), EndpointConfigName: aws.String("d"), DeploymentConfig: &smtypes.DeploymentConfig{
		BlueGreenUpdatePolicy: &smtypes.BlueGreenUpdatePolicy{MaximumExecutionTimeoutInSeconds: aws.Int32(28800), TerminationWaitInSeconds: aws.Int32(600), TrafficRoutingConfiguration: &smtypes.TrafficRoutingConfig{
			Type: smtypes.TrafficRoutingConfigTypeAllAtOnce, WaitIntervalInSeconds: aws.Int32(0)}}}})
	require.NoError(t, err)
	c.eventually(func() bool {
		p := c.described().PendingDeploymentSummary
		return p != nil && p.ProductionVariants[0].VariantStatus[0].Status == smtypes.VariantStatusBaking
	}, "the update does not bake")
	c.minutes(3, 200)
	a := c.activity(1)
	require.Equal(t, types.ScalingActivityStatusCodeFailed, a.StatusCode)
	require.Contains(t, *a.StatusMessage, "Failed to set desired instance count to 2. Reason: Cannot update in-progress endpoint")
	c.looked()
	require.Len(t, c.activities(true), 1, "one try a minute")
	c.minute(200)
	c.activity(2)
	c.move(10 * time.Minute)
	c.eventually(func() bool { return c.described().EndpointStatus == smtypes.EndpointStatusInService }, "the update does not end")
	require.Equal(t, "d", *c.described().EndpointConfigName)
	c.minutes(3, 200)
	c.eventually(func() bool { return c.activities(false)[0].StatusCode == types.ScalingActivityStatusCodeSuccessful }, "it is not tried again")
	c.instances(2)
}

// What was recorded and not done is done by the next service.
func TestRestartBetweenRecordAndDeed(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	asked := make(chan struct{}, 1)
	c.asking = func(ctx context.Context) error {
		asked <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	c.register(2, 3)
	<-asked
	require.Equal(t, types.ScalingActivityStatusCodeInProgress, c.activities(false)[0].StatusCode)
	begun := c.activities(false)[0]
	c.shut()
	c.asking = nil
	c.open()
	a := c.activity(1)
	require.Equal(t, *begun.ActivityId, *a.ActivityId)
	require.Equal(t, types.ScalingActivityStatusCodeSuccessful, a.StatusCode)
	c.instances(2)
}

// Everything survives a restart: targets, policies, alarms, cooldowns.
func TestRestart(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	p := c.follow(invocations(cooldowns(300, 300)))
	c.minutes(3, 150)
	c.activity(1)
	c.instances(2)
	require.NoError(t, c.alarms.RemoveOwned(*p.Alarms[1].AlarmName)) // as if a crash had come before it was made
	c.shut()
	c.open()
	require.InDelta(t, 90, *c.state(p, 1).Threshold, 1e-9)
	c.minute(150)
	c.looked()
	require.Len(t, c.activities(true), 1, "the cooldown runs")
	c.move(4 * time.Minute)
	c.minutes(3, 150)
	c.activity(2)
	c.instances(3)
}

// A deleted endpoint takes its targets, policies and alarms along.
func TestDeletedEndpoint(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 3)
	c.follow(invocations())
	_, err := c.sm.DeleteEndpoint(t.Context(), &sm.DeleteEndpointInput{EndpointName: aws.String("e")})
	require.NoError(t, err)
	targets, err := c.aas.DescribeScalableTargets(t.Context(), &aas.DescribeScalableTargetsInput{ServiceNamespace: "sagemaker"})
	require.NoError(t, err)
	require.Empty(t, targets.ScalableTargets)
	policies, err := c.aas.DescribeScalingPolicies(t.Context(), &aas.DescribeScalingPoliciesInput{ServiceNamespace: "sagemaker"})
	require.NoError(t, err)
	require.Empty(t, policies.ScalingPolicies)
	alarms, err := c.watch.DescribeAlarms(t.Context(), &awscw.DescribeAlarmsInput{})
	require.NoError(t, err)
	require.Empty(t, alarms.MetricAlarms)
}

// An update keeps what scaling has done, if asked to, and never takes away a scaled
// variant.
func TestUpdateOfAScaledEndpoint(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(2, 3)
	c.activity(1)
	c.instances(2)
	c.config("xlarge", 1, "ml.m5.xlarge")
	_, err := c.sm.UpdateEndpoint(t.Context(), &sm.UpdateEndpointInput{EndpointName: aws.String("e"), EndpointConfigName: aws.String("xlarge")})
	refused(t, err, "ValidationException", `The variant(s) "[v]" must be deregistered as scalable targets with AWS Auto Scaling before they can be removed or have their instance type updated.`)
	c.config("next", 1, "ml.m5.large")
	_, err = c.sm.UpdateEndpoint(t.Context(), &sm.UpdateEndpointInput{EndpointName: aws.String("e"), EndpointConfigName: aws.String("next"), RetainAllVariantProperties: aws.Bool(true)})
	require.NoError(t, err)
	c.instances(2)
	require.Equal(t, "next", *c.described().EndpointConfigName)
}

// ask invokes the endpoint and gives the port of the process that answered.
func (c *cloud) ask(body string) string {
	out, err := c.runtime.InvokeEndpoint(context.Background(), &smr.InvokeEndpointInput{EndpointName: aws.String("e"), Body: []byte(body)})
	if !assert.NoError(c, err) {
		return ""
	}
	return string(out.Body)
}

// listens tells whether there is a process at a port.
func listens(port string) bool {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	return err == nil && conn.Close() == nil
}

// load asks so often, and lets the minute pass.
func (c *cloud) load(times int) {
	for range times {
		c.ask("")
	}
	c.move(time.Minute)
}

// Real requests bring a second server to life, and it goes when they stay away.
func TestLoadBringsServers(t *testing.T) {
	c := start(t)
	c.endpoint(1)
	c.register(1, 2)
	c.follow(invocations(cooldowns(0, 0), func(in *aas.PutScalingPolicyInput) {
		in.TargetTrackingScalingPolicyConfiguration.TargetValue = aws.Float64(10)
	}))
	for range 3 {
		c.load(20)
	}
	c.activity(1)
	c.instances(2)

	gate, held := filepath.Join(c.dir, "gate"), make(chan string)
	go func() { held <- c.ask(gate) }()
	c.eventually(func() bool { _, err := os.Stat(gate); return err == nil }, "the request does not arrive")
	idle := c.ask("") // goes to the one that has nothing to do
	require.NoError(t, os.Remove(gate))
	busy := <-held
	require.NotEqual(t, idle, busy)
	require.True(t, listens(idle) && listens(busy))

	from := c.clock()
	for range 15 {
		c.load(4)
	}
	sum, err := c.watch.GetMetricStatistics(t.Context(), &awscw.GetMetricStatisticsInput{Namespace: aws.String("AWS/SageMaker"), MetricName: aws.String("InvocationsPerInstance"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("EndpointName"), Value: aws.String("e")}, {Name: aws.String("VariantName"), Value: aws.String("v")}},
		StartTime:  aws.Time(from.Add(time.Minute)), EndTime: aws.Time(from.Add(2 * time.Minute)), Period: aws.Int32(60), Statistics: []cwtypes.Statistic{cwtypes.StatisticSum}})
	require.NoError(t, err)
	require.InDelta(t, 2, *sum.Datapoints[0].Sum, 1e-9, "4 requests by 2 instances")
	c.load(4)
	c.activity(2)
	c.instances(1)
	c.eventually(func() bool { return listens(idle) != listens(busy) }, "there is not one server left")
}
