package sagemaker_test

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
)

// guarded is a cloud whose time stands still and whose alarms a test sets.
type guarded struct {
	*cloud
	mu     sync.Mutex
	now    time.Time
	alarms map[string]cwtypes.StateValue
}

func (g *guarded) AlarmState(name string) (cwtypes.StateValue, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s, ok := g.alarms[name]
	return s, ok
}

func (g *guarded) set(alarm string, s cwtypes.StateValue) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alarms[alarm] = s
}

func (g *guarded) advance(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

// startGuarded makes an endpoint e of a red server; blue is there to be deployed.
func startGuarded(t *testing.T) *guarded {
	g := &guarded{now: time.Now(), alarms: map[string]cwtypes.StateValue{"errors": cwtypes.StateValueOk}}
	g.cloud = start(t, func(cfg *sagemaker.Config) {
		cfg.Alarms, cfg.ShiftInterval = g, time.Millisecond
		cfg.Now = func() time.Time {
			g.mu.Lock()
			defer g.mu.Unlock()
			return g.now
		}
	})
	g.model("red", "red")
	g.model("blue", "blue")
	g.config("old", production("red", 1))
	g.config("new", production("blue", 1))
	g.endpoint("e", "old")
	g.awaitEndpoint("e", types.EndpointStatusInService)
	return g
}

// linear moves half of the traffic, bakes for a minute, and keeps the old servers
// for two more.
func linear() *types.DeploymentConfig {
	return &types.DeploymentConfig{
		BlueGreenUpdatePolicy: &types.BlueGreenUpdatePolicy{TerminationWaitInSeconds: aws.Int32(120), MaximumExecutionTimeoutInSeconds: aws.Int32(600),
			TrafficRoutingConfiguration: &types.TrafficRoutingConfig{Type: types.TrafficRoutingConfigTypeLinear, WaitIntervalInSeconds: aws.Int32(60),
				LinearStepSize: &types.CapacitySize{Type: types.CapacitySizeTypeCapacityPercent, Value: aws.Int32(50)}}},
		AutoRollbackConfiguration: &types.AutoRollbackConfig{Alarms: []types.Alarm{{AlarmName: aws.String("errors")}}},
	}
}

func (g *guarded) deploy(change func(*sm.UpdateEndpointInput)) {
	g.Helper()
	in := &sm.UpdateEndpointInput{EndpointName: aws.String("e"), EndpointConfigName: aws.String("new"), DeploymentConfig: linear()}
	if change != nil {
		change(in)
	}
	_, err := g.sm.UpdateEndpoint(g.Context(), in)
	require.NoError(g, err)
}

// answerers are the models that answer 40 requests.
func (g *guarded) answerers() []string {
	seen := map[string]bool{}
	for range 40 {
		seen[g.answer("e", "", "x")] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func (g *guarded) awaitAnswerers(want ...string) {
	g.Helper()
	g.eventually(func() bool { return slices.Equal(want, g.answerers()) }, "the traffic did not move")
}

const red, blue = "red<x>\n", "blue<x>\n"

func TestLinearDeployment(t *testing.T) {
	g := startGuarded(t)
	g.deploy(nil)
	g.awaitAnswerers(blue, red)
	d := g.described("e")
	require.Equal(t, types.EndpointStatusUpdating, d.EndpointStatus)
	require.Equal(t, "old", *d.EndpointConfigName)
	pending := d.PendingDeploymentSummary.ProductionVariants[0]
	require.Equal(t, "blue", *pending.VariantName)
	require.Equal(t, types.VariantStatusBaking, pending.VariantStatus[0].Status)
	require.Equal(t, red, g.answer("e", "red", "x"), "a variant that is named is found on either side")
	require.Equal(t, blue, g.answer("e", "blue", "x"))

	g.advance(time.Minute)
	g.awaitAnswerers(blue)
	require.Equal(t, types.EndpointStatusUpdating, g.described("e").EndpointStatus, "the old servers wait")
	require.Equal(t, red, g.answer("e", "red", "x"))
	old := g.pid("e", "red")
	g.advance(2 * time.Minute)
	d = g.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "new", *d.EndpointConfigName)
	require.Nil(t, d.PendingDeploymentSummary)
	require.Equal(t, linear(), d.LastDeploymentConfig)
	g.requireGone(old)

	g.deploy(func(in *sm.UpdateEndpointInput) {
		in.EndpointConfigName, in.DeploymentConfig, in.RetainDeploymentConfig = aws.String("old"), nil, aws.Bool(true)
	})
	g.awaitAnswerers(blue, red)
	g.advance(time.Hour)
	d = g.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "new", *d.EndpointConfigName)
	require.Contains(t, *d.FailureReason, "longer than its MaximumExecutionTimeoutInSeconds, 600")
}

// Whenever an alarm goes off, the traffic goes back and the endpoint serves as
// before: it says InService, on the old configuration.
func TestAlarmTakesTrafficBack(t *testing.T) {
	for name, begin := range map[string]func(*guarded){
		"in the first step":                  func(*guarded) {},
		"while the old servers wait":         func(g *guarded) { g.advance(time.Minute); g.awaitAnswerers(blue) },
		"and the cloud was restarted before": func(g *guarded) { g.shut(); g.open(); g.awaitAnswerers(blue, red) },
	} {
		t.Run(name, func(t *testing.T) {
			g := startGuarded(t)
			g.deploy(nil)
			g.awaitAnswerers(blue, red)
			begin(g)
			fresh := g.pid("e", "blue")
			g.set("errors", cwtypes.StateValueAlarm)
			d := g.awaitEndpoint("e", types.EndpointStatusInService)
			require.Equal(t, "old", *d.EndpointConfigName)
			require.Contains(t, *d.FailureReason, "alarm errors of the deployment's AutoRollbackConfiguration is in ALARM")
			require.Equal(t, []string{red}, g.answerers())
			g.requireGone(fresh)
		})
	}
}

// What guarded a deployment cannot be taken from it.
func TestDeletedAlarmTakesTrafficBack(t *testing.T) {
	g := startGuarded(t)
	g.deploy(nil)
	g.awaitAnswerers(blue, red)
	g.mu.Lock()
	delete(g.alarms, "errors")
	g.mu.Unlock()
	d := g.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "old", *d.EndpointConfigName)
	require.Contains(t, *d.FailureReason, "alarm errors of the deployment's AutoRollbackConfiguration is gone")
}

func TestDeploymentGoesOnAfterARestart(t *testing.T) {
	g := startGuarded(t)
	g.deploy(nil)
	g.awaitAnswerers(blue, red)
	g.shut()
	g.advance(5 * time.Minute)
	g.open()
	g.awaitAnswerers(blue, red)
	g.advance(59 * time.Second)
	require.Equal(t, []string{blue, red}, g.answerers(), "what it was not there for does not count")
	g.advance(time.Second)
	g.awaitAnswerers(blue)
	g.advance(2 * time.Minute)
	require.Equal(t, "new", *g.awaitEndpoint("e", types.EndpointStatusInService).EndpointConfigName)
}

func TestDeploymentsThatAreRefused(t *testing.T) {
	g := startGuarded(t)
	unguarded := linear()
	unguarded.AutoRollbackConfiguration.Alarms[0].AlarmName = aws.String("none")
	_, err := g.sm.UpdateEndpoint(t.Context(), &sm.UpdateEndpointInput{EndpointName: aws.String("e"), EndpointConfigName: aws.String("new"), DeploymentConfig: unguarded})
	refused(t, err, "ValidationException", `Could not find the CloudWatch alarm "none"`)
	g.set("errors", cwtypes.StateValueAlarm)
	g.deploy(nil)
	d := g.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "old", *d.EndpointConfigName)
	require.NotNil(t, d.FailureReason)
	_, n := g.metrics.sum("AWS/SageMaker/Invocations/e/blue")
	require.Zero(t, n, "an alarm that is off already lets no traffic move")
}

func TestVariantPropertiesAreRetained(t *testing.T) {
	g := startGuarded(t)
	weigh := func(count int32, weight float32) {
		_, err := g.sm.UpdateEndpointWeightsAndCapacities(t.Context(), &sm.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: aws.String("e"),
			DesiredWeightsAndCapacities: []types.DesiredWeightAndCapacity{{VariantName: aws.String("red"), DesiredInstanceCount: &count, DesiredWeight: &weight}}})
		require.NoError(t, err)
		g.awaitEndpoint("e", types.EndpointStatusInService)
	}
	g.config("both", production("red", 1), production("blue", 1))
	weigh(2, 3)
	g.deploy(func(in *sm.UpdateEndpointInput) {
		in.EndpointConfigName, in.DeploymentConfig, in.RetainAllVariantProperties = aws.String("both"), nil, aws.Bool(true)
		in.ExcludeRetainedVariantProperties = []types.VariantProperty{{VariantPropertyType: types.VariantPropertyTypeDesiredWeight}}
	})
	v := g.awaitEndpoint("e", types.EndpointStatusInService).ProductionVariants
	require.Equal(t, int32(2), *v[0].CurrentInstanceCount)
	require.Equal(t, float32(1), *v[0].CurrentWeight)
	require.Equal(t, int32(1), *v[1].CurrentInstanceCount)
}
