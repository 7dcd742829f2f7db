package sagemaker_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
)

// noted keeps what was published, by topic.
type noted struct {
	mu   sync.Mutex
	said map[string][]string
}

func (n *noted) Publish(_ context.Context, topic, _, message string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.said == nil {
		n.said = map[string][]string{}
	}
	n.said[topic] = append(n.said[topic], message)
	return nil
}

func (n *noted) about(topic string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.said[topic]
}

const goodTopic, badTopic = "arn:aws:sns:us-east-1:000000000000:good", "arn:aws:sns:us-east-1:000000000000:bad"

func asyncConfig(name string, atOnce int32, variants ...types.ProductionVariant) *sm.CreateEndpointConfigInput {
	return &sm.CreateEndpointConfigInput{EndpointConfigName: &name, ProductionVariants: variants, AsyncInferenceConfig: &types.AsyncInferenceConfig{
		ClientConfig: &types.AsyncInferenceClientConfig{MaxConcurrentInvocationsPerInstance: &atOnce},
		OutputConfig: &types.AsyncInferenceOutputConfig{S3OutputPath: aws.String("s3://data/answers"), S3FailurePath: aws.String("s3://data/failures/"),
			NotificationConfig: &types.AsyncInferenceNotificationConfig{SuccessTopic: aws.String(goodTopic), ErrorTopic: aws.String(badTopic)}}}}
}

// asyncCloud has an asynchronous endpoint e on the model red, which answers one
// request at a time.
func asyncCloud(t *testing.T, change func(*sagemaker.Config)) (*cloud, *noted) {
	topics := new(noted)
	c := start(t, func(cfg *sagemaker.Config) {
		cfg.Topics, cfg.AsyncInterval = topics, 10*time.Millisecond
		if change != nil {
			change(cfg)
		}
	})
	c.model("red", "red")
	_, err := c.sm.CreateEndpointConfig(t.Context(), asyncConfig("c", 1, production("red", 1)))
	require.NoError(t, err)
	c.endpoint("e", "c")
	d := c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, int32(1), *d.AsyncInferenceConfig.ClientConfig.MaxConcurrentInvocationsPerInstance)
	return c, topics
}

func (c *cloud) later(body string, change func(*smr.InvokeEndpointAsyncInput)) *smr.InvokeEndpointAsyncOutput {
	c.Helper()
	in := &smr.InvokeEndpointAsyncInput{EndpointName: aws.String("e"), Body: []byte(body), ContentType: aws.String("text/csv")}
	if change != nil {
		change(in)
	}
	out, err := c.runtime.InvokeEndpointAsync(c.Context(), in)
	require.NoError(c, err)
	return out
}

// stored waits for the object at an address.
func (c *cloud) stored(uri *string) string {
	c.Helper()
	key, ok := strings.CutPrefix(aws.ToString(uri), "s3://data/")
	require.True(c, ok, aws.ToString(uri))
	c.eventually(func() bool { return c.has(key) }, "nothing is at "+*uri)
	return c.get(key)
}

func TestAsynchronousAnswers(t *testing.T) {
	c, topics := asyncCloud(t, nil)
	input := c.put("in/rows.csv", "1\n2\n")
	out := c.later("", func(in *smr.InvokeEndpointAsyncInput) {
		in.Body, in.InputLocation, in.InferenceId, in.CustomAttributes, in.Accept = nil, &input, aws.String("mine"), aws.String("attr"), aws.String("text/csv")
	})
	require.Equal(t, "mine", *out.InferenceId)
	require.Regexp(t, `^s3://data/answers/[0-9a-f-]{36}\.out$`, *out.OutputLocation)
	require.Regexp(t, `^s3://data/failures/[0-9a-f-]{36}-error\.out$`, *out.FailureLocation)
	require.Equal(t, "red<1>\nred<2>\n", c.stored(out.OutputLocation))
	c.eventually(func() bool { return len(topics.about(goodTopic)) == 1 }, "no notice")
	var notice map[string]any
	require.NoError(t, json.Unmarshal([]byte(topics.about(goodTopic)[0]), &notice))
	for _, when := range []string{"eventTime", "receivedTime"} {
		require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, notice[when])
		delete(notice, when)
	}
	require.Equal(t, map[string]any{"awsRegion": "us-east-1", "invocationStatus": "Completed", "inferenceId": "mine",
		"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": "InferenceResult",
		"requestParameters":  map[string]any{"accept": "text/csv", "contentType": "text/csv", "customAttributes": "attr", "endpointName": "e", "inputLocation": input},
		"responseParameters": map[string]any{"contentType": "text/csv", "customAttributes": "saw attr", "outputLocation": *out.OutputLocation}}, notice)

	out = c.later("3", func(in *smr.InvokeEndpointAsyncInput) {
		in.Filename, in.S3OutputPathExtension = aws.String("three.csv"), aws.String("march")
	})
	require.Equal(t, "s3://data/answers/march/three.csv", *out.OutputLocation)
	require.Len(t, *out.InferenceId, 36)
	require.Equal(t, "red<3>\n", c.stored(out.OutputLocation))
	c.eventually(func() bool {
		_, n := c.metrics.sum("AWS/SageMaker/TotalProcessingTime/e/")
		return n == 2
	}, "not measured")
	processed, _ := c.metrics.sum("AWS/SageMaker/InvocationsProcessed/e/")
	_, invoked := c.metrics.sum("AWS/SageMaker/Invocations/e/red")
	_, answered := c.metrics.sum("AWS/SageMaker/ModelLatency/e/red")
	require.Equal(t, [3]float64{2, 0, 2}, [3]float64{processed, float64(invoked), float64(answered)}, "as on AWS")
}

func TestAsynchronousFailures(t *testing.T) {
	c, topics := asyncCloud(t, nil)
	for i, tt := range []struct {
		body, input, reason, kept string
	}{
		{"bad", "", "Received client error (400) from model. See https://", "bad row\n"},
		{"boom", "", "Received server error (500) from model. See https://", "boom\n"},
		{"die", "", "the connection to the model server broke", "the connection to the model server broke"},
		{"", "s3://data/none", "The payload could not be read: s3://data/none: NoSuchKey", "The payload could not be read"},
		{"", "s3://nowhere/none", "The payload could not be read: s3://nowhere/none", "The payload could not be read"},
	} {
		out := c.later(tt.body, func(in *smr.InvokeEndpointAsyncInput) {
			if tt.input != "" {
				in.Body, in.InputLocation = nil, &tt.input
			}
		})
		c.eventually(func() bool { return len(topics.about(badTopic)) == i+1 }, "no notice of "+tt.body+tt.input)
		var notice struct {
			InvocationStatus, FailureReason string
			ResponseParameters              map[string]string
		}
		require.NoError(t, json.Unmarshal([]byte(topics.about(badTopic)[i]), &notice))
		require.Equal(t, "Failed", notice.InvocationStatus)
		require.Contains(t, notice.FailureReason, tt.reason)
		require.Equal(t, *out.FailureLocation, notice.ResponseParameters["failureLocation"])
		require.Contains(t, c.stored(out.FailureLocation), tt.kept)
		require.False(t, c.has(strings.TrimPrefix(*out.OutputLocation, "s3://data/")))
	}
	failures, _ := c.metrics.sum("AWS/SageMaker/InvocationFailures/e/")
	require.Equal(t, 5.0, failures)
	require.Empty(t, topics.about(goodTopic))
}

func TestAsynchronousRefusals(t *testing.T) {
	c, _ := asyncCloud(t, nil)
	_, err := c.ask("e", "", "1")
	refused(t, err, "ValidationError", "Endpoint e is an asynchronous endpoint. Use InvokeEndpointAsync.")
	c.config("now", production("red", 1))
	c.endpoint("now", "now")
	c.awaitEndpoint("now", types.EndpointStatusInService)
	for name, tt := range map[string]struct {
		change  func(*smr.InvokeEndpointAsyncInput)
		message string
	}{
		"real-time":     {func(in *smr.InvokeEndpointAsyncInput) { in.EndpointName = aws.String("now") }, "Endpoint now is not an asynchronous endpoint"},
		"no endpoint":   {func(in *smr.InvokeEndpointAsyncInput) { in.EndpointName = aws.String("none") }, "Endpoint none of account 000000000000 not found."},
		"nothing":       {func(in *smr.InvokeEndpointAsyncInput) { in.Body = nil }, "neither InputLocation nor Body"},
		"both":          {func(in *smr.InvokeEndpointAsyncInput) { in.InputLocation = aws.String("s3://data/x") }, "InputLocation and Body are mutually exclusive"},
		"large":         {func(in *smr.InvokeEndpointAsyncInput) { in.Body = make([]byte, 128_001) }, "Member must have length less than or equal to 128000"},
		"not in S3":     {func(in *smr.InvokeEndpointAsyncInput) { in.Body, in.InputLocation = nil, aws.String("https://x/y") }, `InputLocation "https://x/y" is not an S3 address`},
		"short life":    {func(in *smr.InvokeEndpointAsyncInput) { in.RequestTTLSeconds = aws.Int32(59) }, "Value '59' at 'requestTTLSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60"},
		"long life":     {func(in *smr.InvokeEndpointAsyncInput) { in.RequestTTLSeconds = aws.Int32(21601) }, "less than or equal to 21600"},
		"no time":       {func(in *smr.InvokeEndpointAsyncInput) { in.InvocationTimeoutSeconds = aws.Int32(0) }, "'invocationTimeoutSeconds' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"two dots":      {func(in *smr.InvokeEndpointAsyncInput) { in.Filename = aws.String("a.b.c") }, `Filename "a.b.c"`},
		"bad extension": {func(in *smr.InvokeEndpointAsyncInput) { in.S3OutputPathExtension = aws.String("s3://a") }, `S3OutputPathExtension "s3://a"`},
	} {
		in := &smr.InvokeEndpointAsyncInput{EndpointName: aws.String("e"), Body: []byte("1")}
		tt.change(in)
		_, err := c.runtime.InvokeEndpointAsync(t.Context(), in)
		require.Error(t, err, name)
		refused(t, err, "ValidationError", tt.message)
	}
	for message, change := range map[string]func(*sm.CreateEndpointConfigInput){
		"OutputConfig.S3OutputPath is missing": func(in *sm.CreateEndpointConfigInput) { in.AsyncInferenceConfig.OutputConfig.S3OutputPath = nil },
		"outputConfig.s3FailurePath' failed to": func(in *sm.CreateEndpointConfigInput) {
			in.AsyncInferenceConfig.OutputConfig.S3FailurePath = aws.String("data")
		},
		"notificationConfig.errorTopic' failed to": func(in *sm.CreateEndpointConfigInput) {
			in.AsyncInferenceConfig.OutputConfig.NotificationConfig.ErrorTopic = aws.String("topic")
		},
		"value less than or equal to 1000": func(in *sm.CreateEndpointConfigInput) {
			in.AsyncInferenceConfig.ClientConfig.MaxConcurrentInvocationsPerInstance = aws.Int32(1001)
		},
		"IncludeInferenceResponseIn is not": func(in *sm.CreateEndpointConfigInput) {
			in.AsyncInferenceConfig.OutputConfig.NotificationConfig.IncludeInferenceResponseIn = types.AsyncNotificationTopicTypesSuccessNotificationTopic.Values()
		},
		"exactly one production variant, not 2": func(in *sm.CreateEndpointConfigInput) {
			in.ProductionVariants = append(in.ProductionVariants, production("blue", 1))
		},
		"DataCaptureConfig of an asynchronous": func(in *sm.CreateEndpointConfigInput) {
			in.DataCaptureConfig = captureTo("s3://data/c", 100, types.CaptureModeInput)
		},
		"ShadowProductionVariants of an asynchrono": func(in *sm.CreateEndpointConfigInput) {
			in.ShadowProductionVariants = []types.ProductionVariant{production("red", 1)}
		},
	} {
		in := asyncConfig("other", 1, production("red", 1))
		change(in)
		_, err := c.sm.CreateEndpointConfig(t.Context(), in)
		require.Error(t, err, message)
		refused(t, err, "ValidationException", message)
	}
}

// gate is a file that a request waits for.
type gate struct{ path string }

func newGate(t *testing.T) gate     { return gate{filepath.Join(t.TempDir(), "gate")} }
func (g gate) request() string      { return "gate " + g.path }
func (g gate) open(c *cloud)        { require.NoError(c, os.WriteFile(g.path, nil, 0o600)) }
func (g gate) reached() bool        { _, err := os.Stat(g.path + ".waiting"); return err == nil }
func (c *cloud) await(g gate)       { c.Helper(); c.eventually(g.reached, "no model got the request") }
func (c *cloud) gauge(n string) int { v := c.metrics.last("AWS/SageMaker/" + n + "/e/"); return int(v) }

// An instance answers as many at once as it may, the next in the order of arrival;
// what waits survives the cloud and an update of the endpoint.
func TestAsynchronousRequestsWait(t *testing.T) {
	c, topics := asyncCloud(t, nil)
	first, second := newGate(t), newGate(t)
	held := c.later(first.request(), nil)
	waits := c.later(second.request(), nil)
	c.await(first)
	c.eventually(func() bool { return c.gauge("ApproximateBacklogSize") == 1 }, "one waits")
	require.False(t, second.reached(), "one at a time")

	c.shut() // one is under way, one waits
	first.open(c)
	c.open()
	require.Equal(t, "red", c.stored(held.OutputLocation))
	c.await(second)
	third := c.later("3", nil)
	c.model("blue", "blue")
	_, err := c.sm.CreateEndpointConfig(t.Context(), asyncConfig("c2", 1, production("blue", 1)))
	require.NoError(t, err)
	c.update("e", "c2")
	require.Equal(t, "blue<3>\n", c.stored(third.OutputLocation), "the new server has room")
	second.open(c)
	require.Equal(t, "red", c.stored(waits.OutputLocation), "the old one finishes what it has")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	c.later("4", nil)
	c.eventually(func() bool { return len(topics.about(goodTopic)) >= 4 }, "no notice")
	require.Len(t, topics.about(goodTopic), 4, "each is told once")
	require.Empty(t, topics.about(badTopic))
}

func TestAsynchronousRequestsExpire(t *testing.T) {
	var ahead atomic.Int64
	c, topics := asyncCloud(t, func(cfg *sagemaker.Config) {
		cfg.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	g := newGate(t)
	held := c.later(g.request(), nil)
	c.await(g)
	late := c.later("1", func(in *smr.InvokeEndpointAsyncInput) { in.RequestTTLSeconds = aws.Int32(60) })
	ahead.Store(int64(61 * time.Second))
	c.eventually(func() bool { return len(topics.about(badTopic)) == 1 }, "it waits on")
	require.Contains(t, topics.about(badTopic)[0], `"failureReason":"The request expired: it waited for longer than 1m0s."`)
	c.eventually(func() bool {
		n, _ := c.metrics.sum("AWS/SageMaker/ExpiredRequests/e/")
		return n == 1
	}, "not measured")
	g.open(c)
	require.Equal(t, "red", c.stored(held.OutputLocation), "what is under way does not expire")
	require.False(t, c.has(strings.TrimPrefix(*late.OutputLocation, "s3://data/")))
}

func TestAsynchronousEndpointWithoutInstances(t *testing.T) {
	c, _ := asyncCloud(t, nil)
	scale := func(n int32) {
		_, err := c.sm.UpdateEndpointWeightsAndCapacities(t.Context(), &sm.UpdateEndpointWeightsAndCapacitiesInput{EndpointName: aws.String("e"),
			DesiredWeightsAndCapacities: []types.DesiredWeightAndCapacity{{VariantName: aws.String("red"), DesiredInstanceCount: &n}}})
		require.NoError(t, err)
		c.awaitEndpoint("e", types.EndpointStatusInService)
	}
	scale(0)
	out := c.later("1", nil)
	c.eventually(func() bool { return c.gauge("HasBacklogWithoutCapacity") == 1 }, "it does not wait")
	scale(1)
	require.Equal(t, "red<1>\n", c.stored(out.OutputLocation))
	c.eventually(func() bool { return c.gauge("HasBacklogWithoutCapacity") == 0 }, "it still waits")
}

// What waits goes with its endpoint: another of the same name does not get it.
func TestAsynchronousRequestsGoWithTheirEndpoint(t *testing.T) {
	c, topics := asyncCloud(t, nil)
	g := newGate(t)
	c.later(g.request(), nil)
	c.await(g)
	gone := c.later("1", nil)
	c.delete("e")
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "red<2>\n", c.stored(c.later("2", nil).OutputLocation), "requests are answered in order")
	require.False(t, c.has(strings.TrimPrefix(*gone.OutputLocation, "s3://data/")))
	c.eventually(func() bool { return len(topics.about(goodTopic)) == 1 }, "no notice")
	require.Empty(t, topics.about(badTopic))
}
