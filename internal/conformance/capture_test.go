package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var captureCases = []kase{
	{name: "captured data are sampled", covers: "CreateEndpointConfig DescribeEndpointConfig DescribeEndpoint", run: captureSampled, bills: serveBill},
}

// capturedLine is a line of captured data, in the form that Model Monitor reads.
type capturedLine struct {
	Data struct {
		Input  capturedSide `json:"endpointInput"`
		Output capturedSide `json:"endpointOutput"`
	} `json:"captureData"`
	Event struct {
		ID   string `json:"eventId"`
		Time string `json:"inferenceTime"`
	} `json:"eventMetadata"`
	Version string `json:"eventVersion"`
}

type capturedSide struct {
	Type     string `json:"observedContentType"`
	Mode     string `json:"mode"`
	Data     string `json:"data"`
	Encoding string `json:"encoding"`
}

// captured gives the lines that are delivered below a prefix.
func (c *cloud) captured(bucket *string, prefix string) (lines []capturedLine) {
	c.Helper()
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.Context())
		require.NoError(c, err)
		for _, o := range page.Contents {
			require.Regexp(c, `/\d{4}/\d{2}/\d{2}/\d{2}/[^/]+\.jsonl$`, *o.Key)
			for text := range strings.Lines(c.read("s3://" + *bucket + "/" + *o.Key)) {
				var l capturedLine
				require.NoError(c, json.Unmarshal([]byte(text), &l), text)
				lines = append(lines, l)
			}
		}
	}
	return lines
}

func captureSampled(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	config := c.name()
	_, err := c.sm.CreateEndpointConfig(ctx, &sagemaker.CreateEndpointConfigInput{EndpointConfigName: config, ProductionVariants: []types.ProductionVariant{variant("all", c.model(bucket, "m"), 1)},
		DataCaptureConfig: &types.DataCaptureConfig{EnableCapture: aws.Bool(true), InitialSamplingPercentage: aws.Int32(50), DestinationS3Uri: aws.String("s3://" + *bucket + "/captured"),
			CaptureOptions:           []types.CaptureOption{{CaptureMode: types.CaptureModeInput}, {CaptureMode: types.CaptureModeOutput}},
			CaptureContentTypeHeader: &types.CaptureContentTypeHeader{CsvContentTypes: []string{"text/csv"}}}})
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.sm.DeleteEndpointConfig(ctx, &sagemaker.DeleteEndpointConfigInput{EndpointConfigName: config})
		return gone(err)
	})
	kept, err := c.sm.DescribeEndpointConfig(ctx, &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: config})
	require.NoError(c, err)
	require.Equal(c, int32(50), *kept.DataCaptureConfig.InitialSamplingPercentage)
	name := c.endpoint(config)
	d := c.settled(name, types.EndpointStatusInService)
	require.Equal(c, []any{true, types.CaptureStatusStarted, int32(50)}, []any{*d.DataCaptureConfig.EnableCapture, d.DataCaptureConfig.CaptureStatus, *d.DataCaptureConfig.CurrentSamplingPercentage})

	const asked = 200
	for i := range asked {
		c.ask(name, strconv.Itoa(i))
	}
	var rows []capturedLine
	c.eventually("what was asked last is delivered", func() bool {
		c.ask(name, "last") // one of these is sampled, after all the others
		rows = c.captured(bucket, "captured/"+*name+"/all/")
		for _, l := range rows {
			if l.Data.Input.Data == "last" {
				return true
			}
		}
		return false
	})
	numbers := 0
	ids := map[string]bool{}
	for _, l := range rows {
		require.Equal(c, []string{"INPUT", "OUTPUT", "CSV", "text/csv", "0"}, []string{l.Data.Input.Mode, l.Data.Output.Mode, l.Data.Input.Encoding, l.Data.Output.Type, l.Version})
		require.Equal(c, fmt.Sprintf("m<%s>\n", l.Data.Input.Data), l.Data.Output.Data)
		require.NotEmpty(c, l.Event.Time)
		require.False(c, ids[l.Event.ID], "an event is there once")
		ids[l.Event.ID] = true
		if l.Data.Input.Data != "last" {
			numbers++
		}
	}
	// Of a fair coin, all but 1 in 10^11 runs are within.
	require.InDelta(c, asked/2, numbers, 48)
}
