package sagemaker

import (
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
)

// defaultConcurrency is how many requests an instance of an asynchronous endpoint
// gets at once unless ClientConfig says; SageMaker decides it case by case.
const defaultConcurrency = 4

// checkAsync refuses what an asynchronous endpoint cannot be.
func checkAsync(in *sm.CreateEndpointConfigInput) error {
	c := in.AsyncInferenceConfig
	switch {
	case c == nil:
		return nil
	case len(in.ShadowProductionVariants) > 0:
		return unsupported("ShadowProductionVariants of an asynchronous endpoint", "leave out one of ShadowProductionVariants and AsyncInferenceConfig")
	case len(in.ProductionVariants) != 1:
		return invalid("AsyncInferenceConfig: an asynchronous endpoint has exactly one production variant, not %d", len(in.ProductionVariants))
	case in.DataCaptureConfig != nil:
		return unsupported("DataCaptureConfig of an asynchronous endpoint", "its requests and answers are in S3 already: leave it out")
	}
	if err := only("AsyncInferenceConfig.", c, "OutputConfig", "ClientConfig"); err != nil {
		return err
	}
	return checkAsyncOutput(c.OutputConfig)
}

func checkAsyncOutput(out *types.AsyncInferenceOutputConfig) error {
	const path = "AsyncInferenceConfig.OutputConfig."
	if err := first(
		only(path, out, "S3OutputPath", "S3FailurePath", "KmsKeyId", "NotificationConfig"),
	); err != nil {
		return err
	}
	if out.S3OutputPath == nil {
		return invalid("%sS3OutputPath is missing: the local cloud has no bucket of its own for answers", path)
	}
	if _, err := parseLocation(path+"S3OutputPath", *out.S3OutputPath); err != nil {
		return err
	}
	if out.S3FailurePath != nil {
		if _, err := parseLocation(path+"S3FailurePath", *out.S3FailurePath); err != nil {
			return err
		}
	}
	if notify := out.NotificationConfig; notify != nil {
		return only(path+"NotificationConfig.", notify, "SuccessTopic", "ErrorTopic")
	}
	return nil
}

// concurrency is how many requests each instance gets at once.
func concurrency(c *types.AsyncInferenceConfig) int {
	if c == nil || c.ClientConfig == nil || c.ClientConfig.MaxConcurrentInvocationsPerInstance == nil {
		return defaultConcurrency
	}
	return int(*c.ClientConfig.MaxConcurrentInvocationsPerInstance)
}
