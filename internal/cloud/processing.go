package cloud

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// processingRoot is where a processing container finds and leaves its files.
const processingRoot = "/opt/ml/processing"

// ProcessingJob runs a container with `process` on Count instances. Each input
// lies in a folder of its name under input/ there; what the containers leave
// under output/ lands under Output.
type ProcessingJob struct {
	lifecycle.Of
	Name       string
	Image      string
	Instance   string
	Count      int32
	Role       string
	Inputs     []ProcessingInput
	Output     string
	MaxRuntime time.Duration
}

// ProcessingInput is an S3 prefix. When Sharded, each instance gets its share of
// the objects, otherwise all of them.
type ProcessingInput struct {
	Name    string
	URI     string
	Sharded bool
}

// identity is what tells this job from another one of its name.
func (p ProcessingJob) identity() ProcessingJob {
	p.Role = ""
	return p
}

func (p ProcessingJob) request() *sagemaker.CreateProcessingJobInput {
	in := &sagemaker.CreateProcessingJobInput{
		ProcessingJobName: &p.Name,
		RoleArn:           &p.Role,
		AppSpecification:  &types.AppSpecification{ImageUri: &p.Image, ContainerArguments: []string{"process"}},
		ProcessingResources: &types.ProcessingResources{ClusterConfig: &types.ProcessingClusterConfig{
			InstanceType: types.ProcessingInstanceType(p.Instance), InstanceCount: &p.Count, VolumeSizeInGB: aws.Int32(volumeGB),
		}},
		StoppingCondition: &types.ProcessingStoppingCondition{MaxRuntimeInSeconds: aws.Int32(int32(math.Ceil(p.MaxRuntime.Seconds())))},
		ProcessingOutputConfig: &types.ProcessingOutputConfig{Outputs: []types.ProcessingOutput{{
			OutputName: aws.String("output"),
			S3Output: &types.ProcessingS3Output{
				S3Uri: &p.Output, LocalPath: aws.String(path.Join(processingRoot, "output")), S3UploadMode: types.ProcessingS3UploadModeEndOfJob,
			},
		}}},
	}
	for _, i := range p.Inputs {
		distribution := types.ProcessingS3DataDistributionTypeFullyreplicated
		if i.Sharded {
			distribution = types.ProcessingS3DataDistributionTypeShardedbys3key
		}
		in.ProcessingInputs = append(in.ProcessingInputs, types.ProcessingInput{
			InputName: aws.String(i.Name),
			S3Input: &types.ProcessingS3Input{
				S3Uri: aws.String(i.URI), LocalPath: aws.String(path.Join(processingRoot, "input", i.Name)),
				S3DataType: types.ProcessingS3DataTypeS3Prefix, S3InputMode: types.ProcessingS3InputModeFile,
				S3DataDistributionType: distribution,
			},
		})
	}
	return in
}

// StartProcessing starts a job, or attaches to the one an earlier attempt
// started. A job of that name with another specification is lifecycle.Conflict.
func (j *Jobs) StartProcessing(ctx context.Context, job ProcessingJob) (err error) {
	in := job.request()
	if in.Tags, err = owned(job.Of, job.identity()); err != nil {
		return err
	}
	_, err = j.client.CreateProcessingJob(ctx, in)
	if err = translate(err, "start processing job %s", job.Name); !errors.Is(err, ErrExists) {
		return err
	}
	out, err := j.describeProcessing(ctx, job.Name)
	if err != nil {
		return err
	}
	return confirm(ctx, j.client, "processing job", job.Name, out.ProcessingJobArn, in.Tags)
}

func (j *Jobs) describeProcessing(ctx context.Context, name string) (*sagemaker.DescribeProcessingJobOutput, error) {
	out, err := j.client.DescribeProcessingJob(ctx, &sagemaker.DescribeProcessingJobInput{ProcessingJobName: &name})
	return out, translate(err, "look at processing job %s", name)
}

// WaitProcessing waits until a job has ended and tells observe, at least once
// every poll, how it goes.
func (j *Jobs) WaitProcessing(ctx context.Context, name string, observe func(lifecycle.Progress)) (Ended, error) {
	var out *sagemaker.DescribeProcessingJobOutput
	var last lifecycle.Progress
	err := j.processings.wait(ctx, name, func() { observe(last) }, func() (ended bool, err error) {
		if out, err = j.describeProcessing(ctx, name); err != nil {
			return false, err
		}
		last = progressOf(name, string(out.ProcessingJobStatus), out.ProcessingStartTime, nil)
		observe(last)
		switch out.ProcessingJobStatus {
		case types.ProcessingJobStatusCompleted, types.ProcessingJobStatusFailed, types.ProcessingJobStatusStopped:
			return true, nil
		case types.ProcessingJobStatusInProgress, types.ProcessingJobStatusStopping:
			return false, nil
		}
		return false, fmt.Errorf("processing job %s: unknown status %q", name, out.ProcessingJobStatus)
	})
	if err != nil {
		return Ended{}, err
	}
	return endedProcessing(out), nil
}

// endedProcessing bills every instance for the time between start and end: AWS
// does not report billable seconds for a processing job.
func endedProcessing(out *sagemaker.DescribeProcessingJobOutput) Ended {
	e := Ended{
		Completed: out.ProcessingJobStatus == types.ProcessingJobStatusCompleted,
		Stopped:   out.ProcessingJobStatus == types.ProcessingJobStatusStopped,
	}
	if out.ProcessingStartTime != nil && out.ProcessingEndTime != nil {
		instances := aws.ToInt32(out.ProcessingResources.ClusterConfig.InstanceCount)
		e.Billed = time.Duration(instances) * out.ProcessingEndTime.Sub(*out.ProcessingStartTime)
	}
	if e.Completed {
		return e
	}
	// The container's own words, then the platform's.
	for _, reason := range []*string{out.ExitMessage, out.FailureReason, aws.String(string(out.ProcessingJobStatus))} {
		if e.Reason = aws.ToString(reason); e.Reason != "" {
			break
		}
	}
	return e
}

// StopProcessing asks a job to stop and tells whether there was one to stop;
// nothing happens for one that is unknown or has ended.
func (j *Jobs) StopProcessing(ctx context.Context, name string) (bool, error) {
	_, err := j.client.StopProcessingJob(ctx, &sagemaker.StopProcessingJobInput{ProcessingJobName: &name})
	return stopped(translate(err, "stop processing job %s", name))
}

func (j *Jobs) listProcessings(ctx context.Context, names map[string]bool) (map[string]look, error) {
	found := map[string]look{}
	pages := sagemaker.NewListProcessingJobsPaginator(j.client, &sagemaker.ListProcessingJobsInput{
		NameContains: aws.String(namePrefix), MaxResults: aws.Int32(100),
		SortBy: types.SortByCreationTime, SortOrder: types.SortOrderDescending,
	})
	for pages.HasMorePages() && len(found) < len(names) {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "list processing jobs")
		}
		for _, s := range page.ProcessingJobSummaries {
			if name := aws.ToString(s.ProcessingJobName); names[name] {
				found[name] = look{status: string(s.ProcessingJobStatus), changed: aws.ToTime(s.LastModifiedTime)}
			}
		}
	}
	return found, nil
}
