package s3_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// TestVersionsThatWouldBeIgnored names versions where only the current one can
// be had.
func TestVersionsThatWouldBeIgnored(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	_, err := c.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	require.NoError(t, err)
	old := c.put("k", "old").VersionId
	c.put("k", "new")

	_, err = c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String(fmt.Sprintf("data/k?versionId=%s", *old))})
	require.Equal(t, "NotImplemented", code(err))
	require.ErrorContains(t, err, "versionId")
	remove := func(version *string) error {
		_, err := c.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("k"), VersionId: version}}}})
		return err
	}
	err = remove(old)
	require.Equal(t, "NotImplemented", code(err))
	require.Equal(t, 501, status(err))
	got, err := c.get(&awss3.GetObjectInput{Key: aws.String("k")})
	require.NoError(t, err)
	require.Equal(t, "new", got)
	require.NoError(t, remove(nil))
}
