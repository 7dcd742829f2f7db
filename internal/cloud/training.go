package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// TrainingJob is a training on one instance. Channels are S3 prefixes of CSV
// files by channel name; the model lands under Output/<name>/output. Without
// MaxRuntime it may run as long as AWS allows by default, a day.
type TrainingJob struct {
	lifecycle.Of
	Name            string
	Image           string
	Instance        string
	Role            string
	Output          string
	Channels        map[string]string
	Hyperparameters map[string]string
	MaxRuntime      time.Duration
}

// progressMetric is the share of the work that a container says is done.
const progressMetric = "progress"

// volumeGB is the disk of a job's instance: data, model and scratch space.
const volumeGB = 30

// losses are the metrics read from a container's log, for the training and the
// validation channel: the names that our images and XGBoost print.
var losses = []string{"logloss", "auc", "rmse", "mae", "error"}

// metricDefinitions tell SageMaker what to read from lines such as
// "[40] train-auc=0.71 validation-auc=0.70 progress=0.20".
func metricDefinitions() []types.MetricDefinition {
	const number = `([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)`
	defs := []types.MetricDefinition{{Name: aws.String(progressMetric), Regex: aws.String(progressMetric + "=" + number)}}
	for _, channel := range []string{"train", "validation"} {
		for _, loss := range losses {
			name := channel + "-" + loss
			defs = append(defs, types.MetricDefinition{Name: aws.String(name), Regex: aws.String(name + "[=:]" + number)})
		}
	}
	return defs
}

// identity is what tells this job from another one of its name.
func (t TrainingJob) identity() TrainingJob {
	t.Role = ""
	return t
}

func (t TrainingJob) request() *sagemaker.CreateTrainingJobInput {
	in := &sagemaker.CreateTrainingJobInput{
		TrainingJobName: &t.Name,
		RoleArn:         &t.Role,
		AlgorithmSpecification: &types.AlgorithmSpecification{
			TrainingImage: &t.Image, TrainingInputMode: types.TrainingInputModeFile, MetricDefinitions: metricDefinitions(),
		},
		HyperParameters:  t.Hyperparameters,
		OutputDataConfig: &types.OutputDataConfig{S3OutputPath: &t.Output},
		ResourceConfig: &types.ResourceConfig{
			InstanceType: types.TrainingInstanceType(t.Instance), InstanceCount: aws.Int32(1), VolumeSizeInGB: aws.Int32(volumeGB),
		},
	}
	if t.MaxRuntime > 0 {
		seconds := int32(math.Ceil(t.MaxRuntime.Seconds()))
		in.StoppingCondition = &types.StoppingCondition{MaxRuntimeInSeconds: &seconds}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Channels)) {
		in.InputDataConfig = append(in.InputDataConfig, types.Channel{
			ChannelName: aws.String(name), ContentType: aws.String("text/csv"),
			DataSource: &types.DataSource{S3DataSource: &types.S3DataSource{
				S3DataType: types.S3DataTypeS3Prefix, S3Uri: aws.String(t.Channels[name]),
				S3DataDistributionType: types.S3DataDistributionFullyReplicated,
			}},
		})
	}
	return in
}

// StartTraining starts a job, or attaches to the one an earlier attempt
// started. A job of that name with another specification is lifecycle.Conflict.
func (j *Jobs) StartTraining(ctx context.Context, job TrainingJob) (err error) {
	in := job.request()
	if in.Tags, err = owned(job.Of, job.identity()); err != nil {
		return err
	}
	_, err = j.client.CreateTrainingJob(ctx, in)
	if err = translate(err, "start training job %s", job.Name); !errors.Is(err, ErrExists) {
		return err
	}
	out, err := j.describeTraining(ctx, job.Name)
	if err != nil {
		return err
	}
	return confirm(ctx, j.client, "training job", job.Name, out.TrainingJobArn, in.Tags)
}

func (j *Jobs) describeTraining(ctx context.Context, name string) (*sagemaker.DescribeTrainingJobOutput, error) {
	out, err := j.client.DescribeTrainingJob(ctx, &sagemaker.DescribeTrainingJobInput{TrainingJobName: &name})
	return out, translate(err, "look at training job %s", name)
}

// Hyperparameters are those that a job was started with; without the job it is
// ErrNotFound.
func (j *Jobs) Hyperparameters(ctx context.Context, job string) (map[string]string, error) {
	out, err := j.describeTraining(ctx, job)
	if err != nil {
		return nil, err
	}
	return out.HyperParameters, nil
}

// WaitTraining waits until a job has ended and tells observe, at least once
// every poll, how it goes.
func (j *Jobs) WaitTraining(ctx context.Context, name string, observe func(lifecycle.Progress)) (Ended, error) {
	var out *sagemaker.DescribeTrainingJobOutput
	var last lifecycle.Progress
	err := j.trainings.wait(ctx, name, func() { observe(last) }, func() (ended bool, err error) {
		if out, err = j.describeTraining(ctx, name); err != nil {
			return false, err
		}
		last = progressOf(name, string(out.SecondaryStatus), out.TrainingStartTime, metricsOf(out))
		observe(last)
		switch out.TrainingJobStatus {
		case types.TrainingJobStatusCompleted, types.TrainingJobStatusFailed, types.TrainingJobStatusStopped:
			return true, nil
		case types.TrainingJobStatusInProgress, types.TrainingJobStatusStopping:
			return false, nil
		}
		return false, fmt.Errorf("training job %s: unknown status %q", name, out.TrainingJobStatus)
	})
	if err != nil {
		return Ended{}, err
	}
	return endedTraining(out, last), nil
}

func endedTraining(out *sagemaker.DescribeTrainingJobOutput, last lifecycle.Progress) Ended {
	e := Ended{
		Completed: out.TrainingJobStatus == types.TrainingJobStatusCompleted,
		Stopped:   out.TrainingJobStatus == types.TrainingJobStatusStopped,
		Reason:    aws.ToString(out.FailureReason),
		Metrics:   last.Metrics,
		Billed:    time.Duration(aws.ToInt32(out.BillableTimeInSeconds)) * time.Second,
	}
	if out.ModelArtifacts != nil {
		e.Output = aws.ToString(out.ModelArtifacts.S3ModelArtifacts)
	}
	if e.Reason == "" && !e.Completed {
		e.Reason = string(out.SecondaryStatus)
	}
	return e
}

func metricsOf(out *sagemaker.DescribeTrainingJobOutput) map[string]float64 {
	m := map[string]float64{}
	for _, d := range out.FinalMetricDataList {
		m[aws.ToString(d.MetricName)] = float64(aws.ToFloat32(d.Value))
	}
	return m
}

// StopTraining asks a job to stop and tells whether there was one to stop;
// nothing happens for one that is unknown or has ended.
func (j *Jobs) StopTraining(ctx context.Context, name string) (bool, error) {
	_, err := j.client.StopTrainingJob(ctx, &sagemaker.StopTrainingJobInput{TrainingJobName: &name})
	return stopped(translate(err, "stop training job %s", name))
}

func (j *Jobs) listTrainings(ctx context.Context, names map[string]bool) (map[string]look, error) {
	found := map[string]look{}
	pages := sagemaker.NewListTrainingJobsPaginator(j.client, &sagemaker.ListTrainingJobsInput{
		NameContains: aws.String(namePrefix), MaxResults: aws.Int32(100),
		SortBy: types.SortByCreationTime, SortOrder: types.SortOrderDescending,
	})
	for pages.HasMorePages() && len(found) < len(names) {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, translate(err, "list training jobs")
		}
		for _, s := range page.TrainingJobSummaries {
			if name := aws.ToString(s.TrainingJobName); names[name] {
				found[name] = look{
					status: string(s.TrainingJobStatus) + "/" + string(s.SecondaryStatus), changed: aws.ToTime(s.LastModifiedTime),
					talking: s.TrainingJobStatus == types.TrainingJobStatusInProgress && (s.SecondaryStatus == "" || s.SecondaryStatus == types.SecondaryStatusTraining),
				}
			}
		}
	}
	return found, nil
}
