package s3_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"steward/internal/localcloud/s3"
)

// inBubble opens a store whose client needs no network, so that both can run
// under the virtual time of a bubble.
func inBubble(t *testing.T, dir string, options ...s3.Option) *cloud {
	c := &cloud{T: t, dir: dir}
	store, err := s3.Open(dir, options...)
	require.NoError(t, err)
	h, err := store.Handler(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	c.store = store
	c.Client = awss3.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1"), RetryMaxAttempts: 1, HTTPClient: direct{h},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}, func(o *awss3.Options) { o.UsePathStyle = true })
	return c
}

// direct calls a handler in place of the network.
type direct struct{ http.Handler }

func (d direct) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// pass lets virtual time pass, and what is due happen.
func pass(d time.Duration) { <-time.After(d) }
