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

// Limits of CreateTrainingJob (API reference).
const (
	maxHyperParameters = 100
	maxHyperKey        = 256
	maxHyperValue      = 2500
	maxVariables       = 100
	maxTrainingText    = 512
	maxChannels        = 20
	maxMetrics         = 40
	maxRunSeconds      = 28 * 86400
	maxRetries         = 30
	maxArguments       = 100
)

// optRoot is where containers find everything. Each host has a folder that plays
// it.
const optRoot = "/opt/ml"

// channelRegexp is what AWS allows for the names of channels.
var channelRegexp = regexp.MustCompile(`^[A-Za-z0-9.\-_]+$`)

func (s *Service) checkTraining(in *sm.CreateTrainingJobInput) error {
	if err := required(in, "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "RoleArn"); err != nil {
		return err
	}
	return first(
		checkName("TrainingJobName", in.TrainingJobName),
		only("", in, "TrainingJobName", "AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "RoleArn",
			"HyperParameters", "InputDataConfig", "Environment", "StoppingCondition", "Tags", "VpcConfig", "CheckpointConfig",
			"EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining", "RetryStrategy", "DebugHookConfig", "ProfilerConfig"),
		s.checkAlgorithm(in.AlgorithmSpecification),
		checkTexts("hyperParameters", in.HyperParameters, maxHyperParameters, maxHyperKey, maxHyperValue),
		checkTexts("environment", in.Environment, maxVariables, maxTrainingText, maxTrainingText),
		checkOutput(in.OutputDataConfig),
		checkResources(in.ResourceConfig),
		s.checkAlone("EnableNetworkIsolation", in.EnableNetworkIsolation, aws.ToString(in.AlgorithmSpecification.TrainingImage), countHosts(in.ResourceConfig)),
		checkStopping(in.StoppingCondition, aws.ToBool(in.EnableManagedSpotTraining)),
		checkCheckpoints(in.CheckpointConfig),
		checkRetries(in.RetryStrategy),
		checkDebugger(in),
		checkChannels(in),
	)
}

// checkAlgorithm accepts FastFile as File: a container finds the same files.
func (s *Service) checkAlgorithm(a *types.AlgorithmSpecification) error {
	if err := first(
		required(a, "TrainingImage", "TrainingInputMode"),
		only("AlgorithmSpecification.", a, "TrainingImage", "TrainingInputMode", "MetricDefinitions",
			"ContainerEntrypoint", "ContainerArguments", "EnableSageMakerMetricsTimeSeries"),
		checkMembers("algorithmSpecification.metricDefinitions", len(a.MetricDefinitions), maxMetrics),
		checkMembers("algorithmSpecification.containerEntrypoint", len(a.ContainerEntrypoint), maxArguments),
		checkMembers("algorithmSpecification.containerArguments", len(a.ContainerArguments), maxArguments),
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

// checkTexts checks how many entries a map has, and their lengths.
func checkTexts(field string, m map[string]string, entries, key, value int) error {
	if err := checkMembers(field, len(m), entries); err != nil {
		return err
	}
	for k, v := range m {
		if len([]rune(k)) > key {
			return invalid("1 validation error detected: Value '{%s=%s}' at '%s' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to %d]", k, v, field, key)
		}
		if len([]rune(v)) > value {
			return invalid("1 validation error detected: Value '{%s=%s}' at '%s' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to %d]", k, v, field, value)
		}
	}
	return nil
}

func checkMembers(field string, n, most int) error {
	if n <= most {
		return nil
	}
	return invalid("1 validation error detected: Value with %d members at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", n, field, most)
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

func checkRetries(r *types.RetryStrategy) error {
	if r == nil {
		return nil
	}
	return first(required(r, "MaximumRetryAttempts"), checkRange("retryStrategy.maximumRetryAttempts", r.MaximumRetryAttempts, 1, maxRetries))
}
