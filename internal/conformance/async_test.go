package conformance

import (
	"context"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	runtimetypes "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/stretchr/testify/require"
)

var laterCases = []kase{
	{name: "endpoint answers later", covers: "InvokeEndpointAsync", run: endpointAnswersLater, bills: 2 * serveBill},
	{name: "endpoint streams", covers: "InvokeEndpointWithResponseStream", run: endpointStreams, bills: 2 * serveBill},
}

// asyncConfig makes the configuration of an endpoint that answers into a bucket.
func (c *cloud) asyncConfig(bucket *string, variants ...types.ProductionVariant) *string {
	c.Helper()
	name := c.name()
	in := &sagemaker.CreateEndpointConfigInput{EndpointConfigName: name, ProductionVariants: variants, AsyncInferenceConfig: &types.AsyncInferenceConfig{
		ClientConfig: &types.AsyncInferenceClientConfig{MaxConcurrentInvocationsPerInstance: aws.Int32(2)},
		OutputConfig: &types.AsyncInferenceOutputConfig{S3OutputPath: aws.String("s3://" + *bucket + "/answers"), S3FailurePath: aws.String("s3://" + *bucket + "/failures")}}}
	_, err := c.sm.CreateEndpointConfig(c.Context(), in)
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.sm.DeleteEndpointConfig(ctx, &sagemaker.DeleteEndpointConfigInput{EndpointConfigName: name})
		return gone(err)
	})
	d, err := c.sm.DescribeEndpointConfig(c.Context(), &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: name})
	require.NoError(c, err)
	require.Equal(c, in.AsyncInferenceConfig, d.AsyncInferenceConfig)
	return name
}

// arrives waits for the object at an address.
func (c *cloud) arrives(uri *string) (text string) {
	c.Helper()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(aws.ToString(uri), "s3://"), "/")
	c.eventually(aws.ToString(uri)+" is there", func() bool {
		out, err := c.s3.GetObject(c.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		if err != nil {
			return false
		}
		body, err := io.ReadAll(out.Body)
		text = string(body)
		return err == nil && out.Body.Close() == nil
	})
	return text
}

func endpointAnswersLater(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	name := c.endpoint(c.asyncConfig(bucket, variant("a", c.model(bucket, "a"), 1)))
	d := c.settled(name, types.EndpointStatusInService)
	require.Equal(c, "s3://"+*bucket+"/answers", *d.AsyncInferenceConfig.OutputConfig.S3OutputPath)
	rows := c.put(bucket, "rows.csv", "1\n2\n")
	in := &sagemakerruntime.InvokeEndpointAsyncInput{EndpointName: name, InputLocation: &rows, ContentType: aws.String("text/csv"), Accept: aws.String("text/csv"), InferenceId: aws.String("mine")}
	out, err := c.runtime.InvokeEndpointAsync(ctx, in)
	require.NoError(c, err)
	require.Equal(c, "mine", *out.InferenceId)
	require.Contains(c, *out.OutputLocation, "s3://"+*bucket+"/answers/")
	require.Contains(c, *out.FailureLocation, "s3://"+*bucket+"/failures/")
	require.Equal(c, "a<1>text/csv\na<2>text/csv\n", c.arrives(out.OutputLocation))

	bad := c.put(bucket, "bad.csv", "bad")
	in.InputLocation, in.InferenceId = &bad, nil
	out, err = c.runtime.InvokeEndpointAsync(ctx, in)
	require.NoError(c, err)
	require.NotEmpty(c, *out.InferenceId)
	require.Contains(c, c.arrives(out.FailureLocation), "a bad row")

	_, err = c.runtime.InvokeEndpoint(ctx, &sagemakerruntime.InvokeEndpointInput{EndpointName: name, Body: []byte("1")})
	c.refused(err, "ValidationError", "")
	in.RequestTTLSeconds = aws.Int32(1)
	_, err = c.runtime.InvokeEndpointAsync(ctx, in)
	c.refused(err, "ValidationError", "")
}

func endpointStreams(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	name := c.endpoint(c.endpointConfig(variant("a", c.model(bucket, "a"), 1)))
	c.settled(name, types.EndpointStatusInService)
	in := &sagemakerruntime.InvokeEndpointWithResponseStreamInput{EndpointName: name, Body: []byte("1\n2\n"), ContentType: aws.String("text/csv"), Accept: aws.String("text/csv"), CustomAttributes: aws.String("trace=7")}
	out, err := c.runtime.InvokeEndpointWithResponseStream(ctx, in)
	require.NoError(c, err)
	require.Equal(c, []string{"text/csv", "a", "saw trace=7"}, []string{*out.ContentType, *out.InvokedProductionVariant, *out.CustomAttributes})
	var whole strings.Builder
	for event := range out.GetStream().Events() {
		part, ok := event.(*runtimetypes.ResponseStreamMemberPayloadPart)
		require.True(c, ok, "%T", event)
		whole.Write(part.Value.Bytes)
	}
	require.NoError(c, out.GetStream().Err())
	require.NoError(c, out.GetStream().Close())
	require.Equal(c, "a<1>text/csv\na<2>text/csv\n", whole.String())
	in.Body = []byte("bad")
	_, err = c.runtime.InvokeEndpointWithResponseStream(ctx, in)
	c.refused(err, "ModelError", `Received client error (400) from primary with message "a bad row`)
	in.EndpointName = c.name()
	_, err = c.runtime.InvokeEndpointWithResponseStream(ctx, in)
	c.refused(err, "ValidationError", "not found")
}
