package s3_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"
)

// bent changes what the client sends after it was signed.
type bent struct {
	awss3.HTTPClient
	from, to string
}

func (b bent) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte(b.from), []byte(b.to), 1)))
	return b.HTTPClient.Do(r)
}

// TestTrailingChecksums speaks TLS, over which SDKs send the checksum after the
// body, in chunks.
func TestTrailingChecksums(t *testing.T) {
	c := start(t)
	c.secure = true
	c.restart()
	bucket, key := aws.String("data"), aws.String("k")
	for _, size := range []int{0, 10, 300_000} {
		body := randomBytes(size)
		sum := sha256.Sum256(body)
		want := base64.StdEncoding.EncodeToString(sum[:])
		out, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(body), ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ContentEncoding: aws.String("gzip")})
		require.NoError(t, err)
		require.Equal(t, want, *out.ChecksumSHA256)
		head, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
		require.NoError(t, err)
		require.Equal(t, []any{want, int64(size), "gzip"}, []any{*head.ChecksumSHA256, *head.ContentLength, *head.ContentEncoding})
		got, err := c.get(&awss3.GetObjectInput{Key: key})
		require.NoError(t, err)
		require.True(t, got == string(body))
	}

	u, err := c.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("parts")})
	require.NoError(t, err)
	spoil := func(o *awss3.Options) { o.HTTPClient = bent{c.server.Client(), "hello", "hullo"} }
	_, err = c.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: bucket, Key: aws.String("parts"), UploadId: u.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("hello")}, spoil)
	require.Equal(t, "BadDigest", code(err))
	_, err = c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: bucket, Key: aws.String("bad"), Body: strings.NewReader("hello")}, spoil)
	require.Equal(t, "BadDigest", code(err))
	require.Equal(t, 400, status(err))
	_, err = c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String("bad")})
	require.Equal(t, 404, status(err))
}
