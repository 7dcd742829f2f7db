package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

func TestMultipartUploadGoesOnAfterARestart(t *testing.T) {
	c := start(t)
	bucket, key := aws.String("data"), aws.String("big")
	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: key, ContentType: aws.String("text/csv")})
	require.NoError(t, err)
	bodies := [][]byte{randomBytes(5 << 20), randomBytes(5 << 20), randomBytes(100)}
	var parts []types.CompletedPart
	for i, b := range bodies {
		if i == 1 {
			c.restart()
		}
		out, err := c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader(b)})
		require.NoError(t, err)
		parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(int32(i + 1))})
	}
	c.restart()
	listed, err := c.ListParts(t.Context(), &awss3.ListPartsInput{Bucket: bucket, Key: key, UploadId: u.UploadId})
	require.NoError(t, err)
	require.Len(t, listed.Parts, 3)
	done, err := c.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(*done.ETag, `-3"`), *done.ETag)
	require.Equal(t, c.server.URL+"/data/big", *done.Location)

	head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	require.Equal(t, *done.ETag, *head.ETag)
	require.Equal(t, "text/csv", *head.ContentType)
	require.Empty(t, head.Metadata)
	got, err := c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: bucket, Key: key, IfMatch: done.ETag})
	require.NoError(t, err)
	require.Equal(t, *done.ETag, *got.ETag)
	all, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(bytes.Join(bodies, nil), all))
	across, err := c.get(&awss3.GetObjectInput{Key: key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", 5<<20-2, 10<<20+1))})
	require.NoError(t, err)
	require.True(t, across == string(all[5<<20-2:10<<20+2]))

	_, err = c.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String("data/big"), CopySourceIfMatch: done.ETag})
	require.NoError(t, err)
	copied, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String("copy")})
	require.NoError(t, err)
	require.NotContains(t, *copied.ETag, "-")
	require.Equal(t, int64(len(all)), *copied.ContentLength)
}

func TestAbortedUploadLeavesNothing(t *testing.T) {
	c := start(t)
	bucket, key := aws.String("data"), aws.String("big")
	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	_, err = c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
	require.NoError(t, err)
	require.Len(t, c.blobs(), 1)
	_, err = c.AbortMultipartUpload(t.Context(), &awss3.AbortMultipartUploadInput{Bucket: bucket, Key: key, UploadId: u.UploadId})
	require.NoError(t, err)
	require.Empty(t, c.blobs())
}

func TestSmallPartsAreRefused(t *testing.T) {
	c := start(t)
	bucket, key := aws.String("data"), aws.String("small")
	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	var parts []types.CompletedPart
	for i := range int32(2) {
		out, err := c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(i + 1), Body: strings.NewReader("x")})
		require.NoError(t, err)
		parts = append(parts, types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(i + 1)})
	}
	complete := func(parts []types.CompletedPart) error {
		_, err := c.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return err
	}
	err = complete(parts)
	require.Equal(t, "EntityTooSmall", code(err))
	require.Equal(t, 400, status(err))
	require.NoError(t, complete(parts[:1]), "the last part may be small")
}

func TestTransferManagerRoundTrip(t *testing.T) {
	c := start(t)
	body := randomBytes(20 << 20)
	tm := transfermanager.New(c.Client)
	_, err := tm.UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: aws.String("data"), Key: aws.String("m"), Body: io.MultiReader(bytes.NewReader(body))})
	require.NoError(t, err)
	got, err := c.get(&awss3.GetObjectInput{Key: aws.String("m")})
	require.NoError(t, err)
	require.True(t, got == string(body))
}

func TestUploadsAreListed(t *testing.T) {
	c := start(t)
	bucket := aws.String("data")
	none, err := c.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: bucket})
	require.NoError(t, err)
	require.Empty(t, none.Uploads)
	var want []string
	for _, key := range []string{"a", "a", "b/1", "b/2", "c d", "e/1"} {
		u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: &key})
		require.NoError(t, err)
		if !strings.Contains(key, "/") {
			want = append(want, key+" "+*u.UploadId)
		}
	}
	want = append(want, "b/", "e/")
	c.restart()
	for _, size := range []int32{1, 2, 3, 100} {
		var seen []string
		pages := awss3.NewListMultipartUploadsPaginator(c, &awss3.ListMultipartUploadsInput{Bucket: bucket, Delimiter: aws.String("/"), MaxUploads: &size, EncodingType: types.EncodingTypeUrl})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, u := range page.Uploads {
				key, err := url.QueryUnescape(*u.Key)
				require.NoError(t, err)
				require.WithinDuration(t, time.Now(), *u.Initiated, time.Minute)
				seen = append(seen, key+" "+*u.UploadId)
			}
			for _, p := range page.CommonPrefixes {
				prefix, err := url.QueryUnescape(*p.Prefix)
				require.NoError(t, err)
				seen = append(seen, prefix)
			}
		}
		require.ElementsMatch(t, want, seen, size)
	}
	_, err = c.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: aws.String("nowhere")})
	require.Equal(t, "NoSuchBucket", code(err))
}

func TestPartsAreDescribed(t *testing.T) {
	c := start(t)
	bucket, key := aws.String("data"), aws.String("big & <bold>")
	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	part, err := c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("hello"), ChecksumCRC32: aws.String("NhCmhg==")})
	require.NoError(t, err)
	require.Equal(t, "NhCmhg==", *part.ChecksumCRC32)
	_, err = c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: key, UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("hullo"), ChecksumCRC32: aws.String("NhCmhg==")})
	require.Equal(t, "BadDigest", code(err))
	done, err := c.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{Bucket: bucket, Key: key, UploadId: u.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.ETag, PartNumber: aws.Int32(1)}}}})
	require.NoError(t, err)
	require.Equal(t, c.server.URL+"/data/big%20%26%20%3Cbold%3E", *done.Location)
	attributes, err := c.GetObjectAttributes(t.Context(), &awss3.GetObjectAttributesInput{Bucket: bucket, Key: key, ObjectAttributes: []types.ObjectAttributes{"ETag", "ObjectParts"}})
	require.NoError(t, err)
	require.Equal(t, strings.Trim(*done.ETag, `"`), *attributes.ETag)
	require.Equal(t, int32(1), *attributes.ObjectParts.TotalPartsCount)
	list, err := c.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, *done.ETag, *list.Contents[0].ETag)
}
