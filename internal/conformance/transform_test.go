package conformance

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var transformCases = []kase{
	{name: "transform job completes", covers: "CreateTransformJob DescribeTransformJob ListTransformJobs StopTransformJob", run: transformCompletes, bills: jobBill},
	{name: "transform job fails", covers: "CreateTransformJob DescribeTransformJob", run: transformFails, bills: jobBill},
	{name: "transform job is checked", covers: "CreateTransformJob DescribeTransformJob StopTransformJob", run: transformChecked},
}

func (c *cloud) transform(bucket, model *string) *sagemaker.CreateTransformJobInput {
	return &sagemaker.CreateTransformJobInput{TransformJobName: c.name(), ModelName: model, BatchStrategy: types.BatchStrategyMultiRecord,
		TransformInput: &types.TransformInput{ContentType: aws.String("text/csv"), SplitType: types.SplitTypeLine,
			DataSource: &types.TransformDataSource{S3DataSource: &types.TransformS3DataSource{S3DataType: types.S3DataTypeS3Prefix, S3Uri: aws.String("s3://" + *bucket + "/in/")}}},
		TransformOutput:    &types.TransformOutput{S3OutputPath: aws.String("s3://" + *bucket + "/out"), AssembleWith: types.AssemblyTypeLine, Accept: aws.String("text/csv")},
		TransformResources: &types.TransformResources{InstanceType: types.TransformInstanceType(at.instance), InstanceCount: aws.Int32(1)}}
}

func (c *cloud) transformed(in *sagemaker.CreateTransformJobInput) (job *sagemaker.DescribeTransformJobOutput) {
	c.Helper()
	out, err := c.sm.CreateTransformJob(c.Context(), in)
	require.NoError(c, err)
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:transform-job/%s", at.sdk.Region, at.account, *in.TransformJobName), *out.TransformJobArn)
	c.eventually("transform job ends", func() bool {
		job, err = c.sm.DescribeTransformJob(c.Context(), &sagemaker.DescribeTransformJobInput{TransformJobName: in.TransformJobName})
		require.NoError(c, err)
		return job.TransformJobStatus != types.TransformJobStatusInProgress
	})
	return job
}

func transformCompletes(c *cloud) {
	bucket := c.bucket()
	c.put(bucket, "in/a.csv", "1\n2\n")
	c.put(bucket, "in/deep/b.csv", "3")
	in := c.transform(bucket, c.model(bucket, "m"))
	job := c.transformed(in)
	require.Equal(c, types.TransformJobStatusCompleted, job.TransformJobStatus, aws.ToString(job.FailureReason))
	require.Equal(c, []any{*in.TransformJobName, *in.ModelName, types.BatchStrategyMultiRecord, types.SplitTypeLine}, []any{*job.TransformJobName, *job.ModelName, job.BatchStrategy, job.TransformInput.SplitType})
	require.False(c, job.TransformStartTime.Before(*job.CreationTime))
	require.False(c, job.TransformEndTime.Before(*job.TransformStartTime))
	require.Equal(c, "m<1>text/csv\nm<2>text/csv\n", c.read("s3://"+*bucket+"/out/a.csv.out"))
	require.Equal(c, "m<3>text/csv\n", c.read("s3://"+*bucket+"/out/deep/b.csv.out"))

	_, err := c.sm.CreateTransformJob(c.Context(), in)
	c.refused(err, "ResourceInUse", "Job name must be unique within an AWS account and region, and a job with this name already exists (arn:")
	_, err = c.sm.StopTransformJob(c.Context(), &sagemaker.StopTransformJobInput{TransformJobName: in.TransformJobName})
	c.refused(err, "ValidationException", "The request was rejected because the transform job is in status Completed")
	list, err := c.sm.ListTransformJobs(c.Context(), &sagemaker.ListTransformJobsInput{NameContains: in.TransformJobName, StatusEquals: types.TransformJobStatusCompleted})
	require.NoError(c, err)
	require.Equal(c, *job.TransformJobArn, *list.TransformJobSummaries[0].TransformJobArn)
	require.NotNil(c, list.TransformJobSummaries[0].TransformEndTime)
}

func transformFails(c *cloud) {
	bucket := c.bucket()
	c.put(bucket, "in/a.csv", "bad")
	job := c.transformed(c.transform(bucket, c.model(bucket, "m")))
	require.Equal(c, types.TransformJobStatusFailed, job.TransformJobStatus)
	require.NotEmpty(c, *job.FailureReason)
}

func transformChecked(c *cloud) {
	bucket := c.bucket()
	_, err := c.sm.CreateTransformJob(c.Context(), c.transform(bucket, c.name()))
	c.refused(err, "ValidationException", `Could not find model "arn:`)
	_, err = c.sm.DescribeTransformJob(c.Context(), &sagemaker.DescribeTransformJobInput{TransformJobName: c.name()})
	c.refused(err, "ValidationException", "Could not find requested job")
	_, err = c.sm.StopTransformJob(c.Context(), &sagemaker.StopTransformJobInput{TransformJobName: c.name()})
	c.refused(err, "ValidationException", "Could not find requested job")
	in := c.transform(bucket, c.name())
	in.MaxPayloadInMB = aws.Int32(101)
	_, err = c.sm.CreateTransformJob(c.Context(), in)
	require.Error(c, err)
	c.refused(err, "ValidationException", "")
	in = c.transform(bucket, c.name())
	in.TransformInput.SplitType = "Word"
	_, err = c.sm.CreateTransformJob(c.Context(), in)
	c.refused(err, "ValidationException", "Value 'Word' at 'transformInput.splitType' failed to satisfy constraint: Member must satisfy enum value set: [")
}
