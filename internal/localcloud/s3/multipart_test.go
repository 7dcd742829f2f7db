package s3_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

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
