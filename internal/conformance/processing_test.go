package conformance

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var processingCases = []kase{
	{name: "processing job completes", covers: "CreateProcessingJob DescribeProcessingJob ListProcessingJobs StopProcessingJob", run: processingCompletes, bills: jobBill},
	{name: "processing job is stopped", covers: "CreateProcessingJob StopProcessingJob DescribeProcessingJob", run: processingStops, bills: jobBill},
	{name: "processing job is missing", covers: "DescribeProcessingJob StopProcessingJob", run: processingMissing},
}

// processing is a job that copies what is below in/ to below out/.
func (c *cloud) processing(bucket *string, do ...string) *sagemaker.CreateProcessingJobInput {
	return &sagemaker.CreateProcessingJobInput{
		ProcessingJobName: c.name(), RoleArn: &at.role, Environment: map[string]string{"COLOUR": "red"},
		AppSpecification: &types.AppSpecification{ImageUri: &at.image, ContainerArguments: append([]string{"process"}, do...)},
		ProcessingResources: &types.ProcessingResources{ClusterConfig: &types.ProcessingClusterConfig{
			InstanceCount: aws.Int32(1), InstanceType: types.ProcessingInstanceType(at.instance), VolumeSizeInGB: aws.Int32(1)}},
		ProcessingInputs: []types.ProcessingInput{{InputName: aws.String("in"), S3Input: &types.ProcessingS3Input{
			S3Uri: aws.String("s3://" + *bucket + "/in/"), LocalPath: aws.String("/opt/ml/processing/in"), S3DataType: types.ProcessingS3DataTypeS3Prefix, S3InputMode: types.ProcessingS3InputModeFile}}},
		ProcessingOutputConfig: &types.ProcessingOutputConfig{Outputs: []types.ProcessingOutput{{OutputName: aws.String("out"), S3Output: &types.ProcessingS3Output{
			S3Uri: aws.String("s3://" + *bucket + "/out"), LocalPath: aws.String("/opt/ml/processing/out"), S3UploadMode: types.ProcessingS3UploadModeEndOfJob}}}},
	}
}

// process starts a job, which is stopped at the end of the case if it still runs.
func (c *cloud) process(in *sagemaker.CreateProcessingJobInput) *string {
	c.Helper()
	out, err := c.sm.CreateProcessingJob(c.Context(), in)
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		list, err := c.sm.ListProcessingJobs(ctx, &sagemaker.ListProcessingJobsInput{NameContains: in.ProcessingJobName, StatusEquals: types.ProcessingJobStatusInProgress})
		if err != nil || len(list.ProcessingJobSummaries) == 0 {
			return err
		}
		_, err = c.sm.StopProcessingJob(ctx, &sagemaker.StopProcessingJobInput{ProcessingJobName: in.ProcessingJobName})
		return err
	})
	return out.ProcessingJobArn
}

func (c *cloud) processed(name *string) (job *sagemaker.DescribeProcessingJobOutput) {
	c.Helper()
	c.eventually("processing job "+*name+" ends", func() bool {
		var err error
		job, err = c.sm.DescribeProcessingJob(c.Context(), &sagemaker.DescribeProcessingJobInput{ProcessingJobName: name})
		require.NoError(c, err)
		return job.ProcessingJobStatus != types.ProcessingJobStatusInProgress && job.ProcessingJobStatus != types.ProcessingJobStatusStopping
	})
	return job
}

func processingCompletes(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	c.put(bucket, "in/a.csv", "1,2\n")
	c.put(bucket, "in/deep/b.csv", "3,4\n")
	in := c.processing(bucket)
	arn := c.process(in)
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:processing-job/%s", at.sdk.Region, at.account, *in.ProcessingJobName), *arn)
	_, err := c.sm.CreateProcessingJob(ctx, in)
	c.refused(err, "ResourceInUse", "Job name must be unique within an AWS account and region, and a job with this name already exists ("+*arn+")")
	job := c.processed(in.ProcessingJobName)
	require.Equal(c, types.ProcessingJobStatusCompleted, job.ProcessingJobStatus, aws.ToString(job.FailureReason))
	require.Equal(c, []any{*arn, "2 files in red", at.image, int32(86400)}, []any{*job.ProcessingJobArn, *job.ExitMessage, *job.AppSpecification.ImageUri, *job.StoppingCondition.MaxRuntimeInSeconds})
	require.False(c, job.ProcessingEndTime.Before(*job.ProcessingStartTime))
	require.Equal(c, "1,2\n", c.read("s3://"+*bucket+"/out/a.csv"))
	require.Equal(c, "3,4\n", c.read("s3://"+*bucket+"/out/deep/b.csv"))
	list, err := c.sm.ListProcessingJobs(ctx, &sagemaker.ListProcessingJobsInput{NameContains: in.ProcessingJobName, StatusEquals: types.ProcessingJobStatusCompleted})
	require.NoError(c, err)
	require.Equal(c, []string{*arn, "2 files in red"}, []string{*list.ProcessingJobSummaries[0].ProcessingJobArn, *list.ProcessingJobSummaries[0].ExitMessage})
	_, err = c.sm.StopProcessingJob(ctx, &sagemaker.StopProcessingJobInput{ProcessingJobName: in.ProcessingJobName})
	c.refused(err, "ValidationException", "in status Completed")
}

func processingStops(c *cloud) {
	bucket := c.bucket()
	c.put(bucket, "in/a.csv", "1,2\n")
	in := c.processing(bucket, "wait")
	c.process(in)
	_, err := c.sm.StopProcessingJob(c.Context(), &sagemaker.StopProcessingJobInput{ProcessingJobName: in.ProcessingJobName})
	require.NoError(c, err)
	require.Equal(c, types.ProcessingJobStatusStopped, c.processed(in.ProcessingJobName).ProcessingJobStatus)
}

func processingMissing(c *cloud) {
	name := c.name()
	_, err := c.sm.DescribeProcessingJob(c.Context(), &sagemaker.DescribeProcessingJobInput{ProcessingJobName: name})
	c.refused(err, "ValidationException", "Could not find requested job with name: "+*name)
	_, err = c.sm.StopProcessingJob(c.Context(), &sagemaker.StopProcessingJobInput{ProcessingJobName: name})
	c.refused(err, "ValidationException", "Could not find requested job with name: "+*name)
}
