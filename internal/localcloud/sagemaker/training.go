package sagemaker

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

// defaultMaxRuntime is AWS's default MaxRuntimeInSeconds, one day.
const defaultMaxRuntime = 86400

func (s *Service) trainingOperations(ops wire.Operations) {
	ops["CreateTrainingJob"] = wire.Op(s.createTrainingJob)
	ops["DescribeTrainingJob"] = wire.Op(s.describeTrainingJob)
	ops["ListTrainingJobs"] = wire.Op(s.listTrainingJobs)
	ops["StopTrainingJob"] = wire.Op(s.stopTrainingJob)
}

func (s *Service) createTrainingJob(_ context.Context, in *sm.CreateTrainingJobInput) (*sm.CreateTrainingJobOutput, error) {
	return s.startTraining(in, nil)
}

// startTraining creates a training job, of a tuning job if one is named.
func (s *Service) startTraining(in *sm.CreateTrainingJobInput, tuning *string) (*sm.CreateTrainingJobOutput, error) {
	if err := s.checkTraining(in); err != nil {
		return nil, err
	}
	arn := s.arn("training-job", *in.TrainingJobName)
	var job trainingJob
	copyFields(&job.DescribeTrainingJobOutput, in)
	now := time.Now().UTC()
	job.TrainingJobArn, job.TuningJobArn, job.CreationTime = &arn, tuning, &now
	job.ModelArtifacts = &types.ModelArtifacts{S3ModelArtifacts: aws.String(job.place().String())}
	job.StoppingCondition = stopping(in.StoppingCondition)
	describeDefaults(&job.DescribeTrainingJobOutput)
	job.enter(types.SecondaryStatusStarting, now)
	t := newTask(*in.TrainingJobName)
	t.metrics = newScraper(in.AlgorithmSpecification.MetricDefinitions)
	err := s.store.training.insert(t.name, arn, in.Tags, &job)
	if errors.Is(err, errExists) {
		return nil, wire.Errorf("ResourceInUse", "Training job names must be unique within an AWS account and region, and a training job with this name already exists (%s)", arn)
	}
	if err != nil {
		return nil, err
	}
	s.tasks.put(arn, t)
	s.spawn(func() { s.train(t) })
	return &sm.CreateTrainingJobOutput{TrainingJobArn: &arn}, nil
}

func stopping(c *types.StoppingCondition) *types.StoppingCondition {
	var with types.StoppingCondition
	if c != nil {
		with = *c
	}
	if with.MaxRuntimeInSeconds == nil {
		with.MaxRuntimeInSeconds = aws.Int32(defaultMaxRuntime)
	}
	return &with
}

func (s *Service) describeTrainingJob(_ context.Context, in *sm.DescribeTrainingJobInput) (*sm.DescribeTrainingJobOutput, error) {
	job, err := s.trainingJob(in.TrainingJobName)
	if err != nil {
		return nil, err
	}
	if t, ok := s.tasks.get(*job.TrainingJobArn); ok {
		job.FinalMetricDataList = t.metrics.read()
	}
	return &job.DescribeTrainingJobOutput, nil
}

func (s *Service) trainingJob(name *string) (*trainingJob, error) {
	job, err := s.store.training.get(aws.ToString(name))
	if errors.Is(err, errMissing) {
		return nil, invalid("Requested resource not found.")
	}
	return job, err
}

func (s *Service) listTrainingJobs(_ context.Context, in *sm.ListTrainingJobsInput) (*sm.ListTrainingJobsOutput, error) {
	if err := only("", in, "CreationTimeAfter", "CreationTimeBefore", "LastModifiedTimeAfter", "LastModifiedTimeBefore",
		"MaxResults", "NameContains", "NextToken", "SortBy", "SortOrder", "StatusEquals"); err != nil {
		return nil, err
	}
	list, next, err := page(s.store.training, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		modifiedAfter: in.LastModifiedTimeAfter, modifiedBefore: in.LastModifiedTimeBefore, status: string(in.StatusEquals),
		sortBy: string(in.SortBy), descending: in.SortOrder == types.SortOrderDescending, max: in.MaxResults, token: in.NextToken},
		func(j *trainingJob) (sum types.TrainingJobSummary) {
			copyFields(&sum, &j.DescribeTrainingJobOutput)
			return sum
		})
	return &sm.ListTrainingJobsOutput{TrainingJobSummaries: list, NextToken: next}, err
}

func (s *Service) stopTrainingJob(_ context.Context, in *sm.StopTrainingJobInput) (*sm.StopTrainingJobOutput, error) {
	if _, err := s.trainingJob(in.TrainingJobName); err != nil {
		return nil, err
	}
	job, err := s.store.training.update(*in.TrainingJobName, func(j *trainingJob) error {
		switch j.TrainingJobStatus {
		case types.TrainingJobStatusInProgress:
			j.enter(types.SecondaryStatusStopping, time.Now().UTC())
		case types.TrainingJobStatusStopping: // asked for already
		default:
			return invalid("The request was rejected because the training job is in status %s.", j.TrainingJobStatus)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t, ok := s.tasks.get(*job.TrainingJobArn); ok {
		t.halt()
	}
	return &sm.StopTrainingJobOutput{}, nil
}
