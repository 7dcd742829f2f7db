package conformance

import (
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

var listCases = []kase{
	{name: "list in pages", covers: "ListObjectsV2", run: listPages},
	{name: "list folders", covers: "ListObjectsV2 ListObjects", run: listFolders},
	{name: "list by marker", covers: "ListObjects", run: listMarker},
	{name: "list on odd terms", covers: "ListObjectsV2", run: listOdd},
}

func listPages(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("k/%d ü", i))
		c.put(bucket, want[i], "x")
	}
	c.put(bucket, "l", "x")
	var keys []string
	var token *string
	for page := range 3 {
		out, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("k/"), MaxKeys: aws.Int32(3), ContinuationToken: token, FetchOwner: aws.Bool(true)})
		require.NoError(c, err)
		require.Equal(c, []any{*bucket, "k/", int32(3), page < 2, token}, []any{*out.Name, *out.Prefix, *out.MaxKeys, *out.IsTruncated, out.ContinuationToken})
		require.Equal(c, int32(len(out.Contents)), *out.KeyCount)
		for _, o := range out.Contents {
			keys = append(keys, *o.Key)
			require.Equal(c, []any{etag("x"), int64(1), types.ObjectStorageClassStandard}, []any{*o.ETag, *o.Size, o.StorageClass})
			require.NotEmpty(c, *o.Owner.ID)
		}
		token = out.NextContinuationToken
		require.Equal(c, page < 2, token != nil)
	}
	require.Equal(c, want, keys)
	out, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, StartAfter: &want[4]})
	require.NoError(c, err)
	require.Len(c, out.Contents, 3)
	require.Equal(c, want[4], *out.StartAfter)
	require.Nil(c, out.Contents[0].Owner, "told only when asked for")
}

func listFolders(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	for _, key := range []string{"a/1", "a/2", "b", "c/d/1", "c/e"} {
		c.put(bucket, key, "x")
	}
	var seen []string
	pages := s3.NewListObjectsV2Paginator(c.s3, &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/"), MaxKeys: aws.Int32(1)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(ctx)
		require.NoError(c, err)
		require.Equal(c, int32(1), *out.KeyCount, "a folder counts as one")
		require.Equal(c, "/", *out.Delimiter)
		for _, p := range out.CommonPrefixes {
			seen = append(seen, *p.Prefix)
		}
		for _, o := range out.Contents {
			seen = append(seen, *o.Key)
		}
	}
	require.Equal(c, []string{"a/", "b", "c/"}, seen)
	old, err := c.s3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, Prefix: aws.String("c/"), Delimiter: aws.String("/")})
	require.NoError(c, err)
	require.Equal(c, []string{"c/d/", "c/e"}, []string{*old.CommonPrefixes[0].Prefix, *old.Contents[0].Key})
}

func listMarker(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	for _, key := range []string{"a/1", "b", "c", "d"} {
		c.put(bucket, key, "x")
	}
	first, err := c.s3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, MaxKeys: aws.Int32(2), Delimiter: aws.String("/")})
	require.NoError(c, err)
	require.True(c, *first.IsTruncated)
	require.Equal(c, "b", *first.NextMarker, "given with a delimiter")
	next, err := c.s3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, Marker: first.NextMarker, MaxKeys: aws.Int32(2)})
	require.NoError(c, err)
	require.Equal(c, []any{"b", false, 2}, []any{*next.Marker, *next.IsTruncated, len(next.Contents)})
	plain, err := c.s3.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, MaxKeys: aws.Int32(2)})
	require.NoError(c, err)
	require.True(c, *plain.IsTruncated)
	require.Nil(c, plain.NextMarker, "without a delimiter the last key is the marker")
}

func listOdd(c *cloud) {
	ctx, bucket := c.Context(), c.bucket()
	c.put(bucket, "k", "x")
	none, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(0)})
	require.NoError(c, err)
	require.Equal(c, []any{0, false, int32(0)}, []any{len(none.Contents), aws.ToBool(none.IsTruncated), aws.ToInt32(none.KeyCount)})
	most, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(5000)})
	require.NoError(c, err)
	require.Equal(c, int32(1000), aws.ToInt32(most.MaxKeys))
	_, err = c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(-1)})
	c.refused(err, "InvalidArgument", "")
	require.Equal(c, 400, status(err))
	_, err = c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, ContinuationToken: aws.String("none of yours")})
	c.refused(err, "InvalidArgument", "The continuation token provided is incorrect")
	_, err = c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, EncodingType: "octal"})
	c.refused(err, "InvalidArgument", "Invalid Encoding Method specified in Request")
	c.put(bucket, "a b+ü", "x")
	encoded, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, EncodingType: types.EncodingTypeUrl, MaxKeys: aws.Int32(1)})
	require.NoError(c, err)
	require.Equal(c, types.EncodingTypeUrl, encoded.EncodingType)
	key, err := url.QueryUnescape(*encoded.Contents[0].Key)
	require.NoError(c, err)
	require.Equal(c, "a b+ü", key)
}
