package sagemaker

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// maxRunSeconds is the longest that a training job may run (API reference of
// StoppingCondition).
const maxRunSeconds = 28 * 86400

// optRoot is where containers find everything. Each host has a folder that plays
// it.
const optRoot = "/opt/ml"

func (s *Service) checkTraining(in *sm.CreateTrainingJobInput) error {
	if err := required(in, "AlgorithmSpecification", "ResourceConfig"); err != nil {
		return err
	}
	return first(
		only("", in, "TrainingJobName", "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "RoleArn",
			"HyperParameters", "InputDataConfig", "Environment", "StoppingCondition", "Tags", "VpcConfig", "CheckpointConfig",
			"EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "RetryStrategy", "DebugHookConfig", "ProfilerConfig"),
		s.checkAlgorithm(in.AlgorithmSpecification),
		checkOutput(in.OutputDataConfig),
		checkResources(in.ResourceConfig),
		s.checkAlone("EnableNetworkIsolation", in.EnableNetworkIsolation, aws.ToString(in.AlgorithmSpecification.TrainingImage), countHosts(in.ResourceConfig)),
		checkStopping(in.StoppingCondition, aws.ToBool(in.EnableManagedSpotTraining)),
		checkCheckpoints(in.CheckpointConfig),
		checkDebugger(in),
		checkChannels(in),
	)
}

// checkAlgorithm accepts FastFile as File: a container finds the same files.
func (s *Service) checkAlgorithm(a *types.AlgorithmSpecification) error {
	if err := first(
		required(a, "TrainingImage"),
		only("AlgorithmSpecification.", a, "TrainingImage", "TrainingInputMode", "MetricDefinitions",
			"ContainerEntrypoint", "ContainerArguments", "EnableSageMakerMetricsTimeSeries"),
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

func checkOutput(o *types.OutputDataConfig) error {
	_, bad := parseLocation("OutputDataConfig.S3OutputPath", aws.ToString(o.S3OutputPath))
	return first(only("OutputDataConfig.", o, "S3OutputPath", "KmsKeyId", "CompressionType"), bad)
}

func checkStopping(c *types.StoppingCondition, spot bool) error {
	if c == nil {
		c = &types.StoppingCondition{}
	}
	if err := first(
		only("StoppingCondition.", c, "MaxRuntimeInSeconds", "MaxWaitTimeInSeconds"),
		checkRange("stoppingCondition.maxRuntimeInSeconds", c.MaxRuntimeInSeconds, 1, maxRunSeconds),
		checkRange("stoppingCondition.maxWaitTimeInSeconds", c.MaxWaitTimeInSeconds, 1, 2*maxRunSeconds),
	); err != nil {
		return err
	}
	switch longest := *stopping(c).MaxRuntimeInSeconds; {
	case spot && (c.MaxWaitTimeInSeconds == nil || *c.MaxWaitTimeInSeconds < longest):
		return invalid("Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds")
	case !spot && c.MaxWaitTimeInSeconds != nil:
		return invalid("Invalid MaxWaitTimeInSeconds. It goes with EnableManagedSpotTraining only: leave it out or set that to true")
	}
	return nil
}

func checkCheckpoints(c *types.CheckpointConfig) error {
	if c == nil {
		return nil
	}
	_, bad := parseLocation("CheckpointConfig.S3Uri", aws.ToString(c.S3Uri))
	if bad == nil && c.LocalPath != nil {
		_, bad = belowOpt("CheckpointConfig.LocalPath", *c.LocalPath)
	}
	return bad
}

// belowOpt gives a path's place below /opt/ml; other places are not given to
// containers.
func belowOpt(field, place string) (string, error) {
	in, ok := strings.CutPrefix(path.Clean(place), optRoot+"/")
	if !ok {
		return "", unsupported(fmt.Sprintf("%s %q", field, place), "name a folder below "+optRoot)
	}
	return in, nil
}
