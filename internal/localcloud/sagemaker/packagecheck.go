package sagemaker

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// AWS's limits of what a model package says of itself.
const (
	maxDescription   = 1024
	maxProperties    = 50
	maxPropertyKey   = 128
	maxPropertyValue = 256
)

func (s *Service) checkPackage(in *sm.CreateModelPackageInput) error {
	if (in.ModelPackageName == nil) == (in.ModelPackageGroupName == nil) {
		return invalid("give either ModelPackageGroupName, for the next version in a group, or ModelPackageName, for a package without versions")
	}
	if err := first(
		only("", in, "ModelPackageName", "ModelPackageGroupName", "ClientToken", "CustomerMetadataProperties", "Domain", "DriftCheckBaselines",
			"InferenceSpecification", "MetadataProperties", "ModelApprovalStatus", "ModelCard", "ModelLifeCycle", "ModelMetrics",
			"ModelPackageDescription", "SamplePayloadUrl", "SecurityConfig", "SkipModelValidation", "SourceUri", "Tags", "Task"),
		checkDescription("ModelPackageDescription", in.ModelPackageDescription),
		checkProperties(in.CustomerMetadataProperties),
		s.checkContents(in.InferenceSpecification, in.ModelCard, in.ModelLifeCycle),
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
func (s *Service) checkContents(spec *types.InferenceSpecification, card *types.ModelPackageModelCard, life *types.ModelLifeCycle) error {
	if spec != nil {
		if err := s.checkInference(spec); err != nil {
			return err
		}
	}
	if card != nil && card.ModelCardContent != nil {
		if err := checkCard("ModelCard.ModelCardContent", *card.ModelCardContent); err != nil {
			return err
		}
	}
	if life == nil {
		return nil
	}
	return first(checkName("ModelLifeCycle.Stage", life.Stage), checkName("ModelLifeCycle.StageStatus", life.StageStatus),
		checkDescription("ModelLifeCycle.StageDescription", life.StageDescription))
}

func checkDescription(field string, text *string) error {
	return checkLength(field, aws.ToString(text), maxDescription)
}

func checkProperties(properties map[string]string) error {
	if n := len(properties); n > maxProperties {
		return invalid("CustomerMetadataProperties: %d properties; at most %d are allowed", n, maxProperties)
	}
	for k, v := range properties {
		if k == "" || v == "" || len([]rune(k)) > maxPropertyKey || len([]rune(v)) > maxPropertyValue {
			return invalid("CustomerMetadataProperties: %q: a key has 1 to %d characters, a value 1 to %d", k, maxPropertyKey, maxPropertyValue)
		}
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
		checkEnvironment(path, c.Environment),
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
