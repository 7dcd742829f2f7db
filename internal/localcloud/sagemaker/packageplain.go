package sagemaker

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"

	"steward/internal/localcloud/wire"
)

// noApproval refuses to approve a package that has no versions.
var noApproval = invalid("ModelApprovalStatus does not apply to unversioned model packages: leave it out")

// checkUnversioned checks what differs for a package without versions.
func checkUnversioned(in *sm.CreateModelPackageInput) error {
	switch spec := in.InferenceSpecification; {
	case in.ModelApprovalStatus != "":
		return noApproval
	case spec == nil:
		return invalid("InferenceSpecification is required for an unversioned model package")
	case len(spec.SupportedTransformInstanceTypes) == 0 || len(spec.SupportedRealtimeInferenceInstanceTypes) == 0:
		return invalid("InferenceSpecification: SupportedTransformInstanceTypes and SupportedRealtimeInferenceInstanceTypes are required for an unversioned model package")
	}
	return nil
}

// createUnversioned registers a package under a name of its own, which is its
// key.
func (s *Service) createUnversioned(in *sm.CreateModelPackageInput) (*sm.CreateModelPackageOutput, error) {
	digest, err := digestOf(in)
	if err != nil {
		return nil, err
	}
	name := *in.ModelPackageName
	arn := s.arn("model-package", name)
	var p modelPackage
	copyFields(&p.DescribeModelPackageOutput, in)
	p.complete(arn)
	if in.ClientToken != nil {
		p.Made = &createdToken{*in.ClientToken, digest}
	}
	err = s.store.packages.insert(name, arn, in.Tags, &p)
	if errors.Is(err, errExists) {
		made, err := s.store.packages.get(name)
		if err == nil && made.Made != nil && made.Made.ARN == aws.ToString(in.ClientToken) && made.Made.Digest == digest {
			return &sm.CreateModelPackageOutput{ModelPackageArn: &arn}, nil
		}
		return nil, wire.Errorf("ConflictException", "Model Package already exists: %s", arn)
	}
	if err != nil {
		return nil, err
	}
	return &sm.CreateModelPackageOutput{ModelPackageArn: &arn}, nil
}
