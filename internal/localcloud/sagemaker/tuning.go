package sagemaker

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

func (s *Service) tuningOperations(ops wire.Operations) {
	ops["CreateHyperParameterTuningJob"] = wire.Op(s.createTuning)
	ops["DescribeHyperParameterTuningJob"] = wire.Op(s.describeTuning)
	ops["ListHyperParameterTuningJobs"] = wire.Op(s.listTunings)
	ops["ListTrainingJobsForHyperParameterTuningJob"] = wire.Op(s.listTrials)
	ops["StopHyperParameterTuningJob"] = wire.Op(s.stopTuning)
	ops["DeleteHyperParameterTuningJob"] = wire.Op(s.deleteTuning)
}

func (s *Service) createTuning(_ context.Context, in *sm.CreateHyperParameterTuningJobInput) (*sm.CreateHyperParameterTuningJobOutput, error) {
	if err := s.checkTuning(in); err != nil {
		return nil, err
	}
	name := *in.HyperParameterTuningJobName
	arn, now := s.arn("hyper-parameter-tuning-job", name), time.Now().UTC()
	j := tuningJob{Tags: in.Tags, Seed: seedOf(in.HyperParameterTuningJobConfig.RandomSeed)}
	copyFields(&j.DescribeHyperParameterTuningJobOutput, in)
	j.HyperParameterTuningJobArn, j.CreationTime, j.LastModifiedTime = &arn, &now, &now
	j.HyperParameterTuningJobStatus = types.HyperParameterTuningJobStatusInProgress
	if err := s.checkDefinitions(&j); err != nil {
		return nil, err
	}
	if err := s.warmStart(&j); err != nil {
		return nil, err
	}
	err := s.store.tunings.insert(name, arn, in.Tags, &j)
	if errors.Is(err, errExists) {
		return nil, wire.Errorf("ResourceInUse", "Hyper parameter tuning job names must be unique within an AWS account and region, and a hyper parameter tuning job with this name already exists (%s)", arn)
	}
	if err != nil {
		return nil, err
	}
	s.spawn(func() { s.tune(name) })
	return &sm.CreateHyperParameterTuningJobOutput{HyperParameterTuningJobArn: &arn}, nil
}

// seedOf is the seed that is asked for, or one that nobody knows.
func seedOf(asked *int32) uint64 {
	if asked != nil {
		return uint64(*asked)
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:])
}

// training is what a trial asks of CreateTrainingJob.
func (j *tuningJob) training(t *trial) (*sm.CreateTrainingJobInput, error) {
	d := j.definitions()[t.Definition]
	in := &sm.CreateTrainingJobInput{TrainingJobName: t.TrainingJobName, Tags: j.Tags, AlgorithmSpecification: &types.AlgorithmSpecification{}}
	copyFields(in, &d)
	copyFields(in.AlgorithmSpecification, d.AlgorithmSpecification)
	in.HyperParameters = maps.Clone(d.StaticHyperParameters)
	if in.HyperParameters == nil {
		in.HyperParameters = map[string]string{}
	}
	maps.Copy(in.HyperParameters, t.TunedHyperParameters)
	in.HyperParameters["_tuning_objective_metric"] = *j.objective(t.Definition).MetricName
	resources := d.HyperParameterTuningResourceConfig
	switch {
	case (d.ResourceConfig == nil) == (resources == nil):
		return nil, invalid("TrainingJobDefinition: give either ResourceConfig or HyperParameterTuningResourceConfig")
	case d.ResourceConfig != nil:
		return in, nil
	}
	in.ResourceConfig = &types.ResourceConfig{InstanceType: resources.InstanceType, InstanceCount: resources.InstanceCount,
		VolumeSizeInGB: resources.VolumeSizeInGB, VolumeKmsKeyId: resources.VolumeKmsKeyId}
	if len(resources.InstanceConfigs) > 0 { // in the order of preference, and every type is there
		c := resources.InstanceConfigs[0]
		in.ResourceConfig.InstanceType, in.ResourceConfig.InstanceCount, in.ResourceConfig.VolumeSizeInGB = c.InstanceType, c.InstanceCount, c.VolumeSizeInGB
	}
	return in, nil
}

func (s *Service) noTuning(name *string) error {
	return wire.Errorf("ResourceNotFound", "Amazon SageMaker can't find a tuning job with the name %s.", aws.ToString(name))
}

func (s *Service) tuningJob(name *string) (*tuningJob, error) {
	j, err := s.store.tunings.get(aws.ToString(name))
	if errors.Is(err, errMissing) {
		return nil, s.noTuning(name)
	}
	return j, err
}

func (s *Service) describeTuning(_ context.Context, in *sm.DescribeHyperParameterTuningJobInput) (*sm.DescribeHyperParameterTuningJobOutput, error) {
	j, err := s.tuningJob(in.HyperParameterTuningJobName)
	if err != nil {
		return nil, err
	}
	return j.describe(time.Now()), nil
}

// describe adds what follows from the trials.
func (j *tuningJob) describe(now time.Time) *sm.DescribeHyperParameterTuningJobOutput {
	out := &j.DescribeHyperParameterTuningJobOutput
	out.TrainingJobStatusCounters, out.ObjectiveStatusCounters = j.counters()
	out.BestTrainingJob = j.best()
	if w := j.WarmStartConfig; w != nil && w.WarmStartType == types.HyperParameterTuningJobWarmStartTypeIdenticalDataAndAlgorithm {
		out.OverallBestTrainingJob = j.Parent
		ours, ok := metric(out.BestTrainingJob)
		theirs, any := metric(j.Parent)
		if ok && (!any || !better(j.goal(), theirs, ours)) {
			out.OverallBestTrainingJob = out.BestTrainingJob
		}
	}
	out.TuningJobCompletionDetails = &types.HyperParameterTuningJobCompletionDetails{NumberOfTrainingJobsObjectiveNotImproving: aws.Int32(int32(j.notImproving()))}
	if out.HyperParameterTuningEndTime != nil {
		now = *out.HyperParameterTuningEndTime
	}
	out.ConsumedResources = &types.HyperParameterTuningJobConsumedResources{RuntimeInSeconds: aws.Int32(int32(math.Ceil(now.Sub(*out.CreationTime).Seconds())))}
	return out
}

func (j *tuningJob) counters() (*types.TrainingJobStatusCounters, *types.ObjectiveStatusCounters) {
	var completed, running, retryable, failed, stopped, succeeded, pending, unmeasured int32
	for _, t := range j.Trials {
		switch {
		case !t.final():
			running++
		case t.TrainingJobStatus == types.TrainingJobStatusCompleted:
			completed++
		case t.TrainingJobStatus == types.TrainingJobStatusStopped:
			stopped++
		case strings.HasPrefix(aws.ToString(t.FailureReason), "InternalServerError"):
			retryable++
		default:
			failed++
		}
		switch t.ObjectiveStatus {
		case types.ObjectiveStatusSucceeded:
			succeeded++
		case types.ObjectiveStatusPending:
			pending++
		default:
			unmeasured++
		}
	}
	return &types.TrainingJobStatusCounters{Completed: &completed, InProgress: &running, RetryableError: &retryable, NonRetryableError: &failed, Stopped: &stopped},
		&types.ObjectiveStatusCounters{Succeeded: &succeeded, Pending: &pending, Failed: &unmeasured}
}

func (s *Service) listTunings(_ context.Context, in *sm.ListHyperParameterTuningJobsInput) (*sm.ListHyperParameterTuningJobsOutput, error) {
	if in.SortBy == "" {
		in.SortBy = types.HyperParameterTuningJobSortByOptionsName
	}
	list, next, err := page(s.store.tunings, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		modifiedAfter: in.LastModifiedTimeAfter, modifiedBefore: in.LastModifiedTimeBefore, status: string(in.StatusEquals),
		sortBy: string(in.SortBy), descending: in.SortOrder == types.SortOrderDescending, max: in.MaxResults, token: in.NextToken},
		func(j *tuningJob) (sum types.HyperParameterTuningJobSummary) {
			copyFields(&sum, &j.DescribeHyperParameterTuningJobOutput)
			sum.Strategy, sum.ResourceLimits = j.HyperParameterTuningJobConfig.Strategy, j.HyperParameterTuningJobConfig.ResourceLimits
			sum.TrainingJobStatusCounters, sum.ObjectiveStatusCounters = j.counters()
			return sum
		})
	return &sm.ListHyperParameterTuningJobsOutput{HyperParameterTuningJobSummaries: list, NextToken: next}, err
}

// listTrials lists what a tuning job has launched. By objective, it lists only
// those that have one.
func (s *Service) listTrials(_ context.Context, in *sm.ListTrainingJobsForHyperParameterTuningJobInput) (*sm.ListTrainingJobsForHyperParameterTuningJobOutput, error) {
	j, err := s.tuningJob(in.HyperParameterTuningJobName)
	if err != nil {
		return nil, err
	}
	if in.SortBy == "" {
		in.SortBy = types.TrainingJobSortByOptionsName
	}
	q := query{status: string(in.StatusEquals), sortBy: string(in.SortBy), descending: in.SortOrder == types.SortOrderDescending, max: in.MaxResults, token: in.NextToken}
	after, err := q.place()
	if err != nil {
		return nil, err
	}
	var heads []head
	trials := map[string]types.HyperParameterTrainingJobSummary{}
	for i := range j.Trials {
		t := &j.Trials[i].HyperParameterTrainingJobSummary
		value, ok := metric(t)
		if in.SortBy == types.TrainingJobSortByOptionsFinalObjectiveMetricValue && !ok {
			continue
		}
		trials[*t.TrainingJobName] = *t
		heads = append(heads, head{name: *t.TrainingJobName, status: string(t.TrainingJobStatus), created: *t.CreationTime, objective: value})
	}
	heads, next := q.pick(slices.Values(heads), after, false)
	out := &sm.ListTrainingJobsForHyperParameterTuningJobOutput{TrainingJobSummaries: []types.HyperParameterTrainingJobSummary{}, NextToken: next}
	for _, h := range heads {
		out.TrainingJobSummaries = append(out.TrainingJobSummaries, trials[h.name])
	}
	return out, nil
}

func (s *Service) stopTuning(_ context.Context, in *sm.StopHyperParameterTuningJobInput) (*sm.StopHyperParameterTuningJobOutput, error) {
	_, err := s.store.tunings.update(aws.ToString(in.HyperParameterTuningJobName), func(j *tuningJob) error {
		if j.final() {
			return invalid("The request was rejected because the hyperparameter tuning job is in status %s.", j.HyperParameterTuningJobStatus)
		}
		j.move(askedToStop, time.Now().UTC())
		return nil
	})
	if errors.Is(err, errMissing) {
		return nil, s.noTuning(in.HyperParameterTuningJobName)
	}
	return &sm.StopHyperParameterTuningJobOutput{}, err
}

// deleteTuning forgets a tuning job; its training jobs stay.
func (s *Service) deleteTuning(_ context.Context, in *sm.DeleteHyperParameterTuningJobInput) (*sm.DeleteHyperParameterTuningJobOutput, error) {
	j, err := s.tuningJob(in.HyperParameterTuningJobName)
	if err != nil {
		return nil, err
	}
	if !j.final() {
		return nil, invalid("The request was rejected because the hyperparameter tuning job is in status %s: stop it first.", j.HyperParameterTuningJobStatus)
	}
	err = s.store.tunings.remove(*j.HyperParameterTuningJobName, *j.HyperParameterTuningJobArn)
	if err != nil && !errors.Is(err, errMissing) {
		return nil, fmt.Errorf("delete tuning job: %w", err)
	}
	return &sm.DeleteHyperParameterTuningJobOutput{}, nil
}
