package conformance

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var tuningCases = []kase{
	{name: "tuning job completes", covers: "CreateHyperParameterTuningJob DescribeHyperParameterTuningJob ListHyperParameterTuningJobs ListTrainingJobsForHyperParameterTuningJob DeleteHyperParameterTuningJob", run: tuningCompletes, bills: 3 * jobBill},
	{name: "tuning job is stopped", covers: "CreateHyperParameterTuningJob StopHyperParameterTuningJob DescribeHyperParameterTuningJob", run: tuningStops, bills: 2 * jobBill},
	{name: "tuning job is missing", covers: "DescribeHyperParameterTuningJob StopHyperParameterTuningJob ListTrainingJobsForHyperParameterTuningJob", run: tuningMissing},
}

func (c *cloud) tuning(bucket *string, do string) *sagemaker.CreateHyperParameterTuningJobInput {
	job := c.training(bucket, do)
	return &sagemaker.CreateHyperParameterTuningJobInput{
		HyperParameterTuningJobName: job.TrainingJobName,
		HyperParameterTuningJobConfig: &types.HyperParameterTuningJobConfig{
			Strategy:                         types.HyperParameterTuningJobStrategyTypeRandom,
			ResourceLimits:                   &types.ResourceLimits{MaxNumberOfTrainingJobs: aws.Int32(3), MaxParallelTrainingJobs: aws.Int32(2)},
			HyperParameterTuningJobObjective: &types.HyperParameterTuningJobObjective{MetricName: aws.String("score"), Type: types.HyperParameterTuningJobObjectiveTypeMaximize},
			ParameterRanges: &types.ParameterRanges{
				ContinuousParameterRanges:  []types.ContinuousParameterRange{{Name: aws.String("rate"), MinValue: aws.String("0.1"), MaxValue: aws.String("0.9")}},
				CategoricalParameterRanges: []types.CategoricalParameterRange{{Name: aws.String("kind"), Values: []string{"a", "b"}}},
			},
		},
		TrainingJobDefinition: &types.HyperParameterTrainingJobDefinition{
			AlgorithmSpecification: &types.HyperParameterAlgorithmSpecification{TrainingImage: &at.image, TrainingInputMode: types.TrainingInputModeFile, MetricDefinitions: job.AlgorithmSpecification.MetricDefinitions},
			OutputDataConfig:       job.OutputDataConfig, ResourceConfig: job.ResourceConfig, RoleArn: job.RoleArn, StoppingCondition: job.StoppingCondition,
			StaticHyperParameters: map[string]string{"do": do},
		},
	}
}

// tune starts a job, which is stopped at the end of the case if it still runs.
func (c *cloud) tune(in *sagemaker.CreateHyperParameterTuningJobInput) *string {
	c.Helper()
	out, err := c.sm.CreateHyperParameterTuningJob(c.Context(), in)
	require.NoError(c, err)
	c.atEnd(func(ctx context.Context) error {
		list, err := c.sm.ListHyperParameterTuningJobs(ctx, &sagemaker.ListHyperParameterTuningJobsInput{NameContains: in.HyperParameterTuningJobName, StatusEquals: types.HyperParameterTuningJobStatusInProgress})
		if err != nil || len(list.HyperParameterTuningJobSummaries) == 0 {
			return err
		}
		_, err = c.sm.StopHyperParameterTuningJob(ctx, &sagemaker.StopHyperParameterTuningJobInput{HyperParameterTuningJobName: in.HyperParameterTuningJobName})
		return err
	})
	return out.HyperParameterTuningJobArn
}

func (c *cloud) tuned(name *string) (d *sagemaker.DescribeHyperParameterTuningJobOutput) {
	c.Helper()
	c.eventually("tuning job "+*name+" ends", func() bool {
		var err error
		d, err = c.sm.DescribeHyperParameterTuningJob(c.Context(), &sagemaker.DescribeHyperParameterTuningJobInput{HyperParameterTuningJobName: name})
		require.NoError(c, err)
		return d.HyperParameterTuningJobStatus != types.HyperParameterTuningJobStatusInProgress && d.HyperParameterTuningJobStatus != types.HyperParameterTuningJobStatusStopping
	})
	return d
}

func tuningCompletes(c *cloud) {
	ctx, in := c.Context(), c.tuning(c.bucket(), "")
	arn := c.tune(in)
	name := in.HyperParameterTuningJobName
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:hyper-parameter-tuning-job/%s", at.sdk.Region, at.account, *name), *arn)
	_, err := c.sm.CreateHyperParameterTuningJob(ctx, in)
	c.refused(err, "ResourceInUse", "")
	d := c.tuned(name)
	require.Equal(c, types.HyperParameterTuningJobStatusCompleted, d.HyperParameterTuningJobStatus, aws.ToString(d.FailureReason))
	require.Equal(c, []int32{3, 0, 0, 0}, []int32{*d.TrainingJobStatusCounters.Completed, *d.TrainingJobStatusCounters.InProgress, *d.TrainingJobStatusCounters.RetryableError + *d.TrainingJobStatusCounters.NonRetryableError, *d.TrainingJobStatusCounters.Stopped})
	require.Equal(c, int32(3), *d.ObjectiveStatusCounters.Succeeded)
	require.NotNil(c, d.HyperParameterTuningEndTime)
	best := d.BestTrainingJob
	require.Equal(c, []any{"score", float32(0.75)}, []any{*best.FinalHyperParameterTuningJobObjectiveMetric.MetricName, *best.FinalHyperParameterTuningJobObjectiveMetric.Value})
	trials, err := c.sm.ListTrainingJobsForHyperParameterTuningJob(ctx, &sagemaker.ListTrainingJobsForHyperParameterTuningJobInput{HyperParameterTuningJobName: name, SortBy: types.TrainingJobSortByOptionsFinalObjectiveMetricValue})
	require.NoError(c, err)
	require.Len(c, trials.TrainingJobSummaries, 3)
	for _, t := range trials.TrainingJobSummaries {
		require.Contains(c, *t.TrainingJobName, *name)
		require.Len(c, t.TunedHyperParameters, 2)
		job := c.trainingJob(ctx, t.TrainingJobName)
		require.Equal(c, *arn, *job.TuningJobArn)
		require.Equal(c, t.TunedHyperParameters["rate"], job.HyperParameters["rate"])
		require.Contains(c, []string{"a", "b"}, job.HyperParameters["kind"])
	}
	list, err := c.sm.ListHyperParameterTuningJobs(ctx, &sagemaker.ListHyperParameterTuningJobsInput{NameContains: name, StatusEquals: types.HyperParameterTuningJobStatusCompleted})
	require.NoError(c, err)
	require.Equal(c, []any{*arn, int32(3)}, []any{*list.HyperParameterTuningJobSummaries[0].HyperParameterTuningJobArn, *list.HyperParameterTuningJobSummaries[0].ResourceLimits.MaxNumberOfTrainingJobs})
	_, err = c.sm.DeleteHyperParameterTuningJob(ctx, &sagemaker.DeleteHyperParameterTuningJobInput{HyperParameterTuningJobName: name})
	require.NoError(c, err)
}

func tuningStops(c *cloud) {
	in := c.tuning(c.bucket(), "wait")
	c.tune(in)
	trials := func() []types.HyperParameterTrainingJobSummary {
		out, err := c.sm.ListTrainingJobsForHyperParameterTuningJob(c.Context(), &sagemaker.ListTrainingJobsForHyperParameterTuningJobInput{HyperParameterTuningJobName: in.HyperParameterTuningJobName})
		require.NoError(c, err)
		return out.TrainingJobSummaries
	}
	c.eventually("two jobs run", func() bool { return len(trials()) == 2 })
	_, err := c.sm.StopHyperParameterTuningJob(c.Context(), &sagemaker.StopHyperParameterTuningJobInput{HyperParameterTuningJobName: in.HyperParameterTuningJobName})
	require.NoError(c, err)
	require.Equal(c, types.HyperParameterTuningJobStatusStopped, c.tuned(in.HyperParameterTuningJobName).HyperParameterTuningJobStatus)
	for _, t := range trials() {
		require.Equal(c, types.TrainingJobStatusStopped, c.ended(t.TrainingJobName).TrainingJobStatus)
	}
	require.Len(c, trials(), 2, "no more are begun")
}

func tuningMissing(c *cloud) {
	ctx, name := c.Context(), c.name()
	_, err := c.sm.DescribeHyperParameterTuningJob(ctx, &sagemaker.DescribeHyperParameterTuningJobInput{HyperParameterTuningJobName: name})
	c.refused(err, "ResourceNotFound", "")
	_, err = c.sm.StopHyperParameterTuningJob(ctx, &sagemaker.StopHyperParameterTuningJobInput{HyperParameterTuningJobName: name})
	c.refused(err, "ResourceNotFound", "")
	_, err = c.sm.ListTrainingJobsForHyperParameterTuningJob(ctx, &sagemaker.ListTrainingJobsForHyperParameterTuningJobInput{HyperParameterTuningJobName: name})
	c.refused(err, "ResourceNotFound", "")
	require.Equal(c, 400, status(err))
}
