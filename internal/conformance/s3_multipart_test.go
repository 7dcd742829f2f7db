package conformance

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

var multipartCases = []kase{
	{name: "upload in parts", covers: "CreateMultipartUpload UploadPart UploadPartCopy ListParts ListMultipartUploads CompleteMultipartUpload", run: uploadInParts},
	{name: "upload is aborted", covers: "AbortMultipartUpload ListMultipartUploads UploadPart CompleteMultipartUpload ListParts", run: uploadAborted},
	{name: "bad parts", covers: "CompleteMultipartUpload UploadPart UploadPartCopy", run: badParts},
}

// partSize is the smallest that S3 takes of a part but the last.
const partSize = 5 << 20

func (c *cloud) upload(bucket *string, key string) *string {
	c.Helper()
	out, err := c.s3.CreateMultipartUpload(c.Context(), &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &key, ContentType: aws.String("text/x-parts"), Metadata: map[string]string{"m": "1"}})
	require.NoError(c, err)
	require.Equal(c, []string{*bucket, key}, []string{*out.Bucket, *out.Key})
	return out.UploadId
}

func (c *cloud) part(bucket *string, key string, id *string, n int32, body string) types.CompletedPart {
	c.Helper()
	out, err := c.s3.UploadPart(c.Context(), &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: id, PartNumber: &n, Body: strings.NewReader(body)})
	require.NoError(c, err)
	require.Equal(c, etag(body), *out.ETag)
	return types.CompletedPart{ETag: out.ETag, PartNumber: &n, ChecksumCRC32: out.ChecksumCRC32}
}

func (c *cloud) complete(bucket *string, key string, id *string, parts ...types.CompletedPart) (*s3.CompleteMultipartUploadOutput, error) {
	return c.s3.CompleteMultipartUpload(c.Context(), &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: &key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
}

// etagOf is the tag of an object in parts: the digest of the parts' digests, and
// how many there are.
func etagOf(parts ...string) string {
	all := md5.New()
	for _, p := range parts {
		sum := md5.Sum([]byte(p))
		all.Write(sum[:])
	}
	return fmt.Sprintf(`"%s-%d"`, hex.EncodeToString(all.Sum(nil)), len(parts))
}

func uploadInParts(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), "dir/in parts"
	c.put(bucket, "source", strings.Repeat("s", 100))
	id := c.upload(bucket, key)
	first := strings.Repeat("a", partSize)
	one := c.part(bucket, key, id, 1, first)
	c.part(bucket, key, id, 3, "replaced")
	three := c.part(bucket, key, id, 3, strings.Repeat("b", partSize))
	copied, err := c.s3.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: bucket, Key: &key, UploadId: id, PartNumber: aws.Int32(7),
		CopySource: aws.String(*bucket + "/source"), CopySourceRange: aws.String("bytes=10-19")})
	require.NoError(c, err)
	require.Equal(c, etag(strings.Repeat("s", 10)), *copied.CopyPartResult.ETag)
	seven := types.CompletedPart{ETag: copied.CopyPartResult.ETag, PartNumber: aws.Int32(7), ChecksumCRC32: copied.CopyPartResult.ChecksumCRC32}

	var numbers []int32
	pages := s3.NewListPartsPaginator(c.s3, &s3.ListPartsInput{Bucket: bucket, Key: &key, UploadId: id, MaxParts: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(c, err)
		require.LessOrEqual(c, len(page.Parts), 2)
		for _, p := range page.Parts {
			numbers = append(numbers, *p.PartNumber)
			require.NotNil(c, p.LastModified)
			require.NotZero(c, *p.Size)
		}
	}
	require.Equal(c, []int32{1, 3, 7}, numbers)
	uploads, err := c.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket, Prefix: aws.String("dir/")})
	require.NoError(c, err)
	require.Len(c, uploads.Uploads, 1)
	require.Equal(c, []string{key, *id}, []string{*uploads.Uploads[0].Key, *uploads.Uploads[0].UploadId})
	require.NotNil(c, uploads.Uploads[0].Initiated)

	done, err := c.complete(bucket, key, id, one, three, seven)
	require.NoError(c, err)
	want := etagOf(first, strings.Repeat("b", partSize), strings.Repeat("s", 10))
	require.Equal(c, []string{*bucket, key, want}, []string{*done.Bucket, *done.Key, *done.ETag})
	require.NotEmpty(c, *done.Location)
	body, out := c.get(&s3.GetObjectInput{Bucket: bucket, Key: &key})
	require.True(c, body == first+strings.Repeat("b", partSize)+strings.Repeat("s", 10), "the parts in their order")
	require.Equal(c, []any{want, "text/x-parts", map[string]string{"m": "1"}}, []any{*out.ETag, *out.ContentType, out.Metadata})
	_, err = c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: &key, IfMatch: &want})
	require.NoError(c, err)
	uploads, err = c.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket})
	require.NoError(c, err)
	require.Empty(c, uploads.Uploads)
}

func uploadAborted(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), "k"
	id := c.upload(bucket, key)
	one := c.part(bucket, key, id, 1, "x")
	_, err := c.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: &key, UploadId: id})
	require.NoError(c, err)
	const gone = "The specified upload does not exist"
	_, err = c.s3.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: id, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	c.refused(err, "NoSuchUpload", gone)
	require.Equal(c, 404, status(err))
	_, err = c.s3.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: &key, UploadId: id})
	c.refused(err, "NoSuchUpload", gone)
	_, err = c.complete(bucket, key, id, one)
	c.refused(err, "NoSuchUpload", gone)
	_, err = c.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: &key, UploadId: aws.String("nonsense")})
	c.refused(err, "NoSuchUpload", gone)
	uploads, err := c.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket})
	require.NoError(c, err)
	require.Empty(c, uploads.Uploads)
}

func badParts(c *cloud) {
	ctx, bucket, key := c.Context(), c.bucket(), "k"
	id := c.upload(bucket, key)
	c.atEnd(func(ctx context.Context) error {
		_, err := c.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: &key, UploadId: id})
		return err
	})
	one, two := c.part(bucket, key, id, 1, "small"), c.part(bucket, key, id, 2, "last")
	_, err := c.complete(bucket, key, id, one, two)
	c.refused(err, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
	require.Equal(c, 400, status(err))
	_, err = c.complete(bucket, key, id, two, one)
	c.refused(err, "InvalidPartOrder", "The list of parts was not in ascending order")
	_, err = c.complete(bucket, key, id, types.CompletedPart{ETag: one.ETag, PartNumber: aws.Int32(9)})
	c.refused(err, "InvalidPart", "One or more of the specified parts could not be found")
	_, err = c.complete(bucket, key, id, types.CompletedPart{ETag: two.ETag, PartNumber: aws.Int32(1)})
	c.refused(err, "InvalidPart", "One or more of the specified parts could not be found")
	_, err = c.complete(bucket, key, id)
	c.refused(err, "MalformedXML", "The XML you provided was not well-formed")
	for _, n := range []int32{0, 10001} {
		_, err = c.s3.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: id, PartNumber: &n, Body: strings.NewReader("x")})
		c.refused(err, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	_, err = c.s3.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: bucket, Key: &key, UploadId: id, PartNumber: aws.Int32(1), CopySource: aws.String(*bucket + "/nowhere")})
	c.refused(err, "NoSuchKey", "The specified key does not exist")
	_, err = c.complete(bucket, key, id, one)
	require.NoError(c, err, "one small part is the last one")
	require.Equal(c, "small", c.read("s3://"+*bucket+"/"+key))
}
