package sagemaker

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func never(map[string]string) bool { return false }

// TestScales draws the middle of each scale, and holds its ends.
func TestScales(t *testing.T) {
	for _, tt := range []struct {
		kind      types.HyperParameterScalingType
		low, high string
		middle    float64
	}{
		{types.HyperParameterScalingTypeLinear, "1", "10000", 5000.5},
		{types.HyperParameterScalingTypeLogarithmic, "1", "10000", 100},
		{types.HyperParameterScalingTypeAuto, "1", "10000", 100},
		{types.HyperParameterScalingTypeAuto, "1", "10", 5.5},
		{"", "-1", "1", 0},
		{types.HyperParameterScalingTypeReverseLogarithmic, "0", "0.9999", 0.99},
		{types.HyperParameterScalingTypeReverseLogarithmic, "0.9", "0.999", 0.99},
	} {
		d, err := continuous("Ranges", &types.ContinuousParameterRange{Name: aws.String("x"), MinValue: &tt.low, MaxValue: &tt.high, ScalingType: tt.kind})
		require.NoError(t, err)
		value := func(draw float64) float64 {
			v, err := strconv.ParseFloat(d.value(draw), 64)
			require.NoError(t, err)
			return v
		}
		low, _ := strconv.ParseFloat(tt.low, 64)
		high, _ := strconv.ParseFloat(tt.high, 64)
		require.InDelta(t, low, value(0), 1e-9, "%+v", tt)
		require.InDelta(t, tt.middle, value(0.5), 1e-9*math.Max(1, tt.middle), "%+v", tt)
		require.InDelta(t, high, value(math.Nextafter(1, 0)), 1e-6*high, "%+v", tt)
	}
}

// TestIntegersHaveTheirShare counts what an even sweep of draws gives.
func TestIntegersHaveTheirShare(t *testing.T) {
	d, err := integers("Ranges", &types.IntegerParameterRange{Name: aws.String("x"), MinValue: aws.String("-1"), MaxValue: aws.String("2")})
	require.NoError(t, err)
	seen := map[string]int{}
	for i := range 4000 {
		seen[d.value((float64(i)+0.5)/4000)]++
	}
	require.Equal(t, map[string]int{"-1": 1000, "0": 1000, "1": 1000, "2": 1000}, seen)
}

func TestRangesAreChecked(t *testing.T) {
	number := func(low, high string, kind types.HyperParameterScalingType) *types.ParameterRanges {
		return &types.ParameterRanges{ContinuousParameterRanges: []types.ContinuousParameterRange{{Name: aws.String("x"), MinValue: &low, MaxValue: &high, ScalingType: kind}}}
	}
	whole := func(low, high string, kind types.HyperParameterScalingType) *types.ParameterRanges {
		return &types.ParameterRanges{IntegerParameterRanges: []types.IntegerParameterRange{{Name: aws.String("x"), MinValue: &low, MaxValue: &high, ScalingType: kind}}}
	}
	twice := number("0", "1", "")
	twice.CategoricalParameterRanges = []types.CategoricalParameterRange{{Name: aws.String("x"), Values: []string{"a"}}}
	for _, tt := range []struct {
		ranges *types.ParameterRanges
		want   string
	}{
		{nil, "at least one range"},
		{&types.ParameterRanges{}, "0 ranges"},
		{number("2", "1", ""), `from "2" to "1"`},
		{number("0", "NaN", ""), `from "0" to "NaN"`},
		{number("0", "Inf", ""), `from "0" to "Inf"`},
		{number("0", "1", types.HyperParameterScalingTypeLogarithmic), "above 0 only"},
		{number("0", "1", types.HyperParameterScalingTypeReverseLogarithmic), "less than 1 only"},
		{whole("1.5", "2", ""), "whole numbers"},
		{whole("0", "2", types.HyperParameterScalingTypeLogarithmic), "above 0 only"},
		{whole("1", "2", types.HyperParameterScalingTypeReverseLogarithmic), "continuous ranges only"},
		{twice, "more than one range"},
		{&types.ParameterRanges{AutoParameters: []types.AutoParameter{{}}}, "AutoParameters is not supported"},
	} {
		_, err := newSpace("Ranges", tt.ranges)
		require.ErrorContains(t, err, tt.want)
	}
}

func TestDrawsRepeat(t *testing.T) {
	s, err := newSpace("Ranges", &types.ParameterRanges{
		CategoricalParameterRanges: []types.CategoricalParameterRange{{Name: aws.String("a"), Values: []string{"x", "y"}}},
		IntegerParameterRanges:     []types.IntegerParameterRange{{Name: aws.String("b"), MinValue: aws.String("1"), MaxValue: aws.String("2")}}})
	require.NoError(t, err)
	require.Equal(t, s.draw(7, 3, never), s.draw(7, 3, never))
	seen := map[string]bool{}
	for n := range 4 {
		chosen := s.draw(7, n, func(hyper map[string]string) bool { return seen[fingerprint(hyper)] })
		seen[fingerprint(chosen)] = true
	}
	require.Len(t, seen, 4, "each combination once")
	s.draw(7, 4, func(hyper map[string]string) bool { return seen[fingerprint(hyper)] }) // then again

	grid, err := newSpace("Ranges", &types.ParameterRanges{CategoricalParameterRanges: []types.CategoricalParameterRange{
		{Name: aws.String("a"), Values: []string{"x", "y"}}, {Name: aws.String("b"), Values: []string{"1", "2", "3"}}}})
	require.NoError(t, err)
	require.Equal(t, 6, grid.combinations())
	require.Equal(t, map[string]string{"a": "x", "b": "3"}, grid.point(2))
	require.Equal(t, map[string]string{"a": "y", "b": "1"}, grid.point(3))
	require.Equal(t, 0, s.combinations(), "numbers have no grid")
}

// noon is the virtual clock of these tests.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// searching is a tuning job of two jobs at a time, of at most n.
func searching(n int32) *tuningJob {
	j := new(tuningJob)
	j.HyperParameterTuningJobName, j.HyperParameterTuningJobArn = aws.String("tj"), aws.String("arn:hyper-parameter-tuning-job/tj")
	j.CreationTime, j.LastModifiedTime = &noon, &noon
	j.HyperParameterTuningJobStatus = types.HyperParameterTuningJobStatusInProgress
	j.HyperParameterTuningJobConfig = &types.HyperParameterTuningJobConfig{Strategy: types.HyperParameterTuningJobStrategyTypeRandom,
		HyperParameterTuningJobObjective: &types.HyperParameterTuningJobObjective{Type: types.HyperParameterTuningJobObjectiveTypeMaximize, MetricName: aws.String("auc")},
		ResourceLimits:                   &types.ResourceLimits{MaxNumberOfTrainingJobs: &n, MaxParallelTrainingJobs: aws.Int32(2), MaxRuntimeInSeconds: aws.Int32(3600)},
		ParameterRanges:                  &types.ParameterRanges{ContinuousParameterRanges: []types.ContinuousParameterRange{{Name: aws.String("x"), MinValue: aws.String("0"), MaxValue: aws.String("1")}}}}
	j.TrainingJobDefinition = &types.HyperParameterTrainingJobDefinition{}
	return j
}

// train ends the oldest running trial with a value, or without one.
func (j *tuningJob) train(status types.TrainingJobStatus, value float32) {
	t := j.running()[0]
	end := noon.Add(time.Duration(len(j.Trials)) * time.Minute)
	job := new(trainingJob)
	job.TrainingJobStatus, job.CreationTime, job.TrainingEndTime = status, &noon, &end
	if value > 0 {
		job.FinalMetricDataList = []types.MetricData{{MetricName: aws.String("loss"), Value: aws.Float32(9)}, {MetricName: aws.String("auc"), Value: &value}}
	}
	t.see(job, j.objective(0))
}

func launchAll(j *tuningJob) {
	for _, t := range j.running() {
		t.Launched = true
	}
}

func TestTuningAdvances(t *testing.T) {
	j := searching(3)
	require.True(t, j.advance(noon))
	require.Len(t, j.Trials, 2, "two at a time")
	require.False(t, j.advance(noon), "nothing to do while they run")
	j.train(types.TrainingJobStatusCompleted, 0.5)
	require.True(t, j.advance(noon))
	require.Len(t, j.Trials, 3)
	require.NotEqual(t, *j.Trials[0].TrainingJobName, *j.Trials[2].TrainingJobName)
	require.Equal(t, "arn:training-job/"+*j.Trials[2].TrainingJobName, *j.Trials[2].TrainingJobArn)
	j.train(types.TrainingJobStatusFailed, 0.9)
	require.False(t, j.advance(noon))
	j.train(types.TrainingJobStatusCompleted, 0.4)
	require.True(t, j.advance(noon))
	require.Equal(t, types.HyperParameterTuningJobStatusCompleted, j.HyperParameterTuningJobStatus)
	require.Equal(t, *j.Trials[0].TrainingJobName, *j.best().TrainingJobName, "a failed job is not the best")
	require.False(t, j.advance(noon), "it has ended")
	require.False(t, j.move(askedToStop, noon))
}

func TestTuningEndsBeforeItsLimit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(j *tuningJob) time.Time
		status types.HyperParameterTuningJobStatus
	}{
		{"time", func(*tuningJob) time.Time { return noon.Add(time.Hour) }, types.HyperParameterTuningJobStatusCompleted},
		{"stop", func(j *tuningJob) time.Time { j.move(askedToStop, noon); return noon }, types.HyperParameterTuningJobStatusStopped},
		{"target", func(j *tuningJob) time.Time {
			j.HyperParameterTuningJobConfig.TuningJobCompletionCriteria = &types.TuningJobCompletionCriteria{TargetObjectiveMetricValue: aws.Float32(0.5)}
			return noon
		}, types.HyperParameterTuningJobStatusCompleted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := searching(100)
			j.advance(noon)
			launchAll(j)
			j.train(types.TrainingJobStatusCompleted, 0.5)
			require.True(t, j.advance(noon))
			require.Len(t, j.Trials, 3, "the last is decided and not there yet")
			now := tt.change(j)
			require.True(t, j.advance(now))
			require.True(t, j.Winding)
			require.Len(t, j.Trials, 2, "what is not there is not made any more")
			require.False(t, j.advance(now), "one still runs")
			j.train(types.TrainingJobStatusStopped, 0)
			require.True(t, j.advance(now))
			require.Equal(t, tt.status, j.HyperParameterTuningJobStatus)
			require.Equal(t, now, *j.HyperParameterTuningEndTime)
		})
	}
}

func TestTuningThatDoesNotImprove(t *testing.T) {
	j := searching(100)
	j.HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs = aws.Int32(1)
	j.HyperParameterTuningJobConfig.TuningJobCompletionCriteria = &types.TuningJobCompletionCriteria{
		BestObjectiveNotImproving: &types.BestObjectiveNotImproving{MaxNumberOfTrainingJobsNotImproving: aws.Int32(3)}}
	var counts []int
	for _, value := range []float32{0.5, 0.5, 0.503, 0.51, 0.51, 0, 0.3, 0.512} { // 0 is a job without a value
		require.True(t, j.advance(noon))
		j.train(types.TrainingJobStatusCompleted, value)
		counts = append(counts, j.notImproving())
	}
	require.Equal(t, []int{0, 1, 2, 0, 1, 1, 2, 3}, counts)
	require.True(t, j.advance(noon))
	require.Equal(t, types.HyperParameterTuningJobStatusCompleted, j.HyperParameterTuningJobStatus)
}

// TestDefinitionsTakeTurns searches with two definitions, at random and by grid.
func TestDefinitionsTakeTurns(t *testing.T) {
	define := func(name string, values ...string) types.HyperParameterTrainingJobDefinition {
		return types.HyperParameterTrainingJobDefinition{DefinitionName: &name,
			HyperParameterRanges: &types.ParameterRanges{CategoricalParameterRanges: []types.CategoricalParameterRange{{Name: aws.String(name), Values: values}}},
			TuningObjective:      &types.HyperParameterTuningJobObjective{Type: types.HyperParameterTuningJobObjectiveTypeMinimize, MetricName: aws.String(name)}}
	}
	for strategy, want := range map[types.HyperParameterTuningJobStrategyType][]string{
		types.HyperParameterTuningJobStrategyTypeRandom: {"a", "b", "a", "b"},
		types.HyperParameterTuningJobStrategyTypeGrid:   {"a", "a", "a", "b"},
	} {
		j := searching(4)
		j.HyperParameterTuningJobConfig.Strategy, j.HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs = strategy, aws.Int32(4)
		j.TrainingJobDefinition, j.TrainingJobDefinitions = nil, []types.HyperParameterTrainingJobDefinition{define("a", "1", "2", "3"), define("b", "4")}
		require.True(t, j.advance(noon))
		var got []string
		for _, trial := range j.Trials {
			got = append(got, *trial.TrainingJobDefinitionName)
			require.Contains(t, trial.TunedHyperParameters, *trial.TrainingJobDefinitionName)
		}
		require.Equal(t, want, got, strategy)
	}
}

func TestMedianRule(t *testing.T) {
	done := [][]float32{{0.5, 0.7}, {0.6, 0.8}, {0.4}}
	for _, tt := range []struct {
		values []float32
		goal   types.HyperParameterTuningJobObjectiveType
		want   bool
	}{
		{nil, "Maximize", false},
		{[]float32{0.49}, "Maximize", true},           // of 0.4, 0.5 and 0.6
		{[]float32{0.5}, "Maximize", false},           // no worse
		{[]float32{0.1, 0.66}, "Maximize", false},     // of 0.6 and 0.7 it is 0.65
		{[]float32{0.9, 0.64}, "Maximize", true},      // only the last value counts
		{[]float32{0.9, 0.64}, "Minimize", false},     //
		{[]float32{0.51}, "Minimize", true},           //
		{[]float32{0.1, 0.1, 0.1}, "Maximize", false}, // nobody got so far
	} {
		require.Equal(t, tt.want, belowMedian(tt.values, done, tt.goal), "%+v", tt)
	}
	require.False(t, belowMedian([]float32{0}, nil, "Maximize"))
}

func TestNumbersKeepTheirOrder(t *testing.T) {
	values := []float32{float32(math.Inf(-1)), -2, -1.5, -1e-9, 0, 1e-9, 1, 1.5, 3e30}
	var keys []string
	for _, v := range values {
		keys = append(keys, fmt.Sprintf("%x", number(v)))
	}
	require.True(t, slices.IsSorted(keys))
}
