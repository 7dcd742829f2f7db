package s3_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

func TestPresigned(t *testing.T) {
	c := start(t)
	c.put("k k", "hello")
	signer := awss3.NewPresignClient(c.Client)
	in := &awss3.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k k")}
	good, err := signer.PresignGetObject(t.Context(), in, awss3.WithPresignExpires(time.Minute))
	require.NoError(t, err)
	status, body := fetch(t, good.URL)
	require.Equal(t, 200, status)
	require.Equal(t, "hello", body)

	status, body = fetch(t, strings.Replace(good.URL, "X-Amz-Expires=60", "X-Amz-Expires=600", 1))
	require.Equal(t, 403, status)
	require.Contains(t, body, "SignatureDoesNotMatch")

	status, body = fetch(t, c.server.URL+"/data/k%20k")
	require.Equal(t, 403, status)
	require.Contains(t, body, "AccessDenied")
}

func fetch(t *testing.T, url string) (int, string) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(b)
}

func TestWrongCredentials(t *testing.T) {
	c := start(t)
	_, err := c.client("nobody", "secret").ListBuckets(t.Context(), &awss3.ListBucketsInput{})
	require.Equal(t, "InvalidAccessKeyId", code(err))
	_, err = c.client("key", "wrong").ListBuckets(t.Context(), &awss3.ListBucketsInput{})
	require.Equal(t, "SignatureDoesNotMatch", code(err))
}

// changed sends another body than the one that was signed.
type changed struct{ awss3.HTTPClient }

func (c changed) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b[0] ^= 1
	r.Body = io.NopCloser(bytes.NewReader(b))
	return c.HTTPClient.Do(r)
}

func TestChangedBodyIsRefusedAndLeavesNothing(t *testing.T) {
	c := start(t)
	for _, n := range []int{10, 1 << 20} {
		_, err := c.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String("data"), Key: aws.String("k"), Body: bytes.NewReader(randomBytes(n))},
			func(o *awss3.Options) {
				o.HTTPClient = changed{http.DefaultClient}
				o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			})
		require.Equal(t, "XAmzContentSHA256Mismatch", code(err))
	}
	_, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("k")})
	require.Equal(t, 404, status(err))
	require.Empty(t, c.blobs())
}
