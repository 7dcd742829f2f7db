package sagemaker

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// Limits of CreateProcessingJob (API reference).
const (
	maxProcessingPaths   = 10
	maxProcessingText    = 256
	maxProcessingSeconds = 777600
	maxProcessingHosts   = 100
	processingRoot       = optRoot + "/processing/"
)

func (s *Service) checkProcessingJob(in *sm.CreateProcessingJobInput) error {
	if err := required(in, "AppSpecification", "ProcessingResources", "RoleArn"); err != nil {
		return err
	}
	if err := first(
		checkName("ProcessingJobName", in.ProcessingJobName),
		only("", in, "ProcessingJobName", "AppSpecification", "ProcessingResources", "RoleArn", "Environment", "NetworkConfig",
			"ProcessingInputs", "ProcessingOutputConfig", "StoppingCondition", "Tags"),
		s.checkApp(in.AppSpecification),
		checkTexts("environment", in.Environment, maxVariables, maxProcessingText, maxProcessingText),
		checkProcessingResources(in.ProcessingResources),
		checkMembers("processingInputs", len(in.ProcessingInputs), maxProcessingPaths),
	); err != nil {
		return err
	}
	if n := in.NetworkConfig; n != nil {
		if err := first(
			only("NetworkConfig.", n, "VpcConfig", "EnableInterContainerTrafficEncryption", "EnableNetworkIsolation"),
			s.checkAlone("NetworkConfig.EnableNetworkIsolation", n.EnableNetworkIsolation, *in.AppSpecification.ImageUri, int(*in.ProcessingResources.ClusterConfig.InstanceCount)),
		); err != nil {
			return err
		}
	}
	if c := in.StoppingCondition; c != nil {
		if err := first(required(c, "MaxRuntimeInSeconds"), checkRange("stoppingCondition.maxRuntimeInSeconds", c.MaxRuntimeInSeconds, 1, maxProcessingSeconds)); err != nil {
			return err
		}
	}
	names := map[string]bool{}
	for i := range in.ProcessingInputs {
		if err := checkProcessingInput(&in.ProcessingInputs[i], names); err != nil {
			return err
		}
	}
	return checkProcessingOutputs(in.ProcessingOutputConfig)
}

func (s *Service) checkApp(a *types.AppSpecification) error {
	if err := first(
		required(a, "ImageUri"),
		checkMembers("appSpecification.containerEntrypoint", len(a.ContainerEntrypoint), maxArguments),
		checkMembers("appSpecification.containerArguments", len(a.ContainerArguments), maxArguments),
	); err != nil {
		return err
	}
	return s.images.check(*a.ImageUri)
}

func checkProcessingResources(r *types.ProcessingResources) error {
	if err := required(r, "ClusterConfig"); err != nil {
		return err
	}
	c := r.ClusterConfig
	if err := first(
		required(c, "InstanceCount", "InstanceType", "VolumeSizeInGB"),
		only("ProcessingResources.ClusterConfig.", c, "InstanceCount", "InstanceType", "VolumeSizeInGB", "VolumeKmsKeyId"),
		checkRange("processingResources.clusterConfig.instanceCount", c.InstanceCount, 1, maxProcessingHosts),
	); err != nil {
		return err
	}
	return checkHosts("processing", int(*c.InstanceCount))
}

func checkProcessingInput(in *types.ProcessingInput, names map[string]bool) error {
	const path = "ProcessingInputs."
	if err := first(
		required(in, "InputName"),
		only(path, in, "InputName", "S3Input"),
		required(in, "S3Input"),
		unique(path+"InputName", *in.InputName, names),
	); err != nil {
		return err
	}
	d := in.S3Input
	_, bad := parseLocation(path+"S3Input.S3Uri", aws.ToString(d.S3Uri))
	return first(
		required(d, "S3DataType"),
		bad,
		checkProcessingPath(path+"S3Input.LocalPath", d.LocalPath),
		oneOf(path+"S3Input.S3InputMode", d.S3InputMode, types.ProcessingS3InputModeFile),
		oneOf(path+"S3Input.S3CompressionType", d.S3CompressionType, types.ProcessingS3CompressionTypeNone))
}

func checkProcessingOutputs(c *types.ProcessingOutputConfig) error {
	if c == nil {
		return nil
	}
	if err := checkMembers("processingOutputConfig.outputs", len(c.Outputs), maxProcessingPaths); err != nil {
		return err
	}
	const path = "ProcessingOutputConfig.Outputs."
	names := map[string]bool{}
	for i := range c.Outputs {
		out := &c.Outputs[i]
		if err := first(
			required(out, "OutputName"),
			only(path, out, "OutputName", "S3Output"),
			required(out, "S3Output"),
			unique(path+"OutputName", *out.OutputName, names),
		); err != nil {
			return err
		}
		_, bad := parseLocation(path+"S3Output.S3Uri", aws.ToString(out.S3Output.S3Uri))
		if err := first(bad, checkProcessingPath(path+"S3Output.LocalPath", out.S3Output.LocalPath), required(out.S3Output, "S3UploadMode")); err != nil {
			return err
		}
	}
	return nil
}

func unique(field, name string, seen map[string]bool) error {
	if seen[name] {
		return invalid("%s %q is there twice: names must be unique", field, name)
	}
	seen[name] = true
	return nil
}

// checkProcessingPath refuses what AWS does.
func checkProcessingPath(field string, place *string) error {
	if _, err := belowOpt(field, aws.ToString(place)); err != nil || !strings.HasPrefix(*place, processingRoot) {
		return invalid("%s %q: it must begin with %s", field, aws.ToString(place), processingRoot)
	}
	return nil
}
