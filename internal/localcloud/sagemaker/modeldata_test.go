package sagemaker_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sm "github.com/aws/aws-sdk-go-v2/service/sagemaker"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"
	"github.com/stretchr/testify/require"
)

// TestHostileModelData says why an endpoint and a transform job failed, and
// leaves nothing of the archive.
func TestHostileModelData(t *testing.T) {
	c := start(t, nil)
	outside := filepath.Join(t.TempDir(), "outside")
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	w := tar.NewWriter(z)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "model.txt", Typeflag: tar.TypeSymlink, Linkname: outside}))
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	url := c.put("hostile.tar.gz", data.String())
	name := aws.String("hostile")
	_, err := c.sm.CreateModel(t.Context(), &sm.CreateModelInput{ModelName: name, ExecutionRoleArn: aws.String(role),
		PrimaryContainer: &types.ContainerDefinition{Image: aws.String(image), ModelDataUrl: &url}})
	require.NoError(t, err)
	c.config("hostile", production("hostile", 1))
	c.endpoint("hostile", "hostile")
	const says = `Failed to extract model data archive for container "container_1" from URL "s3://data/hostile.tar.gz". Please ensure that the object located at the URL is a valid tar.gz archive.`
	require.Contains(t, *c.awaitEndpoint("hostile", types.EndpointStatusFailed).FailureReason, says)

	c.put("rows/in.csv", "1\n")
	c.transform(transformInput("hostile", "hostile", "s3://data/rows/"))
	require.Contains(t, *c.awaitTransform("hostile", types.TransformJobStatusFailed).FailureReason, says)
	left, err := os.ReadDir(filepath.Join(c.dir, "sagemaker", "servers"))
	require.NoError(t, err)
	require.Empty(t, left)
	require.NoFileExists(t, outside)
}
