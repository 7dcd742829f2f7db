package sagemaker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

// BenchmarkDescribeTrainingJob asks for a job over HTTP. The requests are signed
// once, so that only the cloud's work and the connection's count.
func BenchmarkDescribeTrainingJob(b *testing.B) {
	services, err := host(b.TempDir(), nil)
	require.NoError(b, err)
	h, err := services.handler()
	require.NoError(b, err)
	server := httptest.NewServer(h)
	defer func() {
		server.Close()
		require.NoError(b, services.service.Close(context.Background()))
		require.NoError(b, services.logs.Close())
		require.NoError(b, services.store.Close())
	}()
	c := &cloud{T: new(testing.T)}
	c.connect(server.URL)
	require.NoError(b, services.store.CreateBucket(b.Context(), "data"))
	_, err = c.sm.CreateTrainingJob(b.Context(), trainingInput("described", map[string]string{"rounds": "7", "depth": "3"}))
	require.NoError(b, err)
	const body = `{"TrainingJobName":"described"}`
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		header := signed(b, server.URL, body)
		for pb.Next() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, strings.NewReader(body))
			require.NoError(b, err)
			req.Header = header
			resp, err := client.Do(req)
			require.NoError(b, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			require.NoError(b, resp.Body.Close())
			require.Equal(b, http.StatusOK, resp.StatusCode)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "describes/s")
}

func signed(b *testing.B, url, body string) http.Header {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(b, err)
	req.Header.Set("X-Amz-Target", "SageMaker.DescribeTrainingJob")
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	sum := sha256.Sum256([]byte(body))
	require.NoError(b, v4.NewSigner().SignHTTP(b.Context(), aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, req,
		hex.EncodeToString(sum[:]), "sagemaker", "us-east-1", time.Now()))
	return req.Header
}
