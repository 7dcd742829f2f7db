package s3_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// inChunks puts an object in signed chunks, as the SDKs for Java and C++ do.
func (c *cloud) inChunks(key string, spoil func(string) string, chunks ...string) *http.Response {
	const form = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	r, err := http.NewRequestWithContext(c.Context(), http.MethodPut, c.server.URL+"/data/"+key, nil)
	require.NoError(c, err)
	r.Header.Set("X-Amz-Content-Sha256", form)
	r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(len(strings.Join(chunks, ""))))
	r.Header.Set("Content-Encoding", "aws-chunked")
	at := time.Now().UTC()
	require.NoError(c, v4.NewSigner().SignHTTP(c.Context(), aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, r, form, "s3", "us-east-1", at))

	day, signingKey := at.Format("20060102"), []byte("AWS4secret")
	for _, part := range []string{day, "us-east-1", "s3", "aws4_request"} {
		signingKey = mac(signingKey, part)
	}
	_, last, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	var body strings.Builder
	for _, chunk := range append(chunks, "") {
		text := strings.Join([]string{"AWS4-HMAC-SHA256-PAYLOAD", at.Format("20060102T150405Z"), day + "/us-east-1/s3/aws4_request", last, digest(""), digest(chunk)}, "\n")
		last = hex.EncodeToString(mac(signingKey, text))
		fmt.Fprintf(&body, "%x;chunk-signature=%s\r\n%s\r\n", len(chunk), last, chunk)
	}
	sent := spoil(body.String())
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(sent)), int64(len(sent))
	answer, err := c.server.Client().Do(r)
	require.NoError(c, err)
	return answer
}

func TestSignedChunks(t *testing.T) {
	c := start(t)
	as := func(s string) string { return s }
	first, second := string(randomBytes(64<<10)), "hello"
	for key, chunks := range map[string][]string{"two": {first, second}, "none": {}} {
		answer := c.inChunks(key, as, chunks...)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, 200, answer.StatusCode)
		got, err := c.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String("data"), Key: &key})
		require.NoError(t, err)
		body, err := io.ReadAll(got.Body)
		require.NoError(t, errors.Join(err, got.Body.Close()))
		require.True(t, string(body) == strings.Join(chunks, ""))
		require.Nil(t, got.ContentEncoding)
	}
	for _, chunks := range [][]string{{first, second}, {second}} {
		answer := c.inChunks("bad", func(s string) string { return strings.Replace(s, "hello", "hullo", 1) }, chunks...)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, errors.Join(err, answer.Body.Close()))
		require.Equal(t, 403, answer.StatusCode)
		require.Contains(t, string(body), "<Code>SignatureDoesNotMatch</Code>")
	}
	_, err := c.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("bad")})
	require.Equal(t, 404, status(err))
	require.Len(t, c.blobs(), 1, "of the good one")
}
