package sagemaker_test

import (
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

// tuningInput searches the scores that training jobs are to print.
func tuningInput(name, mode string, scores ...string) *sm.CreateHyperParameterTuningJobInput {
	t := trainingInput("", nil)
	return &sm.CreateHyperParameterTuningJobInput{
		HyperParameterTuningJobName: &name, Tags: t.Tags,
		HyperParameterTuningJobConfig: &types.HyperParameterTuningJobConfig{
			Strategy:                         types.HyperParameterTuningJobStrategyTypeGrid,
			HyperParameterTuningJobObjective: &types.HyperParameterTuningJobObjective{Type: types.HyperParameterTuningJobObjectiveTypeMaximize, MetricName: aws.String("auc")},
			ResourceLimits:                   &types.ResourceLimits{MaxParallelTrainingJobs: aws.Int32(2)},
			ParameterRanges:                  &types.ParameterRanges{CategoricalParameterRanges: []types.CategoricalParameterRange{{Name: aws.String("score"), Values: scores}}},
		},
		TrainingJobDefinition: &types.HyperParameterTrainingJobDefinition{
			AlgorithmSpecification: &types.HyperParameterAlgorithmSpecification{TrainingImage: aws.String(image), TrainingInputMode: types.TrainingInputModeFile,
				MetricDefinitions: t.AlgorithmSpecification.MetricDefinitions},
			RoleArn: t.RoleArn, OutputDataConfig: t.OutputDataConfig, ResourceConfig: t.ResourceConfig, StoppingCondition: t.StoppingCondition,
			StaticHyperParameters: map[string]string{"mode": mode},
		},
	}
}

func (c *cloud) tune(in *sm.CreateHyperParameterTuningJobInput) string {
	c.Helper()
	out, err := c.sm.CreateHyperParameterTuningJob(c.Context(), in)
	require.NoError(c, err)
	return *out.HyperParameterTuningJobArn
}

func (c *cloud) tuning(name string) *sm.DescribeHyperParameterTuningJobOutput {
	c.Helper()
	out, err := c.sm.DescribeHyperParameterTuningJob(c.Context(), &sm.DescribeHyperParameterTuningJobInput{HyperParameterTuningJobName: &name})
	require.NoError(c, err)
	return out
}

func (c *cloud) awaitTuning(name string, status types.HyperParameterTuningJobStatus) (out *sm.DescribeHyperParameterTuningJobOutput) {
	c.Helper()
	c.eventually(func() bool {
		out = c.tuning(name)
		return out.HyperParameterTuningJobStatus == status
	}, "tuning job "+name+" never became "+string(status))
	return out
}

func (c *cloud) trials(in *sm.ListTrainingJobsForHyperParameterTuningJobInput) (list []types.HyperParameterTrainingJobSummary) {
	c.Helper()
	pages := sm.NewListTrainingJobsForHyperParameterTuningJobPaginator(c.sm, in)
	for pages.HasMorePages() {
		p, err := pages.NextPage(c.Context())
		require.NoError(c, err)
		list = append(list, p.TrainingJobSummaries...)
	}
	return list
}

// awaitTrial waits for a training job, which may not be there yet, to measure
// something.
func (c *cloud) awaitTrial(name string) {
	c.Helper()
	c.eventually(func() bool {
		out, err := c.sm.DescribeTrainingJob(c.Context(), &sm.DescribeTrainingJobInput{TrainingJobName: &name})
		return err == nil && len(out.FinalMetricDataList) == 1
	}, "training job "+name+" measures nothing")
}

func TestTuningCompletes(t *testing.T) {
	c := start(t, nil)
	arn := c.tune(tuningInput("tuned", "score", "0.5", "0.75", "-", "0.25"))
	require.Equal(t, "arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/tuned", arn)
	job := c.awaitTuning("tuned", types.HyperParameterTuningJobStatusCompleted)
	require.Equal(t, [5]int32{4, 0, 0, 0, 0}, [5]int32{*job.TrainingJobStatusCounters.Completed, *job.TrainingJobStatusCounters.InProgress,
		*job.TrainingJobStatusCounters.RetryableError, *job.TrainingJobStatusCounters.NonRetryableError, *job.TrainingJobStatusCounters.Stopped})
	// The jobs write a model at last, and with it auc=0.91.
	require.Equal(t, [3]int32{4, 0, 0}, [3]int32{*job.ObjectiveStatusCounters.Succeeded, *job.ObjectiveStatusCounters.Pending, *job.ObjectiveStatusCounters.Failed})
	require.Equal(t, int32(4), *job.HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs, "the size of the grid")
	require.NotNil(t, job.HyperParameterTuningEndTime)
	require.Nil(t, job.OverallBestTrainingJob)

	list := c.trials(&sm.ListTrainingJobsForHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("tuned"), MaxResults: aws.Int32(3)})
	require.Len(t, list, 4)
	require.Regexp(t, `^tuned-001-[0-9a-f]{8}$`, *list[0].TrainingJobName)
	require.Equal(t, map[string]string{"score": "0.75"}, list[1].TunedHyperParameters)
	one := c.job(*list[0].TrainingJobName)
	require.Equal(t, arn, *one.TuningJobArn)
	require.Equal(t, map[string]string{"mode": "score", "score": "0.5", "_tuning_objective_metric": "auc"}, one.HyperParameters)
	tags, err := c.sm.ListTags(t.Context(), &sm.ListTagsInput{ResourceArn: one.TrainingJobArn})
	require.NoError(t, err)
	require.Equal(t, "steward:model", *tags.Tags[0].Key)

	_, err = c.sm.CreateHyperParameterTuningJob(t.Context(), tuningInput("tuned", "score", "1"))
	refused(t, err, "ResourceInUse", "already exists ("+arn+")")
	_, err = c.sm.StopHyperParameterTuningJob(t.Context(), &sm.StopHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("tuned")})
	refused(t, err, "ValidationException", "is in status Completed")
	tunings, err := c.sm.ListHyperParameterTuningJobs(t.Context(), &sm.ListHyperParameterTuningJobsInput{StatusEquals: types.HyperParameterTuningJobStatusCompleted})
	require.NoError(t, err)
	require.Len(t, tunings.HyperParameterTuningJobSummaries, 1)
	require.Equal(t, int32(4), *tunings.HyperParameterTuningJobSummaries[0].TrainingJobStatusCounters.Completed)
	_, err = c.sm.DeleteHyperParameterTuningJob(t.Context(), &sm.DeleteHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("tuned")})
	require.NoError(t, err)
	require.Equal(t, types.TrainingJobStatusCompleted, c.job(*list[0].TrainingJobName).TrainingJobStatus, "training jobs stay")
	_, err = c.sm.DescribeHyperParameterTuningJob(t.Context(), &sm.DescribeHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("tuned")})
	refused(t, err, "ResourceNotFound", "tuned")
	var missing *types.ResourceNotFound
	require.ErrorAs(t, err, &missing)
}

// TestTuningFindsTheBest minimises what jobs say last; one job fails.
func TestTuningFindsTheBest(t *testing.T) {
	c := start(t, nil)
	in := tuningInput("best", "last", "0.5", "0.25", "none", "0.75")
	in.HyperParameterTuningJobConfig.HyperParameterTuningJobObjective.Type = types.HyperParameterTuningJobObjectiveTypeMinimize
	c.tune(in)
	job := c.awaitTuning("best", types.HyperParameterTuningJobStatusCompleted)
	require.Equal(t, map[string]string{"score": "0.25"}, job.BestTrainingJob.TunedHyperParameters)
	require.Equal(t, float32(0.25), *job.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value)
	require.Equal(t, int32(1), *job.TrainingJobStatusCounters.NonRetryableError)
	require.Equal(t, int32(1), *job.ObjectiveStatusCounters.Failed)
	var values []float32
	for _, s := range c.trials(&sm.ListTrainingJobsForHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("best"), MaxResults: aws.Int32(2),
		SortBy: types.TrainingJobSortByOptionsFinalObjectiveMetricValue, SortOrder: types.SortOrderDescending}) {
		values = append(values, *s.FinalHyperParameterTuningJobObjectiveMetric.Value)
	}
	require.Equal(t, []float32{0.75, 0.5, 0.25}, values, "those that have none are not listed")

	c.tune(tuningInput("hopeless", "fail", "a", "b"))
	job = c.awaitTuning("hopeless", types.HyperParameterTuningJobStatusFailed)
	require.Contains(t, *job.FailureReason, "All training jobs failed")

	warm := tuningInput("warm", "last", "0.3", "0.25", "0.5", "0.4")
	warm.HyperParameterTuningJobConfig.HyperParameterTuningJobObjective.Type = types.HyperParameterTuningJobObjectiveTypeMinimize
	warm.HyperParameterTuningJobConfig.Strategy = types.HyperParameterTuningJobStrategyTypeRandom
	warm.HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs = aws.Int32(2)
	warm.WarmStartConfig = &types.HyperParameterTuningJobWarmStartConfig{WarmStartType: types.HyperParameterTuningJobWarmStartTypeIdenticalDataAndAlgorithm,
		ParentHyperParameterTuningJobs: []types.ParentHyperParameterTuningJob{{HyperParameterTuningJobName: aws.String("best")}}}
	c.tune(warm)
	job = c.awaitTuning("warm", types.HyperParameterTuningJobStatusCompleted)
	require.Equal(t, "0.3", job.BestTrainingJob.TunedHyperParameters["score"], "what a parent has tried is not tried again")
	require.Equal(t, "0.25", job.OverallBestTrainingJob.TunedHyperParameters["score"])
}

func TestTuningStops(t *testing.T) {
	c := start(t, nil)
	c.tune(tuningInput("stopped", "hang", "a", "b", "c"))
	c.eventually(func() bool { return *c.tuning("stopped").TrainingJobStatusCounters.InProgress == 2 }, "two run at once")
	for _, s := range c.trials(&sm.ListTrainingJobsForHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("stopped")}) {
		c.awaitTrial(*s.TrainingJobName)
	}
	_, err := c.sm.DeleteHyperParameterTuningJob(t.Context(), &sm.DeleteHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("stopped")})
	refused(t, err, "ValidationException", "stop it first")
	_, err = c.sm.StopHyperParameterTuningJob(t.Context(), &sm.StopHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("stopped")})
	require.NoError(t, err)
	job := c.awaitTuning("stopped", types.HyperParameterTuningJobStatusStopped)
	require.Equal(t, int32(2), *job.TrainingJobStatusCounters.Stopped)
	require.Equal(t, int32(0), *job.TrainingJobStatusCounters.Completed)
	_, err = c.sm.StopHyperParameterTuningJob(t.Context(), &sm.StopHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("none")})
	refused(t, err, "ResourceNotFound", "none")
}

// TestTuningStopsEarly lets the second job, which would never end, be worse than
// the first.
func TestTuningStopsEarly(t *testing.T) {
	c := start(t, func(cfg *sagemaker.Config) { cfg.TuningInterval = 20 * time.Millisecond })
	in := tuningInput("early", "", "score", "hang")
	in.HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType = types.TrainingJobEarlyStoppingTypeAuto
	in.HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs = aws.Int32(1)
	in.HyperParameterTuningJobConfig.ParameterRanges.CategoricalParameterRanges[0].Name = aws.String("mode")
	in.TrainingJobDefinition.StaticHyperParameters = map[string]string{"score": "0.5"}
	c.tune(in)
	job := c.awaitTuning("early", types.HyperParameterTuningJobStatusCompleted)
	require.Equal(t, int32(1), *job.TrainingJobStatusCounters.Stopped)
	require.Equal(t, int32(2), *job.ObjectiveStatusCounters.Succeeded)
	require.Equal(t, "score", job.BestTrainingJob.TunedHyperParameters["mode"])
}

// TestTuningReachesItsTarget ends when one job is good enough, though another
// would never end.
func TestTuningReachesItsTarget(t *testing.T) {
	c := start(t, nil)
	in := tuningInput("target", "", "hang", "score", "score2")
	in.HyperParameterTuningJobConfig.ParameterRanges.CategoricalParameterRanges[0].Name = aws.String("mode")
	in.HyperParameterTuningJobConfig.TuningJobCompletionCriteria = &types.TuningJobCompletionCriteria{TargetObjectiveMetricValue: aws.Float32(0.9)}
	in.TrainingJobDefinition.StaticHyperParameters = map[string]string{"score": "0.5"}
	c.tune(in)
	job := c.awaitTuning("target", types.HyperParameterTuningJobStatusCompleted)
	require.Equal(t, float32(0.91), *job.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value)
	require.Equal(t, int32(0), *job.TrainingJobStatusCounters.InProgress)
	require.GreaterOrEqual(t, *job.TrainingJobStatusCounters.Stopped, int32(1))
}

// TestTuningSurvives kills the cloud in mid-tuning. The next one trains what is
// left, and nothing twice.
func TestTuningSurvives(t *testing.T) {
	c := start(t, nil)
	c.shut()
	dead := c.boot()
	gate := filepath.Join(t.TempDir(), "gate")
	in := tuningInput("survivor", "gate", "1", "2", "3", "4", "5")
	in.TrainingJobDefinition.StaticHyperParameters["gate"] = gate
	c.tune(in)
	names := func() (names []string) {
		for _, s := range c.trials(&sm.ListTrainingJobsForHyperParameterTuningJobInput{HyperParameterTuningJobName: aws.String("survivor")}) {
			names = append(names, *s.TrainingJobName)
		}
		return names
	}
	c.eventually(func() bool { return len(names()) == 2 }, "two are launched")
	before := names()
	for _, n := range before {
		c.awaitTrial(n)
	}
	require.NoError(t, dead.Process.Kill())
	_ = dead.Wait()
	require.NoError(t, os.WriteFile(gate, nil, 0o644))
	c.open()
	job := c.awaitTuning("survivor", types.HyperParameterTuningJobStatusCompleted)
	require.Equal(t, int32(5), *job.TrainingJobStatusCounters.Completed)
	require.Equal(t, before, names()[:2])
	all, err := c.sm.ListTrainingJobs(t.Context(), &sm.ListTrainingJobsInput{NameContains: aws.String("survivor"), MaxResults: aws.Int32(100)})
	require.NoError(t, err)
	require.Len(t, all.TrainingJobSummaries, 5)
	for _, s := range all.TrainingJobSummaries {
		training := 0
		for _, status := range secondary(c.job(*s.TrainingJobName)) {
			if status == types.SecondaryStatusTraining {
				training++
			}
		}
		require.Equal(t, 1, training, "%s is trained once", *s.TrainingJobName)
	}
}

func TestTuningIsChecked(t *testing.T) {
	c := start(t, nil)
	many := make([]string, 31)
	for _, tt := range []struct {
		name   string
		change func(in *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, def *types.HyperParameterTrainingJobDefinition)
		code   string
		want   string
	}{
		{"long name", func(in *sm.CreateHyperParameterTuningJobInput, _ *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			in.HyperParameterTuningJobName = aws.String(strings.Repeat("a", 33))
		}, "ValidationException", "length less than or equal to 32"},
		{"hyperband", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.Strategy = types.HyperParameterTuningJobStrategyTypeHyperband
		}, "ValidationException", `Strategy "Hyperband" is not supported`},
		{"metric", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.HyperParameterTuningJobObjective.MetricName = aws.String("f1")
		}, "ValidationException", "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions."},
		{"both", func(in *sm.CreateHyperParameterTuningJobInput, _ *types.HyperParameterTuningJobConfig, def *types.HyperParameterTrainingJobDefinition) {
			in.TrainingJobDefinitions = []types.HyperParameterTrainingJobDefinition{*def}
		}, "ValidationException", "either TrainingJobDefinition or TrainingJobDefinitions"},
		{"grid of numbers", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.ParameterRanges.IntegerParameterRanges = []types.IntegerParameterRange{{Name: aws.String("depth"), MinValue: aws.String("1"), MaxValue: aws.String("3")}}
		}, "ValidationException", "Grid is for categorical ranges"},
		{"grid of another size", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.ResourceLimits.MaxNumberOfTrainingJobs = aws.Int32(3)
		}, "ValidationException", "each of its 2 combinations"},
		{"many values", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.ParameterRanges.CategoricalParameterRanges[0].Values = many
		}, "ValidationException", "parameterRanges.categoricalParameterRanges.1.member.values' failed to satisfy constraint: Member must have length less than or equal to 30"},
		{"static too", func(_ *sm.CreateHyperParameterTuningJobInput, _ *types.HyperParameterTuningJobConfig, def *types.HyperParameterTrainingJobDefinition) {
			def.StaticHyperParameters["score"] = "1"
		}, "ValidationException", `"score" has a range as well`},
		{"quota", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.ResourceLimits.MaxParallelTrainingJobs = aws.Int32(101)
		}, "ResourceLimitExceeded", "request of 101"},
		{"short", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.ResourceLimits.MaxRuntimeInSeconds = aws.Int32(119)
		}, "ValidationException", "greater than or equal to 120"},
		{"image", func(_ *sm.CreateHyperParameterTuningJobInput, _ *types.HyperParameterTuningJobConfig, def *types.HyperParameterTrainingJobDefinition) {
			def.AlgorithmSpecification.TrainingImage = aws.String("other/x")
		}, "ValidationException", "other/x not found"},
		{"parent", func(in *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.Strategy, cfg.ResourceLimits.MaxNumberOfTrainingJobs = types.HyperParameterTuningJobStrategyTypeRandom, aws.Int32(1)
			in.WarmStartConfig = &types.HyperParameterTuningJobWarmStartConfig{WarmStartType: types.HyperParameterTuningJobWarmStartTypeTransferLearning,
				ParentHyperParameterTuningJobs: []types.ParentHyperParameterTuningJob{{HyperParameterTuningJobName: aws.String("orphan")}}}
		}, "ResourceNotFound", "orphan"},
		{"convergence", func(_ *sm.CreateHyperParameterTuningJobInput, cfg *types.HyperParameterTuningJobConfig, _ *types.HyperParameterTrainingJobDefinition) {
			cfg.TuningJobCompletionCriteria = &types.TuningJobCompletionCriteria{ConvergenceDetected: &types.ConvergenceDetected{CompleteOnConvergence: types.CompleteOnConvergenceEnabled}}
		}, "ValidationException", "ConvergenceDetected is not supported"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := tuningInput("checked", "score", "1", "2")
			tt.change(in, in.HyperParameterTuningJobConfig, in.TrainingJobDefinition)
			_, err := c.sm.CreateHyperParameterTuningJob(t.Context(), in)
			refused(t, err, tt.code, tt.want)
		})
	}
}
