package sagemaker

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

func (s *Service) checkPackage(in *sm.CreateModelPackageInput) error {
	if (in.ModelPackageName == nil) == (in.ModelPackageGroupName == nil) {
		return invalid("give either ModelPackageGroupName, for the next version in a group, or ModelPackageName, for a package without versions")
	}
	if err := first(
		only("", in, "ModelPackageName", "ModelPackageGroupName", "ClientToken", "CustomerMetadataProperties", "Domain", "DriftCheckBaselines",
			"InferenceSpecification", "MetadataProperties", "ModelApprovalStatus", "ModelCard", "ModelLifeCycle", "ModelMetrics",
			"ModelPackageDescription", "SamplePayloadUrl", "SecurityConfig", "SkipModelValidation", "SourceUri", "Tags", "Task"),
		s.checkContents(in.InferenceSpecification, in.ModelCard),
	); err != nil {
		return err
	}
	if in.ModelPackageName != nil {
		return checkUnversioned(in)
	}
	if len(in.Tags) > 0 {
		return invalid("Tags: a model package in a group cannot have tags of its own: tag the group, or use CustomerMetadataProperties")
	}
	return nil
}

// checkContents checks what may be given at first and changed later.
func (s *Service) checkContents(spec *types.InferenceSpecification, card *types.ModelPackageModelCard) error {
	if spec != nil {
		if err := s.checkInference(spec); err != nil {
			return err
		}
	}
	if card != nil && card.ModelCardContent != nil {
		return checkCard("ModelCard.ModelCardContent", *card.ModelCardContent)
	}
	return nil
}

func (s *Service) checkInference(spec *types.InferenceSpecification) error {
	if len(spec.Containers) != 1 {
		return unsupported(fmt.Sprintf("InferenceSpecification with %d Containers", len(spec.Containers)), "give exactly one")
	}
	const path = "InferenceSpecification.Containers."
	c := &spec.Containers[0]
	if err := first(
		required(c, "Image"),
		only(path, c, "Image", "ImageDigest", "ModelDataUrl", "ModelDataSource", "Environment", "Framework",
			"FrameworkVersion", "ContainerHostname", "NearestModelName", "ModelInput"),
	); err != nil {
		return err
	}
	data, err := modelDataOf(path, c.ModelDataUrl, c.ModelDataSource)
	if err != nil {
		return err
	}
	if data.DataURL != "" {
		if _, err := parseLocation("ModelDataUrl", data.DataURL); err != nil {
			return err
		}
	}
	return s.images.check(*c.Image)
}

// cloneSource takes over what another package runs, when SourceUri names one and
// nothing else is given.
func (s *Service) cloneSource(in *sm.CreateModelPackageInput) error {
	if !strings.HasPrefix(aws.ToString(in.SourceUri), s.arn("model-package", "")) || in.InferenceSpecification != nil {
		return nil
	}
	source, _, err := s.modelPackage(in.SourceUri)
	if err != nil {
		return err
	}
	in.InferenceSpecification = source.InferenceSpecification
	return nil
}
