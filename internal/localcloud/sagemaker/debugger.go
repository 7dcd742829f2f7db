package sagemaker

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// checkDebugger accepts Debugger and Profiler with nothing to collect, which the
// SageMaker Python SDK asks for in every training job.
func checkDebugger(in *sm.CreateTrainingJobInput) error {
	if c := in.DebugHookConfig; c != nil {
		if err := only("DebugHookConfig.", c, "S3OutputPath", "LocalPath"); err != nil {
			return err
		}
	}
	if c := in.ProfilerConfig; c != nil {
		return only("ProfilerConfig.", c, "DisableProfiler", "S3OutputPath", "ProfilingIntervalInMilliseconds")
	}
	return nil
}

// describeDefaults sets what AWS tells of a training job that was not asked for.
func describeDefaults(job *sm.DescribeTrainingJobOutput) {
	output := *job.OutputDataConfig
	if output.KmsKeyId == nil {
		output.KmsKeyId = aws.String("")
	}
	if output.CompressionType == "" {
		output.CompressionType = types.OutputCompressionTypeGzip
	}
	job.OutputDataConfig = &output
	job.ProfilingStatus = types.ProfilingStatusDisabled
	for _, b := range []**bool{&job.EnableNetworkIsolation, &job.EnableInterContainerTrafficEncryption, &job.EnableManagedSpotTraining} {
		*b = aws.Bool(aws.ToBool(*b))
	}
}
