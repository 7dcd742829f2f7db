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

// maxPayloadMB is AWS's limit of MaxPayloadInMB, and of its product with
// MaxConcurrentTransforms.
const maxPayloadMB = 100

// transformJob is the record of a batch transform job.
type transformJob struct {
	sm.DescribeTransformJobOutput
	Modified  time.Time
	Container container
}

func (j *transformJob) head() head {
	return head{name: *j.TransformJobName, status: string(j.TransformJobStatus), created: *j.CreationTime, modified: j.Modified}
}

func (j *transformJob) final() bool {
	return j.TransformJobStatus != types.TransformJobStatusInProgress && j.TransformJobStatus != types.TransformJobStatusStopping
}

func (s *Service) transformOperations(ops wire.Operations) {
	ops["CreateTransformJob"] = wire.Op(s.createTransformJob)
	ops["DescribeTransformJob"] = wire.Op(s.describeTransformJob)
	ops["ListTransformJobs"] = wire.Op(s.listTransformJobs)
	ops["StopTransformJob"] = wire.Op(s.stopTransformJob)
}

func (s *Service) createTransformJob(_ context.Context, in *sm.CreateTransformJobInput) (*sm.CreateTransformJobOutput, error) {
	if err := checkTransform(in); err != nil {
		return nil, err
	}
	m, err := s.model(in.ModelName)
	if err != nil {
		return nil, err
	}
	if m.Container.Plain {
		return nil, invalid("Model %s has uncompressed model data, which batch transform does not take: give it a model.tar.gz", *m.ModelName)
	}
	arn, now := s.arn("transform-job", *in.TransformJobName), time.Now().UTC()
	job := transformJob{Container: m.Container, Modified: now}
	copyFields(&job.DescribeTransformJobOutput, in)
	job.TransformJobArn, job.CreationTime, job.TransformJobStatus = &arn, &now, types.TransformJobStatusInProgress
	err = s.store.transforms.insert(*in.TransformJobName, arn, in.Tags, &job)
	if errors.Is(err, errExists) {
		return nil, wire.Errorf("ResourceInUse", "Job name must be unique within an AWS account and region, and a job with this name already exists (%s)", arn)
	}
	if err != nil {
		return nil, err
	}
	s.setOut(newTask(*in.TransformJobName), arn)
	return &sm.CreateTransformJobOutput{TransformJobArn: &arn}, nil
}

func (s *Service) setOut(t *task, arn string) {
	s.tasks.put(arn, t)
	s.spawn(func() {
		defer s.tasks.remove(arn)
		s.transform(t)
	})
}

func checkTransform(in *sm.CreateTransformJobInput) error {
	if err := first(
		only("", in, "TransformJobName", "ModelName", "TransformInput", "TransformOutput", "TransformResources",
			"BatchStrategy", "MaxConcurrentTransforms", "MaxPayloadInMB", "ModelClientConfig", "Environment", "Tags", "DataProcessing"),
		only("TransformInput.", in.TransformInput, "DataSource", "ContentType", "SplitType", "CompressionType"),
		only("TransformOutput.", in.TransformOutput, "S3OutputPath", "Accept", "AssembleWith", "KmsKeyId"),
		only("TransformResources.", in.TransformResources, "InstanceType", "InstanceCount", "VolumeKmsKeyId"),
		oneOf("TransformInput.SplitType", in.TransformInput.SplitType, types.SplitTypeNone, types.SplitTypeLine),
		oneOf("TransformInput.CompressionType", in.TransformInput.CompressionType, types.CompressionTypeNone),
		checkProcessing(in.DataProcessing),
		checkAmounts(in),
	); err != nil {
		return err
	}
	source := in.TransformInput.DataSource.S3DataSource
	_, badInput := parseLocation("TransformInput.S3Uri", aws.ToString(source.S3Uri))
	_, badOutput := parseLocation("TransformOutput.S3OutputPath", aws.ToString(in.TransformOutput.S3OutputPath))
	return first(badInput, badOutput,
		oneOf("TransformInput.S3DataType", source.S3DataType, types.S3DataTypeS3Prefix, types.S3DataTypeManifestFile))
}

// checkProcessing accepts what changes nothing.
func checkProcessing(p *types.DataProcessing) error {
	if p == nil {
		return nil
	}
	if f := aws.ToString(p.InputFilter); f != "" && f != "$" {
		return unsupported("DataProcessing.InputFilter", "leave it out or set it to $")
	}
	if f := aws.ToString(p.OutputFilter); f != "" && f != "$" {
		return unsupported("DataProcessing.OutputFilter", "leave it out or set it to $")
	}
	return oneOf("DataProcessing.JoinSource", p.JoinSource, types.JoinSourceNone)
}

func checkAmounts(in *sm.CreateTransformJobInput) error {
	if n := aws.ToInt32(in.TransformResources.InstanceCount); n > 1 {
		return unsupported("TransformResources.InstanceCount above 1", "use one instance")
	}
	if n := in.MaxPayloadInMB; n != nil && (*n < 1 || *n > maxPayloadMB) {
		return invalid("MaxPayloadInMB %d: must be from 1 to %d", *n, maxPayloadMB)
	}
	concurrent, payload := int64(aws.ToInt32(in.MaxConcurrentTransforms)), int64(defaultPayloadMB)
	if in.MaxPayloadInMB != nil {
		payload = int64(*in.MaxPayloadInMB)
	}
	if concurrent*payload > maxPayloadMB {
		return invalid("MaxConcurrentTransforms %d times MaxPayloadInMB %d is above %d: lower one of them", concurrent, payload, maxPayloadMB)
	}
	return nil
}

func (s *Service) transformJob(name *string) (*transformJob, error) {
	j, err := s.store.transforms.get(aws.ToString(name))
	if errors.Is(err, errMissing) {
		return nil, invalid("Could not find requested job with name: %s", aws.ToString(name))
	}
	return j, err
}

func (s *Service) describeTransformJob(_ context.Context, in *sm.DescribeTransformJobInput) (*sm.DescribeTransformJobOutput, error) {
	j, err := s.transformJob(in.TransformJobName)
	if err != nil {
		return nil, err
	}
	return &j.DescribeTransformJobOutput, nil
}

func (s *Service) listTransformJobs(_ context.Context, in *sm.ListTransformJobsInput) (*sm.ListTransformJobsOutput, error) {
	list, next, err := page(s.store.transforms, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		modifiedAfter: in.LastModifiedTimeAfter, modifiedBefore: in.LastModifiedTimeBefore, status: string(in.StatusEquals),
		sortBy: string(in.SortBy), descending: in.SortOrder != types.SortOrderAscending, max: in.MaxResults, token: in.NextToken},
		func(j *transformJob) (sum types.TransformJobSummary) {
			copyFields(&sum, &j.DescribeTransformJobOutput)
			sum.LastModifiedTime = &j.Modified
			return sum
		})
	return &sm.ListTransformJobsOutput{TransformJobSummaries: list, NextToken: next}, err
}

func (s *Service) stopTransformJob(_ context.Context, in *sm.StopTransformJobInput) (*sm.StopTransformJobOutput, error) {
	if _, err := s.transformJob(in.TransformJobName); err != nil {
		return nil, err
	}
	j, err := s.store.transforms.update(*in.TransformJobName, func(j *transformJob) error {
		if j.final() {
			return invalid("The request was rejected because the transform job is in status %s.", j.TransformJobStatus)
		}
		j.TransformJobStatus, j.Modified = types.TransformJobStatusStopping, time.Now().UTC()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t, ok := s.tasks.get(*j.TransformJobArn); ok {
		t.halt()
	}
	return &sm.StopTransformJobOutput{}, nil
}
