package sagemaker

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// processingRoot is where the paths of processing jobs begin.
const processingRoot = optRoot + "/processing/"

func (s *Service) checkProcessingJob(in *sm.CreateProcessingJobInput) error {
	if err := first(
		only("", in, "ProcessingJobName", "AppSpecification", "ProcessingResources", "RoleArn", "Environment", "NetworkConfig",
			"ProcessingInputs", "ProcessingOutputConfig", "StoppingCondition", "Tags"),
		s.images.check(*in.AppSpecification.ImageUri),
		checkProcessingResources(in.ProcessingResources.ClusterConfig),
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
	names := map[string]bool{}
	for i := range in.ProcessingInputs {
		if err := checkProcessingInput(&in.ProcessingInputs[i], names); err != nil {
			return err
		}
	}
	return checkProcessingOutputs(in.ProcessingOutputConfig)
}

func checkProcessingResources(c *types.ProcessingClusterConfig) error {
	if err := first(
		required(c, "InstanceCount", "InstanceType"),
		only("ProcessingResources.ClusterConfig.", c, "InstanceCount", "InstanceType", "VolumeSizeInGB", "VolumeKmsKeyId"),
	); err != nil {
		return err
	}
	return checkHosts("processing", int(*c.InstanceCount))
}

func checkProcessingInput(in *types.ProcessingInput, names map[string]bool) error {
	const path = "ProcessingInputs."
	if err := first(
		only(path, in, "InputName", "S3Input"),
		required(in, "S3Input"),
		unique(path+"InputName", *in.InputName, names),
	); err != nil {
		return err
	}
	d := in.S3Input
	_, bad := parseLocation(path+"S3Input.S3Uri", aws.ToString(d.S3Uri))
	return first(
		bad,
		checkProcessingPath(path+"S3Input.LocalPath", d.LocalPath),
		oneOf(path+"S3Input.S3InputMode", d.S3InputMode, types.ProcessingS3InputModeFile),
		oneOf(path+"S3Input.S3CompressionType", d.S3CompressionType, types.ProcessingS3CompressionTypeNone))
}

func checkProcessingOutputs(c *types.ProcessingOutputConfig) error {
	if c == nil {
		return nil
	}
	const path = "ProcessingOutputConfig.Outputs."
	names := map[string]bool{}
	for i := range c.Outputs {
		out := &c.Outputs[i]
		if err := first(
			only(path, out, "OutputName", "S3Output"),
			required(out, "S3Output"),
			unique(path+"OutputName", *out.OutputName, names),
		); err != nil {
			return err
		}
		_, bad := parseLocation(path+"S3Output.S3Uri", aws.ToString(out.S3Output.S3Uri))
		if err := first(bad, checkProcessingPath(path+"S3Output.LocalPath", out.S3Output.LocalPath)); err != nil {
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
