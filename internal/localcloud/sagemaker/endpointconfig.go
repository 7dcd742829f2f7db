package sagemaker

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

// endpointConfig is the record of an endpoint configuration.
type endpointConfig struct {
	sm.DescribeEndpointConfigOutput
}

func (c *endpointConfig) head() head {
	return head{name: *c.EndpointConfigName, created: *c.CreationTime}
}

func (s *Service) endpointConfigOperations(ops wire.Operations) {
	ops["CreateEndpointConfig"] = wire.Op(s.createEndpointConfig)
	ops["DescribeEndpointConfig"] = wire.Op(s.describeEndpointConfig)
	ops["ListEndpointConfigs"] = wire.Op(s.listEndpointConfigs)
	ops["DeleteEndpointConfig"] = wire.Op(s.deleteEndpointConfig)
}

func (s *Service) createEndpointConfig(_ context.Context, in *sm.CreateEndpointConfigInput) (*sm.CreateEndpointConfigOutput, error) {
	if err := s.checkEndpointConfig(in); err != nil {
		return nil, err
	}
	var c endpointConfig
	copyFields(&c.DescribeEndpointConfigOutput, in)
	arn := s.arn("endpoint-config", *in.EndpointConfigName)
	c.EndpointConfigArn, c.CreationTime = &arn, aws.Time(time.Now().UTC())
	err := s.store.configs.insert(*in.EndpointConfigName, arn, in.Tags, &c)
	if errors.Is(err, errExists) {
		return nil, invalid("Cannot create already existing endpoint configuration %q.", arn)
	}
	if err != nil {
		return nil, err
	}
	return &sm.CreateEndpointConfigOutput{EndpointConfigArn: &arn}, nil
}

func (s *Service) checkEndpointConfig(in *sm.CreateEndpointConfigInput) error {
	if err := first(
		only("", in, "EndpointConfigName", "ProductionVariants", "ShadowProductionVariants", "DataCaptureConfig", "AsyncInferenceConfig",
			"ExecutionRoleArn", "KmsKeyId", "Tags", "VpcConfig"),
		checkCapture(in.DataCaptureConfig),
		checkAsync(in),
	); err != nil {
		return err
	}
	if n := len(in.ShadowProductionVariants); n > 1 || n == 1 && len(in.ProductionVariants) != 1 {
		return invalid("ShadowProductionVariants: one shadow variant goes with exactly one production variant, not %d with %d", n, len(in.ProductionVariants))
	}
	seen := map[string]bool{}
	for _, list := range [][]types.ProductionVariant{in.ProductionVariants, in.ShadowProductionVariants} {
		for i := range list {
			if err := s.checkVariant(&list[i]); err != nil {
				return err
			}
			if name := *list[i].VariantName; seen[name] {
				return invalid("Production variant name %s is used more than once.", name)
			}
			seen[*list[i].VariantName] = true
		}
	}
	return nil
}

func (s *Service) checkVariant(v *types.ProductionVariant) error {
	if err := first(
		only("ProductionVariants.", v, "VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "InitialVariantWeight",
			"VolumeSizeInGB", "ModelDataDownloadTimeoutInSeconds", "ContainerStartupHealthCheckTimeoutInSeconds"),
		required(v, "ModelName", "InstanceType", "InitialInstanceCount"),
	); err != nil {
		return err
	}
	_, err := s.model(v.ModelName)
	return err
}

func checkCapture(c *types.DataCaptureConfig) error {
	if c == nil {
		return nil
	}
	if err := only("DataCaptureConfig.", c, "CaptureOptions", "DestinationS3Uri", "InitialSamplingPercentage",
		"CaptureContentTypeHeader", "EnableCapture", "KmsKeyId"); err != nil {
		return err
	}
	at, err := parseLocation("DataCaptureConfig.DestinationS3Uri", *c.DestinationS3Uri)
	if err != nil {
		return err
	}
	// The key is also the path of the local spool.
	if key := strings.TrimSuffix(at.key, "/"); key != "" && path.Clean("/"+key) != "/"+key {
		return invalid("DataCaptureConfig.DestinationS3Uri %q: empty, . and .. parts are not allowed", *c.DestinationS3Uri)
	}
	return nil
}

func (s *Service) endpointConfig(name *string) (*endpointConfig, error) {
	c, err := s.store.configs.get(aws.ToString(name))
	if errors.Is(err, errMissing) {
		return nil, invalid("Could not find endpoint configuration %q.", s.arn("endpoint-config", aws.ToString(name)))
	}
	return c, err
}

func (s *Service) describeEndpointConfig(_ context.Context, in *sm.DescribeEndpointConfigInput) (*sm.DescribeEndpointConfigOutput, error) {
	c, err := s.endpointConfig(in.EndpointConfigName)
	if err != nil {
		return nil, err
	}
	return &c.DescribeEndpointConfigOutput, nil
}

func (s *Service) listEndpointConfigs(_ context.Context, in *sm.ListEndpointConfigsInput) (*sm.ListEndpointConfigsOutput, error) {
	list, next, err := page(s.store.configs, query{contains: in.NameContains, createdAfter: in.CreationTimeAfter, createdBefore: in.CreationTimeBefore,
		sortBy: string(in.SortBy), descending: in.SortOrder != types.OrderKeyAscending, max: in.MaxResults, token: in.NextToken},
		func(c *endpointConfig) (sum types.EndpointConfigSummary) {
			copyFields(&sum, &c.DescribeEndpointConfigOutput)
			return sum
		})
	return &sm.ListEndpointConfigsOutput{EndpointConfigs: list, NextToken: next}, err
}

func (s *Service) deleteEndpointConfig(_ context.Context, in *sm.DeleteEndpointConfigInput) (*sm.DeleteEndpointConfigOutput, error) {
	c, err := s.endpointConfig(in.EndpointConfigName)
	if err != nil {
		return nil, err
	}
	if err := s.store.configs.remove(*c.EndpointConfigName, *c.EndpointConfigArn); err != nil {
		return nil, err
	}
	return &sm.DeleteEndpointConfigOutput{}, nil
}
