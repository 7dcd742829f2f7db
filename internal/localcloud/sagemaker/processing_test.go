package sagemaker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/sagemaker"
)

func processingOutput(name string, mode types.ProcessingS3UploadMode) types.ProcessingOutput {
	return types.ProcessingOutput{OutputName: &name, S3Output: &types.ProcessingS3Output{
		S3Uri: aws.String("s3://data/" + name), LocalPath: aws.String("/opt/ml/processing/" + name), S3UploadMode: mode}}
}

// processingInput is a job that copies s3://data/in/ to s3://data/result; mode is
// its last argument.
func processingInput(name, mode string) *sm.CreateProcessingJobInput {
	return &sm.CreateProcessingJobInput{
		ProcessingJobName: &name, RoleArn: aws.String("arn:aws:iam::000000000000:role/r"), Environment: map[string]string{"COLOUR": "red"},
		AppSpecification: &types.AppSpecification{ImageUri: aws.String(image),
			ContainerArguments: []string{"process", "--input=/opt/ml/processing/in", "/opt/ml/processing/result", mode}},
		ProcessingResources: &types.ProcessingResources{ClusterConfig: &types.ProcessingClusterConfig{
			InstanceCount: aws.Int32(1), InstanceType: types.ProcessingInstanceTypeMlM5Large, VolumeSizeInGB: aws.Int32(1)}},
		ProcessingInputs: []types.ProcessingInput{{InputName: aws.String("in"), S3Input: &types.ProcessingS3Input{
			S3Uri: aws.String("s3://data/in/"), LocalPath: aws.String("/opt/ml/processing/in"), S3DataType: "S3Prefix", S3InputMode: "File"}}},
		ProcessingOutputConfig: &types.ProcessingOutputConfig{Outputs: []types.ProcessingOutput{
			processingOutput("result", types.ProcessingS3UploadModeEndOfJob), processingOutput("live", types.ProcessingS3UploadModeContinuous)}},
	}
}

func (c *cloud) process(in *sm.CreateProcessingJobInput) string {
	c.Helper()
	out, err := c.sm.CreateProcessingJob(c.Context(), in)
	require.NoError(c, err)
	return *out.ProcessingJobArn
}

func (c *cloud) awaitProcessing(name string, status types.ProcessingJobStatus) (out *sm.DescribeProcessingJobOutput) {
	c.Helper()
	c.eventually(func() bool {
		var err error
		out, err = c.sm.DescribeProcessingJob(c.Context(), &sm.DescribeProcessingJobInput{ProcessingJobName: &name})
		require.NoError(c, err)
		return out.ProcessingJobStatus == status
	}, "job "+name+" never became "+string(status))
	return out
}

func quickSync(cfg *sagemaker.Config) { cfg.SyncInterval = 20 * time.Millisecond }

func TestProcessing(t *testing.T) {
	c := start(t, quickSync)
	for _, name := range []string{"a", "b", "c"} {
		c.put("in/"+name, name)
	}
	in := processingInput("prepare", "")
	in.ProcessingResources.ClusterConfig.InstanceCount = aws.Int32(2)
	in.ProcessingInputs[0].S3Input.S3DataDistributionType = types.ProcessingS3DataDistributionTypeShardedbys3key
	arn := c.process(in)
	require.Equal(t, "arn:aws:sagemaker:us-east-1:000000000000:processing-job/prepare", arn)
	job := c.awaitProcessing("prepare", types.ProcessingJobStatusCompleted)
	require.Equal(t, "done by algo-1", *job.ExitMessage)
	require.Nil(t, job.FailureReason)
	require.Equal(t, int32(86400), *job.StoppingCondition.MaxRuntimeInSeconds)
	require.False(t, job.ProcessingEndTime.Before(*job.ProcessingStartTime))
	for name, host := range map[string]string{"a": "algo-1", "b": "algo-2", "c": "algo-1"} {
		require.Equal(t, name+" by "+host+" in red", c.get("result/"+name))
	}
	var config struct {
		ProcessingJobArn string
		ProcessingInputs []struct{ S3Input struct{ LocalPath string } }
	}
	require.NoError(t, json.Unmarshal([]byte(c.get("live/algo-2.json")), &config))
	require.Equal(t, arn, config.ProcessingJobArn)
	require.Equal(t, "/opt/ml/processing/in", config.ProcessingInputs[0].S3Input.LocalPath)
	streams, _ := c.told("/aws/sagemaker/ProcessingJobs", "prepare/")
	require.Len(t, streams, 2)
	require.Regexp(t, `^prepare/algo-\d-\d{10}$`, streams[0])

	_, err := c.sm.CreateProcessingJob(t.Context(), in)
	refused(t, err, "ResourceInUse", "Job name must be unique within an AWS account and region, and a job with this name already exists ("+arn+")")
	_, err = c.sm.DescribeProcessingJob(t.Context(), &sm.DescribeProcessingJobInput{ProcessingJobName: aws.String("none")})
	refused(t, err, "ValidationException", "Could not find requested job with name: none")
	_, err = c.sm.StopProcessingJob(t.Context(), &sm.StopProcessingJobInput{ProcessingJobName: aws.String("prepare")})
	refused(t, err, "ValidationException", "in status Completed")
	list, err := c.sm.ListProcessingJobs(t.Context(), &sm.ListProcessingJobsInput{StatusEquals: types.ProcessingJobStatusCompleted})
	require.NoError(t, err)
	require.Equal(t, "done by algo-1", *list.ProcessingJobSummaries[0].ExitMessage)
	c.eventually(func() bool {
		_, err := os.Stat(filepath.Join(c.dir, "sagemaker", "processing", "prepare"))
		return os.IsNotExist(err)
	}, "the job's folder is still there")
}

func TestProcessingFails(t *testing.T) {
	c := start(t, nil)
	c.process(processingInput("empty", ""))
	require.Contains(t, *c.awaitProcessing("empty", types.ProcessingJobStatusFailed).FailureReason, `ClientError: Data download failed:No S3 objects found under S3 URL "s3://data/in/" given in input data source.`)
	c.put("in/a", "a")
	c.process(processingInput("fails", "fail"))
	job := c.awaitProcessing("fails", types.ProcessingJobStatusFailed)
	require.Equal(t, "AlgorithmError: See job logs for more information, exit code: 4", *job.FailureReason)
	require.Equal(t, "done by algo-1", *job.ExitMessage)
	require.False(t, c.has("result/"), "what failed leaves no result")
	require.True(t, c.has("live/algo-1.json"), "but what it uploaded on the way")
	in := processingInput("slow", "hang")
	in.StoppingCondition = &types.ProcessingStoppingCondition{MaxRuntimeInSeconds: aws.Int32(1)}
	c.process(in)
	require.Contains(t, *c.awaitProcessing("slow", types.ProcessingJobStatusStopped).FailureReason, "MaxRuntimeInSeconds")
}

func TestProcessingStops(t *testing.T) {
	c := start(t, quickSync)
	c.put("in/a", "a")
	c.process(processingInput("stops", "hang"))
	c.eventually(func() bool { return c.has("live/algo-1.json") }, "uploaded while it runs")
	c.awaitTold("/aws/sagemaker/ProcessingJobs", "stops/", "hangs")
	_, err := c.sm.StopProcessingJob(t.Context(), &sm.StopProcessingJobInput{ProcessingJobName: aws.String("stops")})
	require.NoError(t, err)
	job := c.awaitProcessing("stops", types.ProcessingJobStatusStopped)
	require.Nil(t, job.FailureReason)
	require.True(t, c.has("result/a"))
}

// TestProcessingSurvives kills the cloud in the middle of a job, and then closes
// one.
func TestProcessingSurvives(t *testing.T) {
	c := start(t, nil)
	c.put("in/a", "a")
	c.shut()
	dead := c.boot()
	gate := filepath.Join(t.TempDir(), "gate")
	c.process(processingInput("survivor", gate))
	stream := c.awaitTold("/aws/sagemaker/ProcessingJobs", "survivor/", "waits")
	require.NoError(t, dead.Process.Kill())
	_ = dead.Wait()
	c.open()
	c.process(processingInput("again", gate))
	c.awaitTold("/aws/sagemaker/ProcessingJobs", "again/", "waits")
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.awaitProcessing("survivor", types.ProcessingJobStatusCompleted)
	streams, _ := c.told("/aws/sagemaker/ProcessingJobs", "survivor/")
	require.Equal(t, []string{stream}, streams, "it was not started again")
	c.awaitProcessing("again", types.ProcessingJobStatusCompleted)

	require.NoError(t, os.Remove(gate))
	c.process(processingInput("closed", gate))
	c.awaitTold("/aws/sagemaker/ProcessingJobs", "closed/", "waits")
	c.shut()
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.open()
	c.awaitProcessing("closed", types.ProcessingJobStatusCompleted)
}

func TestProcessingIsChecked(t *testing.T) {
	c := start(t, nil)
	for _, tt := range []struct {
		name   string
		change func(*sm.CreateProcessingJobInput)
		want   string
	}{
		{"image", func(in *sm.CreateProcessingJobInput) { in.AppSpecification.ImageUri = aws.String("other/x") }, "other/x"},
		{"pipe", func(in *sm.CreateProcessingJobInput) { in.ProcessingInputs[0].S3Input.S3InputMode = "Pipe" }, `S3InputMode "Pipe"`},
		{"gzip", func(in *sm.CreateProcessingJobInput) { in.ProcessingInputs[0].S3Input.S3CompressionType = "Gzip" }, `S3CompressionType "Gzip"`},
		{"dataset", func(in *sm.CreateProcessingJobInput) {
			in.ProcessingInputs[0].S3Input, in.ProcessingInputs[0].DatasetDefinition = nil, &types.DatasetDefinition{LocalPath: aws.String("/opt/ml/processing/x")}
		}, "ProcessingInputs.DatasetDefinition"},
		{"path", func(in *sm.CreateProcessingJobInput) {
			in.ProcessingInputs[0].S3Input.LocalPath = aws.String("/opt/ml/processing/../../etc")
		}, "it must begin with /opt/ml/processing/"},
		{"output path", func(in *sm.CreateProcessingJobInput) {
			in.ProcessingOutputConfig.Outputs[0].S3Output.LocalPath = aws.String("/tmp/x")
		}, "it must begin with /opt/ml/processing/"},
		{"feature store", func(in *sm.CreateProcessingJobInput) {
			in.ProcessingOutputConfig.Outputs[0].FeatureStoreOutput = &types.ProcessingFeatureStoreOutput{FeatureGroupName: aws.String("f")}
		}, "FeatureStoreOutput"},
		{"twice", func(in *sm.CreateProcessingJobInput) {
			in.ProcessingOutputConfig.Outputs[1].OutputName = aws.String("result")
		}, `"result" is there twice`},
		{"environment", func(in *sm.CreateProcessingJobInput) { in.Environment["K"] = strings.Repeat("x", 257) }, "less than or equal to 256"},
		{"runtime", func(in *sm.CreateProcessingJobInput) {
			in.StoppingCondition = &types.ProcessingStoppingCondition{MaxRuntimeInSeconds: aws.Int32(777601)}
		}, "less than or equal to 777600"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := processingInput("checked", "")
			tt.change(in)
			_, err := c.sm.CreateProcessingJob(t.Context(), in)
			refused(t, err, "ValidationException", tt.want)
		})
	}
}
