package s3_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// versioned makes the bucket data keep versions.
func (c *cloud) versioned() *string {
	bucket := aws.String("data")
	_, err := c.PutBucketVersioning(c.Context(), &awss3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	require.NoError(c, err)
	return bucket
}

func TestCopyOfAVersion(t *testing.T) {
	c := start(t)
	bucket := c.versioned()
	old := c.put("k", "old").VersionId
	c.put("k", "new")
	from := aws.String("data/k?versionId=" + *old)
	for _, key := range []string{"copy", "k"} { // the second brings an old version back
		out, err := c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: &key, CopySource: from})
		require.NoError(t, err)
		require.Equal(t, *old, *out.CopySourceVersionId)
		got, err := c.get(&awss3.GetObjectInput{Key: &key, VersionId: out.VersionId})
		require.NoError(t, err)
		require.Equal(t, "old", got)
	}
	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("parts")})
	require.NoError(t, err)
	part, err := c.UploadPartCopy(t.Context(), &awss3.UploadPartCopyInput{Bucket: bucket, Key: aws.String("parts"), UploadId: u.UploadId, PartNumber: aws.Int32(1), CopySource: from})
	require.NoError(t, err)
	require.Equal(t, *c.put("same", "old").ETag, *part.CopyPartResult.ETag)

	_, err = c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: aws.String("none"), CopySource: aws.String("data/k?versionId=none")})
	require.Equal(t, "NoSuchVersion", code(err))
	marker, err := c.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: bucket, Key: aws.String("k")})
	require.NoError(t, err)
	_, err = c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: aws.String("none"), CopySource: aws.String("data/k?versionId=" + *marker.VersionId)})
	require.Equal(t, "InvalidRequest", code(err))
	_, err = c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: bucket, Key: aws.String("k"), VersionId: marker.VersionId})
	require.Equal(t, "MethodNotAllowed", code(err))
	require.Equal(t, 405, status(err))
}

func TestDeleteObjectsOfVersions(t *testing.T) {
	c := start(t)
	bucket := c.versioned()
	one, two := c.put("k", "one"), c.put("k", "two")
	c.put("other", "x")
	out, err := c.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("k"), VersionId: two.VersionId}, {Key: aws.String("other")}, {Key: aws.String("k"), ETag: aws.String(`"wrong"`)},
	}}})
	require.NoError(t, err)
	require.Len(t, out.Deleted, 2)
	require.Equal(t, *two.VersionId, *out.Deleted[0].VersionId)
	require.Nil(t, out.Deleted[0].DeleteMarker)
	require.True(t, *out.Deleted[1].DeleteMarker)
	require.Equal(t, "PreconditionFailed", *out.Errors[0].Code)
	head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String("k")})
	require.NoError(t, err)
	require.Equal(t, *one.VersionId, *head.VersionId, "the older one is current again")

	out, err = c.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
		{Key: aws.String("other"), VersionId: out.Deleted[1].DeleteMarkerVersionId},
	}}})
	require.NoError(t, err)
	require.True(t, *out.Deleted[0].DeleteMarker)
	_, err = c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String("other")})
	require.NoError(t, err, "without its marker it is there again")
}

func TestVersionsInFolders(t *testing.T) {
	c := start(t)
	bucket := c.versioned()
	for _, key := range []string{"a", "b/1", "b/2", "c", "d/1"} {
		c.put(key, "x")
		c.put(key, "y")
	}
	for _, size := range []int32{1, 2, 3, 100} {
		var seen []string
		pages := awss3.NewListObjectVersionsPaginator(c, &awss3.ListObjectVersionsInput{Bucket: bucket, Delimiter: aws.String("/"), MaxKeys: &size})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Versions)+len(page.CommonPrefixes), int(size))
			for _, v := range page.Versions {
				seen = append(seen, fmt.Sprint(*v.Key, *v.IsLatest))
			}
			for _, p := range page.CommonPrefixes {
				seen = append(seen, *p.Prefix)
			}
		}
		require.ElementsMatch(t, []string{"atrue", "afalse", "b/", "ctrue", "cfalse", "d/"}, seen, size)
	}
}

func TestTagsOfAVersion(t *testing.T) {
	c := start(t)
	bucket, key := c.versioned(), aws.String("k")
	old := c.put("k", "old").VersionId
	c.put("k", "new")
	_, err := c.PutObjectTagging(t.Context(), &awss3.PutObjectTaggingInput{Bucket: bucket, Key: key, VersionId: old, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}})
	require.NoError(t, err)
	for version, n := range map[*string]int{old: 1, nil: 0} {
		tags, err := c.GetObjectTagging(t.Context(), &awss3.GetObjectTaggingInput{Bucket: bucket, Key: key, VersionId: version})
		require.NoError(t, err)
		require.Len(t, tags.TagSet, n)
	}
}
