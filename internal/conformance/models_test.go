package conformance

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

var modelCases = []kase{
	{name: "model lives", covers: "CreateModel DescribeModel ListModels DeleteModel", run: modelLives},
	{name: "models in pages", covers: "ListModels CreateModel", run: modelPages},
	{name: "model is checked", covers: "CreateModel DescribeModel DeleteModel", run: modelChecked},
}

// archive is a model.tar.gz for the container of this package.
func (c *cloud) archive(bucket *string, content string) string {
	c.Helper()
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	files := tar.NewWriter(z)
	require.NoError(c, files.WriteHeader(&tar.Header{Name: "model.txt", Mode: 0o644, Size: int64(len(content))}))
	_, err := files.Write([]byte(content))
	require.NoError(c, err)
	require.NoError(c, files.Close())
	require.NoError(c, z.Close())
	return c.put(bucket, "models/"+*c.name()+"/model.tar.gz", data.String())
}

// model makes one that answers by content, see serve.
func (c *cloud) model(bucket *string, content string) *string {
	c.Helper()
	return c.modelOf(&types.ContainerDefinition{Image: &at.image, ModelDataUrl: aws.String(c.archive(bucket, content)), Environment: map[string]string{"COLOUR": "green"}})
}

func (c *cloud) modelOf(container *types.ContainerDefinition) *string {
	c.Helper()
	name := c.name()
	out, err := c.sm.CreateModel(c.Context(), &sagemaker.CreateModelInput{ModelName: name, ExecutionRoleArn: &at.role, PrimaryContainer: container})
	require.NoError(c, err)
	require.Equal(c, fmt.Sprintf("arn:aws:sagemaker:%s:%s:model/%s", at.sdk.Region, at.account, *name), *out.ModelArn)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.sm.DeleteModel(ctx, &sagemaker.DeleteModelInput{ModelName: name})
		return gone(err)
	})
	return name
}

// gone forgives that what shall be deleted was deleted before.
func gone(err error) error {
	if err != nil && strings.Contains(err.Error(), "Could not find") {
		return nil
	}
	return err
}

func modelLives(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	name := c.model(bucket, "m")
	d, err := c.sm.DescribeModel(ctx, &sagemaker.DescribeModelInput{ModelName: name})
	require.NoError(c, err)
	require.Equal(c, []any{*name, at.role, at.image, map[string]string{"COLOUR": "green"}}, []any{*d.ModelName, *d.ExecutionRoleArn, *d.PrimaryContainer.Image, d.PrimaryContainer.Environment})
	require.Equal(c, types.ContainerModeSingleModel, d.PrimaryContainer.Mode)
	require.False(c, *d.EnableNetworkIsolation)
	require.WithinDuration(c, time.Now(), *d.CreationTime, 15*time.Minute)
	_, err = c.sm.CreateModel(ctx, &sagemaker.CreateModelInput{ModelName: name, ExecutionRoleArn: &at.role, PrimaryContainer: d.PrimaryContainer})
	c.refused(err, "ValidationException", fmt.Sprintf("Cannot create already existing model %q.", *d.ModelArn))
	list, err := c.sm.ListModels(ctx, &sagemaker.ListModelsInput{NameContains: name})
	require.NoError(c, err)
	require.Equal(c, *d.ModelArn, *list.Models[0].ModelArn)
	_, err = c.sm.DeleteModel(ctx, &sagemaker.DeleteModelInput{ModelName: name})
	require.NoError(c, err)
	_, err = c.sm.DescribeModel(ctx, &sagemaker.DescribeModelInput{ModelName: name})
	c.refused(err, "ValidationException", fmt.Sprintf("Could not find model %q.", *d.ModelArn))
}

func modelPages(c *cloud) {
	bucket := c.bucket()
	var names []string
	data := c.archive(bucket, "m")
	for range 3 {
		names = append(names, *c.modelOf(&types.ContainerDefinition{Image: &at.image, ModelDataUrl: &data}))
	}
	list := func(in *sagemaker.ListModelsInput) (found []string) {
		in.NameContains, in.MaxResults = aws.String(at.prefix), aws.Int32(2)
		pages := sagemaker.NewListModelsPaginator(c.sm, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(c.Context())
			require.NoError(c, err)
			for _, m := range page.Models {
				if slices.Contains(names, *m.ModelName) {
					found = append(found, *m.ModelName)
				}
			}
		}
		return found
	}
	down := slices.Clone(names)
	slices.Reverse(down)
	require.Equal(c, down, list(&sagemaker.ListModelsInput{}), "newest first")
	require.Equal(c, names, list(&sagemaker.ListModelsInput{SortBy: types.ModelSortKeyName, SortOrder: types.OrderKeyAscending}))
	_, err := c.sm.ListModels(c.Context(), &sagemaker.ListModelsInput{NextToken: aws.String("none of yours")})
	c.refused(err, "ValidationException", "")
}

func modelChecked(c *cloud) {
	ctx := c.Context()
	_, err := c.sm.DescribeModel(ctx, &sagemaker.DescribeModelInput{ModelName: aws.String("nowhere")})
	c.refused(err, "ValidationException", `Could not find model "arn:aws:sagemaker:`)
	_, err = c.sm.DeleteModel(ctx, &sagemaker.DeleteModelInput{ModelName: aws.String("nowhere")})
	c.refused(err, "ValidationException", `Could not find model "arn:aws:sagemaker:`)
	bucket := c.bucket()
	for says, in := range map[string]*sagemaker.CreateModelInput{
		"Could not find model data at s3://" + *bucket + "/none.tar.gz": {ModelName: c.name(), ExecutionRoleArn: &at.role, PrimaryContainer: &types.ContainerDefinition{Image: &at.image, ModelDataUrl: aws.String("s3://" + *bucket + "/none.tar.gz")}},
		"at 'modelName' failed to satisfy constraint":                   {ModelName: aws.String("under_score"), ExecutionRoleArn: &at.role, PrimaryContainer: &types.ContainerDefinition{Image: &at.image}},
	} {
		_, err = c.sm.CreateModel(ctx, in)
		c.refused(err, "ValidationException", says)
	}
}
