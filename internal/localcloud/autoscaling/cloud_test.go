package autoscaling_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	aas "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	awscw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	smtypes "github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/autoscaling"
	"steward/internal/localcloud/cloudwatch"
	"steward/internal/localcloud/s3"
	"steward/internal/localcloud/sagemaker"
	"steward/internal/localcloud/wire"
)

const (
	account  = "000000000000"
	resource = "endpoint/e/variant/v"
	patience = 30 * time.Second
)

var silent = slog.New(slog.DiscardHandler)

// cloud is SageMaker, CloudWatch and Application Auto Scaling behind HTTP, with a
// clock that the test moves.
type cloud struct {
	*testing.T
	dir    string
	looks  atomic.Int64                // that scaling had at endpoints
	asking func(context.Context) error // before SageMaker is asked for instances

	objects *s3.Store
	metrics *cloudwatch.Store
	alarms  *cloudwatch.Alarms
	models  *sagemaker.Service
	scaling *autoscaling.Service
	server  *httptest.Server

	sm      *sm.Client
	runtime *smr.Client
	watch   *awscw.Client
	aas     *aas.Client

	mu  sync.Mutex
	now time.Time
}

// between is SageMaker as scaling sees it.
type between struct{ c *cloud }

func (b between) DescribeEndpoint(ctx context.Context, in *sm.DescribeEndpointInput) (*sm.DescribeEndpointOutput, error) {
	b.c.looks.Add(1)
	return b.c.models.DescribeEndpoint(ctx, in)
}

func (b between) UpdateEndpointWeightsAndCapacities(ctx context.Context, in *sm.UpdateEndpointWeightsAndCapacitiesInput) (*sm.UpdateEndpointWeightsAndCapacitiesOutput, error) {
	if b.c.asking != nil {
		if err := b.c.asking(ctx); err != nil {
			return nil, err
		}
	}
	return b.c.models.UpdateEndpointWeightsAndCapacities(ctx, in)
}

func start(t *testing.T) *cloud {
	c := &cloud{T: t, dir: t.TempDir(), now: time.Now().UTC().Truncate(time.Minute)}
	c.open()
	t.Cleanup(c.shut)
	require.NoError(t, c.objects.CreateBucket(t.Context(), "data"))
	return c
}

func (c *cloud) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *cloud) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *cloud) open() {
	var err error
	at := func(name string) string { return filepath.Join(c.dir, name) }
	c.objects, err = s3.Open(at("s3"))
	require.NoError(c, err)
	c.metrics, err = cloudwatch.Open(at("cloudwatch"), silent)
	require.NoError(c, err)
	c.alarms, err = cloudwatch.NewAlarms(c.metrics, cloudwatch.AlarmsConfig{Region: "us-east-1", Account: account, Now: c.clock, Tick: 5 * time.Millisecond, Log: silent})
	require.NoError(c, err)
	c.scaling, err = autoscaling.Open(autoscaling.Config{Dir: at("autoscaling"), Region: "us-east-1", Account: account, Alarms: c.alarms, Now: c.clock, Tick: 5 * time.Millisecond, Log: silent})
	require.NoError(c, err)
	c.models, err = sagemaker.New(sagemaker.Config{Dir: at("sagemaker"), Region: "us-east-1", Account: account, Objects: c.objects, Metrics: c.metrics,
		Alarms: c.alarms, Scaling: c.scaling, Now: c.clock, ShiftInterval: 5 * time.Millisecond, Logger: silent, Endpoint: "http://127.0.0.1:1", AccessKey: "key", SecretKey: "secret",
		Images: []sagemaker.Image{{Pattern: "test/*", Command: []string{"env", "GORACE=" + noSleep, os.Args[0], "container"}}}})
	require.NoError(c, err)
	c.scaling.Start(between{c})
	watch := c.metrics.Operations()
	maps.Copy(watch, c.alarms.Operations())
	c.server = httptest.NewServer(wire.NewRouter(wire.Verifier{AccessKey: "key", SecretKey: "secret"},
		wire.JSON("sagemaker", "SageMaker", c.models.Operations()), wire.REST("sagemaker", "/endpoints/", c.models.Runtime()),
		wire.CBOR("monitoring", "GraniteServiceVersion20100801", watch),
		wire.JSON("application-autoscaling", "AnyScaleFrontendService", c.scaling.Operations())))
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &c.server.URL, RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
	c.sm, c.runtime, c.watch, c.aas = sm.NewFromConfig(cfg), smr.NewFromConfig(cfg), awscw.NewFromConfig(cfg), aas.NewFromConfig(cfg)
}

func (c *cloud) shut() {
	c.server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(c, c.scaling.Close())
	require.NoError(c, c.models.Close(ctx))
	require.NoError(c, c.alarms.Close())
	require.NoError(c, c.metrics.Close())
	require.NoError(c, c.objects.Close())
}

func (c *cloud) eventually(holds func() bool, what string, args ...any) {
	c.Helper()
	require.Eventually(c, holds, patience, 3*time.Millisecond, append([]any{what}, args...)...)
}

// config makes a configuration of a variant v, with a model of the same name.
func (c *cloud) config(name string, instances int32, instance smtypes.ProductionVariantInstanceType) {
	c.Helper()
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	require.NoError(c, tar.NewWriter(z).Close())
	require.NoError(c, z.Close())
	require.NoError(c, c.objects.Put(c.Context(), "data", name, bytes.NewReader(data.Bytes()), int64(data.Len())))
	_, err := c.sm.CreateModel(c.Context(), &sm.CreateModelInput{ModelName: &name, ExecutionRoleArn: aws.String("arn:aws:iam::000000000000:role/r"),
		PrimaryContainer: &smtypes.ContainerDefinition{Image: aws.String("test/model"), ModelDataUrl: aws.String("s3://data/" + name)}})
	require.NoError(c, err)
	_, err = c.sm.CreateEndpointConfig(c.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: &name, ProductionVariants: []smtypes.ProductionVariant{{
		VariantName: aws.String("v"), ModelName: &name, InstanceType: instance, InitialInstanceCount: &instances}}})
	require.NoError(c, err)
}

// endpoint makes the endpoint e with the variant v.
func (c *cloud) endpoint(instances int32) {
	c.Helper()
	c.config("c", instances, "ml.m5.large")
	_, err := c.sm.CreateEndpoint(c.Context(), &sm.CreateEndpointInput{EndpointName: aws.String("e"), EndpointConfigName: aws.String("c")})
	require.NoError(c, err)
	c.instances(instances)
}

func (c *cloud) described() *sm.DescribeEndpointOutput {
	c.Helper()
	d, err := c.sm.DescribeEndpoint(c.Context(), &sm.DescribeEndpointInput{EndpointName: aws.String("e")})
	require.NoError(c, err)
	return d
}

// instances waits until the endpoint serves with so many.
func (c *cloud) instances(n int32) {
	c.Helper()
	c.eventually(func() bool {
		d := c.described()
		return d.EndpointStatus == smtypes.EndpointStatusInService && *d.ProductionVariants[0].CurrentInstanceCount == n
	}, "the endpoint never had %d instances", n)
}

func (c *cloud) register(least, most int32) *string {
	c.Helper()
	out, err := c.aas.RegisterScalableTarget(c.Context(), &aas.RegisterScalableTargetInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource),
		ScalableDimension: "sagemaker:variant:DesiredInstanceCount", MinCapacity: &least, MaxCapacity: &most})
	require.NoError(c, err)
	return out.ScalableTargetARN
}

// invocations is a policy of 100 invocations an instance and minute.
func invocations(edit ...func(*aas.PutScalingPolicyInput)) *aas.PutScalingPolicyInput {
	in := &aas.PutScalingPolicyInput{PolicyName: aws.String("p"), ServiceNamespace: "sagemaker", ResourceId: aws.String(resource),
		ScalableDimension: "sagemaker:variant:DesiredInstanceCount", PolicyType: types.PolicyTypeTargetTrackingScaling,
		TargetTrackingScalingPolicyConfiguration: &types.TargetTrackingScalingPolicyConfiguration{TargetValue: aws.Float64(100),
			PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeSageMakerVariantInvocationsPerInstance}}}
	for _, e := range edit {
		e(in)
	}
	return in
}

func (c *cloud) follow(in *aas.PutScalingPolicyInput) *aas.PutScalingPolicyOutput {
	c.Helper()
	out, err := c.aas.PutScalingPolicy(c.Context(), in)
	require.NoError(c, err)
	require.Len(c, out.Alarms, 2)
	return out
}

// minute lets a minute pass in which each instance has so many invocations.
func (c *cloud) minute(perInstance float64) {
	c.metrics.Record("AWS/SageMaker", "InvocationsPerInstance", map[string]string{"EndpointName": "e", "VariantName": "v"}, perInstance, c.clock())
	c.move(time.Minute)
}

func (c *cloud) minutes(n int, perInstance float64) {
	for range n {
		c.minute(perInstance)
	}
}

// state is the state of an alarm of the policy, 0 for high and 1 for low.
func (c *cloud) state(p *aas.PutScalingPolicyOutput, alarm int) cwtypes.MetricAlarm {
	c.Helper()
	out, err := c.watch.DescribeAlarms(c.Context(), &awscw.DescribeAlarmsInput{AlarmNames: []string{*p.Alarms[alarm].AlarmName}})
	require.NoError(c, err)
	require.Len(c, out.MetricAlarms, 1)
	return out.MetricAlarms[0]
}

func (c *cloud) awaitAlarm(p *aas.PutScalingPolicyOutput, alarm int, want cwtypes.StateValue) {
	c.Helper()
	c.eventually(func() bool { return c.state(p, alarm).StateValue == want }, "the alarm never was %s", want)
}

// activities are all that there were, the newest first.
func (c *cloud) activities(notScaled bool) []types.ScalingActivity {
	c.Helper()
	out, err := c.aas.DescribeScalingActivities(c.Context(), &aas.DescribeScalingActivitiesInput{ServiceNamespace: "sagemaker", ResourceId: aws.String(resource), IncludeNotScaledActivities: &notScaled})
	require.NoError(c, err)
	return out.ScalingActivities
}

// activity waits until there are so many, and gives the newest when it has ended.
func (c *cloud) activity(n int) (a types.ScalingActivity) {
	c.Helper()
	c.eventually(func() bool {
		list := c.activities(false)
		if len(list) < n {
			return false
		}
		require.Len(c, list, n)
		a = list[0]
		return a.StatusCode != types.ScalingActivityStatusCodeInProgress
	}, "activity %d did not end", n)
	return a
}

// looked waits until scaling has looked at everything as it is now.
func (c *cloud) looked() {
	c.Helper()
	before := c.looks.Load()
	c.eventually(func() bool { return c.looks.Load() > before+1 }, "nothing was looked at")
}

// refused asserts an error's code and a part of its message.
func refused(t require.TestingT, err error, code, message string) {
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, code, api.ErrorCode(), api.ErrorMessage())
	require.Contains(t, api.ErrorMessage(), message)
}
