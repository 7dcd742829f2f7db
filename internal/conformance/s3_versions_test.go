package conformance

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

var versionCases = []kase{
	{name: "versions", covers: "GetBucketVersioning PutBucketVersioning PutObject GetObject HeadObject DeleteObject ListObjectVersions", run: versions},
	{name: "versions in pages", covers: "ListObjectVersions", run: versionPages},
	{name: "versioning suspended", covers: "PutBucketVersioning PutObject DeleteObject", run: suspended},
	{name: "versions are missing", covers: "GetObject HeadObject DeleteObject", run: missingVersions},
}

func (c *cloud) versioning(bucket *string, status types.BucketVersioningStatus) {
	c.Helper()
	_, err := c.s3.PutBucketVersioning(c.Context(), &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status}})
	require.NoError(c, err)
	out, err := c.s3.GetBucketVersioning(c.Context(), &s3.GetBucketVersioningInput{Bucket: bucket})
	require.NoError(c, err)
	require.Equal(c, status, out.Status)
}

// version writes an object and gives its version.
func (c *cloud) version(bucket *string, key, body string) *string {
	c.Helper()
	out, err := c.s3.PutObject(c.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(body)})
	require.NoError(c, err)
	return out.VersionId
}

func versions(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), "k"
	before, err := c.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket})
	require.NoError(c, err)
	require.Empty(c, before.Status, "never versioned")
	require.Nil(c, c.version(bucket, key, "null"))
	c.versioning(bucket, types.BucketVersioningStatusEnabled)
	one, two := c.version(bucket, key, "one"), c.version(bucket, key, "two")
	require.NotEqual(c, *one, *two)
	for version, want := range map[string]string{"null": "null", *one: "one", *two: "two"} {
		body, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: &key, VersionId: &version})
		require.Equal(c, []string{want, version}, []string{body, aws.ToString(out.VersionId)})
	}
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key, VersionId: one})
	require.NoError(c, err)
	require.Equal(c, []any{int64(3), *one}, []any{*head.ContentLength, aws.ToString(head.VersionId)})
	marked, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key})
	require.NoError(c, err)
	require.True(c, aws.ToBool(marked.DeleteMarker))
	_, err = c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key})
	c.refused(err, "NoSuchKey", "The specified key does not exist")

	list, err := c.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket, Prefix: &key})
	require.NoError(c, err)
	require.Len(c, list.DeleteMarkers, 1)
	require.Equal(c, []any{aws.ToString(marked.VersionId), true, key}, []any{*list.DeleteMarkers[0].VersionId, *list.DeleteMarkers[0].IsLatest, *list.DeleteMarkers[0].Key})
	var ids []string
	for _, v := range list.Versions {
		ids = append(ids, *v.VersionId)
		require.False(c, *v.IsLatest)
	}
	require.Equal(c, []string{*two, *one, "null"}, ids, "newest first")

	gone, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key, VersionId: marked.VersionId})
	require.NoError(c, err)
	require.True(c, aws.ToBool(gone.DeleteMarker))
	body, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: &key})
	require.Equal(c, []string{"two", *two}, []string{body, aws.ToString(out.VersionId)}, "without its marker the object is back")
	_, err = c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key, VersionId: two})
	require.NoError(c, err)
	require.Equal(c, "one", c.read("s3://"+*bucket+"/"+key))
}

func versionPages(c *cloud) {
	bucket := c.bucket()
	c.versioning(bucket, types.BucketVersioningStatusEnabled)
	var want []string
	for _, key := range []string{"a", "b"} {
		for range 3 {
			want = append(want, key+" "+*c.version(bucket, key, "x"))
		}
	}
	var seen []string
	pages := s3.NewListObjectVersionsPaginator(c.s3, &s3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.Context())
		require.NoError(c, err)
		require.Len(c, page.Versions, 2)
		for _, v := range page.Versions {
			seen = append(seen, *v.Key+" "+*v.VersionId)
		}
	}
	require.Equal(c, []string{want[2], want[1], want[0], want[5], want[4], want[3]}, seen)
}

func suspended(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), "k"
	c.versioning(bucket, types.BucketVersioningStatusEnabled)
	kept := c.version(bucket, key, "kept")
	c.versioning(bucket, types.BucketVersioningStatusSuspended)
	c.version(bucket, key, "lost")
	c.version(bucket, key, "null")
	marked, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key})
	require.NoError(c, err)
	require.Equal(c, []any{true, "null"}, []any{aws.ToBool(marked.DeleteMarker), aws.ToString(marked.VersionId)}, "the marker takes the place of the null version")
	list, err := c.s3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket})
	require.NoError(c, err)
	require.Len(c, list.Versions, 1)
	require.Equal(c, *kept, *list.Versions[0].VersionId)
	require.Len(c, list.DeleteMarkers, 1)
}

func missingVersions(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), "k"
	c.versioning(bucket, types.BucketVersioningStatusEnabled)
	kept := c.version(bucket, key, "x")
	gone := c.version(bucket, key, "y")
	_, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key, VersionId: gone})
	require.NoError(c, err)
	_, err = c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key, VersionId: gone})
	c.refused(err, "NoSuchVersion", "The specified version does not exist.")
	require.Equal(c, 404, status(err))
	_, err = c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key, VersionId: gone})
	require.Equal(c, 404, status(err))
	marked, err := c.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: &key})
	require.NoError(c, err)
	_, err = c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: &key, VersionId: marked.VersionId})
	c.refused(err, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	require.Equal(c, 405, status(err), "a marker cannot be read")
	require.Equal(c, "x", func() string {
		body, _ := c.get(&s3.GetObjectInput{Bucket: bucket, Key: &key, VersionId: kept})
		return body
	}())
}
