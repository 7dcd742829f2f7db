package cloud

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/lifecycle"
)

// EndpointConfig says what an endpoint serves and where all its requests and
// answers are captured.
type EndpointConfig struct {
	lifecycle.Of
	Variants []Variant
	Capture  string // S3 prefix
}

// Variant is the share of the traffic, in percent, that one release serves.
type Variant struct {
	Release  int
	Model    string // a SageMaker model
	Instance string
	Count    int32
	Weight   int
	Startup  time.Duration // longest until the container answers /ping; 0 is AWS's default
}

// identity is what tells this configuration from another one, whoever asks.
func (c EndpointConfig) identity() EndpointConfig {
	c.Release = 0
	return c
}

// request names the configuration by its releases and its content, so that the
// same one always has the same name and another one never has it.
func (c EndpointConfig) request() (*sagemaker.CreateEndpointConfigInput, error) {
	in := &sagemaker.CreateEndpointConfigInput{DataCaptureConfig: &types.DataCaptureConfig{
		EnableCapture: aws.Bool(true), InitialSamplingPercentage: aws.Int32(100), DestinationS3Uri: &c.Capture,
		CaptureOptions:           []types.CaptureOption{{CaptureMode: types.CaptureModeInput}, {CaptureMode: types.CaptureModeOutput}},
		CaptureContentTypeHeader: &types.CaptureContentTypeHeader{CsvContentTypes: []string{"text/csv"}},
	}}
	var parts []string
	for i, v := range c.Variants {
		in.ProductionVariants = append(in.ProductionVariants, v.request())
		if i > 0 {
			parts = append(parts, lifecycle.Variant(v.Release))
		}
	}
	digest, err := lifecycle.Digest(c.identity())
	if err != nil {
		return nil, err
	}
	parts = append(parts, strings.TrimPrefix(digest, "sha256:")[:8])
	in.EndpointConfigName = aws.String(lifecycle.ResourceName(c.Model, c.Variants[0].Release, parts...))
	return in, nil
}

func (v Variant) request() types.ProductionVariant {
	out := types.ProductionVariant{
		VariantName: aws.String(lifecycle.Variant(v.Release)), ModelName: aws.String(v.Model),
		InstanceType: types.ProductionVariantInstanceType(v.Instance), InitialInstanceCount: aws.Int32(max(1, v.Count)),
		InitialVariantWeight: aws.Float32(float32(v.Weight)),
	}
	if v.Startup > 0 {
		out.ContainerStartupHealthCheckTimeoutInSeconds = aws.Int32(int32(v.Startup.Seconds()))
	}
	return out
}

// CreateConfig makes a configuration, or accepts the one an earlier attempt
// made, and returns its name. A configuration of that name with another
// specification is lifecycle.Conflict.
func (e *Endpoints) CreateConfig(ctx context.Context, c EndpointConfig) (string, error) {
	if len(c.Variants) == 0 {
		return "", lifecycle.Fail(lifecycle.Invalid, "endpoint configuration of %s: no variant is to serve: retire the model instead", c.Model)
	}
	in, err := c.request()
	if err != nil {
		return "", err
	}
	if in.Tags, err = owned(c.Of, c.identity()); err != nil {
		return "", err
	}
	name := *in.EndpointConfigName
	_, err = e.client.CreateEndpointConfig(ctx, in)
	if err = translate(err, "make endpoint configuration %s", name); !errors.Is(err, ErrExists) {
		return name, err
	}
	out, err := e.describeConfig(ctx, name)
	if err != nil {
		return name, err
	}
	return name, confirm(ctx, e.client, "endpoint configuration", name, out.EndpointConfigArn, in.Tags)
}

func (e *Endpoints) describeConfig(ctx context.Context, name string) (*sagemaker.DescribeEndpointConfigOutput, error) {
	out, err := e.client.DescribeEndpointConfig(ctx, &sagemaker.DescribeEndpointConfigInput{EndpointConfigName: &name})
	return out, translate(err, "look at endpoint configuration %s", name)
}

// ConfigModels lists the SageMaker models of a configuration. An unknown
// configuration is ErrNotFound.
func (e *Endpoints) ConfigModels(ctx context.Context, config string) ([]string, error) {
	out, err := e.describeConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	var models []string
	for _, v := range out.ProductionVariants {
		models = append(models, aws.ToString(v.ModelName))
	}
	return models, nil
}

// DeleteConfig deletes a configuration; nothing happens for one that is unknown.
func (e *Endpoints) DeleteConfig(ctx context.Context, name string) error {
	_, err := e.client.DeleteEndpointConfig(ctx, &sagemaker.DeleteEndpointConfigInput{EndpointConfigName: &name})
	_, err = stopped(translate(err, "delete endpoint configuration %s", name))
	return err
}
