package sagemaker

import (
	"context"
	"errors"
	"regexp"
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
	job.ModelArtifacts = &types.ModelArtifacts{}
	job.StoppingCondition = stopping(in.StoppingCondition)
	describeDefaults(&job.DescribeTrainingJobOutput)
	job.enter(types.SecondaryStatusStarting, "Preparing the instances for training", now)
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
	if c == nil || c.MaxRuntimeInSeconds == nil {
		return &types.StoppingCondition{MaxRuntimeInSeconds: aws.Int32(defaultMaxRuntime)}
	}
	return c
}

func (s *Service) checkTraining(in *sm.CreateTrainingJobInput) error {
	if err := required(in, "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "RoleArn"); err != nil {
		return err
	}
	if err := first(
		checkName("TrainingJobName", in.TrainingJobName),
		only("", in, "TrainingJobName", "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "RoleArn",
			"HyperParameters", "InputDataConfig", "Environment", "StoppingCondition", "Tags", "VpcConfig",
			"EnableInterContainerTrafficEncryption", "DebugHookConfig", "ProfilerConfig"),
		checkDebugger(in),
		s.checkAlgorithm(in.AlgorithmSpecification),
		only("OutputDataConfig.", in.OutputDataConfig, "S3OutputPath", "KmsKeyId", "CompressionType"),
		oneOf("OutputDataConfig.CompressionType", in.OutputDataConfig.CompressionType, types.OutputCompressionTypeGzip),
		only("ResourceConfig.", in.ResourceConfig, "InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"),
	); err != nil {
		return err
	}
	if n := aws.ToInt32(in.ResourceConfig.InstanceCount); n > 1 {
		return unsupported("ResourceConfig.InstanceCount above 1", "train on one instance")
	}
	if c := in.StoppingCondition; c != nil {
		if err := only("StoppingCondition.", c, "MaxRuntimeInSeconds"); err != nil {
			return err
		}
		if c.MaxRuntimeInSeconds != nil && *c.MaxRuntimeInSeconds < 1 {
			return invalid("StoppingCondition.MaxRuntimeInSeconds %d: must be at least 1", *c.MaxRuntimeInSeconds)
		}
	}
	if _, err := parseLocation("OutputDataConfig.S3OutputPath", aws.ToString(in.OutputDataConfig.S3OutputPath)); err != nil {
		return err
	}
	return checkChannels(in.InputDataConfig)
}

// checkAlgorithm accepts FastFile as File: a container finds the same files.
func (s *Service) checkAlgorithm(a *types.AlgorithmSpecification) error {
	if err := first(
		required(a, "TrainingImage", "TrainingInputMode"),
		only("AlgorithmSpecification.", a, "TrainingImage", "TrainingInputMode", "MetricDefinitions",
			"ContainerEntrypoint", "ContainerArguments", "EnableSageMakerMetricsTimeSeries"),
		oneOf("AlgorithmSpecification.TrainingInputMode", a.TrainingInputMode, types.TrainingInputModeFile, types.TrainingInputModeFastfile),
	); err != nil {
		return err
	}
	for _, m := range a.MetricDefinitions {
		re, err := regexp.Compile(aws.ToString(m.Regex))
		if err != nil || re.NumSubexp() < 1 {
			return invalid("MetricDefinitions: the regex %q of %q must be valid and have a group for the value", aws.ToString(m.Regex), aws.ToString(m.Name))
		}
	}
	return s.images.check(*a.TrainingImage)
}

// channelRegexp is what AWS allows for the names of channels.
var channelRegexp = regexp.MustCompile(`^[A-Za-z0-9.\-_]+$`)

// checkChannelName refuses what AWS does, and the dots that are no folder's name.
func checkChannelName(name *string) error {
	const field = "InputDataConfig.ChannelName"
	n := aws.ToString(name)
	if !channelRegexp.MatchString(n) || n == "." || n == ".." {
		return invalid("%s %q: want letters, digits, dots, hyphens and underscores", field, n)
	}
	return checkLength(field, n, 64)
}

func checkChannels(channels []types.Channel) error {
	for i := range channels {
		c := &channels[i]
		if err := first(
			checkChannelName(c.ChannelName),
			only("InputDataConfig.", c, "ChannelName", "DataSource", "ContentType", "CompressionType", "InputMode", "RecordWrapperType"),
			oneOf("InputDataConfig.CompressionType", c.CompressionType, types.CompressionTypeNone),
			oneOf("InputDataConfig.InputMode", c.InputMode, types.TrainingInputModeFile, types.TrainingInputModeFastfile),
			oneOf("InputDataConfig.RecordWrapperType", c.RecordWrapperType, types.RecordWrapperNone),
			required(c, "DataSource"),
		); err != nil {
			return err
		}
		if err := first(only("InputDataConfig.DataSource.", c.DataSource, "S3DataSource"), required(c.DataSource, "S3DataSource")); err != nil {
			return err
		}
		d := c.DataSource.S3DataSource
		if err := first(
			only("InputDataConfig.DataSource.S3DataSource.", d, "S3DataType", "S3Uri", "S3DataDistributionType"),
			oneOf("InputDataConfig.DataSource.S3DataSource.S3DataType", d.S3DataType, types.S3DataTypeS3Prefix, types.S3DataTypeManifestFile),
		); err != nil {
			return err
		}
		if _, err := parseLocation("S3Uri", aws.ToString(d.S3Uri)); err != nil {
			return err
		}
	}
	return nil
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
			j.enter(types.SecondaryStatusStopping, "Stopping the training job", time.Now().UTC())
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
