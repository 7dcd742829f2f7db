package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// TransformJob asks a model, in its own serving container, for its answers to
// every line of the CSV files under Input. Answers land under Output, a file
// <key>.out for each, a line for each.
type TransformJob struct {
	lifecycle.Of
	Name     string
	Model    string
	Instance string
	Input    string
	Output   string
}

func (t TransformJob) request() *sagemaker.CreateTransformJobInput {
	return &sagemaker.CreateTransformJobInput{
		TransformJobName: &t.Name,
		ModelName:        &t.Model,
		BatchStrategy:    types.BatchStrategyMultiRecord,
		TransformInput: &types.TransformInput{
			ContentType: aws.String("text/csv"), SplitType: types.SplitTypeLine,
			DataSource: &types.TransformDataSource{S3DataSource: &types.TransformS3DataSource{
				S3DataType: types.S3DataTypeS3Prefix, S3Uri: &t.Input,
			}},
		},
		TransformOutput: &types.TransformOutput{
			S3OutputPath: &t.Output, Accept: aws.String("text/csv"), AssembleWith: types.AssemblyTypeLine,
		},
		TransformResources: &types.TransformResources{
			InstanceType: types.TransformInstanceType(t.Instance), InstanceCount: aws.Int32(1),
		},
	}
}

// StartTransform starts a job, or attaches to the one an earlier attempt
// started. A job of that name with another specification is lifecycle.Conflict.
func (j *Jobs) StartTransform(ctx context.Context, job TransformJob) (err error) {
	in := job.request()
	if in.Tags, err = owned(job.Of, job); err != nil {
		return err
	}
	_, err = j.client.CreateTransformJob(ctx, in)
	if err = translate(err, "start transform job %s", job.Name); !errors.Is(err, ErrExists) {
		return err
	}
	out, err := j.describeTransform(ctx, job.Name)
	if err != nil {
		return err
	}
	return confirm(ctx, j.client, "transform job", job.Name, out.TransformJobArn, in.Tags)
}

func (j *Jobs) describeTransform(ctx context.Context, name string) (*sagemaker.DescribeTransformJobOutput, error) {
	out, err := j.client.DescribeTransformJob(ctx, &sagemaker.DescribeTransformJobInput{TransformJobName: &name})
	return out, translate(err, "look at transform job %s", name)
}

// WaitTransform waits until a job has ended and tells observe, at least once
// every poll, how it goes.
func (j *Jobs) WaitTransform(ctx context.Context, name string, observe func(lifecycle.Progress)) (Ended, error) {
	var out *sagemaker.DescribeTransformJobOutput
	var last lifecycle.Progress
	err := j.transforms.wait(ctx, name, func() { observe(last) }, func() (ended bool, err error) {
		if out, err = j.describeTransform(ctx, name); err != nil {
			return false, err
		}
		last = progressOf(name, string(out.TransformJobStatus), out.TransformStartTime, nil)
		observe(last)
		switch out.TransformJobStatus {
		case types.TransformJobStatusCompleted, types.TransformJobStatusFailed, types.TransformJobStatusStopped:
			return true, nil
		case types.TransformJobStatusInProgress, types.TransformJobStatusStopping:
			return false, nil
		}
		return false, fmt.Errorf("transform job %s: unknown status %q", name, out.TransformJobStatus)
	})
	if err != nil {
		return Ended{}, err
	}
	return endedTransform(out), nil
}

// endedTransform bills the time between start and end: AWS does not report
// billable seconds for a batch transform.
func endedTransform(out *sagemaker.DescribeTransformJobOutput) Ended {
	e := Ended{
		Completed: out.TransformJobStatus == types.TransformJobStatusCompleted,
		Stopped:   out.TransformJobStatus == types.TransformJobStatusStopped,
		Reason:    aws.ToString(out.FailureReason),
	}
	if out.TransformStartTime != nil && out.TransformEndTime != nil {
		e.Billed = out.TransformEndTime.Sub(*out.TransformStartTime)
	}
	if e.Reason == "" && !e.Completed {
		e.Reason = string(out.TransformJobStatus)
	}
	return e
}

// StopTransform asks a job to stop and tells whether there was one to stop;
// nothing happens for one that is unknown or has ended.
func (j *Jobs) StopTransform(ctx context.Context, name string) (bool, error) {
	_, err := j.client.StopTransformJob(ctx, &sagemaker.StopTransformJobInput{TransformJobName: &name})
	return stopped(translate(err, "stop transform job %s", name))
}

func (j *Jobs) listTransforms(ctx context.Context, names map[string]bool) (map[string]look, error) {
	found := map[string]look{}
	pages := sagemaker.NewListTransformJobsPaginator(j.client, &sagemaker.ListTransformJobsInput{
		NameContains: aws.String(namePrefix), MaxResults: aws.Int32(100),
		SortBy: types.SortByCreationTime, SortOrder: types.SortOrderDescending,
	})
	for pages.HasMorePages() && len(found) < len(names) {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "list transform jobs")
		}
		for _, s := range page.TransformJobSummaries {
			if name := aws.ToString(s.TransformJobName); names[name] {
				found[name] = look{status: string(s.TransformJobStatus), changed: aws.ToTime(s.LastModifiedTime)}
			}
		}
	}
	return found, nil
}
