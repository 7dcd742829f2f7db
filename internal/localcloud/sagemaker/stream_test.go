package sagemaker_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smr "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	smrtypes "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/stretchr/testify/require"
)

func (c *cloud) streamed(body string) (*smr.InvokeEndpointWithResponseStreamOutput, error) {
	return c.runtime.InvokeEndpointWithResponseStream(c.Context(), &smr.InvokeEndpointWithResponseStreamInput{EndpointName: aws.String("e"), Body: []byte(body),
		ContentType: aws.String("text/csv"), Accept: aws.String("text/csv"), CustomAttributes: aws.String("attr"), InferenceId: aws.String("mine")})
}

// part is the next piece of an answer.
func (c *cloud) part(s *smr.InvokeEndpointWithResponseStreamEventStream) string {
	c.Helper()
	event, ok := <-s.Events()
	require.True(c, ok, "the stream has ended: %v", s.Err())
	return string(event.(*smrtypes.ResponseStreamMemberPayloadPart).Value.Bytes)
}

func TestStreamedAnswers(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	_, err := c.sm.CreateEndpointConfig(t.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: aws.String("c"), ProductionVariants: []types.ProductionVariant{production("red", 1)},
		DataCaptureConfig: captureTo("s3://data/captured/", 100, types.CaptureModeOutput)})
	require.NoError(t, err)
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)

	g := newGate(t)
	out, err := c.streamed("parts " + g.path)
	require.NoError(t, err)
	require.Equal(t, []string{"text/csv", "red", "saw attr"}, []string{*out.ContentType, *out.InvokedProductionVariant, *out.CustomAttributes})
	events := out.GetStream()
	require.Equal(t, "one ", c.part(events), "it is here before the model goes on")
	g.open(c)
	require.Equal(t, "two", c.part(events))
	_, more := <-events.Events()
	require.False(t, more)
	require.NoError(t, events.Err())
	require.NoError(t, events.Close())
	var lines []captured
	c.eventually(func() bool {
		lines = c.captures("captured/e/red/")
		return len(lines) > 0
	}, "nothing was delivered")
	require.Equal(t, "one two", lines[0].CaptureData.EndpointOutput.Data, "it is captured whole")

	out, err = c.streamed("tear")
	require.NoError(t, err)
	events = out.GetStream()
	require.Equal(t, "one ", c.part(events))
	_, more = <-events.Events()
	require.False(t, more)
	var broken *smrtypes.ModelStreamError
	require.ErrorAs(t, events.Err(), &broken)
	require.Equal(t, "StreamBroken", *broken.ErrorCode_)
	require.Error(t, events.Close(), "it tells it again")

	_, err = c.streamed("bad")
	refused(t, err, "ModelError", "Received client error (400) from primary")
	_, err = c.streamed(strings.Repeat("x", 6<<20+1))
	require.Error(t, err)
	c.eventually(func() bool {
		failed, n := c.metrics.sum("AWS/SageMaker/Invocation5XXErrors/e/red")
		return failed == 1 && n == 3
	}, "the one that broke off is not measured")
}

// A client that goes away does not keep the model at work for it.
func TestStreamThatNobodyReads(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.config("c", production("red", 1))
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	flood := filepath.Join(t.TempDir(), "flood")
	out, err := c.streamed("flood " + flood)
	require.NoError(t, err)
	events := out.GetStream()
	require.NotEmpty(t, c.part(events))
	require.NoError(t, events.Close())
	c.eventually(gate{flood}.reached, "the model still writes")
	require.Equal(t, "red<1>\n", c.answer("e", "", "1"))
}
