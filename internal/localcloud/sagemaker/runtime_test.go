package sagemaker_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	smrtypes "github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
)

func TestInvocationErrorsAndMetrics(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.config("c", production("red", 1))
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	for range 3 {
		c.answer("e", "", "x")
	}
	for body, status := range map[string]int32{"bad": 400, "boom": 500, "elsewhere": 307} {
		_, err := c.ask("e", "", body)
		var model *smrtypes.ModelError
		require.True(t, errors.As(err, &model), err)
		require.Equal(t, status, *model.OriginalStatusCode)
		require.Contains(t, *model.OriginalMessage, body)
	}
	_, err := c.ask("e", "green", "x")
	refused(t, err, "ValidationError", "Variant green not found. The endpoint has red.")
	_, err = c.ask("none", "", "x")
	refused(t, err, "ValidationError", "Endpoint none of account 000000000000 not found.")

	for name, want := range map[string]float64{"Invocations": 6, "InvocationsPerInstance": 6, "Invocation4XXErrors": 1, "Invocation5XXErrors": 2} {
		total, n := c.metrics.sum("AWS/SageMaker/" + name + "/e/red")
		require.Equal(t, want, total, name)
		require.Equal(t, 6, n, name)
	}
	latency, n := c.metrics.sum("AWS/SageMaker/ModelLatency/e/red")
	require.Equal(t, 6, n)
	require.Greater(t, latency, 5.0, "microseconds")
	overhead, _ := c.metrics.sum("AWS/SageMaker/OverheadLatency/e/red")
	require.Positive(t, overhead)
}

func captureTo(destination string, percent int32, modes ...types.CaptureMode) *types.DataCaptureConfig {
	conf := &types.DataCaptureConfig{EnableCapture: aws.Bool(true), DestinationS3Uri: &destination, InitialSamplingPercentage: &percent,
		CaptureContentTypeHeader: &types.CaptureContentTypeHeader{CsvContentTypes: []string{"text/csv"}}}
	for _, m := range modes {
		conf.CaptureOptions = append(conf.CaptureOptions, types.CaptureOption{CaptureMode: m})
	}
	return conf
}

type captured struct {
	CaptureData struct {
		EndpointInput, EndpointOutput *struct{ ObservedContentType, Mode, Data, Encoding string }
	}
	EventMetadata struct{ EventID, InferenceID, InferenceTime string }
	EventVersion  string
}

// captures returns the delivered lines of a variant.
func (c *cloud) captures(prefix string) (lines []captured) {
	c.Helper()
	objects, err := c.store.List(c.Context(), "data", prefix)
	require.NoError(c, err)
	for _, o := range objects {
		require.Regexp(c, regexp.MustCompile(`/\d{4}/\d\d/\d\d/\d\d/[^/]+\.jsonl$`), o.Key)
		for line := range strings.Lines(c.get(o.Key)) {
			var l captured
			require.NoError(c, json.Unmarshal([]byte(line), &l), line)
			lines = append(lines, l)
		}
	}
	return lines
}

func TestDataCapture(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	_, err := c.sm.CreateEndpointConfig(t.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: aws.String("c"), ProductionVariants: []types.ProductionVariant{production("red", 1)},
		DataCaptureConfig: captureTo("s3://data/captured/", 100, types.CaptureModeInput, types.CaptureModeOutput)})
	require.NoError(t, err)
	c.endpoint("e", "c")
	d := c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, types.CaptureStatusStarted, d.DataCaptureConfig.CaptureStatus)
	c.answer("e", "", "1,<2>")
	_, err = c.ask("e", "", "boom")
	require.Error(t, err)
	var lines []captured
	c.eventually(func() bool {
		lines = c.captures("captured/e/red/")
		return len(lines) > 0
	}, "nothing was delivered")
	require.Len(t, lines, 1, "a failed invocation is not captured")
	in, out := lines[0].CaptureData.EndpointInput, lines[0].CaptureData.EndpointOutput
	require.Equal(t, [4]string{"text/csv", "INPUT", "1,<2>", "CSV"}, [4]string{in.ObservedContentType, in.Mode, in.Data, in.Encoding})
	require.Equal(t, [4]string{"text/csv", "OUTPUT", "red<1,<2>>\n", "CSV"}, [4]string{out.ObservedContentType, out.Mode, out.Data, out.Encoding})
	require.Equal(t, "id-1,<2>", lines[0].EventMetadata.InferenceID)
	require.NotEmpty(t, lines[0].EventMetadata.EventID)
	at, err := time.Parse(time.RFC3339, lines[0].EventMetadata.InferenceTime)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
	require.Equal(t, "0", lines[0].EventVersion)
}

// TestAnswersWithoutCapture puts a file where the spool wants a folder.
func TestAnswersWithoutCapture(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	_, err := c.sm.CreateEndpointConfig(t.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: aws.String("c"), ProductionVariants: []types.ProductionVariant{production("red", 1)},
		DataCaptureConfig: captureTo("s3://data/captured/", 100, types.CaptureModeInput)})
	require.NoError(t, err)
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	blocked := filepath.Join(c.dir, "sagemaker", "capture", "data")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	require.Equal(t, "red<1>\n", c.answer("e", "", "1"))
	require.NoError(t, os.Remove(blocked))
}

func TestCaptureIsDeliveredAtClose(t *testing.T) {
	c := start(t, func(cfg *sagemaker.Config) { cfg.CaptureInterval = time.Hour })
	c.model("red", "red")
	conf := captureTo("s3://data/captured", 100, types.CaptureModeInput)
	conf.CaptureContentTypeHeader = nil
	_, err := c.sm.CreateEndpointConfig(t.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: aws.String("c"), ProductionVariants: []types.ProductionVariant{production("red", 1)}, DataCaptureConfig: conf})
	require.NoError(t, err)
	c.endpoint("e", "c")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	for range 5 {
		c.answer("e", "", "1")
	}
	require.Empty(t, c.captures("captured/e/red/"))
	c.shut()
	c.open()
	lines := c.captures("captured/e/red/")
	require.Len(t, lines, 5)
	require.Equal(t, "BASE64", lines[0].CaptureData.EndpointInput.Encoding, "content type is not listed")
	require.Equal(t, base64.StdEncoding.EncodeToString([]byte("1")), lines[0].CaptureData.EndpointInput.Data)
	require.Nil(t, lines[0].CaptureData.EndpointOutput)
}

func TestShadowVariant(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.model("dark", "dark")
	_, err := c.sm.CreateEndpointConfig(t.Context(), &sm.CreateEndpointConfigInput{EndpointConfigName: aws.String("c"),
		ProductionVariants: []types.ProductionVariant{production("red", 1)}, ShadowProductionVariants: []types.ProductionVariant{production("dark", 1)},
		DataCaptureConfig: captureTo("s3://data/captured", 100, types.CaptureModeInputAndOutput)})
	require.NoError(t, err)
	c.endpoint("e", "c")
	d := c.awaitEndpoint("e", types.EndpointStatusInService)
	require.Equal(t, "dark", *d.ShadowProductionVariants[0].VariantName)
	for range 10 {
		require.Equal(t, "red<1>\n", c.answer("e", "", "1"), "the shadow never answers")
	}
	c.eventually(func() bool {
		_, n := c.metrics.sum("AWS/SageMaker/ModelLatency/e/dark")
		return n == 10 && len(c.captures("captured/e/dark/")) == 10
	}, "not every request was mirrored")
	require.Equal(t, "dark<1>\n", c.captures("captured/e/dark/")[0].CaptureData.EndpointOutput.Data)
	_, err = c.ask("e", "dark", "1")
	refused(t, err, "ValidationError", "Variant dark not found")
}
