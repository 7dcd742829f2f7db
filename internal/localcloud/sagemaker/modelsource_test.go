package sagemaker_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

func sourceOf(uri string, kind types.S3ModelDataType, compression types.ModelCompressionType) *types.ModelDataSource {
	return &types.ModelDataSource{S3DataSource: &types.S3ModelDataSource{S3Uri: &uri, S3DataType: kind, CompressionType: compression}}
}

func (c *cloud) modelFrom(name string, d *types.ContainerDefinition) error {
	d.Image = aws.String(image)
	_, err := c.sm.CreateModel(c.Context(), &sm.CreateModelInput{ModelName: &name, ExecutionRoleArn: aws.String(role), PrimaryContainer: d})
	return err
}

// TestModelDataSources serves the same model from a prefix, from one file and
// from an archive, and as a package's.
func TestModelDataSources(t *testing.T) {
	c := start(t, nil)
	c.model("archive", "zipped")
	c.put("plain/model.txt", "folder")
	c.put("plain/deep/other.txt", "x")
	c.put("one/model.txt", "file")
	none, gzip := types.ModelCompressionTypeNone, types.ModelCompressionTypeGzip
	require.NoError(t, c.modelFrom("folder", &types.ContainerDefinition{ModelDataSource: sourceOf("s3://data/plain/", types.S3ModelDataTypeS3Prefix, none)}))
	require.NoError(t, c.modelFrom("file", &types.ContainerDefinition{ModelDataSource: sourceOf("s3://data/one/model.txt", types.S3ModelDataTypeS3Object, none)}))
	require.NoError(t, c.modelFrom("zipped", &types.ContainerDefinition{ModelDataSource: sourceOf("s3://data/models/archive.tar.gz", types.S3ModelDataTypeS3Object, gzip)}))
	_, err := c.sm.CreateModelPackageGroup(t.Context(), &sm.CreateModelPackageGroupInput{ModelPackageGroupName: aws.String("g")})
	require.NoError(t, err)
	in := packageInput("g", "t", "")
	in.InferenceSpecification.Containers[0].ModelDataUrl = nil
	in.InferenceSpecification.Containers[0].ModelDataSource = sourceOf("s3://data/plain/", types.S3ModelDataTypeS3Prefix, none)
	made, err := c.sm.CreateModelPackage(t.Context(), in)
	require.NoError(t, err)
	_, err = c.sm.CreateModel(t.Context(), &sm.CreateModelInput{ModelName: aws.String("packed"), PrimaryContainer: &types.ContainerDefinition{ModelPackageName: made.ModelPackageArn}})
	require.NoError(t, err)
	variants := map[string]string{"folder": "folder", "file": "file", "zipped": "zipped", "packed": "folder"}
	var list []types.ProductionVariant
	for model := range variants {
		list = append(list, production(model, 1))
	}
	c.config("all", list...)
	c.endpoint("e", "all")
	c.awaitEndpoint("e", types.EndpointStatusInService)
	for variant, says := range variants {
		require.Equal(t, says+"<x>\n", c.answer("e", variant, "x"), variant)
	}
	d, err := c.sm.DescribeModel(t.Context(), &sm.DescribeModelInput{ModelName: aws.String("folder")})
	require.NoError(t, err)
	require.Equal(t, "s3://data/plain/", *d.PrimaryContainer.ModelDataSource.S3DataSource.S3Uri)
	_, err = c.sm.CreateTransformJob(t.Context(), &sm.CreateTransformJobInput{TransformJobName: aws.String("t"), ModelName: aws.String("folder"),
		TransformInput:     &types.TransformInput{DataSource: &types.TransformDataSource{S3DataSource: &types.TransformS3DataSource{S3DataType: types.S3DataTypeS3Prefix, S3Uri: aws.String("s3://data/in")}}},
		TransformOutput:    &types.TransformOutput{S3OutputPath: aws.String("s3://data/out")},
		TransformResources: &types.TransformResources{InstanceCount: aws.Int32(1), InstanceType: types.TransformInstanceTypeMlM5Large}})
	refused(t, err, "ValidationException", "which batch transform does not take")
}

func TestModelDataIsChecked(t *testing.T) {
	c := start(t, nil)
	url := c.put("models/m.tar.gz", "x")
	none, gzip := types.ModelCompressionTypeNone, types.ModelCompressionTypeGzip
	many := map[string]string{}
	for i := range 101 {
		many["V"+strings.Repeat("x", i)] = ""
	}
	hub := sourceOf(url, types.S3ModelDataTypeS3Object, gzip)
	hub.S3DataSource.HubAccessConfig = &types.InferenceHubAccessConfig{HubContentArn: aws.String("arn")}
	for says, d := range map[string]*types.ContainerDefinition{
		"cannot both be given":                       {ModelDataUrl: &url, ModelDataSource: sourceOf(url, types.S3ModelDataTypeS3Object, gzip)},
		"goes with CompressionType None":             {ModelDataSource: sourceOf("s3://data/models/", types.S3ModelDataTypeS3Prefix, gzip)},
		"a prefix ends with a slash":                 {ModelDataSource: sourceOf("s3://data/models", types.S3ModelDataTypeS3Prefix, none)},
		"Could not find model data at s3://data/no/": {ModelDataSource: sourceOf("s3://data/no/", types.S3ModelDataTypeS3Prefix, none)},
		"Could not find model data at s3://data/mod": {ModelDataSource: sourceOf("s3://data/mod", types.S3ModelDataTypeS3Object, none)},
		"HubAccessConfig is not supported":           {ModelDataSource: hub},
		"at 'primaryContainer.environment' failed to satisfy constraint: Member must have length less than or equal to 100":                                                                                                  {Environment: many},
		"Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]": {Environment: map[string]string{"a-b": ""}},
		"Map value must satisfy constraint: [Member must have length less than or equal to 1024":                                                                                                                             {Environment: map[string]string{"A": strings.Repeat("x", 1025)}},
		`Mode "MultiModel" is not supported`: {Mode: types.ContainerModeMultiModel},
	} {
		refused(t, c.modelFrom("m", d), "ValidationException", says)
	}
	_, err := c.sm.CreateModel(t.Context(), &sm.CreateModelInput{ModelName: aws.String("m"), Containers: []types.ContainerDefinition{{Image: aws.String(image)}, {Image: aws.String(image)}}})
	refused(t, err, "ValidationException", "a model of 2 containers is not supported")
}
