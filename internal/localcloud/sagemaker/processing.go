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

func (s *Service) processingOperations(ops wire.Operations) {
	ops["CreateProcessingJob"] = wire.Op(s.createProcessingJob)
	ops["DescribeProcessingJob"] = wire.Op(s.describeProcessingJob)
	ops["ListProcessingJobs"] = wire.Op(s.listProcessingJobs)
	ops["StopProcessingJob"] = wire.Op(s.stopProcessingJob)
}

func (s *Service) createProcessingJob(_ context.Context, in *sm.CreateProcessingJobInput) (*sm.CreateProcessingJobOutput, error) {
	if err := s.checkProcessingJob(in); err != nil {
		return nil, err
	}
	arn, now := s.arn("processing-job", *in.ProcessingJobName), time.Now().UTC()
	var job processingJob
	copyFields(&job.DescribeProcessingJobOutput, in)
	job.ProcessingJobArn, job.CreationTime, job.LastModifiedTime = &arn, &now, &now
	job.ProcessingJobStatus = types.ProcessingJobStatusInProgress
	if job.StoppingCondition == nil {
		job.StoppingCondition = &types.ProcessingStoppingCondition{MaxRuntimeInSeconds: aws.Int32(defaultMaxRuntime)}
	}
	err := s.store.processing.insert(*in.ProcessingJobName, arn, in.Tags, &job)
	if errors.Is(err, errExists) {
		return nil, wire.Errorf("ResourceInUse", "Job name must be unique within an AWS account and region, and a job with this name already exists (%s)", arn)
	}
	if err != nil {
		return nil, err
	}
	s.beginProcessing(&job)
	return &sm.CreateProcessingJobOutput{ProcessingJobArn: &arn}, nil
}

func (s *Service) beginProcessing(job *processingJob) {
	t, arn := newTask(*job.ProcessingJobName), *job.ProcessingJobArn
	s.tasks.put(arn, t)
	s.spawn(func() {
		defer s.tasks.remove(arn)
		s.processJob(t)
	})
}

func (s *Service) processingJob(name *string) (*processingJob, error) {
	j, err := s.store.processing.get(aws.ToString(name))
	if errors.Is(err, errMissing) {
		return nil, invalid("Could not find requested job with name: %s", aws.ToString(name))
	}
	return j, err
}

func (s *Service) describeProcessingJob(_ context.Context, in *sm.DescribeProcessingJobInput) (*sm.DescribeProcessingJobOutput, error) {
	j, err := s.processingJob(in.ProcessingJobName)
	if err != nil {
		return nil, err
	}
	return &j.DescribeProcessingJobOutput, nil
}

func (s *Service) listProcessingJobs(_ context.Context, in *sm.ListProcessingJobsInput) (*sm.ListProcessingJobsOutput, error) {
	list, next, err := page(s.store.processing, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		modifiedAfter: in.LastModifiedTimeAfter, modifiedBefore: in.LastModifiedTimeBefore, status: string(in.StatusEquals),
		sortBy: string(in.SortBy), descending: in.SortOrder != types.SortOrderAscending, max: in.MaxResults, token: in.NextToken},
		func(j *processingJob) (sum types.ProcessingJobSummary) {
			copyFields(&sum, &j.DescribeProcessingJobOutput)
			return sum
		})
	return &sm.ListProcessingJobsOutput{ProcessingJobSummaries: list, NextToken: next}, err
}

func (s *Service) stopProcessingJob(_ context.Context, in *sm.StopProcessingJobInput) (*sm.StopProcessingJobOutput, error) {
	if _, err := s.processingJob(in.ProcessingJobName); err != nil {
		return nil, err
	}
	j, err := s.store.processing.update(*in.ProcessingJobName, func(j *processingJob) error { return j.stop(time.Now().UTC()) })
	if err != nil {
		return nil, err
	}
	if t, ok := s.tasks.get(*j.ProcessingJobArn); ok {
		t.halt()
	}
	return &sm.StopProcessingJobOutput{}, nil
}
