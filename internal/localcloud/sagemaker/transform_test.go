package sagemaker_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func transformInput(name, model, uri string) *sm.CreateTransformJobInput {
	return &sm.CreateTransformJobInput{TransformJobName: &name, ModelName: &model, BatchStrategy: types.BatchStrategyMultiRecord,
		TransformInput: &types.TransformInput{ContentType: aws.String("text/csv"), SplitType: types.SplitTypeLine,
			DataSource: &types.TransformDataSource{S3DataSource: &types.TransformS3DataSource{S3DataType: types.S3DataTypeS3Prefix, S3Uri: &uri}}},
		TransformOutput:    &types.TransformOutput{S3OutputPath: aws.String("s3://data/out/"), AssembleWith: types.AssemblyTypeLine},
		TransformResources: &types.TransformResources{InstanceType: types.TransformInstanceTypeMlM5Large, InstanceCount: aws.Int32(1)}}
}

func (c *cloud) transform(in *sm.CreateTransformJobInput) {
	c.Helper()
	_, err := c.sm.CreateTransformJob(c.Context(), in)
	require.NoError(c, err)
}

func (c *cloud) awaitTransform(name string, status types.TransformJobStatus) (out *sm.DescribeTransformJobOutput) {
	c.Helper()
	c.eventually(func() bool {
		var err error
		out, err = c.sm.DescribeTransformJob(c.Context(), &sm.DescribeTransformJobInput{TransformJobName: &name})
		require.NoError(c, err)
		return out.TransformJobStatus != types.TransformJobStatusInProgress && out.TransformJobStatus != types.TransformJobStatusStopping
	}, "transform job "+name+" never ended")
	require.Equal(c, status, out.TransformJobStatus, aws.ToString(out.FailureReason))
	return out
}

// TestTransformKeepsOrder sends single records four at a time; the first one
// is answered only when the third has been.
func TestTransformKeepsOrder(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	flag := filepath.Join(t.TempDir(), "flag")
	rows := []string{"late " + flag, "b", "touch " + flag, "d", "e"}
	c.put("rows/in.csv", strings.Join(rows, "\n"))
	c.put("rows/deep/other.csv", "x\ny\n")
	c.put("rows/empty.csv", "")
	in := transformInput("ordered", "red", "s3://data/rows/")
	in.BatchStrategy, in.MaxConcurrentTransforms = types.BatchStrategySingleRecord, aws.Int32(4)
	c.transform(in)
	out := c.awaitTransform("ordered", types.TransformJobStatusCompleted)
	require.False(t, out.TransformEndTime.Before(*out.TransformStartTime))
	var want strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&want, "red<%s>\n", r)
	}
	require.Equal(t, want.String(), c.get("out/in.csv.out"))
	require.Equal(t, "red<x>\nred<y>\n", c.get("out/deep/other.csv.out"))
	require.Empty(t, c.get("out/empty.csv.out"))
	c.requireGone(c.loggedPID("TransformJobs", "ordered"))
}

// TestTransformSplitsPayloads sends more than one payload of 1 MB.
func TestTransformSplitsPayloads(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	var rows, want strings.Builder
	for i := range 30000 {
		fmt.Fprintf(&rows, "%0100d\n", i)
		fmt.Fprintf(&want, "red<%0100d>\n", i)
	}
	c.put("big.csv", rows.String())
	in := transformInput("big", "red", "s3://data/big.csv")
	in.MaxPayloadInMB, in.MaxConcurrentTransforms = aws.Int32(1), aws.Int32(3)
	c.transform(in)
	c.awaitTransform("big", types.TransformJobStatusCompleted)
	require.True(t, want.String() == c.get("out/big.csv.out"), "answers differ or are out of order")
}

func TestTransformFails(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.model("crash", "crash crash")
	c.put("bad/in.csv", "bad 1\n")
	c.put("long/in.csv", strings.Repeat("x", 2<<20))
	long := transformInput("long", "red", "s3://data/long/")
	long.MaxPayloadInMB = aws.Int32(1)
	for _, tt := range []struct {
		in     *sm.CreateTransformJobInput
		reason string
	}{
		{transformInput("bad", "red", "s3://data/bad/"), "the model answered 400: bad row"},
		{transformInput("crashing", "crash", "s3://data/bad/"), "model server did not become healthy"},
		{transformInput("nothing", "red", "s3://data/none/"), "no S3 objects found"},
		{long, "record 1 is greater than MaxPayloadInMB=1"},
	} {
		if tt.in == long {
			tt.in.BatchStrategy = types.BatchStrategySingleRecord
		}
		c.transform(tt.in)
		out := c.awaitTransform(*tt.in.TransformJobName, types.TransformJobStatusFailed)
		require.Contains(t, *out.FailureReason, tt.reason)
	}
	require.False(t, c.has("out/"), "a failed job leaves no output")
}

func TestTransformStopsAndIsChecked(t *testing.T) {
	c := start(t, nil)
	c.model("red", "red")
	c.put("wait/in.csv", "late "+filepath.Join(t.TempDir(), "never"))
	in := transformInput("waits", "red", "s3://data/wait/")
	c.transform(in)
	pid := c.loggedPID("TransformJobs", "waits")
	_, err := c.sm.CreateTransformJob(t.Context(), in)
	refused(t, err, "ResourceInUse", "Job name must be unique within an AWS account and region")
	_, err = c.sm.StopTransformJob(t.Context(), &sm.StopTransformJobInput{TransformJobName: aws.String("waits")})
	require.NoError(t, err)
	c.awaitTransform("waits", types.TransformJobStatusStopped)
	c.requireGone(pid)
	list, err := c.sm.ListTransformJobs(t.Context(), &sm.ListTransformJobsInput{StatusEquals: types.TransformJobStatusStopped})
	require.NoError(t, err)
	require.Len(t, list.TransformJobSummaries, 1)

	filtered := transformInput("filtered", "red", "s3://data/wait/")
	filtered.DataProcessing = &types.DataProcessing{InputFilter: aws.String("$[1:]")}
	_, err = c.sm.CreateTransformJob(t.Context(), filtered)
	refused(t, err, "ValidationException", "DataProcessing.InputFilter is not supported")
	_, err = c.sm.DescribeTransformJob(t.Context(), &sm.DescribeTransformJobInput{TransformJobName: aws.String("none")})
	refused(t, err, "ValidationException", "Could not find requested job")
}
